import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { getRequestListener } from '@hono/node-server';
import { Client } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { inject } from 'vitest';
import { createApp } from '../../api/app.ts';
import { createOrderActWorkflows } from '../../adapters/temporal/bulk-orders.ts';
import { createOrderWorkflows } from '../../adapters/temporal/orders.ts';
import { createRefundWorkflows } from '../../adapters/temporal/refunds.ts';
import { fakeDeps, operatorKey, send, settings } from '../../api/testing/fake-deps.ts';
import { createApiClient } from '../../cli/api-client.ts';
import { ordersCommand } from '../../cli/orders.ts';
import { taskQueues, workflowIdOf, type OrderId } from '../../domain/ids.ts';
import { systemClock } from '../../ports/clock.ts';
import type { DeadLetterService } from '../../ports/dead-letters.ts';
import { createOrderActService } from '../../adapters/temporal/order-act-service.ts';
import { createOpsWorker } from '../../workers/saga/ops-worker.ts';
import { testBundle, type SagaEnvironment } from '../setup/saga-environment.ts';
import { runWorker } from './run-worker.ts';

/** What a command printed, and why it failed where it did. */
export interface CommandResult {
  out: string;
  error: string | undefined;
}

export type OpsFixture = Awaited<ReturnType<typeof startOpsFixture>>;

/** The three entry points to the orders of a saga environment: HTTP as the operator, the command line in this process, signals. */
export async function startOpsFixture(saga: SagaEnvironment) {
  const queues = taskQueues(saga.config.TASK_QUEUE_PREFIX);
  const workflows = createOrderWorkflows(saga.client, queues);
  const app = createApp(
    fakeDeps({
      workflows,
      orderActs: createOrderActWorkflows(saga.client, queues.ops),
      refunds: createRefundWorkflows(saga.client, { taskQueues: queues, policy: saga.config.policy }),
      store: saga.deps.store,
      payments: saga.deps.payments,
      clock: systemClock,
      settings: settings({ taskQueues: queues, policy: saga.config.policy }),
    }),
  );
  const answer = getRequestListener(app.fetch);
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let stopWorker = await runOpsWorker(saga);

  /** `orders …` as on a terminal where nobody answers questions, unless `agrees`. */
  async function ops(args: string[], agrees = false): Promise<CommandResult> {
    const printed: string[] = [];
    const command = ordersCommand({
      client: () => createApiClient(url, operatorKey),
      print: (text) => printed.push(text),
      say: () => {},
      confirm: async () => agrees,
      atTerminal: agrees,
    });
    const error = await command.parseAsync(args, { from: 'user' }).then(
      () => undefined,
      (failure: Error) => failure.message,
    );
    return { out: printed.join('\n'), error };
  }

  return {
    workflows,
    ops,
    http: (method: string, path: string, body?: unknown) =>
      send(app, method, path, { key: operatorKey, ...(body === undefined ? {} : { body }) }),
    /** `temporal workflow signal`, as people type it. */
    async signal(id: OrderId, name: string, input: unknown): Promise<void> {
      const args = ['workflow', 'signal', '--address', inject('temporalAddress')];
      const what = ['--workflow-id', workflowIdOf(id), '--name', name, '--input', JSON.stringify(input)];
      await promisify(execFile)(inject('temporalCli'), [...args, ...what]);
    },
    /** The worker of acts on many orders goes, and another one comes. */
    async restartWorker() {
      await stopWorker();
      stopWorker = await runOpsWorker(saga);
    },
    async close() {
      server.close();
      await stopWorker();
    },
  };
}

/** Like the worker process: the service's client is on the worker's own connection. */
async function runOpsWorker({ config, deps }: SagaEnvironment): Promise<() => Promise<void>> {
  const queues = taskQueues(config.TASK_QUEUE_PREFIX);
  const connection = await NativeConnection.connect({ address: inject('temporalAddress') });
  const workflows = createOrderWorkflows(new Client({ connection, namespace: 'default' }), queues);
  const elsewhere = async () => {
    throw new Error('There are no dead letters in this fixture');
  };
  const deadLetters: DeadLetterService = { slice: elsewhere, note: elsewhere };
  const worker = await createOpsWorker({
    connection,
    namespace: 'default',
    taskQueue: queues.ops,
    workflowBundle: await testBundle(),
    deadLetters,
    orderActs: createOrderActService({ workflows, store: deps.store, clock: systemClock }),
    shutdownGraceMs: 2_000,
  });
  return runWorker(worker, connection);
}
