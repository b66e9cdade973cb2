import { ApplicationFailure, condition } from '@temporalio/workflow';
import type { Refusal } from '../domain/failures.ts';
import type { HeldStatus, NextAction, OrderStatus } from '../domain/order.ts';
import type { Act } from './messages.ts';
import { isoNow, type OrderContext } from './order-context.ts';

export interface HoldRequest {
  status: HeldStatus;
  refusal: Refusal;
  /** How long it waits for a person, in milliseconds. */
  forMs: number;
}

/** Shows and records that the order waits for a person. */
export async function beginHold(
  context: OrderContext,
  { status, refusal, forMs }: HoldRequest,
): Promise<void> {
  const { order } = context;
  const nextAction = nextActionOf(refusal);
  const untilUtc = new Date(Date.now() + forMs).toISOString();
  order.hold = {
    status,
    failureType: refusal.type,
    reason: refusal.reason,
    sinceUtc: isoNow(),
    untilUtc,
    ...(nextAction ? { nextAction } : {}),
  };
  Object.assign(order, { status, sagaState: 'held', updatedAtUtc: isoNow() });
  context.publish();
  await context.note('holdOrder', { hold: order.hold });
}

const nextActionOf = ({ details }: Refusal): NextAction | undefined =>
  details?.['nextAction'] ? (JSON.parse(details['nextAction']) as NextAction) : undefined;

/** Waits until `mended` or the hold's deadline; false at the deadline. `pollMs` ends the wait early, as undefined. */
export async function waitInHold(
  { order }: OrderContext,
  mended: () => boolean,
  pollMs = Number.POSITIVE_INFINITY,
): Promise<boolean | undefined> {
  const leftMs = Date.parse(order.hold?.untilUtc ?? '') - Date.now();
  if (leftMs <= 0) return mended();
  const answered = await condition(mended, Math.min(leftMs, pollMs));
  if (answered) return true;
  return pollMs < leftMs ? undefined : false;
}

/** Ends the hold by a person's act, and records who moved the order on. */
export async function endHold(
  context: OrderContext,
  act: Act,
  changes: { status: OrderStatus; paymentMethodId?: string },
): Promise<void> {
  const { order } = context;
  delete order.hold;
  Object.assign(order, { status: changes.status, sagaState: 'running', updatedAtUtc: isoNow() });
  context.publish();
  const { actor, reason } = act;
  const corrects = act === order.addressAct;
  const shippingAddress = corrects ? { shippingAddress: order.address.value } : {};
  if (corrects) delete order.addressAct;
  await context.note('resumeOrder', { actor, reason, ...changes, sagaState: 'running', ...shippingAddress });
}

/** The hold's own refusal, once its deadline has passed: it ends the order. `what` nobody did, for example `mended it`. */
export const holdExpired = ({ type, reason }: Refusal, what: string): ApplicationFailure =>
  ApplicationFailure.create({
    type,
    nonRetryable: true,
    message: `${reason} Nobody ${what} before the deadline.`,
  });
