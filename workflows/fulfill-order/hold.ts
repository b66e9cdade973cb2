import { ApplicationFailure, CancellationScope, condition } from '@temporalio/workflow';
import type { Refusal } from '../../domain/failures.ts';
import type { HeldStatus, Hold, NextAction, OrderStatus } from '../../domain/order.ts';
import type { ExtendHold } from '../messages.ts';
import { isoNow, type OrderContext } from './context.ts';
import { reminderOf, type OrderState } from './state.ts';
import { overElsewhere } from './kept-acts.ts';
import { wentFurther } from './recover.ts';
import { actViewOf, nameOf, noteSuperseded, recorded, untilWritten } from './superseded-acts.ts';
import type { Act } from '../../domain/order-run.ts';

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
  const untilUtc = deadlineOf(order, status, new Date(Date.now() + forMs).toISOString());
  order.hold = {
    status,
    failureType: refusal.type,
    reason: refusal.reason,
    sinceUtc: isoNow(),
    untilUtc,
    ...reminderOf(order, untilUtc),
    ...(nextAction ? { nextAction } : {}),
  };
  Object.assign(order, { status, sagaState: 'held', wasHeld: order.step, updatedAtUtc: isoNow() });
  if (order.step === 'shipping') order.heldAtLabel = true;
  context.publish();
  await context.note('holdOrder', { hold: order.hold });
}

/** A hold that another run was in and people have extended lasts no shorter here. */
function deadlineOf({ recovered }: OrderState, status: HeldStatus, untilUtc: string): string {
  const { hold } = recovered ?? {};
  delete recovered?.hold;
  return hold?.status === status && hold.untilUtc > untilUtc ? hold.untilUtc : untilUtc;
}

const nextActionOf = ({ details }: Refusal): NextAction | undefined =>
  details?.['nextAction'] ? (JSON.parse(details['nextAction']) as NextAction) : undefined;

/**
 * Waits until `mended` or the hold's deadline, however often that is extended, and reminds people on the way; false at
 * the deadline. `pollMs` ends the wait early, as undefined. An act that was accepted before the deadline counts.
 */
export async function waitInHold(
  context: OrderContext,
  mended: () => boolean,
  pollMs = Number.POSITIVE_INFINITY,
): Promise<boolean | undefined> {
  const { order } = context;
  const over = () => mended() || wentFurther(order) !== undefined;
  const pollAtMs = Date.now() + pollMs;
  for (;;) {
    await recordExtensions(context);
    const { untilUtc, remindAtUtc } = holdOf(order);
    const nowMs = Date.now();
    const deadlineMs = Date.parse(untilUtc);
    if (deadlineMs <= nowMs) return over() || overElsewhere(context);
    const remindAtMs = remindAtUtc ? Date.parse(remindAtUtc) : Number.POSITIVE_INFINITY;
    const wakeAtMs = Math.min(deadlineMs, pollAtMs, remindAtMs);
    const extended = () => holdOf(order).untilUtc !== untilUtc;
    await condition(() => over() || extended(), Math.max(wakeAtMs - nowMs, 1));
    if (over()) {
      await recordExtensions(context);
      return true;
    }
    if (extended()) continue;
    if (wakeAtMs === deadlineMs) return overElsewhere(context);
    if (wakeAtMs === pollAtMs) return undefined;
    await remind(context);
  }
}

function holdOf({ hold, input }: OrderState): Hold {
  if (!hold) throw new Error(`Order ${input.checkout.orderId}: expected a hold to wait in, there is none`);
  return hold;
}

async function remind(context: OrderContext): Promise<void> {
  const { order } = context;
  const { remindAtUtc: _, ...hold } = holdOf(order);
  order.hold = hold;
  context.publish();
  await context.note('remindOfHold', { hold });
}

/** An accepted extension stands: what comes meanwhile does not interrupt its record. */
async function recordExtensions(context: OrderContext): Promise<void> {
  const { order } = context;
  for (;;) {
    const next = order.accepted.find(({ name }) => name === 'extend');
    if (!next) return;
    const { actor, reason, untilUtc } = next.act as ExtendHold;
    const named = nameOf(order, next.act, false);
    const written = untilWritten(order, next.act);
    const view = actViewOf(order, next.act);
    recorded(order, next.act);
    context.publish();
    const hold = { ...holdOf(order), untilUtc };
    await CancellationScope.nonCancellable(async () => {
      if (named.actId !== undefined) await written;
      await context.note('extendHold', { actor, reason, hold, ...named });
    });
    if (view) view.state = 'done';
  }
}

/**
 * Ends the hold by a person's act, and records who moved the order on. Answers the number of the payment method that the
 * act gives; undefined where it gives none, and in earlier histories.
 */
export async function endHold(
  context: OrderContext,
  act: Act,
  changes: { status: OrderStatus; paymentMethodId?: string },
): Promise<number | undefined> {
  const { order } = context;
  delete order.hold;
  Object.assign(order, { status: changes.status, sagaState: 'running', updatedAtUtc: isoNow() });
  context.publish();
  const { actor, reason } = act;
  const corrects = act === order.addressAct;
  const shippingAddress = corrects ? { shippingAddress: order.address.value } : {};
  const version = order.addressVersion;
  if (corrects) delete order.addressAct;
  /* Numbered in the order in which they were accepted. */
  if (corrects && order.addressKept) await order.addressKept;
  const named = nameOf(order, act, corrects || changes.paymentMethodId !== undefined);
  if (named.actId !== undefined) await untilWritten(order, act);
  const note = { actor, reason, ...changes, sagaState: 'running', ...shippingAddress, ...named } as const;
  const numbers = await context.note('resumeOrder', note);
  if (corrects) order.address.n = numbers?.address ?? version;
  recorded(order, act);
  await noteSuperseded(context, {
    why: 'another act had gone first',
    which: (one) => one.name !== 'resolve' && one.act !== order.addressAct,
  });
  return numbers?.payment;
}

/** The hold's own refusal, once its deadline has passed: it ends the order. `what` nobody did, for example `mended it`. */
export const holdExpired = ({ type, reason }: Refusal, what: string): ApplicationFailure =>
  ApplicationFailure.create({
    type,
    nonRetryable: true,
    message: `${reason} Nobody ${what} before the deadline.`,
  });
