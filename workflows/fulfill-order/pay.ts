import type { Refusal } from '../../domain/failures.ts';
import { nextWaitMs } from '../../domain/long-waits.ts';
import { askedFirst, askFromHereOn } from './asked-first.ts';
import { beginHold, endHold, holdExpired, waitInHold } from './hold.ts';
import { refusalOf } from '../failures.ts';
import type { UpdatePayment } from '../messages.ts';
import type { OrderContext } from './context.ts';
import type { OrderState } from './state.ts';
import { wentFurther } from './recover.ts';
import type { Compensation, Saga } from '../saga.ts';

/**
 * Charges the order. A declined card or a payment that needs the customer holds the order until another payment
 * method, the customer's authentication, or the deadline; then the hold's own refusal ends the order.
 */
export async function pay(context: OrderContext, saga: Saga): Promise<void> {
  const { order } = context;
  for (;;) {
    const refusal = await charge(context, saga);
    if (!refusal) break;
    const next = await holdPayment(context, saga, refusal);
    if ('paid' in next) break;
    order.payment = next;
  }
  order.status = 'payment_processed';
}

/** One try of the order's present payment; undefined when charged, the business answer otherwise. */
async function charge(
  context: OrderContext,
  saga: Saga,
  how: { polls?: boolean } = {},
): Promise<Refusal | undefined> {
  const { order, orderId } = context;
  const policy = context.policyOf('payment');
  const { attemptTimeoutMs } = policy;
  try {
    await saga.run({
      name: 'payment',
      kind: 'compensatable',
      compensation: refundPayment(context),
      forward: () => {
        context.publish();
        return context.steps
          .payments({ policy, summary: `Charge the order (payment ${order.payment.n})` })
          .processPayment({
            orderId,
            ...order.payment,
            ...askedFirst(order, 'ask-what-people-charged', how),
            attemptTimeoutMs,
          });
      },
    });
    return undefined;
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal?.type === 'CardDeclined' || refusal?.type === 'CustomerActionRequired') return refusal;
    throw error;
  }
}

export const refundPayment = ({ orderId, order, steps }: OrderContext): Compensation => {
  const policy = order.input.policy.compensation;
  const { attemptTimeoutMs } = policy;
  return {
    name: 'refundPayment',
    step: 'payment',
    run: async () => {
      await steps
        .payments({ policy, summary: 'Refund or cancel the payment' })
        .refundPayment({ orderId, attemptTimeoutMs });
    },
  };
};

/** How a hold ended: the pending payment went through, or another method was given. */
type Mended = { paid: true } | OrderState['payment'];

/** Waits for the customer. */
async function holdPayment(context: OrderContext, saga: Saga, refusal: Refusal): Promise<Mended> {
  const { order } = context;
  const pending = refusal.type === 'CustomerActionRequired';
  const status = pending ? 'payment_action_required' : 'payment_failed';
  await saga.interruptible(() =>
    beginHold(context, { status, refusal, forMs: order.input.policy.holdPaymentMs }),
  );
  const answer = pending ? await pollPayment(context, saga) : await waitForMethod(context, saga);
  if (answer === 'deadline') throw holdExpired(refusal, 'mended it');
  if (answer === 'paid') return resumePaid(context, saga, pending ? authenticated : paidAfterAll);
  /* The customer failed the authentication, or another method needs him: another hold. */
  if ('refused' in answer) return holdPayment(context, saga, answer.refused);
  return takeMethod(context, saga, answer.updated);
}

type Updated = { updated: UpdatePayment };

/** Waits for another method, or for word that the declined payment was paid after all (in the customer's other tab). */
async function waitForMethod(context: OrderContext, saga: Saga): Promise<Updated | 'deadline' | 'paid'> {
  const { order } = context;
  for (;;) {
    await saga.interruptible(() =>
      waitInHold(context, () => order.paymentAct !== undefined || order.paymentFound === true),
    );
    if (order.paymentAct) return { updated: order.paymentAct };
    if (!order.paymentFound) return wentFurther(order) ? 'paid' : 'deadline';
    order.paymentFound = false;
    if (!(await charge(context, saga))) return 'paid';
  }
}

/** Looks a pending payment up at the provider: when it reports a change, and by itself at growing intervals. */
async function pollPayment(
  context: OrderContext,
  saga: Saga,
): Promise<Updated | { refused: Refusal } | 'deadline' | 'paid'> {
  const { order } = context;
  const { n } = order.payment;
  const sinceMs = Date.now();
  for (let pollMs = order.input.policy.actionPollMs; ; pollMs = Math.min(pollMs * 2, MAXIMUM_POLL_MS)) {
    const forMs = untilNextPollMs(order, pollMs, sinceMs);
    const mended = await saga.interruptible(() =>
      waitInHold(context, () => order.paymentNoticed || order.paymentAct !== undefined, forMs),
    );
    if (order.paymentAct) return { updated: order.paymentAct };
    if (mended === false) return 'deadline';
    order.paymentNoticed = false;
    const refusal = await charge(context, saga, { polls: true });
    if (!refusal) return 'paid';
    /* Another payment method, given while this was parked, has a hold of its own. */
    if (refusal.type !== 'CustomerActionRequired' || order.payment.n !== n) return { refused: refusal };
  }
}

/** Longest interval between two polls, but for the policy's long waits. */
const MAXIMUM_POLL_MS = 5 * 60 * 1_000;

/** However long the waits have become, the payment is looked up once more shortly before the deadline. */
function untilNextPollMs({ hold, input }: OrderState, shortMs: number, sinceMs: number): number {
  const nowMs = Date.now();
  const longMs = nextWaitMs(input.policy.longWaits, { shortMs, waitedMs: nowMs - sinceMs });
  const lastMs = Date.parse(hold?.untilUtc ?? '') - nowMs - shortMs;
  return lastMs > shortMs ? Math.min(longMs, lastMs) : shortMs;
}

const authenticated = 'the customer authenticated the payment';
const paidAfterAll = 'the customer paid the declined payment after all';

async function resumePaid(context: OrderContext, saga: Saga, reason: string): Promise<Mended> {
  const { order } = context;
  if (order.paymentAct)
    order.remarks.push('A further payment method was not used: the first payment went through.');
  delete order.paymentAct;
  const act = wentFurther(order) ?? { actor: 'provider', reason };
  await saga.interruptible(() => endHold(context, act, { status: 'payment_processed' }));
  return { paid: true };
}

async function takeMethod(context: OrderContext, saga: Saga, act: UpdatePayment): Promise<Mended> {
  const { order } = context;
  delete order.paymentAct;
  const { paymentMethodId } = act;
  const changes = { status: 'inventory_reserved', paymentMethodId } as const;
  const n = await saga.interruptible(() => endHold(context, act, changes));
  askFromHereOn(order);
  return { n: n ?? order.payment.n + 1, paymentMethodId };
}
