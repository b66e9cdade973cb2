import { closedRunActivity, storeBehindText } from '../domain/recovery.ts';
import type { EventOf } from './contracts/read-event.ts';
import { curl, type HelpDeskText } from './help-desk-command.ts';
import { moneyText, type MoneyEvent } from './help-desk-money.ts';

export type WaitingOrder =
  | EventOf<
      | 'order.held.v1'
      | 'order.approval_requested.v1'
      | 'order.shipping_suspended.v1'
      | 'order.hold_reminded.v1'
      | 'order.parked.v1'
    >
  | MoneyEvent;

/** What a person has to know about an order that waits: what happened, until when, and the command that mends it. */
export function helpDeskText(event: WaitingOrder, apiUrl: string): HelpDeskText {
  const { orderId } = event.payload;
  const at = `${apiUrl.replace(/\/$/, '')}/orders/${encodeURIComponent(orderId)}`;
  const more = `The order: ${at} (why it waits: ${at}/why)`;
  switch (event.eventType) {
    case 'order.parked.v1':
      return parkedText(event, { at, more });
    case 'order.hold_reminded.v1':
      return reminderText(event, { at, more });
    case 'order.approval_requested.v1':
      return heldText({ ...event.payload, status: 'awaiting_approval' }, { at, more });
    case 'order.shipping_suspended.v1':
      return heldText({ ...event.payload, status: 'payment_disputed' }, { at, more });
    case 'order.held.v1':
      return heldText(event.payload, { at, more });
    case 'refund.owed.v1':
    case 'refund.failed.v1':
    case 'payment.disputed.v1':
    case 'dispute.closed.v1':
      return moneyText(event, { at, more });
  }
}

interface Links {
  at: string;
  more: string;
}

function parkedText({ payload }: EventOf<'order.parked.v1'>, { at, more }: Links): HelpDeskText {
  const { orderId, step, activity, failure, budgets } = payload;
  if (activity === closedRunActivity) return lostRunText(payload, { at, more });
  return {
    subject: `Order ${orderId} is parked at ${step}`,
    lines: [
      `${activity} of order ${orderId} failed again and again (${budgets} retry windows): ${failure}`,
      'It waits without a deadline; nothing is lost meanwhile.',
      `When the cause is mended, try again: ${curl('POST', `${at}/resolve`, { action: 'retry' })}`,
      more,
    ],
  };
}

function lostRunText({ orderId, failure }: EventOf<'order.parked.v1'>['payload'], { at, more }: Links) {
  const cases = `${at.slice(0, at.lastIndexOf('/orders/'))}/cases/${encodeURIComponent(orderId)}`;
  const body = { reason: '…' };
  if (failure.startsWith(storeBehindText)) {
    return {
      subject: `SQL is behind order ${orderId}`,
      lines: [
        `${failure}.`,
        `Until SQL is mended there is nothing to do but to take note: ${curl('POST', `${cases}/take-note`, body)}`,
        more,
      ],
    };
  }
  return {
    subject: `Order ${orderId} has lost its run`,
    lines: [
      `${failure}. Nothing moves it any more.`,
      `To let it go on from where it was: ${curl('POST', `${cases}/restart`, body)}`,
      `To take it back: ${curl('POST', `${cases}/compensate`, body)}`,
      more,
    ],
  };
}

interface Held {
  orderId: string;
  status: string;
  reason: string;
  untilUtc: string;
}

function heldText({ orderId, status, reason, untilUtc }: Held, { at, more }: Links): HelpDeskText {
  return {
    subject: `Order ${orderId} waits for you until ${untilUtc}: ${status}`,
    lines: [
      `Order ${orderId} is held (${status}): ${reason}`,
      `Until ${untilUtc} it can be mended; then everything is taken back and the order fails.`,
      actOf(status, at),
      longer(at),
      more,
    ],
  };
}

function reminderText({ payload }: EventOf<'order.hold_reminded.v1'>, links: Links): HelpDeskText {
  const { orderId, status, sinceUtc, untilUtc } = payload;
  const { lines } = heldText(payload, links);
  return {
    subject: `Reminder: order ${orderId} waits for you until ${untilUtc}: ${status}`,
    lines: [`Order ${orderId} has waited since ${sinceUtc}, and nobody has mended it yet.`, ...lines],
  };
}

const newPayment = { paymentMethodId: 'pm_…' };
const newAddress = { name: '…', street1: '…', city: '…', postalCode: '…', country: '…' };

/** The statuses are an open list: for one from a later version the links have to do. */
function actOf(status: string, at: string): string {
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
    case 'awaiting_approval':
      return `When it may go on: ${curl('POST', `${at}/approve`, { reason: '…' })}; otherwise cancel it.`;
    case 'payment_disputed':
      return (
        'Answer the dispute at the payment provider: won, the order ships by itself; lost, it is taken back. ' +
        `To give it up now: ${curl('POST', `${at}/cancel`, { reason: '…' })}`
      );
    default:
      return `What mends it is told at ${at}.`;
  }
}

const longer = (at: string): string =>
  `If it needs longer: ${curl('POST', `${at}/extend`, { untilUtc: '…', reason: '…' })}`;
