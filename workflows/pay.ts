import { ApplicationFailure } from '@temporalio/workflow';
import type { Refusal } from '../domain/failures.ts';
import { beginHold, endHold, waitInHold } from './hold.ts';
import { refusalOf } from './judge.ts';
import type { OrderContext } from './order-context.ts';
import type { Compensation, Saga } from './saga.ts';

/**
 * Charges the order. A declined card or a payment that needs the customer holds the order until another payment
 * method, the customer's authentication, or the deadline; then the hold's own refusal ends the order.
 */
export async function pay(context: OrderContext, saga: Saga): Promise<void> {
  const { order } = context;
  let paymentMethodId = order.input.checkout.paymentMethodId;
  for (let n = 1; ; n += 1) {
    const refusal = await charge(context, saga, { n, paymentMethodId });
    if (!refusal) break;
    const next = await holdPayment(context, saga, { n, paymentMethodId, refusal });
    if (next === 'paid') break;
    paymentMethodId = next;
  }
  order.status = 'payment_processed';
}

interface Payment {
  n: number;
  paymentMethodId: string;
}

/** One try; undefined when charged, the business answer otherwise. */
async function charge(context: OrderContext, saga: Saga, payment: Payment): Promise<Refusal | undefined> {
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
          .payments({ policy, summary: `Charge the order (payment ${payment.n})` })
          .processPayment({ orderId: context.orderId, ...payment, attemptTimeoutMs });
      },
    });
    return undefined;
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal?.type === 'CardDeclined' || refusal?.type === 'CustomerActionRequired') return refusal;
    throw error;
  }
}

const refundPayment = ({ orderId, order, steps }: OrderContext): Compensation => {
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

/** Waits for the customer. `paid` when the pending payment went through; else the next payment method. */
async function holdPayment(
  context: OrderContext,
  saga: Saga,
  { refusal, ...payment }: Payment & { refusal: Refusal },
): Promise<string | 'paid'> {
  const { order } = context;
  const pending = refusal.type === 'CustomerActionRequired';
  const status = pending ? 'payment_action_required' : 'payment_failed';
  await saga.interruptible(() =>
    beginHold(context, { status, refusal, forMs: order.input.policy.holdPaymentMs }),
  );
  const answer = pending ? await pollPayment(context, saga, payment) : await waitForMethod(context, saga);
  if (answer === 'deadline') throw expired(refusal);
  if (answer !== 'updated')
    return answer === 'paid' ? resumePaid(context, saga) : afterDecline(context, saga, payment, answer);
  return takeMethod(context, saga);
}

const waitForMethod = async (context: OrderContext, saga: Saga): Promise<'updated' | 'deadline'> => {
  const mended = await saga.interruptible(() =>
    waitInHold(context, () => context.order.paymentAct !== undefined),
  );
  return mended ? 'updated' : 'deadline';
};

/** Looks a pending payment up at the provider: when it reports a change, and by itself at growing intervals. */
async function pollPayment(
  context: OrderContext,
  saga: Saga,
  payment: Payment,
): Promise<'updated' | 'deadline' | 'paid' | Refusal> {
  const { order } = context;
  for (let pollMs = order.input.policy.actionPollMs; ; pollMs = Math.min(pollMs * 2, MAXIMUM_POLL_MS)) {
    const mended = await saga.interruptible(() =>
      waitInHold(context, () => order.paymentNoticed || order.paymentAct !== undefined, pollMs),
    );
    if (order.paymentAct) return 'updated';
    if (mended === false) return 'deadline';
    order.paymentNoticed = false;
    const refusal = await charge(context, saga, payment);
    if (!refusal) return 'paid';
    if (refusal.type !== 'CustomerActionRequired') return refusal;
  }
}

const MAXIMUM_POLL_MS = 5 * 60 * 1_000;

/** The customer failed the authentication: the hold becomes one for another payment method. */
const afterDecline = (
  context: OrderContext,
  saga: Saga,
  payment: Payment,
  refusal: Refusal,
): Promise<string | 'paid'> => holdPayment(context, saga, { ...payment, refusal });

async function resumePaid(context: OrderContext, saga: Saga): Promise<'paid'> {
  const { order } = context;
  if (order.paymentAct)
    order.remarks.push('A further payment method was not used: the first payment went through.');
  delete order.paymentAct;
  const act = { actor: 'provider', reason: 'the customer authenticated the payment' };
  await saga.interruptible(() => endHold(context, act, { status: 'payment_processed' }));
  return 'paid';
}

async function takeMethod(context: OrderContext, saga: Saga): Promise<string> {
  const { order } = context;
  const act = order.paymentAct!;
  delete order.paymentAct;
  order.paymentUpdates += 1;
  const { paymentMethodId } = act;
  await saga.interruptible(() => endHold(context, act, { status: 'inventory_reserved', paymentMethodId }));
  return paymentMethodId;
}

const expired = ({ type, reason }: Refusal): ApplicationFailure =>
  ApplicationFailure.create({
    type,
    nonRetryable: true,
    message: `${reason} Nobody mended it before the deadline.`,
  });
