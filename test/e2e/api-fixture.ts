import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { afterAll, beforeAll, expect } from 'vitest';
import { createApp } from '../../api/app.ts';
import { createOrderWorkflows } from '../../adapters/temporal/orders.ts';
import { createRefundWorkflows } from '../../adapters/temporal/refunds.ts';
import { fakeDeps, settings } from '../../api/testing/fake-deps.ts';
import { taskQueues } from '../../domain/ids.ts';
import { defaultPolicy, withPolicy } from '../../domain/policy.ts';
import { quickPolicy, type SagaEnvironment } from '../setup/saga-environment.ts';

export interface ApiFixture {
  app: ReturnType<typeof createApp>;
  /** Sends one of the sandbox's own requests, for example `disputes/dp_1/decide`. */
  provider(path: string, method: string, body: object): Promise<void>;
}

/**
 * The real API before the suite's saga, listening for the provider's webhooks: every event twice, each second one
 * overtaken by what comes later, and nothing remembered between two deliveries, as while Redis is away.
 */
export function apiFixture(saga: () => SagaEnvironment): () => ApiFixture {
  let httpApi: (ApiFixture & { close(): void }) | undefined;
  beforeAll(async () => {
    httpApi = await open(saga());
  });
  afterAll(() => httpApi?.close());
  return () => {
    if (!httpApi) throw new Error('The API has not started; use it inside a test');
    return httpApi;
  };
}

async function open({ client, config, deps, sandbox }: SagaEnvironment) {
  const queues = taskQueues(config.TASK_QUEUE_PREFIX);
  const policy = withPolicy(defaultPolicy, quickPolicy);
  const app = createApp(
    fakeDeps({
      workflows: createOrderWorkflows(client, queues),
      refunds: createRefundWorkflows(client, { taskQueues: queues, policy }),
      store: deps.store,
      payments: deps.payments,
      settings: settings({ taskQueues: queues, policy }),
    }),
  );
  const answer = getRequestListener(app.fetch);
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const provider = async (path: string, method: string, body: object): Promise<void> => {
    const response = await fetch(`${sandbox.url}/sandbox/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(response.ok, await response.text()).toBe(true);
  };
  const { port } = server.address() as AddressInfo;
  const webhookTarget = `http://127.0.0.1:${port}/webhooks/stripe`;
  await provider('settings', 'PATCH', { webhookTarget, webhookDuplicateEvery: 1, webhookHoldBackEvery: 2 });
  return { app, provider, close: () => void server.close() };
}
