import { expect } from 'vitest';
import type { FaultRuleInput } from '../../sandbox/faults/fault-rules.ts';
import { cancelOrder } from '../../workflows/messages.ts';
import { booksOf, newOrderId } from '../e2e/saga-suite.ts';
import type { SagaEnvironment } from '../setup/saga-environment.ts';
import type { CrashingWorker } from './crashing-worker.ts';
import { crashPolicy, say } from './crash-plans.ts';
import type { KillPoint } from './kill-points.ts';

export interface CrashRun {
  saga: SagaEnvironment;
  worker: CrashingWorker;
  points: readonly KillPoint[];
  /** Faults at the providers for this order alone. */
  faults?: readonly FaultRuleInput[];
}

type Order = Awaited<ReturnType<CrashingWorker['start']>>;

/** One order whose worker dies at each of the points: it ships, with one charge and one label. */
export async function expectShippedOnce(run: CrashRun): Promise<void> {
  const orderId = newOrderId();
  await addFaults(run, orderId);
  const order = await run.worker.start(orderId, run.points, crashPolicy);
  await expect(order.result()).resolves.toMatchObject({ status: 'completed' });
  const { provider } = await settledBooks(run, order);
  expect(provider.charged).toHaveLength(1);
  expect(provider.refunded).toEqual([]);
  expect(provider.labels).toMatchObject([{ refundStatus: null }]);
}

/**
 * One paid order whose label was bought but nobody knows (the reply was lost, then the carrier went away), canceled
 * while it is parked; its worker dies at each of the points: charge, label and stock are taken back once.
 */
export async function expectTakenBackOnce(run: CrashRun): Promise<void> {
  const order = await boughtInTheDark(run);
  await addFaults(run, order.orderId);
  await order.executeUpdate(cancelOrder, { args: [{ actor: 'help-desk', reason: 'does not want it' }] });
  await expect(order.result()).resolves.toMatchObject({ status: 'cancelled' });
  const { provider } = await settledBooks(run, order);
  expect(provider.charged).toHaveLength(1);
  expect(provider.refunded).toHaveLength(1);
  expect(provider.labels).toHaveLength(1);
  expect(provider.labels).not.toMatchObject([{ refundStatus: null }]);
}

async function boughtInTheDark({ saga, worker, points }: CrashRun): Promise<Order> {
  const orderId = newOrderId();
  const carrier = { provider: 'easypost', match: { orderId } } as const;
  const away = `away-${orderId}`;
  await saga.addFault({ ...carrier, operation: 'shipments.buy', kind: 'reply-lost', times: 1 });
  await saga.addFault({ ...carrier, id: away, operation: 'shipments.retrieve', kind: 'error', status: 503 });
  const policy = { ...crashPolicy, steps: { shipping: { budgetMs: 1_500 } } };
  const order = await worker.start(orderId, points, policy);
  await saga.until(orderId, ({ sagaState }) => sagaState === 'parked', 60_000);
  await saga.removeFault(away);
  return order;
}

async function addFaults({ saga, faults = [] }: CrashRun, orderId: string): Promise<void> {
  for (const fault of faults) await saga.addFault({ ...fault, match: { orderId } });
}

/** The order's books, once it is certain that every kill happened and that the order fits together. */
async function settledBooks({ saga, worker, points }: CrashRun, { orderId }: Order) {
  const missed = worker.missed(orderId, points).map(say);
  expect(missed, `kill points that order ${orderId} never came to`).toEqual([]);
  await saga.check(orderId);
  return booksOf(saga, orderId);
}
