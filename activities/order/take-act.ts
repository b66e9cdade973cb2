import type { GivenAct } from '../../domain/given-act.ts';
import { isEnded } from '../../domain/order.ts';
import type { StepName } from '../../domain/order.ts';
import { shippingRefusal } from '../../domain/way-back.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import type { ActivityDeps } from '../deps.ts';
import { numberAct } from './number-act.ts';
import { recoveredOrder, walkBackBegun } from './recovered-order.ts';
import { isLabelUnderWay } from '../shipping/stop-shipping.ts';
import { findOrder, writeTransition } from '../transition.ts';
import type { Decided, OrderDetail, OrderRow } from '../../ports/store/orders.ts';

/**
 * Writes an accepted act down, with what it gives, so that every later run of the order goes on from it: its row, the
 * order's own columns and detail, and its audit row. An act that is on record already, by whichever run, changes nothing.
 * What it gives an order that has ended, is being taken back or has its label changes nothing either: the row remains.
 * Called in a transaction.
 */
export async function takeAct(
  deps: ActivityDeps,
  tx: StoreTransaction,
  { order, step, act }: { order: OrderRow; step: StepName; act: GivenAct },
): Promise<void> {
  const { orderId } = order;
  const nowUtc = deps.clock.nowUtc();
  const state = await stateAtOnce(tx, order, act);
  const { actId, name, fingerprint } = act;
  const row = { orderId, actId, name, state, ...(fingerprint === undefined ? {} : { fingerprint }) };
  if (!(await tx.acts.insert({ ...row, recordedAtUtc: nowUtc }))) return;
  const { actor, reason } = act;
  const to = name === 'shipping-address' ? 'asked' : 'accepted';
  const given = state === 'accepted' ? await give(tx, order, act, nowUtc) : {};
  await writeTransition(tx, { order, aside: true, actor, step, from: name, to, reason, nowUtc, ...given });
}

/** An order that has ended was cancelled by this very act, or was faster. */
async function stateAtOnce(
  tx: StoreTransaction,
  { status }: OrderRow,
  { cancel }: GivenAct,
): Promise<'accepted' | 'done' | 'overtaken'> {
  if (!isEnded(status)) return 'accepted';
  return cancel && status === 'cancelled' ? 'done' : 'overtaken';
}

async function give(
  tx: StoreTransaction,
  order: OrderRow,
  act: GivenAct,
  nowUtc: string,
): Promise<{ detail?: Partial<OrderDetail> }> {
  const { orderId, detail } = order;
  if (detail.shipment || (await walkBackBegun(tx, order))) return {};
  const { actId, address, paymentMethodId, actor, reason } = act;
  if (address || paymentMethodId !== undefined) {
    const kind = address ? 'address' : 'payment';
    const { newest } = await numberAct(tx, { orderId, actId, kind, recordedAtUtc: nowUtc }, { fresh: true });
    const given = address ? { shippingAddress: address } : { paymentMethodId: paymentMethodId ?? '' };
    if (newest) await tx.orders.update({ orderId, ...given, updatedAtUtc: nowUtc });
  }
  const decided = decidedBy(act, detail.decided);
  const hold = extended(act, detail);
  return {
    detail: {
      ...(act.cancel ? { cancelRequested: { actor, reason } } : {}),
      ...(hold ? { hold } : {}),
      ...(decided ? { decided } : {}),
    },
  };
}

function decidedBy(
  { actor, approval, service, skipsAddress, address }: GivenAct,
  before: Decided = {},
): Decided | undefined {
  const { addressSkipped, ...others } = before;
  if (address) return addressSkipped ? others : undefined;
  if (!approval && !service && !skipsAddress) return undefined;
  return {
    ...before,
    ...(approval ? { approvedBy: actor } : {}),
    ...(service ? { service } : {}),
    ...(skipsAddress ? { addressSkipped: true } : {}),
  };
}

const extended = ({ untilUtc }: GivenAct, { hold }: OrderDetail): OrderDetail['hold'] =>
  hold && untilUtc !== undefined && untilUtc > hold.untilUtc ? { ...hold, untilUtc } : undefined;

/**
 * Takes acts over that a closed run had accepted and SQL may lack: those are judged again by where the order stands now,
 * and refused with the reason where it does not take them any more. What is on record already is left as it is; all that
 * is accepted then is what the order goes on with, a cancel apart, which is done with the order's end.
 */
export async function takeOver(
  deps: ActivityDeps,
  tx: StoreTransaction,
  { orderId, acts }: { orderId: OrderRow['orderId']; acts: readonly GivenAct[] },
): Promise<void> {
  const known = new Set((await tx.acts.list(orderId)).map(({ actId }) => actId));
  for (const act of acts) {
    if (known.has(act.actId)) continue;
    const order = await findOrder(tx, orderId);
    const refusal = await refuseLate(deps, tx, order, act);
    if (refusal === undefined) await takeAct(deps, tx, { order, step: order.step, act });
    else await refuseAct(tx, { order, act, reason: refusal, nowUtc: deps.clock.nowUtc() });
  }
  for (const { actId, state, name } of await tx.acts.list(orderId)) {
    const cancels = name === 'cancel' || acts.some((act) => act.actId === actId && act.cancel);
    if (state === 'accepted' && !cancels) await tx.acts.settle({ orderId, actId, state: 'done' });
  }
}

async function refuseAct(
  tx: StoreTransaction,
  { order, act, reason, nowUtc }: { order: OrderRow; act: GivenAct; reason: string; nowUtc: string },
): Promise<void> {
  const { orderId, step } = order;
  const { actId, name, actor, fingerprint } = act;
  const row = { orderId, actId, name, state: 'refused', reason, recordedAtUtc: nowUtc } as const;
  await tx.acts.insert({ ...row, ...(fingerprint === undefined ? {} : { fingerprint }) });
  await writeTransition(tx, { order, aside: true, actor, step, from: name, to: 'refused', reason, nowUtc });
}

/** Why the order does not take an act any more that an earlier run had accepted. */
async function refuseLate(
  deps: ActivityDeps,
  tx: StoreTransaction,
  order: OrderRow,
  act: GivenAct,
): Promise<string | undefined> {
  const { detail } = order;
  const standing = await recoveredOrder(tx, order);
  if (standing.ended) return `The order has ended (${standing.ended}).`;
  if (standing.takenBack) return 'The order is being taken back already.';
  if (act.cancel) {
    const late = standing.shipped || (await isLabelUnderWay(deps, tx, order.orderId));
    return late ? shippingRefusal : undefined;
  }
  if (act.address) {
    const begun = standing.shippingBegun && detail.hold?.status !== 'address_rejected';
    return begun ? 'Shipping has started: the address can no longer be changed.' : undefined;
  }
  if (act.paymentMethodId !== undefined) {
    const paid = (await tx.payments.list(order.orderId)).some(({ state }) => state === 'charged');
    return paid ? 'The order is paid: another payment method is not used.' : undefined;
  }
  if (act.untilUtc !== undefined && !detail.hold)
    return 'The order is not held; there is no deadline to extend.';
  return undefined;
}
