import type { EventOf } from './contracts/read-event.ts';
import { curl } from './help-desk-command.ts';
import type { HelpDeskText } from './help-desk-text.ts';

export const moneyEvents = [
  'refund.owed.v1',
  'refund.failed.v1',
  'payment.disputed.v1',
  'dispute.closed.v1',
] as const;
export type MoneyEvent = EventOf<(typeof moneyEvents)[number]>;

/** What a person has to know about a refund that came back and about a charge that the customer's bank disputes. */
export function moneyText(event: MoneyEvent, { at, more }: { at: string; more: string }): HelpDeskText {
  switch (event.eventType) {
    case 'refund.owed.v1':
      return owedText(event, more);
    case 'refund.failed.v1':
      return failedText(event, { at, more });
    case 'payment.disputed.v1':
      return disputedText(event, more);
    case 'dispute.closed.v1':
      return closedText(event, { at, more });
  }
}

function owedText({ payload }: EventOf<'refund.owed.v1'>, more: string): HelpDeskText {
  const { orderId, amount, currency, disputeId, respondByUtc } = payload;
  return {
    subject: `Order ${orderId} was taken back and owes its customer ${amount} ${currency}`,
    lines: [
      `The customer's bank holds the charge (${disputeId ?? 'a dispute'}), so that it cannot be refunded now. The order goes on without it.`,
      'If the dispute is won, the money is refunded by itself; if it is lost, the bank has given it to the customer.',
      respondByUtc
        ? `Answer the bank at the payment provider until ${respondByUtc}; accepting the dispute pays the debt as well.`
        : 'Answer the bank at the payment provider; accepting the dispute pays the debt as well.',
      more,
    ],
  };
}

function failedText({ payload }: EventOf<'refund.failed.v1'>, { at, more }: { at: string; more: string }) {
  const { orderId, refundId, amount, currency, reason } = payload;
  const refund = { amount: { amount: '…', currency }, reason: '…' };
  return {
    subject: `A refund of order ${orderId} did not arrive: ${amount} ${currency}`,
    lines: [
      `Refund ${refundId} of ${amount} ${currency} failed: ${reason}`,
      'The customer does not have this money. Ask them where it can go before you refund again.',
      `To refund again: ${curl('POST', `${at}/refunds`, refund, { 'Idempotency-Key': '…' })}`,
      more,
    ],
  };
}

function disputedText({ payload }: EventOf<'payment.disputed.v1'>, more: string): HelpDeskText {
  const { orderId, disputeId, disputedAmount, currency, reason, refundable } = payload;
  return {
    subject: `The charge of order ${orderId} is disputed: ${disputedAmount} ${currency}`,
    lines: [
      `The customer's bank ${refundable ? 'asks about' : 'has taken back'} ${disputedAmount} ${currency} (${reason}).`,
      refundable
        ? `Dispute ${disputeId} is an inquiry: answer it at the payment provider, or refund the order.`
        : `Answer dispute ${disputeId} at the payment provider before its deadline; the order is not refunded meanwhile.`,
      more,
    ],
  };
}

function closedText({ payload }: EventOf<'dispute.closed.v1'>, { at, more }: { at: string; more: string }) {
  const { orderId, disputeId, disputedAmount, currency, outcome } = payload;
  return {
    subject: `The dispute about order ${orderId} is over: ${outcome}`,
    lines: [
      `Dispute ${disputeId} about ${disputedAmount} ${currency} is ${outcome}.`,
      outcome === 'lost'
        ? 'The customer has the money; refunding it again is refused.'
        : `The money is yours again; the order can be refunded (${at}/refunds).`,
      more,
    ],
  };
}
