import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { connect, type Channel, type ChannelModel } from 'amqplib';
import { afterAll, afterEach, beforeAll, expect, inject, it } from 'vitest';
import { connectSubscriberStore } from '../adapters/sqlite/subscriber-store.ts';
import { exampleOf } from '../messaging/contracts/event-contract.ts';
import { eventContracts } from '../messaging/contracts/event-contracts.ts';
import { createVhost, uniqueName, type Vhost } from '../test/setup/isolation.ts';
import { connectSubscriber } from '../compose/connect-subscriber.ts';

let vhost: Vhost;
let connection: ChannelModel;
let channel: Channel;
let folder: string;
let env: NodeJS.ProcessEnv;
const children: ChildProcess[] = [];

beforeAll(async () => {
  vhost = await createVhost('example');
  connection = await connect(vhost.amqpUrl);
  channel = await connection.createChannel();
  folder = await mkdtemp(join(tmpdir(), 'order-saga-example-'));
  env = {
    ...process.env,
    AMQP_URL: vhost.amqpUrl,
    REDIS_URL: inject('redisUrl'),
    TASK_QUEUE_PREFIX: uniqueName('example'),
    LOYALTY_DB: join(folder, 'loyalty.sqlite'),
    EFFECTS_DB: join(folder, 'effects.sqlite'),
  };
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});
afterAll(async () => {
  await connection.close();
  await vhost.remove();
  await rm(folder, { recursive: true, force: true });
});

function start(file: string): ChildProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, '..', file)], { env, stdio: 'inherit' });
  children.push(child);
  return child;
}

async function consumed(queue: string): Promise<void> {
  await expect
    .poll(
      async () => {
        const own = await connection.createChannel();
        own.on('error', () => {});
        return own.checkQueue(queue).then(
          async ({ consumerCount }) => own.close().then(() => consumerCount),
          () => 0,
        );
      },
      { timeout: 10_000 },
    )
    .toBe(1);
}

function publish(totalAmount: number): { eventId: string } {
  const example = exampleOf('order.completed.v1', eventContracts['order.completed.v1']);
  const event = { ...example, eventId: randomUUID(), payload: { ...example.payload, totalAmount } };
  return publishAgain(event);
}

function publishAgain(event: { eventId: string }): { eventId: string } {
  const content = Buffer.from(JSON.stringify(event));
  channel.publish('orders.exchange', 'order.completed.v1', content, { messageId: event.eventId });
  return event;
}

function rows(path: string | undefined, sql: string): unknown[] {
  const database = new DatabaseSync(path ?? '', { readOnly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

it('gives loyalty points once for each completed order, whatever is published twice', async () => {
  const example = start('examples/loyalty-points.ts');
  await consumed('loyalty.points.q');
  publishAgain(publish(1_499));
  publish(250);
  const points = () => rows(env['LOYALTY_DB'], 'SELECT Points FROM Points');
  const handled = () => rows(env['LOYALTY_DB'], 'SELECT EventId FROM ProcessedEvents').length;
  await expect.poll(handled, { timeout: 5_000 }).toBe(2);
  await expect.poll(points).toEqual([{ Points: 16 }]);
  example.kill('SIGTERM');
  expect(await once(example, 'exit')).toEqual([0, null]);
  expect(points()).toEqual([{ Points: 16 }]);
});

it('handles the redelivery as a duplicate when a consumer is killed between effect and acknowledgement', async () => {
  const dying = start('test/support/dying-subscriber.ts');
  await consumed('dying.events.q');
  const { eventId } = publish(100);
  expect(await once(dying, 'exit')).toEqual([null, 'SIGKILL']);
  const effects = () => rows(env['EFFECTS_DB'], 'SELECT EventId FROM Effects');
  expect(effects()).toEqual([{ EventId: eventId }]);
  const firsts: boolean[] = [];
  const store = connectSubscriberStore({ path: env['EFFECTS_DB'] ?? '', schema: '' });
  const survivor = await connectSubscriber({ service: 'dying', store, env: { ...env, LOG_LEVEL: 'warn' } });
  await survivor.subscribe({
    service: 'dying',
    events: ['order.completed.v1'],
    async handler(event, context) {
      firsts.push(
        await context.once(
          ({ sql }) => void sql.run('INSERT INTO Effects (EventId) VALUES (?)', event.eventId),
        ),
      );
    },
  });
  await expect.poll(() => firsts).toEqual([false]);
  const results = async () =>
    (await survivor.metrics.messagesConsumed.get()).values.map(({ labels, value }) => [labels.result, value]);
  await expect.poll(results).toEqual([['duplicate', 1]]);
  expect(effects()).toEqual([{ EventId: eventId }]);
  await survivor.close();
  await store.close();
});
