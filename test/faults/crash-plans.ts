import type { PolicyChanges } from '../../domain/policy.ts';
import type { KillPoint } from './kill-points.ts';

/** Attempts that were killed are noticed soon; nothing parks by itself. */
export const crashPolicy: PolicyChanges = {
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

/** While a provider's list is read for what people have done, page by page, and until what was found there is stored. */
const listed = (activity: string, list: string): KillPoint[] => [
  { activity, call: list, when: 'before' },
  { activity, call: list, when: 'after' },
  { activity, call: list, when: 'before', nth: 2 },
  { activity, call: list, when: 'after', nth: 2 },
];

const adopted = (activity: string, list: string): KillPoint[] => [
  ...listed(activity, list),
  { activity, call: commit, when: 'inside', following: list },
  { activity, call: commit, when: 'after', following: list },
];

const sqlOnly = (activity: string): KillPoint[] => [
  { activity, call: commit, when: 'inside' },
  { activity, call: commit, when: 'after' },
];

export const say = ({ activity, call, when, following }: KillPoint): string =>
  `${activity} ${when} ${call}${following ? ` that follows ${following}` : ''}`;

/** Zips lists of kill points into one list per order. */
const perOrder = (...lists: KillPoint[][]): KillPoint[][] =>
  Array.from({ length: Math.max(...lists.map((list) => list.length)) }, (_, index) =>
    lists.flatMap((list) => list.slice(index, index + 1)),
  );

/**
 * Kill points of payment and shipment, and of all compensations, one of each list in one order. `helped`:
 * people have acted at the providers; `soughtAtLast`: that is asked when the order was taken back.
 */
export const orderPlans = {
  forward: perOrder(
    forward('processPayment', 'payments.create', 'payments.confirm'),
    forward('generateShipment', 'carrier.createShipment', 'carrier.buy'),
  ),
  helped: perOrder(
    adopted('processPayment', 'payments.listIntents'),
    adopted('generateShipment', 'carrier.listLabels'),
  ),
  soughtAtLast: perOrder(
    listed('seekLabels', 'carrier.listLabels'),
    listed('seekCharges', 'payments.listIntents'),
  ),
  backward: perOrder(
    backward('voidShipment', 'carrier.refundLabel'),
    backward('refundPayment', 'payments.refund'),
    sqlOnly('cancelFulfillment'),
    sqlOnly('releaseInventory'),
  ),
};
