import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { connect, type ConfirmChannel, type ConsumeMessage } from 'amqplib';
import { inject } from 'vitest';
import { connectRabbitmqBroker } from '../../adapters/rabbitmq/rabbitmq-broker.ts';
import { createOrderWorkflows } from '../../adapters/temporal/orders.ts';
import type { BulkAct, DeadLetterFilter } from '../../domain/dead-letters.ts';
import { bulkWorkflowIdOf, taskQueues } from '../../domain/ids.ts';
import { createDeadLetterService } from '../../messaging/dead-letters-service.ts';
import { startDeadLetterIndex } from '../../messaging/dead-letters-index.ts';
import { deadLetterParts, joinParts } from '../../messaging/queue-parts.ts';
import { topology } from '../../messaging/topology.ts';
import type { Topology } from '../../ports/broker.ts';
import { systemClock } from '../../ports/clock.ts';
import type { DeadLetterService } from '../../ports/dead-letters.ts';
import type { OrderActService } from '../../ports/order-acts.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { connectStore } from '../../compose/connect-store.ts';
import { createOrderActService } from '../../adapters/temporal/order-act-service.ts';
import { createOpsWorker } from '../../workers/saga/ops-worker.ts';
import { replayDeadLetters } from '../../workflows/replay-dead-letters.ts';
import { createVhost, uniqueName } from '../setup/isolation.ts';
import { runWorker } from './run-worker.ts';
import { testBundle, until } from '../setup/saga-environment.ts';

/** A queue of tasks and its dead letters. */
export const tasksQueue = 'tasks';

const tasks: Topology = joinParts([
  { exchanges: [], queues: [{ name: tasksQueue, kind: 'classic', durable: true }], bindings: [] },
  deadLetterParts(tasksQueue),
]);

export type DeadLetterFixture = Awaited<ReturnType<typeof startDeadLetterFixture>>;

export interface FailedMessage {
  messageId?: string;
  body?: unknown;
  type?: string;
  headers?: Record<string, unknown>;
}

/** Dead letters on real parts: a virtual host, a SQLite file, the index and, unless `worker` is false, the worker. */
export async function startDeadLetterFixture(options: { worker?: boolean; lookMs?: number } = {}) {
  const logger = createLogger({ process: 'test', level: process.env['LOG_LEVEL'] ?? 'silent' });
  const folder = await mkdtemp(join(tmpdir(), 'order-saga-dead-letters-'));
  const vhost = await createVhost('dead-letters');
  const env = {
    SQL_URL: `sqlite:${join(folder, 'orders.sqlite')}`,
    AMQP_URL: vhost.amqpUrl,
    TASK_QUEUE_PREFIX: uniqueName('ops'),
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: 'default',
    REDIS_URL: inject('redisUrl'),
    LOG_LEVEL: 'warn',
  };
  const store = await connectStore(env);
  const broker = await connectRabbitmqBroker({
    url: vhost.amqpUrl,
    topology,
    logger,
    managementUrl: inject('amqpManagementUrl'),
  });
  await broker.declare(tasks);
  const index = startDeadLetterIndex({
    queues: broker.deadLetters,
    store,
    clock: systemClock,
    logger,
    lookMs: options.lookMs ?? 50,
  });
  const deadLetters = createDeadLetterService({
    store,
    queues: broker.deadLetters,
    clock: systemClock,
    sliceMs: 500,
  });
  const amqp = await connect(vhost.amqpUrl);
  const channel = await amqp.createConfirmChannel();
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  const client = new Client({ connection });
  const taskQueue = taskQueues(env.TASK_QUEUE_PREFIX).ops;
  const orderActs = createOrderActService({
    workflows: createOrderWorkflows(client, taskQueues(env.TASK_QUEUE_PREFIX)),
    store,
    clock: systemClock,
  });
  const stopWorker =
    options.worker === false ? async () => {} : await runOpsWorker({ deadLetters, orderActs, taskQueue });

  const read = store.read.deadLetters;
  const open = (filter: DeadLetterFilter = {}) => read.page({ filter, states: ['open'], limit: 50_000 });
  const total = async () => (await read.groups({})).reduce((sum, group) => sum + group.open, 0);

  return {
    vhost,
    env,
    store,
    broker,
    deadLetters,
    channel,
    client,
    read,
    open,
    total,
    folder,
    taskQueue,
    fail: (messages: readonly FailedMessage[]) => fail(channel, messages),
    /** Waits until the index knows `count` open ones. */
    indexed: (count: number, timeoutMs = 20_000) => until(total, (now) => now === count, timeoutMs),
    depth: async (queue: string) => (await channel.checkQueue(queue)).messageCount,
    /** What a queue holds, taken out. */
    drain: (queue: string) => drain(channel, queue),
    async start(act: Partial<BulkAct> = {}) {
      const bulk: BulkAct = {
        replayId: randomUUID(),
        act: 'replay',
        actor: 'ada',
        reason: 'the cause is mended',
        ...act,
        filter: { failedUntilUtc: new Date().toISOString(), ...act.filter },
      };
      return client.workflow.start(replayDeadLetters, {
        workflowId: bulkWorkflowIdOf(bulk.replayId),
        taskQueue,
        args: [{ bulk }],
      });
    },
    async close() {
      await stopWorker();
      await index.close();
      await broker.close();
      await amqp.close();
      await connection.close();
      await store.close();
      await vhost.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function runOpsWorker(parts: {
  deadLetters: DeadLetterService;
  orderActs: OrderActService;
  taskQueue: string;
}): Promise<() => Promise<void>> {
  const connection = await NativeConnection.connect({ address: inject('temporalAddress') });
  const workflowBundle = await testBundle();
  const worker = await createOpsWorker({
    connection,
    namespace: 'default',
    workflowBundle,
    ...parts,
    shutdownGraceMs: 2_000,
  });
  return runWorker(worker, connection);
}

/** Publishes to the dead-letter queue as a consumer of ours does when it gives a message up. */
async function fail(channel: ConfirmChannel, messages: readonly FailedMessage[]): Promise<void> {
  for (const { messageId, body = {}, type = 'task.v1', headers = {} } of messages) {
    const nowUtc = new Date().toISOString();
    channel.sendToQueue(`${tasksQueue}.dlq`, Buffer.from(JSON.stringify(body)), {
      persistent: true,
      type,
      priority: 3,
      contentType: 'application/json',
      ...(messageId === undefined ? {} : { messageId }),
      headers: {
        'order-id': 'order-1',
        'x-attempt': 4,
        'x-reason': 'partner-error',
        'x-error': `503 after ${Math.floor(Math.random() * 1_000)} ms`,
        'x-first-failed-at': nowUtc,
        'x-last-failed-at': nowUtc,
        'x-origin-queue': tasksQueue,
        ...headers,
      },
    });
  }
  await channel.waitForConfirms();
}

async function drain(channel: ConfirmChannel, queue: string): Promise<ConsumeMessage[]> {
  const got: ConsumeMessage[] = [];
  const { messageCount } = await channel.checkQueue(queue);
  if (messageCount === 0) return got;
  const { promise, resolve } = Promise.withResolvers<void>();
  const { consumerTag } = await channel.consume(
    queue,
    (message) => {
      if (message) got.push(message);
      if (got.length === messageCount) resolve();
    },
    { noAck: true },
  );
  await promise;
  await channel.cancel(consumerTag);
  return got;
}
