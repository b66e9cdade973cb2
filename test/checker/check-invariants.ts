import type { EventType } from '../../domain/events.ts';
import {
  debtWorkflowIdOf,
  orderId as asOrderId,
  refundWorkflowIdOf,
  type OrderId,
  type ProductId,
} from '../../domain/ids.ts';
import { isEnded } from '../../domain/order.ts';
import type { RefundRow } from '../../ports/refunds.ts';
import { auditViolations } from './audit-rules.ts';
import { ordersAtProviders, readBooks, type CheckedStore, type OrderBooks } from './books.ts';
import { contractViolations } from './contract-rules.ts';
import { eventViolations } from './event-rules.ts';
import { goodsViolations, labelsKept } from './goods-rules.ts';
import { moneyViolations } from './money-rules.ts';
import { stateViolations } from './state-rules.ts';
import { owedViolations } from './owed-rules.ts';

export interface InvariantsInput {
  store: CheckedStore;
  sandboxUrl: string;
  /** Orders whose checkout was answered with success. Each must have ended, be held or be parked. */
  acknowledged?: readonly OrderId[];
  /** How many checkouts were attempted; only counted. */
  attempted?: number;
  /** Only these orders, for tests that share a store with others; stock and strangers are not checked then. */
  only?: readonly OrderId[];
  /** Units of each product put on the shelf: then what is left must be that, less reserved and shipped. */
  stocked?: ReadonlyMap<string, number>;
  /** Whether the workflow has an open run: then every claim on an order's money needs one. */
  isRunning?(workflowId: string): Promise<boolean>;
}

export interface InvariantCounts {
  attempted: number;
  acknowledged: number;
  orders: number;
  completed: number;
  failed: number;
  cancelled: number;
  held: number;
  parked: number;
  /** Neither ended nor held nor parked. */
  open: number;
  /** Acknowledged and in no final, held or parked state. */
  lost: number;
  /** Known to SQL or a provider, acknowledged by nobody (counted when `acknowledged` is given). */
  unexpected: number;
  /** Orders charged or shipped more than once with nothing taken back. */
  duplicated: number;
  /** Completed after a hold or a parked step. */
  recovered: number;
  charges: number;
  refunds: number;
  labels: number;
  events: number;
  auditRows: number;
}

export interface InvariantsReport {
  counts: InvariantCounts;
  /** One plain sentence each, with the order it is about. */
  violations: string[];
}

/** All rules about one order; empty when everything fits together. */
export const orderViolations = (books: OrderBooks): string[] =>
  [
    stateViolations,
    moneyViolations,
    owedViolations,
    goodsViolations,
    eventViolations,
    contractViolations,
    auditViolations,
  ]
    .flatMap((rule) => rule(books))
    .map((text) => `Order ${books.ledger.orderId}: ${text}.`);

/**
 * Holds SQL's books (ledger, audit trail, events, stock) against the providers' own. Reads only. Call it when things
 * have settled: an order that is still running counts as lost when it was acknowledged.
 */
export async function checkInvariants(input: InvariantsInput): Promise<InvariantsReport> {
  const { store, sandboxUrl, only } = input;
  const ids = only ?? (await store.read.ledger()).map(({ orderId }) => orderId);
  const found = await inBatches(ids, (id) => readBooks({ store, sandboxUrl }, id));
  const books = found.filter((one) => one !== undefined);
  const strangers = only ? [] : await strangersOf(sandboxUrl, books);
  const counts = countsOf(input, books, strangers);
  return {
    counts,
    violations: [
      ...books.flatMap(orderViolations),
      ...lostOrders(input, books).map(
        (id) => `Order ${id}: acknowledged, and neither ended nor held nor parked.`,
      ),
      ...strangers.map((id) => `Order ${id}: known to a provider, unknown to SQL.`),
      ...(await claimsWithoutRun(input, books)),
      ...(input.stocked && !only ? await shelfViolations(store, input.stocked, books) : []),
    ],
  };
}

/** Throws one error that lists every violation; returns the counts otherwise. */
export async function expectInvariants(input: InvariantsInput): Promise<InvariantCounts> {
  const { counts, violations } = await checkInvariants(input);
  if (violations.length === 0) return counts;
  throw new Error(`${violations.length} invariant(s) violated:\n  ${violations.join('\n  ')}`);
}

async function strangersOf(sandboxUrl: string, books: readonly OrderBooks[]): Promise<OrderId[]> {
  const known = new Set<string>(books.map(({ ledger }) => ledger.orderId));
  return (await ordersAtProviders(sandboxUrl)).filter((id) => !known.has(id)).map(asOrderId);
}

/**
 * A refund that a person asked for holds its amount until its own run has heard of it, and a debt its customer's money until
 * the bank has decided; without a run nobody ever will. Debts get theirs by the workers' sweep: call this after one. Claims
 * on dead letters end by themselves after a while and belong to no order: test/e2e/lost-bulk-runs.int.test.ts looks at them.
 */
async function claimsWithoutRun(
  { isRunning }: InvariantsInput,
  books: readonly OrderBooks[],
): Promise<string[]> {
  if (!isRunning) return [];
  const claims = books.flatMap(({ ledger }) => ledger.refunds).flatMap(claimOf);
  const found = await inBatches(claims, async ({ orderId, what, workflowId }) =>
    (await isRunning(workflowId))
      ? []
      : [`Order ${orderId}: a claim without a run: ${what}, and no run sees to it.`],
  );
  return found.flat();
}

function claimOf({ orderId, refundId, n, state, fingerprint }: RefundRow) {
  if (state === 'owed') {
    return [{ orderId, what: `the debt of payment ${n} is owed`, workflowId: debtWorkflowIdOf(orderId, n) }];
  }
  if (fingerprint === '' || (state !== 'requested' && state !== 'pending')) return [];
  return [
    { orderId, what: `refund ${refundId} is ${state}`, workflowId: refundWorkflowIdOf(orderId, refundId) },
  ];
}

const settled = ({ ledger: { status, sagaState } }: OrderBooks): boolean =>
  isEnded(status) || sagaState === 'held' || sagaState === 'parked';

function lostOrders({ acknowledged = [] }: InvariantsInput, books: readonly OrderBooks[]): OrderId[] {
  const safe = new Set(books.filter(settled).map(({ ledger }) => ledger.orderId));
  return acknowledged.filter((id) => !safe.has(id));
}

const waits = new Set<EventType>([
  'order.held.v1',
  'order.approval_requested.v1',
  'order.shipping_suspended.v1',
  'order.parked.v1',
]);

function countsOf(
  input: InvariantsInput,
  books: readonly OrderBooks[],
  strangers: readonly OrderId[],
): InvariantCounts {
  const acknowledged = new Set(input.acknowledged ?? []);
  const count = (test: (one: OrderBooks) => boolean) => books.filter(test).length;
  const total = (size: (one: OrderBooks) => number) => books.reduce((sum, one) => sum + size(one), 0);
  return {
    attempted: input.attempted ?? acknowledged.size,
    acknowledged: acknowledged.size,
    orders: books.length,
    completed: count(({ ledger }) => ledger.status === 'completed'),
    failed: count(({ ledger }) => ledger.status === 'failed'),
    cancelled: count(({ ledger }) => ledger.status === 'cancelled'),
    held: count(({ ledger }) => ledger.sagaState === 'held'),
    parked: count(({ ledger }) => ledger.sagaState === 'parked'),
    open: count((one) => !settled(one)),
    lost: lostOrders(input, books).length,
    unexpected: input.acknowledged
      ? count(({ ledger }) => !acknowledged.has(ledger.orderId)) + strangers.length
      : 0,
    duplicated: count(
      (one) => one.provider.charged.length - one.provider.refunded.length > 1 || labelsKept(one).length > 1,
    ),
    recovered: count(
      ({ ledger, events }) =>
        ledger.status === 'completed' && events.some(({ eventType }) => waits.has(eventType)),
    ),
    charges: total(({ provider }) => provider.charged.length),
    refunds: total(({ provider }) => provider.refunded.length),
    labels: total(({ provider }) => provider.labels.length),
    events: total(({ events }) => events.length),
    auditRows: total(({ audit }) => audit.length),
  };
}

/** What is left on the shelf is what was put there, less what orders hold or have taken; never below zero. */
async function shelfViolations(
  store: CheckedStore,
  stocked: ReadonlyMap<string, number>,
  books: readonly OrderBooks[],
): Promise<string[]> {
  const gone = new Map<ProductId, number>();
  for (const { ledger, view } of books) {
    if (ledger.reservedUnits + ledger.consumedUnits === 0) continue;
    for (const { productId, quantity } of view.items) {
      gone.set(productId, (gone.get(productId) ?? 0) + quantity);
    }
  }
  return (await store.read.products()).flatMap(({ productId, available }) => {
    const put = stocked.get(productId);
    const expected = put === undefined ? undefined : put - (gone.get(productId) ?? 0);
    if (available < 0) return [`Product ${productId}: oversold by ${-available}.`];
    return expected === undefined || expected === available
      ? []
      : [`Product ${productId}: ${available} can be reserved; expected ${expected} of ${put}.`];
  });
}

async function inBatches<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
  size = 20,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += size) {
    results.push(...(await Promise.all(items.slice(start, start + size).map(work))));
  }
  return results;
}
