import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PolicyChanges } from '../../domain/policy.ts';
import { cancelOrder } from '../../workflows/messages.ts';
import type { OrderBooks } from '../checker/books.ts';
import { booksOf, newOrderId } from '../e2e/saga-suite.ts';
import { startSagaEnvironment, type SagaEnvironment } from '../setup/saga-environment.ts';
import { runCrashingWorker, type CrashingWorker } from './crashing-worker.ts';
import type { KillPoint } from './kill-points.ts';

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

/** Worker processes side by side; a kill in one leaves the orders of the others alone. */
const LANES = 4;

type Order = Awaited<ReturnType<CrashingWorker['start']>>;

describe('a worker killed by SIGKILL', () => {
  let saga: SagaEnvironment;
  let lanes: CrashingWorker[];
  beforeAll(async () => {
    saga = await startSagaEnvironment({ workers: false });
    lanes = await Promise.all(Array.from({ length: LANES }, () => runCrashingWorker(saga)));
  });
  afterAll(async () => {
    await Promise.all((lanes ?? []).map((worker) => worker.close()));
    await saga?.close();
  });

  const kills = () => lanes.reduce((sum, worker) => sum + worker.kills(), 0);

  /** Runs one order for each list of kill points, a few on each worker, and holds each against its books at the end. */
  const runAll = (
    plans: readonly KillPoint[][],
    run: (worker: CrashingWorker, points: readonly KillPoint[]) => Promise<Order>,
    expected: (books: OrderBooks) => void,
  ) =>
    Promise.all(
      plans.map(async (points, index) => {
        const worker = lanes[index % LANES] as CrashingWorker;
        const { orderId } = await run(worker, points);
        const missed = worker.missed(orderId, points).map(say);
        expect(missed, `kill points that order ${orderId} never came to`).toEqual([]);
        expected(await booksOf(saga, orderId));
        await saga.check(orderId);
      }),
    );

  test(
    'charges once and buys one label, whatever line of payment and shipment it died at',
    { timeout: 240_000 },
    async () => {
      const before = kills();
      const plans = perOrder(
        forward('processPayment', 'payments.create', 'payments.confirm'),
        forward('generateShipment', 'carrier.createShipment', 'carrier.buy'),
      );
      const runToEnd = async (worker: CrashingWorker, points: readonly KillPoint[]) => {
        const order = await worker.start(newOrderId(), points, crashPolicy);
        await expect(order.result()).resolves.toMatchObject({ status: 'completed' });
        return order;
      };
      await runAll(plans, runToEnd, ({ provider }) => {
        expect(provider.charged).toHaveLength(1);
        expect(provider.refunded).toEqual([]);
        expect(provider.labels).toMatchObject([{ refundStatus: null }]);
      });
      expect(kills() - before).toBeGreaterThanOrEqual(plans.flat().length);
    },
  );

  test(
    'takes back charge, label and stock once, whatever line of the compensations it died at',
    { timeout: 240_000 },
    async () => {
      const before = kills();
      const plans = perOrder(
        backward('voidShipment', 'carrier.refundLabel'),
        backward('refundPayment', 'payments.refund'),
        sqlOnly('cancelFulfillment'),
        sqlOnly('releaseInventory'),
      );
      const runAndCancel = async (worker: CrashingWorker, points: readonly KillPoint[]) => {
        const order = await boughtInTheDark(worker, points);
        await order.executeUpdate(cancelOrder, {
          args: [{ actor: 'help-desk', reason: 'does not want it' }],
        });
        await expect(order.result()).resolves.toMatchObject({ status: 'cancelled' });
        return order;
      };
      await runAll(plans, runAndCancel, ({ provider }) => {
        expect(provider.charged).toHaveLength(1);
        expect(provider.refunded).toHaveLength(1);
        expect(provider.labels).toHaveLength(1);
        expect(provider.labels).not.toMatchObject([{ refundStatus: null }]);
      });
      expect(kills() - before).toBeGreaterThanOrEqual(plans.flat().length);
    },
  );

  /** A paid order whose label was bought but nobody knows: the reply was lost and the carrier then went away. */
  async function boughtInTheDark(worker: CrashingWorker, points: readonly KillPoint[]) {
    const orderId = newOrderId();
    const match = { orderId };
    const away = `away-${orderId}`;
    const common = { provider: 'easypost', match } as const;
    await saga.addFault({ ...common, operation: 'shipments.buy', kind: 'reply-lost', times: 1 });
    await saga.addFault({ ...common, id: away, operation: 'shipments.retrieve', kind: 'error', status: 503 });
    const policy = { ...crashPolicy, steps: { shipping: { budgetMs: 1_500 } } };
    const order = await worker.start(orderId, points, policy);
    await saga.until(orderId, ({ sagaState }) => sagaState === 'parked', 60_000);
    await saga.removeFault(away);
    return order;
  }
});
