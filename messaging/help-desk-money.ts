import type { EventOf } from './contracts/read-event.ts';
import { curl, type HelpDeskText } from './help-desk-command.ts';

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
      return disputedText(event, { at, more });
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
  const { orderId, refundId, amount, currency, reason, owed, moneyAct } = payload;
  return {
    subject: `A refund of order ${orderId} did not arrive: ${amount} ${currency}`,
    lines: [
      `Refund ${refundId} of ${amount} ${currency} failed: ${reason}`,
      ...(owed === 0
        ? ['Nothing is owed to the customer: this money went back in another way. There is nothing to do.']
        : [
            `${owing(owed, currency)} Ask them where it can go.`,
            actLine(moneyAct ?? 'refund', { at, currency }),
          ]),
      more,
    ],
  };
}

/** The list is open: for an act of a later version the links have to do. */
function actLine(moneyAct: string, { at, currency }: { at: string; currency: string }): string {
  const refund = { amount: { amount: '…', currency }, reason: '…' };
  switch (moneyAct) {
    case 'cancel':
      return `The order has not shipped. To give all of it back, cancel it: ${curl('POST', `${at}/cancel`, { reason: '…' })}`;
    case 'refund':
      return `To refund: ${curl('POST', `${at}/refunds`, refund, { 'Idempotency-Key': '…' })}`;
    case 'return':
      return 'The order ships now: all of it can be refunded once its label is bought.';
    case 'wait':
      return 'The customer’s bank holds the money: nothing can be refunded before it has decided.';
    case 'nothing':
      return 'Nothing has to be done: it goes back by itself, or there is nothing left to give back.';
    default:
      return `What can be done is told at ${at}.`;
  }
}

/** Events of earlier versions do not say what is owed. */
const owing = (owed: number | undefined, currency: string): string =>
  owed === undefined
    ? 'What is owed to the customer now is told by the order (see below): look there first.'
    : `${owed} ${currency} are owed to the customer.`;

function disputedText(
  { payload }: EventOf<'payment.disputed.v1'>,
  { at, more }: { at: string; more: string },
): HelpDeskText {
  const { orderId, disputeId, disputedAmount, currency, reason, refundable, refundedAmount = 0 } = payload;
  const { moneyAct } = payload;
  const amount = `${disputedAmount} ${currency}`;
  const takes =
    disputedAmount === 0
      ? `disputes the charge, and takes nothing back (${reason})`
      : `${refundable ? 'asks about' : 'has taken back'} ${amount} (${reason})`;
  const nothing = disputedAmount === 0 && refundedAmount > 0;
  const answer = refundable
    ? `Dispute ${disputeId} is an inquiry: answer it at the payment provider${moneyAct === undefined ? ', or refund the order' : ''}.`
    : `Answer dispute ${disputeId} at the payment provider before its deadline; the order is not refunded meanwhile.`;
  return {
    subject: `The charge of order ${orderId} is disputed${nothing ? ', and was refunded before' : `: ${amount}`}`,
    lines: [
      `The customer's bank ${takes}.`,
      ...before(refundedAmount, currency),
      nothing ? `Answer dispute ${disputeId} at the payment provider before its deadline.` : answer,
      ...(refundable && moneyAct !== undefined ? [actLine(moneyAct, { at, currency })] : []),
      more,
    ],
  };
}

const before = (refundedAmount: number, currency: string): string[] =>
  refundedAmount > 0
    ? [
        `${refundedAmount} ${currency} of the charge had been refunded to the customer before: tell the bank so.`,
      ]
    : [];

function closedText({ payload }: EventOf<'dispute.closed.v1'>, { at, more }: { at: string; more: string }) {
  const { orderId, disputeId, disputedAmount, currency, outcome, inquiry, refundedAmount = 0 } = payload;
  const { moneyAct } = payload;
  if (inquiry && outcome === 'won') {
    return {
      subject: `The customer's bank asks no further about order ${orderId}`,
      lines: [
        `Inquiry ${disputeId} about ${disputedAmount} ${currency} is closed; nothing was taken back.`,
        more,
      ],
    };
  }
  const lost =
    refundedAmount > 0
      ? `The customer has the money; ${refundedAmount} ${currency} had been refunded before.`
      : 'The customer has the money; refunding it again is refused.';
  return {
    subject: `The dispute about order ${orderId} is over: ${outcome}`,
    lines: [
      `Dispute ${disputeId} about ${disputedAmount} ${currency} is ${outcome}.`,
      outcome === 'lost' ? lost : 'The bank gives the money back.',
      ...(outcome === 'lost' ? [] : [wonLine(moneyAct, { at, currency })]),
      more,
    ],
  };
}

/** Events of earlier versions do not say what may be done. */
const wonLine = (moneyAct: string | undefined, { at, currency }: { at: string; currency: string }): string =>
  moneyAct === undefined
    ? `An order that was taken back refunds it by itself; any other can be refunded (${at}/refunds).`
    : actLine(moneyAct, { at, currency });
