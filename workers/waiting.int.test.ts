import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { type OwnedProcess, startProcess } from '../infra/processes.ts';
import { createVhost, freePort, uniqueName, type Vhost } from '../test/setup/isolation.ts';

/* Workers and relays that start before what they stand on: nothing dies, nothing is replaced. */
let folder: string;
let vhost: Vhost;
let proxies: Proxy[];
let running: OwnedProcess | undefined;
let lines: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'order-saga-waiting-'));
  vhost = await createVhost('waiting');
  proxies = [];
  lines = [];
});
afterEach(async () => {
  await running?.stop();
  for (const proxy of proxies) proxy.close();
  await vhost.remove();
  await rm(folder, { recursive: true, force: true });
});

interface Proxy {
  close(): void;
}

/** Lets connections to `port` through to `target`. */
function openProxy(port: number, target: { host: string; port: number }): Proxy {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    const far = connect(target);
    for (const one of [socket, far]) {
      sockets.add(one);
      one.on('error', () => {}).on('close', () => (socket.destroy(), far.destroy()));
    }
    socket.pipe(far).pipe(socket);
  }).listen(port, '127.0.0.1');
  const proxy = {
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  proxies.push(proxy);
  return proxy;
}

async function run(name: 'worker' | 'relay', env: Record<string, string>) {
  const port = await freePort();
  running = await startProcess({
    name,
    command: process.execPath,
    args: [fileURLToPath(new URL(`./${name}.ts`, import.meta.url))],
    output: { onLine: (line) => void lines.push(line) },
    env: {
      PATH: process.env['PATH'],
      TASK_QUEUE_PREFIX: uniqueName('waiting'),
      SQL_URL: `sqlite:${join(folder, 'orders.sqlite')}`,
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      AMQP_URL: vhost.amqpUrl,
      REDIS_URL: inject('redisUrl'),
      ANALYTICS_SINK: `ndjson:${join(folder, 'analytics')}`,
      WORKER_PORT: String(port),
      RELAY_PORT: String(port),
      ...env,
    },
  });
  const readiness = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`);
    return (await response.json()) as { status: string; reasons: Record<string, string> };
  };
  return {
    /** Asks until `holds`; fails with the last answer when the process has ended. */
    async until(holds: (answer: Awaited<ReturnType<typeof readiness>>) => boolean) {
      for (;;) {
        if (running?.hasExited()) throw new Error(`${name} ended:\n${running.lastLines()}`);
        const answer = await readiness().catch(() => undefined);
        if (answer && holds(answer)) return answer;
        await sleep(50);
      }
    },
  };
}

const said = (text: string) => lines.filter((line) => line.includes(text));

test('a worker waits for the Temporal that TEMPORAL_ADDRESS names, not ready, and works when it answers', async () => {
  const port = await freePort();
  const worker = await run('worker', { TEMPORAL_ADDRESS: `127.0.0.1:${port}` });
  const { reasons } = await worker.until(
    ({ reasons: { temporal } }) => temporal !== undefined && temporal !== 'starting',
  );
  expect(reasons['temporal']).toContain(`127.0.0.1:${port}`);
  expect(said('not ready: waiting for temporal, which TEMPORAL_ADDRESS names')).toHaveLength(1);
  const [host = '', realPort] = inject('temporalAddress').split(':');
  openProxy(port, { host, port: Number(realPort) });
  await worker.until(({ status }) => status === 'ready');
  expect(said('temporal answers now')).toHaveLength(1);
});

test('a worker waits for a database that is locked when it starts', async () => {
  const database = new DatabaseSync(join(folder, 'orders.sqlite'));
  database.exec('CREATE TABLE Other (Id INTEGER); BEGIN EXCLUSIVE');
  const worker = await run('worker', {});
  const { reasons } = await worker.until(({ reasons: { sql } }) => sql !== undefined && sql !== 'starting');
  expect(reasons['sql']).toContain('another process holds the write lock');
  await sleep(2_000);
  database.exec('ROLLBACK');
  database.close();
  await worker.until(({ status }) => status === 'ready');
  expect(said('not ready: waiting for sql, which SQL_URL names')).not.toEqual([]);
});

test('a relay waits for the broker that AMQP_URL names, and does without Redis', async () => {
  const [port, redisPort] = [await freePort(), await freePort()];
  const real = new URL(vhost.amqpUrl);
  const away = new URL(vhost.amqpUrl);
  away.port = String(port);
  const relay = await run('relay', { AMQP_URL: away.href, REDIS_URL: `redis://127.0.0.1:${redisPort}` });
  const before = await relay.until(({ reasons }) => reasons['rabbitmq']?.includes('AMQP_URL') === true);
  expect(before.status).toBe('not ready');
  expect(said('no connection to the RabbitMQ that AMQP_URL names')).not.toEqual([]);
  expect(said('Redis does not answer at the address that REDIS_URL names; working without it')).toHaveLength(
    1,
  );
  openProxy(port, { host: real.hostname, port: Number(real.port) });
  const after = await relay.until(({ reasons }) => !('rabbitmq' in reasons) && !('sql' in reasons));
  expect(Object.keys(after.reasons)).toEqual(['redis']);
});
