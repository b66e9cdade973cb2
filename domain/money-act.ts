import { formatAmount, type Money } from './money.ts';
import { checkPaidOtherwise, owedOf, type OrderBooks } from './owed.ts';
import type { OrderId } from './ids.ts';
import { chargedMoney, checkRefund, type RefundRefusal } from './refunds.ts';
import { wayBack, type OrderPlace } from './way-back.ts';

/**
 * `cancel`: cancel the order, which gives back all that is left. `refund`: refund it, in parts or all, or pay it past the
 * provider where it is owed. `return`: it ships; the customer asks for a return. `wait`: the customer's bank decides.
 * `nothing`: there is nothing to give back, or it goes back by itself.
 */
export const moneyActs = ['cancel', 'refund', 'return', 'wait', 'nothing'] as const;
export type MoneyAct = (typeof moneyActs)[number];

export interface MoneyNow {
  act: MoneyAct;
  /** For customers as well: no ids, no names. */
  text: string;
  /** What can be refunded now; with `refund` alone. */
  refundable?: Money;
}

/**
 * What may be done with all the money of an order now: one answer for the API, the stories, the mails and the help desk. It
 * asks the functions that judge a cancel and a refund, so that what is told is what they do.
 */
export function moneyNow(order: OrderPlace & { orderId: OrderId }, books: OrderBooks): MoneyNow {
  const money = chargedMoney(books);
  const way = wayBack(order);
  const isHeld = money.disputes.some(({ state }) => state === 'open');
  if (order.lost && way !== 'refund') return { act: 'nothing', text: lostText };
  if (way === 'cancel') return { act: 'cancel', text: cancelText(money.charged !== undefined) };
  if (way === 'taken_back') return isHeld ? bankDecides : { act: 'nothing', text: takenBackText };
  const judged = checkRefund({ ...order, ...money }, undefined);
  if ('amount' in judged) {
    const { amount } = judged;
    return { act: 'refund', text: `${shown(amount)} can be refunded.`, refundable: amount };
  }
  if (judged.code === 'being_shipped') return { act: 'return', text: returnText };
  if (isHeld) return bankDecides;
  const owed = checkPaidOtherwise(owedOf({ ...books, status: order.status }), undefined);
  if (!('code' in owed))
    return { act: 'refund', text: `${shown(owed.amount)} have to be paid past the payment provider.` };
  return { act: 'nothing', text: nothingTexts[judged.code] ?? 'Nothing can be done with the money now.' };
}

const shown = (money: Money): string => `${formatAmount(money)} ${money.currency}`;

const cancelText = (charged: boolean): string =>
  charged
    ? 'The order can still be canceled, which gives back all that is left of the payment.'
    : 'The order can still be canceled.';
const takenBackText = 'The order is being taken back, and what is left of the payment goes back by itself.';
const returnText =
  'The order is being shipped and can no longer be canceled: the customer can ask for a return.';
const lostText =
  'Our staff have to start the order again, or take it back, before all of its money can go back.';
const bankDecides: MoneyNow = {
  act: 'wait',
  text: 'The customer’s bank holds the money; nothing can be done before it has decided.',
};

const nothingTexts: Partial<Record<RefundRefusal, string>> = {
  nothing_charged: 'Nothing was charged.',
  nothing_left: 'All of the payment is refunded, or goes back by itself.',
  disputed: 'The customer’s bank has decided for the customer: nothing more can be refunded.',
};
