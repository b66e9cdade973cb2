import { activityInfo } from '@temporalio/activity';
import { refusePapers } from '../../domain/customs.ts';
import type { Refusal } from '../../domain/failures.ts';
import type { GivenAct } from '../../domain/given-act.ts';
import { operationKeys, orderId as asOrderId } from '../../domain/ids.ts';
import { formatAmount, sumMinor, type Money } from '../../domain/money.ts';
import { isEnded, type Checkout, type OrderItem, type OrderLine } from '../../domain/order.ts';
import { parcelOf, refuseParcel, unitFactsOf, type ParcelItem } from '../../domain/parcel.ts';
import { isSameRequest } from '../../domain/placed-request.ts';
import { shippingOf } from '../../domain/shipping-fee.ts';
import type { RecoveredOrder } from '../../domain/recovery.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import type { ActivityDeps } from '../deps.ts';
import { openCase } from './open-case.ts';
import { deliver, orderClosed, type Outcome } from '../operation.ts';
import { isBegunElsewhere, recoveredOrder } from './recovered-order.ts';
import { takeOver } from './take-act.ts';
import { findOrder, writeTransition } from '../transition.ts';
import type { OrderRow } from '../../ports/store/orders.ts';
import type { Product } from '../../ports/store/goods.ts';

export interface RecordOrder {
  checkout: Checkout;
  traceparent: string;
  /** Accepted by the run that this one follows; SQL may lack some of them. */
  acts?: readonly GivenAct[];
  /** Names the request; absent in runs of earlier versions, which are not compared. */
  fingerprint?: string;
  /** An operator goes on with the order: whatever this run was started with, it is the order's. */
  restarted?: true;
}

export interface OrderRecorded {
  total: Money;
  /** What of it is for shipping. */
  shipping?: Money;
  /** Where the order stands, when another run has recorded it. */
  recovered?: RecoveredOrder;
}

/**
 * Prices the checkout from the catalog and records the order.
 * Idempotent by `record-<orderId>`; an order row that is already there is never written again, also when its run is
 * long gone from Temporal. A run over such a row that was started for another request answers KeyReused, decided under
 * the order's lock, and where the order is open it becomes a case: nobody else works on it. For the same request an
 * ended order answers OrderClosed, also once it was purged, and an open one where it stands.
 * Run twice, also late or after a reset: the same answer, and one case per run.
 * Fails with UnknownProduct, ProductWithdrawn, PriceChanged, AmountNotPayable, ParcelTooLarge, CustomsIncomplete,
 * OrderClosed, KeyReused (none retried) or technically.
 * What the parcel holds is recorded with the order: the label is bought for what was looked at here, whatever the catalog
 * says by then.
 * Writes: Orders, OrderLines, AuditLog, OutboxMessages(order.created.v1), in one transaction.
 */
export const createRecordOrder =
  (deps: ActivityDeps) =>
  async (asked: RecordOrder): Promise<OrderRecorded> => {
    const { checkout, traceparent, fingerprint, acts = [] } = asked;
    const key = operationKeys.recordOrder(checkout.orderId);
    const outcome = await deps.store.transaction(async (tx): Promise<Outcome<OrderRecorded>> => {
      const known = await tx.orders.find(checkout.orderId);
      const purged = known ? undefined : await tx.orders.purged(checkout.orderId);
      if (purged) return { refused: orderClosed(checkout.orderId, purged) };
      if (known && (await isAnothers(tx, known, asked))) return refuseAnothers(deps, tx, known);
      if (known && isEnded(known.status)) return { refused: orderClosed(checkout.orderId, known.status) };
      const stored = known ? await tx.operations.find(key) : undefined;
      if (known && stored?.outcome)
        return recovering(deps, tx, {
          order: known,
          outcome: stored.outcome as Outcome<OrderRecorded>,
          acts,
        });
      const priced = await price(deps, tx, checkout);
      await insertOrder(deps, tx, { checkout, traceparent, priced, ...(fingerprint ? { fingerprint } : {}) });
      await tx.operations.begin({ key, orderId: checkout.orderId, step: 'receive' });
      const result: Outcome<OrderRecorded> = priced.refusal
        ? { refused: priced.refusal }
        : { done: { total: priced.total, ...shippingOf(priced.lines, checkout.currency) } };
      await tx.operations.finish({ key, outcome: result });
      if (acts.length === 0) return result;
      return recovering(deps, tx, { order: await findOrder(tx, checkout.orderId), outcome: result, acts });
    });
    deps.bell.ring();
    return deliver(outcome);
  };

/** Whether this run was started for another request than the one that the order was placed with. */
async function isAnothers(
  tx: StoreTransaction,
  order: OrderRow,
  { checkout, fingerprint, restarted }: RecordOrder,
): Promise<boolean> {
  if (fingerprint === undefined || restarted || !isBegunElsewhere(order)) return false;
  const acts = await tx.orderActs.list(order.orderId);
  const changed = acts.map(({ kind }) => kind);
  return !isSameRequest(order, changed, { checkout, fingerprint });
}

/** Temporal lets such a run begin only once it has forgotten the order's own: an open order has lost it. */
async function refuseAnothers(
  deps: ActivityDeps,
  tx: StoreTransaction,
  order: OrderRow,
): Promise<Outcome<OrderRecorded>> {
  const { orderId, status } = order;
  const runId = activityInfo().workflowExecution?.runId ?? '';
  const failure =
    `Temporal no longer knows run ${order.runId} of the order, which is open; run ${runId} was started for another ` +
    'request under its Idempotency-Key and ended without effect';
  if (!isEnded(status))
    await openCase(tx, order, { actor: 'saga', runId, failure, nowUtc: deps.clock.nowUtc() });
  const reason = `The Idempotency-Key belongs to order ${orderId}, which was placed with another body; a new order needs a new key.`;
  return { refused: { type: 'KeyReused', reason } };
}

/** A run that follows another one takes over what that one had accepted, and is told where the order stands. */
async function recovering(
  deps: ActivityDeps,
  tx: StoreTransaction,
  { order, outcome, acts }: { order: OrderRow; outcome: Outcome<OrderRecorded>; acts: readonly GivenAct[] },
): Promise<Outcome<OrderRecorded>> {
  const { orderId } = order;
  const follows = acts.length > 0 || isBegunElsewhere(order);
  if ('refused' in outcome || !follows) return outcome;
  await takeOver(deps, tx, { orderId, acts });
  const recovered = await recoveredOrder(tx, await findOrder(tx, orderId));
  return { done: { ...outcome.done, recovered } };
}

/** The total is known also when the order is refused, but for products nobody sells and sums nobody can count. */
type Priced =
  | { lines: OrderLine[]; total: Money; parcel: ParcelItem[]; refusal?: undefined }
  | { lines: OrderLine[]; total?: Money; parcel?: ParcelItem[]; refusal: Refusal };

async function price(deps: ActivityDeps, tx: StoreTransaction, checkout: Checkout): Promise<Priced> {
  const { items, currency } = checkout;
  const products = await tx.inventory.products(items.map((item) => item.productId));
  const sold = new Set(
    products.filter((product) => product.price.currency === currency).map((p) => p.productId),
  );
  const missing = items.filter((item) => !sold.has(item.productId)).map((item) => item.productId);
  if (missing.length > 0) {
    const reason = `The catalog has no ${missing.join(', ')} in ${currency}.`;
    return {
      lines: [],
      refusal: { type: 'UnknownProduct', reason, details: { products: missing.join(',') } },
    };
  }
  const withdrawn = products.filter((product) => product.withdrawnAtUtc !== undefined);
  if (withdrawn.length > 0) {
    const ids = withdrawn.map((product) => product.productId);
    const reason = `${ids.join(', ')} ${ids.length === 1 ? 'was' : 'were'} withdrawn from sale.`;
    return { lines: [], refusal: { type: 'ProductWithdrawn', reason, details: { products: ids.join(',') } } };
  }
  const counted = countExactly(() => {
    const lines = deps.quotes.quote({ items, products, currency, address: checkout.shippingAddress });
    const total: Money = { amountMinor: sumMinor(lines.map((line) => line.amountMinor)), currency };
    return { lines, total };
  });
  if (!counted) {
    const reason = 'The order costs more than can be counted exactly.';
    return { lines: [], refusal: { type: 'AmountNotPayable', reason } };
  }
  const { lines, total } = counted;
  const parcel = parcelItems(items, products, lines);
  const refusal = refuseTotal(deps, checkout, total) ?? refuseShipping(deps, checkout, parcel);
  return refusal ? { lines, total, parcel, refusal } : { lines, total, parcel };
}

function parcelItems(
  items: readonly OrderItem[],
  products: readonly Product[],
  lines: readonly OrderLine[],
): ParcelItem[] {
  return items.map((item) => {
    const product = products.find(({ productId }) => productId === item.productId);
    const line = lines.find(({ kind, productId }) => kind === 'item' && productId === item.productId);
    return {
      ...item,
      valueMinor: line?.amountMinor ?? 0,
      ...unitFactsOf(product ?? {}),
    };
  });
}

/** What no carrier would take is refused before anything is charged for it. */
function refuseShipping(
  { shipping: { from, limits } }: ActivityDeps,
  { shippingAddress: to, currency }: Checkout,
  items: readonly ParcelItem[],
): Refusal | undefined {
  const tooLarge = refuseParcel(parcelOf(items), limits);
  if (tooLarge) return { type: 'ParcelTooLarge', reason: tooLarge };
  const lacking = refusePapers({ from, to, items, currency });
  return lacking ? { type: 'CustomsIncomplete', reason: lacking } : undefined;
}

/** Undefined where a sum passes the safe integers: it would never become another one by trying again. */
function countExactly<Result>(count: () => Result): Result | undefined {
  try {
    return count();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function refuseTotal(deps: ActivityDeps, { expectedTotal }: Checkout, total: Money): Refusal | undefined {
  if (
    expectedTotal &&
    (expectedTotal.amountMinor !== total.amountMinor || expectedTotal.currency !== total.currency)
  ) {
    const text = (money: Money) => `${formatAmount(money)} ${money.currency}`;
    return {
      type: 'PriceChanged',
      reason: `The order costs ${text(total)}, not the expected ${text(expectedTotal)}.`,
      details: { total: formatAmount(total), expectedTotal: formatAmount(expectedTotal) },
    };
  }
  const payable = deps.payments.payable(total);
  return payable.ok ? undefined : { type: 'AmountNotPayable', reason: payable.reason };
}

async function insertOrder(
  deps: ActivityDeps,
  tx: StoreTransaction,
  { checkout, traceparent, priced, fingerprint }: RecordOrder & { priced: Priced },
): Promise<void> {
  const { expectedTotal: _, riskMark, ...order } = checkout;
  const { workflowExecution } = activityInfo();
  const nowUtc = deps.clock.nowUtc();
  await tx.orders.insert({
    ...order,
    lines: priced.lines,
    ...(priced.total ? { total: priced.total } : {}),
    ...(priced.parcel ? { parcel: priced.parcel } : {}),
    workflowId: workflowExecution?.workflowId ?? '',
    runId: workflowExecution?.runId ?? '',
    traceId: traceIdOf(traceparent),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    createdAtUtc: nowUtc,
  });
  await writeTransition(tx, {
    order: await findOrder(tx, asOrderId(checkout.orderId)),
    actor: checkout.callerId,
    step: 'receive',
    from: '',
    to: 'received',
    reason: priced.refusal?.reason ?? 'checkout accepted',
    detail: {
      ...(riskMark === undefined ? {} : { decided: { riskMark } }),
      ...shippingOf(priced.lines, checkout.currency),
    },
    event: { type: 'order.created.v1', details: {} },
    nowUtc,
  });
}

/** The trace id inside a W3C `traceparent`. */
const traceIdOf = (traceparent: string): string => traceparent.split('-')[1] ?? '0'.repeat(32);
