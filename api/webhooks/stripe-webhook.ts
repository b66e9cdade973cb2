import { z } from '@hono/zod-openapi';
import type { OrderId } from '../../domain/ids.ts';
import { isEnded } from '../../domain/order.ts';
import { unusableNotice, type PaymentNotice } from '../../ports/payment-gateway.ts';
import type { OrderLedger } from '../../ports/store/money.ts';
import type { AppDeps } from '../app-deps.ts';
import { readText } from '../http/body.ts';
import { within } from '../../ports/bounded.ts';
import { isOrderId } from '../orders/order-identity.ts';
import { ApiProblem } from '../http/problems.ts';
import { STORE_TIMEOUT_MS } from '../orders/read-order.ts';
import { addRoute, type App } from '../http/route.ts';

const SCOPE = 'stripe-webhook';
/** Stripe repeats an undelivered event for up to 3 days. */
const REMEMBERED_SECONDS = 4 * 24 * 60 * 60;

/** `signalled`: the order's workflow looks; `followed`: a workflow looks up the refund, dispute or late charge. */
const results = ['signalled', 'followed', 'duplicate', 'ignored'] as const;

const answerBody = z
  .object({ received: z.literal(true), result: z.enum(results) })
  .openapi('WebhookAnswer', { example: { received: true, result: 'signalled' } });

/**
 * POST /webhooks/stripe. A notice says only where to look: the order's workflow, or one of its own for a refund, a
 * dispute or a charge that the order does not wait for, then asks Stripe itself, so late, repeated and forged-order
 * notices change nothing. Remembered only after the workflow has it: a crash in between repeats a signal, never loses
 * one. Needs nothing but Temporal.
 */
export function addStripeWebhook(app: App, deps: AppDeps): void {
  addRoute(
    app,
    {
      method: 'post',
      path: '/webhooks/stripe',
      operationId: 'stripeWebhook',
      tag: 'Webhooks',
      summary: 'Takes Stripe’s signed events',
      description: 'Verified over the raw body, deduplicated by event id, in any order. Without an API key.',
      produces: 'application/json',
      secured: false,
      request: {
        headers: z.object({
          'Stripe-Signature': z.string().openapi({
            description: '`t=…,v1=…`',
            example: 't=1767323045,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd',
          }),
        }),
        body: { required: true, content: { 'application/json': { schema: z.looseObject({}) } } },
      },
      responses: { 200: { description: 'Taken.', content: { 'application/json': { schema: answerBody } } } },
      problems: ['malformed-request', 'invalid-signature', 'body-too-large', 'temporal-unavailable'],
    },
    async (c) => {
      const signature = c.req.header('stripe-signature') ?? '';
      const rawBody = await readText(c);
      const result = await takeNotice(deps, { rawBody, signature });
      deps.metrics.paymentWebhooks.inc({ result });
      return c.json({ received: true, result });
    },
  );
}

async function takeNotice(
  deps: AppDeps,
  signed: { rawBody: string; signature: string },
): Promise<(typeof results)[number]> {
  const notice = deps.payments.verifyWebhook(signed);
  if (!notice) {
    deps.metrics.paymentWebhooks.inc({ result: 'refused' });
    throw new ApiProblem('invalid-signature', {
      detail: 'The Stripe-Signature header does not match the body.',
    });
  }
  if (notice.type === unusableNotice) deps.logger.warn('A signed Stripe event cannot be used and is ignored');
  if (!matters(notice)) return 'ignored';
  const { eventId } = notice;
  if ((await deps.seen.seen({ scope: SCOPE, id: eventId })) === 'seen') return 'duplicate';
  const result = await tell(deps, notice);
  await deps.seen.remember({ scope: SCOPE, id: eventId, ttlSeconds: REMEMBERED_SECONDS });
  return result;
}

/**
 * Refunds and disputes matter, whatever they carry: people at the provider's desk write an order's id as well. Of our payments only what may end the wait for a customer: not that they were made, nor the
 * charges that say the same again.
 */
function matters({ type, orderId, subject }: PaymentNotice): boolean {
  if (subject) return true;
  if (orderId === undefined || !isOrderId(orderId)) return false;
  return type.startsWith('payment_intent.') && type !== 'payment_intent.created';
}

async function tell(deps: AppDeps, notice: PaymentNotice): Promise<'followed' | 'signalled' | 'ignored'> {
  const { eventId, orderId, intentId, subject } = notice;
  if (subject) {
    if (notice.type === 'refund.created' && (await isRefundKnown(deps, { orderId, refundId: subject.id })))
      return 'ignored';
    await deps.refunds.follow({ eventId, subject });
    return 'followed';
  }
  if (orderId === undefined) return 'ignored';
  const { waits, late } = await meaningOf(deps, { ...notice, orderId });
  const signalled = waits && (await deps.workflows.notifyPayment(orderId, eventId));
  const charged = notice.type === 'payment_intent.succeeded' && intentId !== undefined;
  if (charged && (late || (waits && !signalled))) {
    await deps.refunds.follow({ eventId, subject: { kind: 'payment', id: intentId } });
    return 'followed';
  }
  return signalled ? 'signalled' : 'ignored';
}

/** Whether SQL has the refund by the provider's id: the news of one that was asked for here. Without SQL: look it up. */
async function isRefundKnown(
  deps: AppDeps,
  { orderId, refundId }: { orderId: OrderId | undefined; refundId: string },
): Promise<boolean> {
  if (orderId === undefined || !isOrderId(orderId)) return false;
  try {
    const [books] = await within(STORE_TIMEOUT_MS, 'store', () => deps.store.read.ledger(orderId));
    return books?.refunds.some(({ providerRefundId }) => providerRefundId === refundId) ?? false;
  } catch (error) {
    deps.logger.warn(
      { err: error, orderId },
      'The store did not answer; the refund is looked up in any case',
    );
    return false;
  }
}

/** `waits`: the order waits for its customer. `late`: nothing of the order's own will find this charge. */
interface Meaning {
  waits: boolean;
  late: boolean;
}

/**
 * Stripe tells of every payment, most of which were answered at once: only an order that waits for its customer is
 * signalled, for a signal costs a workflow task, and only a charge that the order's own attempt or walk back does not
 * settle is followed. SQL knows of the wait before the workflow does. Without SQL: both.
 */
async function meaningOf(deps: AppDeps, notice: PaymentNotice & { orderId: OrderId }): Promise<Meaning> {
  const { orderId } = notice;
  try {
    const [books] = await within(STORE_TIMEOUT_MS, 'store', () => deps.store.read.ledger(orderId));
    const waits = books?.payments.some(({ state }) => state === 'action_required') ?? false;
    return { waits, late: !isSettledByOrder(books, notice.intentId) };
  } catch (error) {
    deps.logger.warn({ err: error, orderId }, 'The store did not answer; the order is signalled in any case');
    return { waits: true, late: true };
  }
}

/** Known already, or the order's newest payment, which an attempt, the wait for the customer or a walk back looks at. */
function isSettledByOrder(books: OrderLedger | undefined, intentId: string | undefined): boolean {
  const payment = books?.payments.find((one) => one.intentId === intentId);
  if (!books || !payment) return false;
  if (payment.state === 'refunded') return true;
  /* Of an order that waits for another card, only a refund may have been heard of. */
  if (payment.state === 'charged') return books.status !== 'payment_failed';
  if (isEnded(books.status)) return false;
  if (books.sagaState === 'compensating') return true;
  const { state } = payment;
  return payment === books.payments.at(-1) && (state === 'created' || state === 'action_required');
}
