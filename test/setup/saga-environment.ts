import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineSearchAttributeKey } from '@temporalio/common';
import {
  Client,
  Connection,
  WorkflowNotFoundError,
  type WorkflowHandleWithFirstExecutionRunId,
} from '@temporalio/client';
import {
  NativeConnection,
  Runtime,
  DefaultLogger,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { inject } from 'vitest';
import type { ActivityDeps } from '../../activities/deps.ts';
import { loadConfig, type Config } from '../../config/config.ts';
import { customerId, orderId, productId, taskQueues, workflowIdOf, type OrderId } from '../../domain/ids.ts';
import type { Address, Checkout, OrderView } from '../../domain/order.ts';
import { defaultPolicy, withPolicy, type PolicyChanges } from '../../domain/policy.ts';
import { searchAttributes } from '../../domain/search-attributes.ts';
import type { FaultRuleInput } from '../../sandbox/faults/fault-rules.ts';
import { runWorker } from '../support/run-worker.ts';
import { startSandbox, type Sandbox } from '../../sandbox/start-sandbox.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { connectActivityDeps, type ConnectedDeps } from '../../compose/connect-activity-deps.ts';
import { createOrderWorkers } from '../../workers/saga/order-workers.ts';
import { bundleOrderWorkflows } from '../../workers/saga/workflow-bundle.ts';
import { fulfillOrder } from '../../workflows/index.ts';
import { getOrder } from '../../workflows/messages.ts';
import { expectInvariants, type InvariantCounts } from '../checker/check-invariants.ts';
import { uniqueName } from './isolation.ts';
import type { FulfillOrder } from '../../domain/order-run.ts';

/** Retries in tens of milliseconds, so that a test runs the real path quickly. */
export const quickPolicy: PolicyChanges = {
  name: 'test',
  allSteps: {
    attemptTimeoutMs: 5_000,
    initialIntervalMs: 30,
    backoffCoefficient: 1.5,
    maximumIntervalMs: 300,
  },
  actionPollMs: 200,
  /* Most tests of parking let SQL fail. */
  waitForStore: false,
};

export const goodAddress = {
  name: 'Asha Rao',
  street1: '12 Residency Road',
  city: 'Bengaluru',
  state: 'KA',
  postalCode: '560025',
  country: 'IN',
} satisfies Address;

export interface SagaEnvironment {
  client: Client;
  namespace: string;
  config: Config;
  env: Record<string, string>;
  sandbox: Sandbox;
  deps: ConnectedDeps;
  /** Starts an order with `overrides` over a good checkout of one keyboard. */
  start(
    overrides?: Partial<Checkout>,
    policy?: PolicyChanges,
  ): Promise<WorkflowHandleWithFirstExecutionRunId<typeof fulfillOrder> & { orderId: OrderId }>;
  view(id: OrderId): Promise<OrderView>;
  /** Polls the order until the condition holds; fails with the last view after `timeoutMs` (default 20 s). */
  until(id: OrderId, condition: (view: OrderView) => boolean, timeoutMs?: number): Promise<OrderView>;
  /** Puts a product with a new id on the shelf. */
  putProduct(input: NewProduct): Promise<void>;
  /** Sets the sandbox's fault rules; an empty list clears them. */
  faults(rules: FaultRuleInput[]): Promise<void>;
  /** Adds one rule; `match: { orderId }` keeps other orders out of it. */
  addFault(rule: FaultRuleInput): Promise<void>;
  removeFault(id: string): Promise<void>;
  /** The invariants of these orders: throws with everything that does not fit together. */
  check(...ids: OrderId[]): Promise<InvariantCounts>;
  /** The invariants of everything that this environment has started, with the shelf. */
  checkAll(): Promise<InvariantCounts>;
  close(): Promise<void>;
}

let bundle: Promise<WorkflowBundleWithSourceMap> | undefined;

/** One bundle for all suites of a test process. */
export const testBundle = (): Promise<WorkflowBundleWithSourceMap> => {
  bundle ??= bundleOrderWorkflows({ logger: new DefaultLogger('ERROR') });
  return bundle;
};

/**
 * The saga on real parts: the run's Temporal and Redis, a SQLite file and a sandbox of its own, and (unless `workers`
 * is false) the workers in this process. `wrap` may put faults around the activities' dependencies.
 */
export async function startSagaEnvironment(
  options: {
    workers?: boolean;
    env?: Record<string, string>;
    wrap?: (deps: ActivityDeps) => ActivityDeps;
  } = {},
): Promise<SagaEnvironment> {
  const folder = await mkdtemp(join(tmpdir(), 'order-saga-test-'));
  const sandbox = await startSandbox({ dataDir: join(folder, 'sandbox') });
  const env = {
    TASK_QUEUE_PREFIX: uniqueName('saga'),
    REDIS_URL: inject('redisUrl'),
    SQL_URL: `sqlite:${join(folder, 'orders.sqlite')}`,
    ANALYTICS_SINK: `ndjson:${join(folder, 'analytics')}`,
    STRIPE_API_BASE: sandbox.url,
    EASYPOST_API_BASE: sandbox.url,
    SMTP_URL: `smtp://127.0.0.1:${sandbox.smtpPort}`,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: 'default',
    /* Faults of single orders must not stop the others of a suite. */
    PROVIDER_POLICY: JSON.stringify({ circuit: { minimumCalls: 1_000_000 } }),
    LOG_LEVEL: 'warn',
    ...options.env,
  };
  const config = loadConfig(env);
  const namespace = 'default';
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  const client = new Client({ connection, namespace });
  const deps = await connectActivityDeps(config, createMetrics());
  const stopWorkers =
    options.workers === false ? async () => {} : await runWorkers(config, options.wrap?.(deps) ?? deps);
  const stocked = new Map<string, number>();
  const acknowledged: OrderId[] = [];
  const stock = async (product: NewProduct) => {
    await putProduct(deps, product);
    stocked.set(product.productId, product.onHand);
  };
  await stock({ productId: 'keyboard-mx', onHand: 100_000, priceMinor: 749_900 });
  await deps.store.transaction((tx) =>
    tx.inventory.describeProduct({
      productId: productId('keyboard-mx'),
      weightGrams: 226,
      hsCode: '847160',
      originCountry: 'TW',
      customsDescription: 'Computer keyboard',
    }),
  );

  const { store } = deps;
  const sandboxUrl = sandbox.url;
  const view = (id: OrderId) => client.workflow.getHandle(workflowIdOf(id)).query(getOrder);
  const isRunning = (workflowId: string): Promise<boolean> =>
    client.workflow
      .getHandle(workflowId)
      .describe()
      .then(
        ({ status }) => status.name === 'RUNNING',
        (error: unknown) => {
          if (error instanceof WorkflowNotFoundError) return false;
          throw error;
        },
      );
  return {
    client,
    namespace,
    config,
    env,
    sandbox,
    deps,
    view,
    async start(overrides, policy) {
      const order = await start(client, config, overrides, policy);
      if (!acknowledged.includes(order.orderId)) acknowledged.push(order.orderId);
      return order;
    },
    until: (id, condition, timeoutMs) => until(() => view(id), condition, timeoutMs),
    putProduct: stock,
    faults: (rules) => sendFaults(sandbox, 'PUT', '', { rules }),
    addFault: (rule) => sendFaults(sandbox, 'POST', '', rule),
    removeFault: (id) => sendFaults(sandbox, 'DELETE', `/${id}`),
    check: (...ids) =>
      expectInvariants({
        store,
        sandboxUrl,
        isRunning,
        only: ids,
        acknowledged: ids,
      }),
    checkAll: () =>
      expectInvariants({
        store,
        sandboxUrl,
        isRunning,
        acknowledged,
        stocked,
      }),
    async close() {
      await stopWorkers();
      await deps.close();
      await connection.close();
      await sandbox.close();
      await rm(folder, {
        recursive: true,
        force: true,
      });
    },
  };
}

async function runWorkers(config: Config, deps: ActivityDeps): Promise<() => Promise<void>> {
  installRuntime();
  const connection = await NativeConnection.connect({ address: inject('temporalAddress') });
  const workers = await createOrderWorkers({
    connection,
    namespace: 'default',
    taskQueues: taskQueues(config.TASK_QUEUE_PREFIX),
    workflowBundle: await testBundle(),
    deps,
    providerPolicy: config.providerPolicy,
    shutdownGraceMs: 2_000,
  });
  return runWorker(workers, connection);
}

let installed = false;
function installRuntime(): void {
  if (!installed) Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  installed = true;
}

/** A good checkout of one keyboard, with a fresh order id. */
const checkoutOf = (overrides: Partial<Checkout> = {}): Checkout => ({
  orderId: orderId(crypto.randomUUID()),
  callerId: 'local',
  customerId: customerId('customer-1'),
  customerEmail: 'asha@customers.example',
  items: [{ productId: productId('keyboard-mx'), quantity: 1 }],
  paymentMethodId: 'pm_card_visa',
  shippingAddress: goodAddress,
  currency: 'INR',
  ...overrides,
});

export const workflowInput = (
  config: Config,
  overrides: Partial<Checkout> = {},
  policy: PolicyChanges = {},
): FulfillOrder => ({
  checkout: checkoutOf(overrides),
  policy: withPolicy(withPolicy(defaultPolicy, quickPolicy), policy),
  taskQueues: taskQueues(config.TASK_QUEUE_PREFIX),
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
});

async function start(client: Client, config: Config, overrides?: Partial<Checkout>, policy?: PolicyChanges) {
  const input = workflowInput(config, overrides, policy);
  const id = input.checkout.orderId;
  const handle = await client.workflow.start(fulfillOrder, {
    workflowId: workflowIdOf(id),
    taskQueue: input.taskQueues.orders,
    args: [input],
    typedSearchAttributes: [
      { key: defineSearchAttributeKey(searchAttributes.orderStatus, 'KEYWORD'), value: 'received' },
      { key: defineSearchAttributeKey(searchAttributes.sagaState, 'KEYWORD'), value: 'running' },
    ],
  });
  return Object.assign(handle, { orderId: id });
}

/** Polls every 25 ms until the condition holds; fails with what was seen last. */
export async function until<T>(
  read: () => Promise<T>,
  condition: (value: T) => boolean,
  timeoutMs = 20_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  let last: unknown;
  while (Date.now() < end) {
    try {
      const value = await read();
      if (condition(value)) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(
    `Not reached within ${timeoutMs} ms; last seen: ${last instanceof Error ? last.stack : JSON.stringify(last)}`,
  );
}

interface NewProduct {
  productId: string;
  onHand: number;
  priceMinor?: number;
}

const putProduct = (
  deps: ActivityDeps,
  { productId: id, onHand, priceMinor = 100_000 }: NewProduct,
): Promise<void> =>
  deps.store.transaction((tx) =>
    tx.inventory.putProduct({
      productId: productId(id),
      name: id,
      price: { amountMinor: priceMinor, currency: 'INR' },
      onHand,
    }),
  );

async function sendFaults(sandbox: Sandbox, method: string, path: string, body?: unknown): Promise<void> {
  const response = await fetch(`${sandbox.url}/sandbox/faults${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!response.ok)
    throw new Error(`Sandbox refused the faults: ${response.status} ${await response.text()}`);
}
