import type { OrderId } from '../../domain/ids.ts';
import { followPayment } from '../../workflows/index.ts';
import { workflowInput, type SagaEnvironment } from '../setup/saga-environment.ts';

/** The customer pays on their own page, with the client secret it was given; the answer's status. */
export async function payInTab(saga: SagaEnvironment, intentId: string): Promise<number> {
  const { client_secret } = (await stripeIntents(saga, `/${intentId}`)) as { client_secret: string };
  const response = await fetch(`${saga.sandbox.url}/payments/${intentId}/confirm`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_secret, payment_method: 'pm_card_visa' }),
  });
  return response.status;
}

/** What the API starts when the provider tells of a charge that nothing of its order will find; so many times at once. */
export async function followCharge(saga: SagaEnvironment, intentId: string, times = 1): Promise<void> {
  const { policy, taskQueues } = workflowInput(saga.config);
  const runs = Array.from({ length: times }, () =>
    saga.client.workflow.execute(followPayment, {
      workflowId: `payment-notice-${crypto.randomUUID()}`,
      taskQueue: taskQueues.orders,
      args: [{ subject: { kind: 'payment', id: intentId }, policy, taskQueues }],
    }),
  );
  await Promise.all(runs);
}

/** Stripe's API of payment intents with the secret key; a POST where parameters are given. */
async function stripeIntents(
  saga: SagaEnvironment,
  path: string,
  params?: Record<string, string>,
): Promise<unknown> {
  const response = await fetch(`${saga.sandbox.url}/v1/payment_intents${path}`, {
    headers: { authorization: `Bearer ${saga.config.STRIPE_SECRET_KEY}` },
    ...(params ? { method: 'POST', body: new URLSearchParams(params) } : {}),
  });
  return response.json();
}

/** The customer authenticates the payment that asks for it, or refuses. */
export async function authenticate(
  saga: SagaEnvironment,
  intentId: string,
  outcome: 'succeed' | 'fail',
): Promise<void> {
  await fetch(`${saga.sandbox.url}/sandbox/payment_intents/${intentId}/authenticate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ outcome }),
  });
}

/** A declined intent that is open and on record, as orders of earlier versions have left them. */
export async function leaveOpen(saga: SagaEnvironment, orderId: OrderId): Promise<string> {
  const intent = await stripeIntents(saga, '', {
    amount: '749900',
    currency: 'inr',
    confirm: 'true',
    payment_method: 'pm_card_chargeDeclined',
    'automatic_payment_methods[enabled]': 'true',
    'automatic_payment_methods[allow_redirects]': 'never',
    'metadata[orderId]': orderId,
    'metadata[operationKey]': `payment-${orderId}-9`,
  });
  const { error } = intent as { error?: { payment_intent: { id: string } } };
  const intentId = error?.payment_intent.id ?? '';
  await saga.deps.store.transaction((tx) =>
    tx.payments.put({
      orderId,
      n: 9,
      state: 'declined',
      amount: { amountMinor: 749_900, currency: 'INR' },
      intentId,
      createRequestedAtUtc: new Date().toISOString(),
      createKeyNumber: 1,
      confirmKeyNumber: 1,
      cancelKeyNumber: 1,
      refundKeyNumber: 1,
    }),
  );
  return intentId;
}
