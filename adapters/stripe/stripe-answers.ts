import type Stripe from 'stripe';
import { TechnicalFailure } from '../../domain/failures.ts';
import { orderId, type OrderId } from '../../domain/ids.ts';
import type { NextAction } from '../../domain/order.ts';
import type { PaymentAnswer, PaymentNotice } from '../../ports/payment-gateway.ts';
import { fromStripeAmount } from './stripe-amounts.ts';

/**
 * A payment intent as the port's answer. `requires_capture` and `processing` are neither success nor decline: money is
 * reserved or on its way, and only a later look tells.
 */
export function paymentAnswer(intent: Stripe.PaymentIntent): PaymentAnswer {
  const intentId = intent.id;
  switch (intent.status) {
    case 'succeeded':
      return {
        status: 'charged',
        intentId,
        amount: fromStripeAmount(intent.amount_received, intent.currency),
        ...ownerOf(intent),
      };
    case 'canceled':
      return { status: 'canceled', intentId };
    case 'requires_confirmation':
      return { status: 'unconfirmed', intentId };
    case 'requires_payment_method':
      return declinedOrUnconfirmed(intent);
    case 'requires_action':
    case 'processing':
    case 'requires_capture':
      return { status: 'action_required', intentId, nextAction: nextAction(intent) };
    default:
      throw unreadable(`payment intent ${intentId} has the unknown status ${String(intent.status)}`);
  }
}

function ownerOf({ metadata }: Stripe.PaymentIntent): { orderId?: OrderId } {
  const owner = orderIdIn(metadata);
  return owner ? { orderId: owner } : {};
}

function declinedOrUnconfirmed(intent: Stripe.PaymentIntent): PaymentAnswer {
  const error = intent.last_payment_error;
  if (!error) return { status: 'unconfirmed', intentId: intent.id };
  const declineCode = error.decline_code || error.code;
  return {
    status: 'declined',
    intentId: intent.id,
    reason: error.message || 'The payment was declined.',
    ...(declineCode ? { declineCode } : {}),
  };
}

function nextAction(intent: Stripe.PaymentIntent): NextAction {
  const redirectUrl = intent.next_action?.redirect_to_url?.url;
  return {
    type: intent.next_action?.type ?? intent.status,
    ...(intent.client_secret ? { clientSecret: intent.client_secret } : {}),
    ...(redirectUrl ? { redirectUrl } : {}),
  };
}

/** The SDK takes any JSON without `error` for success, whatever its status: this looks before anything is believed. */
export function expectObject<T extends { id: string; object: string }>(answer: T, object: T['object']): T {
  const { id, object: kind } = (answer ?? {}) as { id?: unknown; object?: unknown };
  if (kind === object && typeof id === 'string' && id !== '') return answer;
  throw unreadable(`expected a ${object}, got ${String(JSON.stringify(answer)).slice(0, 80)}`);
}

const unreadable = (what: string): TechnicalFailure =>
  new TechnicalFailure('OutcomeUnknown', `Stripe's answer cannot be read: ${what}`);

/** Where an event says to look. Charges and refunds name their intent; only intents and charges carry our metadata. */
export function paymentNotice(event: Stripe.Event): PaymentNotice {
  if (typeof event.id !== 'string' || typeof event.type !== 'string') throw new Error('No event of Stripe');
  const object = event.data.object as {
    object?: string;
    id?: string;
    payment_intent?: unknown;
    metadata?: unknown;
  };
  const named = typeof object.payment_intent === 'string' ? object.payment_intent : undefined;
  return {
    eventId: event.id,
    type: event.type,
    intentId: object.object === 'payment_intent' ? object.id : named,
    orderId: orderIdIn(object.metadata),
    ...subjectOf(object),
  };
}

function subjectOf({ object, id }: { object?: string; id?: string }): Pick<PaymentNotice, 'subject'> {
  return (object === 'refund' || object === 'dispute') && id ? { subject: { kind: object, id } } : {};
}

/** Our order's id in the metadata that we gave a payment; undefined on those of others. */
export function orderIdIn(metadata: unknown): OrderId | undefined {
  const value = (metadata as Record<string, unknown> | null | undefined)?.['orderId'];
  return typeof value === 'string' && value !== '' ? orderId(value) : undefined;
}
