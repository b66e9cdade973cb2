import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { freePort } from '../ports.ts';
import type { LaunchContext } from './dependency.ts';
import { configuredServer, hostOf } from './configured.ts';
import { onOwnPorts } from './own-ports.ts';
import { startRabbitmq } from './rabbitmq.ts';
import { startRedis } from './redis.ts';
import { startTemporal } from './temporal.ts';
import { startAlertmanager } from './alertmanager.ts';
import { startPrometheus } from './prometheus.ts';

function context(env: NodeJS.ProcessEnv) {
  const said: string[] = [];
  const started: string[] = [];
  const parts: LaunchContext = {
    env: { PATH: process.env['PATH'], ...env },
    folder: '/nowhere',
    keepsData: false,
    async takePort(name) {
      started.push(name);
      throw new Error('nothing of our own may be started');
    },
    say: (line) => void said.push(line),
    useConfigured: true,
    installWithSudo: false,
  };
  return { parts, said, started };
}

const metrics = { api: '', worker: '', relay: '', sandbox: '', rabbitmq: '', temporal: '' };

test.each([
  ['TEMPORAL_ADDRESS', (port: number) => `127.0.0.1:${port}`, startTemporal],
  ['AMQP_URL', (port: number) => `amqp://user:secret@127.0.0.1:${port}/shop`, startRabbitmq],
  ['REDIS_URL', (port: number) => `redis://:secret@127.0.0.1:${port}`, startRedis],
  [
    'PROMETHEUS_URL',
    (port: number) => `http://127.0.0.1:${port}`,
    (c: LaunchContext) => startPrometheus(c, { metrics }),
  ],
  ['ALERTMANAGER_URL', (port: number) => `http://127.0.0.1:${port}`, startAlertmanager],
] as const)(
  'a %s where nobody answers is said and kept; nothing private takes its place',
  async (setting, at, start) => {
    const port = await freePort();
    const { parts, said, started } = context({ [setting]: at(port) });
    const { source, version, addresses, stop } = await start(parts);
    await stop();
    expect([source, version, started]).toEqual(['configured', '', []]);
    expect(JSON.stringify(addresses)).toContain(at(port));
    expect(said).toEqual([
      expect.stringContaining(`${setting} names 127.0.0.1:${port}, which cannot be used now`),
    ]);
    expect(said[0]).not.toContain('secret');
  },
  20_000,
);

test('it is asked again until it answers, and its preparation done then', async () => {
  const { parts, said } = context({});
  const answers = [undefined, undefined, '7.2.4'];
  const { stop } = await configuredServer(parts, {
    name: 'Redis',
    setting: 'REDIS_URL',
    shown: '10.0.0.1:6379',
    addresses: {},
    async ask() {
      const version = answers.shift();
      if (version === undefined) throw new Error('refused');
      return version;
    },
    pause: (async () => {}) as unknown as typeof sleep,
  });
  while (said.length < 2) await sleep(5);
  await stop();
  expect(said[1]).toBe('Redis 7.2.4 answers now (REDIS_URL)');
});

test('an address is shown without its password', () => {
  expect(hostOf('amqps://user:secret@broker.example:5671/shop')).toBe('broker.example:5671');
  expect(hostOf('not an address secret')).toBe('an address that is no URL');
});

test('a port that was taken between choosing and listening is another one; the others stay', async () => {
  const { parts, said } = context({});
  const given = [1_001, 1_002, 1_003];
  const tried: unknown[] = [];
  const started = await onOwnPorts(
    { ...parts, takePort: async () => given.shift() as number },
    { name: 'RabbitMQ', ports: { amqp: 'amqp', management: 'rabbitmq-management' } },
    async (ports) => {
      tried.push(ports);
      if (ports.management === 1_002) throw new Error('pages of Erlang terms');
      return 'running';
    },
    async (port) => port !== 1_002,
  );
  expect(started).toBe('running');
  expect(tried).toEqual([
    { amqp: 1_001, management: 1_002 },
    { amqp: 1_001, management: 1_003 },
  ]);
  expect(said).toEqual(['RabbitMQ: port 1002 was taken by another program; using 1003']);
});

test('a server that does not start for another reason is not tried on other ports', async () => {
  const { parts } = context({});
  const start = onOwnPorts(
    { ...parts, takePort: async () => 1_001 },
    { name: 'Redis', ports: { port: 'redis' } },
    () => Promise.reject(new Error('no memory')),
    async () => true,
  );
  await expect(start).rejects.toThrow('no memory');
});
