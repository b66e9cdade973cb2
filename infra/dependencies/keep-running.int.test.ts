import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { connect } from 'amqplib';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { freePort, isPortFree } from '../ports.ts';
import type { LaunchContext } from './dependency.ts';
import { startRabbitmq } from './rabbitmq.ts';
import { startRedis } from './redis.ts';
import { startTemporal } from './temporal.ts';

/* What npm start has started is killed, and is there again within seconds with its data and at its address. */
let folder: string;
let said: string[];
let context: LaunchContext;
let stop: (() => Promise<void>) | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'order-saga-kept-'));
  said = [];
  context = {
    env: { ...process.env, PATH: `${dirname(inject('temporalCli'))}:${process.env['PATH']}` },
    folder,
    keepsData: true,
    keepsRunning: true,
    takePort: () => freePort(),
    say: (line) => void said.push(line),
    useConfigured: false,
    installWithSudo: false,
  };
});
afterEach(async () => {
  await stop?.();
  rmSync(folder, { recursive: true, force: true });
});

/** Process ids as noted while they run. */
const pids = (name: string): number[] =>
  readdirSync(join(folder, 'processes'))
    .map((file) => new RegExp(`^${name}-(\\d+)\\.json$`).exec(file)?.[1])
    .filter((pid) => pid !== undefined)
    .map(Number);

/** The answer as soon as there is one. */
async function answer<T>(ask: () => Promise<T>): Promise<T> {
  for (const until = Date.now() + 40_000; ; await sleep(200)) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > until) throw error;
    }
  }
}

const kill = (pid: number | undefined) => process.kill(pid ?? 0, 'SIGKILL');

test('Redis', async () => {
  const { addresses, pid, stop: end } = await startRedis(context);
  stop = end;
  const use = async <T>(work: (redis: Redis) => Promise<T>) => {
    const redis = new Redis(addresses.url, { retryStrategy: () => null, maxRetriesPerRequest: 0 });
    redis.on('error', () => {});
    try {
      return await work(redis);
    } finally {
      redis.disconnect();
    }
  };
  await use((redis) => redis.set('kept', 'yes'));
  kill(pid);
  await sleep(200);
  expect(await answer(() => use((redis) => redis.get('kept')))).toBe('yes');
  expect(said.filter((line) => line.startsWith('redis ended (SIGKILL)'))).toHaveLength(1);
  await end();
  expect(pids('redis')).toEqual([]);
});

test('RabbitMQ, its port mapper, and its start script alone', async () => {
  const { addresses, pid, stop: end } = await startRabbitmq(context);
  stop = end;
  const use = async <T>(work: (model: Awaited<ReturnType<typeof connect>>) => Promise<T>) => {
    const model = await connect(addresses.url, { timeout: 2_000 });
    model.on('error', () => {});
    try {
      return await work(model);
    } finally {
      await model.close().catch(() => {});
    }
  };
  const messages = async () =>
    use(async (model) => {
      const channel = await model.createChannel();
      return (await channel.checkQueue('kept')).messageCount;
    });
  await use(async (model) => {
    const channel = await model.createConfirmChannel();
    await channel.assertQueue('kept', { durable: true });
    channel.sendToQueue('kept', Buffer.from('a message'), { persistent: true });
    await channel.waitForConfirms();
  });
  // The broker writes what was declared to its log within two seconds.
  await sleep(3_000);
  kill(pids('epmd')[0]);
  kill(pid);
  await sleep(500);
  expect(await answer(messages)).toBe(1);
  const [script] = pids('rabbitmq');
  kill(script);
  while (pids('rabbitmq')[0] === script || pids('rabbitmq').length === 0) await sleep(50);
  expect(await answer(messages)).toBe(1);
  await end();
  expect([...pids('rabbitmq'), ...pids('epmd')]).toEqual([]);
});

test('Temporal, also when another program has its port for a while', async () => {
  const { addresses, pid, stop: end } = await startTemporal(context);
  stop = end;
  const use = async <T>(work: (connection: Connection) => Promise<T>) => {
    const connection = await Connection.connect({ address: addresses.address, connectTimeout: 2_000 });
    try {
      return await connection.withDeadline(Date.now() + 2_000, () => work(connection));
    } finally {
      await connection.close();
    }
  };
  await use(({ workflowService }) =>
    workflowService.registerNamespace({
      namespace: 'kept',
      workflowExecutionRetentionPeriod: msToTs('1 day'),
    }),
  );
  const port = Number(addresses.address.split(':')[1]);
  kill(pid);
  while (!(await isPortFree(port))) await sleep(5);
  const thief = createServer().listen(port, '127.0.0.1');
  while (!said.some((line) => line.includes(`port ${port} was taken by another program`))) await sleep(50);
  thief.close();
  const described = await answer(() =>
    use(({ workflowService }) => workflowService.describeNamespace({ namespace: 'kept' })),
  );
  expect(described.namespaceInfo?.name).toBe('kept');
});
