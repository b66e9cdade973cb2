import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OrderId } from '../../domain/ids.ts';
import type { PolicyChanges } from '../../domain/policy.ts';
import { cancelOrder } from '../../workflows/messages.ts';
import { startSagaEnvironment, type SagaEnvironment } from '../setup/saga-environment.ts';
import { runCrashingWorker, type CrashingWorker } from './crashing-worker.ts';
import type { KillPoint } from './kill-points.ts';
import { booksOf, newOrderId } from '../e2e/saga-suite.ts';

/** Attempts that were killed are noticed soon; nothing parks by itself. */
const crashPolicy: PolicyChanges = {
  allSteps: {
    attemptTimeoutMs: 2_000,
    initialIntervalMs: 50,
    backoffCoefficient: 1.5,
    maximumIntervalMs: 500,
  },
};

const commit = 'store.transaction';

/** The same places in the life of both protocols: a free request, its id stored, the request that costs, the answer stored. */
const forward = (activity: string, free: string, costly: string): KillPoint[] => [
  { activity, call: free, when: 'before' },
  { activity, call: free, when: 'after' },
  { activity, call: commit, when: 'inside', following: free },
  { activity, call: costly, when: 'before' },
  { activity, call: costly, when: 'after' },
  { activity, call: commit, when: 'inside', following: costly },
  { activity, call: commit, when: 'after', following: costly },
  { activity, call: 'locks.release', when: 'after', following: costly },
];

const backward = (activity: string, costly: string): KillPoint[] => [
  { activity, call: commit, when: 'after' },
  { activity, call: costly, when: 'before' },
  { activity, call: costly, when: 'after' },
  { activity, call: commit, when: 'inside', following: costly },
  { activity, call: commit, when: 'after', following: costly },
];

const sqlOnly = (activity: string): KillPoint[] => [
  { activity, call: commit, when: 'inside' },
  { activity, call: commit, when: 'after' },
];

const say = ({ activity, call, when, following }: KillPoint): string =>
  `${activity} ${when} ${call}${following ? ` that follows ${following}` : ''}`;

/** Zips lists of kill points into one list per order. */
const perOrder = (...lists: KillPoint[][]): KillPoint[][] =>
  Array.from({ length: Math.max(...lists.map((list) => list.length)) }, (_, index) =>
    lists.flatMap((list) => list.slice(index, index + 1)),
  );

describe('a worker killed by SIGKILL', () => {
  let saga: SagaEnvironment;
  let worker: CrashingWorker;
  beforeAll(async () => {
    saga = await startSagaEnvironment({ workers: false });
    worker = await runCrashingWorker(saga);
  });
  afterAll(async () => {
    await worker?.close();
    await saga?.close();
  });

  async function started(points: readonly KillPoint[], policy: PolicyChanges = {}) {
    const orderId = newOrderId();
    await worker.plant(orderId, points);
    return saga.start({ orderId }, { ...crashPolicy, ...policy });
  }

  const expectKilled = (id: OrderId, points: readonly KillPoint[]) =>
    expect(worker.missed(id, points).map(say), `kill points that order ${id} never came to`).toEqual([]);

  test(
    'charges once and buys one label, whatever line of payment and shipment it died at',
    { timeout: 120_000 },
    async () => {
      const plans = perOrder(
        forward('processPayment', 'payments.create', 'payments.confirm'),
        forward('generateShipment', 'carrier.createShipment', 'carrier.buy'),
      );
      await Promise.all(
        plans.map(async (points) => {
          const order = await started(points);
          await expect(order.result()).resolves.toMatchObject({ status: 'completed' });
          expectKilled(order.orderId, points);
          const { provider } = await booksOf(saga, order.orderId);
          expect(provider.charged, points.map(say).join(', ')).toHaveLength(1);
          expect(provider.labels, points.map(say).join(', ')).toHaveLength(1);
          await saga.check(order.orderId);
        }),
      );
      expect(worker.kills()).toBeGreaterThanOrEqual(8);
    },
  );

  test(
    'takes back charge, label and stock once, whatever line of the compensations it died at',
    { timeout: 120_000 },
    async () => {
      const plans = perOrder(
        backward('voidShipment', 'carrier.refundLabel'),
        backward('refundPayment', 'payments.refund'),
        sqlOnly('cancelFulfillment'),
        sqlOnly('releaseInventory'),
      );
      await Promise.all(
        plans.map(async (points) => {
          const order = await boughtInTheDark(points);
          await order.executeUpdate(cancelOrder, {
            args: [{ actor: 'help-desk', reason: 'does not want it' }],
          });
          await expect(order.result()).resolves.toMatchObject({ status: 'cancelled' });
          expectKilled(order.orderId, points);
          const { provider } = await booksOf(saga, order.orderId);
          expect(provider.charged, points.map(say).join(', ')).toHaveLength(1);
          expect(provider.refunded, points.map(say).join(', ')).toHaveLength(1);
          expect(provider.labels.map(({ refundStatus }) => refundStatus)).not.toContain(null);
          await saga.check(order.orderId);
        }),
      );
    },
  );

  /** A paid order whose label was bought but nobody knows: the reply was lost and the carrier then went away. */
  async function boughtInTheDark(points: readonly KillPoint[]) {
    const orderId = newOrderId();
    const match = { orderId };
    const away = `away-${orderId}`;
    const common = { provider: 'easypost', match } as const;
    await saga.addFault({ ...common, operation: 'shipments.buy', kind: 'reply-lost', times: 1 });
    await saga.addFault({ ...common, id: away, operation: 'shipments.retrieve', kind: 'error', status: 503 });
    await worker.plant(orderId, points);
    const steps = { shipping: { budgetMs: 1_500 } };
    const order = await saga.start({ orderId }, { ...crashPolicy, steps });
    await saga.until(orderId, ({ sagaState }) => sagaState === 'parked', 60_000);
    await saga.removeFault(away);
    return order;
  }
});
