import type { EventOf } from './contracts/read-event.ts';

export type WaitingOrder = EventOf<'order.held.v1' | 'order.parked.v1'>;

export interface HelpDeskText {
  subject: string;
  /** Paragraphs, without line breaks. */
  lines: string[];
}

/** What a person has to know about an order that waits: what happened, until when, and the command that mends it. */
export function helpDeskText(event: WaitingOrder, apiUrl: string): HelpDeskText {
  const { orderId } = event.payload;
  const at = `${apiUrl.replace(/\/$/, '')}/orders/${encodeURIComponent(orderId)}`;
  const more = `The order: ${at} (why it waits: ${at}/why)`;
  if (event.eventType === 'order.parked.v1') return parkedText(event, { at, more });
  return heldText(event, { at, more });
}

interface Links {
  at: string;
  more: string;
}

function parkedText({ payload }: EventOf<'order.parked.v1'>, { at, more }: Links): HelpDeskText {
  const { orderId, step, activity, failure, budgets } = payload;
  return {
    subject: `Order ${orderId} is parked at ${step}`,
    lines: [
      `${activity} of order ${orderId} failed again and again (${budgets} budgets of attempts): ${failure}`,
      'It waits without a deadline; nothing is lost meanwhile.',
      `When the cause is mended, try again: ${curl('POST', `${at}/resolve`, { action: 'retry' })}`,
      more,
    ],
  };
}

function heldText({ payload }: EventOf<'order.held.v1'>, { at, more }: Links): HelpDeskText {
  const { orderId, status, reason, untilUtc } = payload;
  return {
    subject: `Order ${orderId} waits for you until ${untilUtc}: ${status}`,
    lines: [
      `Order ${orderId} is held (${status}): ${reason}`,
      `Until ${untilUtc} it can be mended; then everything is taken back and the order fails.`,
      actOf(status, at),
      more,
    ],
  };
}

const newPayment = { paymentMethodId: 'pm_…' };
const newAddress = { name: '…', street1: '…', city: '…', postalCode: '…', country: '…' };

function actOf(status: EventOf<'order.held.v1'>['payload']['status'], at: string): string {
  switch (status) {
    case 'payment_failed':
      return `With another payment method it goes on: ${curl('POST', `${at}/payment`, newPayment)}`;
    case 'payment_action_required':
      return (
        'The customer has to authenticate the payment (the order shows how); another payment method works as well: ' +
        curl('POST', `${at}/payment`, newPayment)
      );
    case 'address_rejected':
      return `With a corrected address it goes on: ${curl('PUT', `${at}/shipping-address`, newAddress)}`;
  }
}

const curl = (method: string, url: string, body: unknown): string =>
  `curl -X ${method} '${url}' -H "Authorization: Bearer $ORDER_SAGA_API_KEY" -H 'Content-Type: application/json' ` +
  `-d '${JSON.stringify(body)}'`;
