import { fromStripeAmount, toStripeAmount } from '../../adapters/stripe/stripe-amounts.ts';
import { isEnded } from '../../domain/order.ts';
import { owedOf } from '../../domain/owed.ts';
import type { RefundRow } from '../../ports/refunds.ts';
import type { OrderBooks } from './books.ts';

const sum = (entries: readonly { amount: number }[]): number =>
  entries.reduce((total, { amount }) => total + amount, 0);

/** Charged once for what ships, nothing for what does not, and SQL knows of every charge and every refund. */
export function moneyViolations(books: OrderBooks): string[] {
  return [...chargeViolations(books), ...recordViolations(books), ...refundViolations(books)];
}

function chargeViolations(books: OrderBooks): string[] {
  const { ledger, provider } = books;
  const charges = `charged ${provider.charged.length} times, ${sum(provider.charged)} in all, refunded ${sum(provider.refunded)}`;
  if (ledger.status === 'completed') {
    const total = ledger.total ? toStripeAmount(ledger.total) : 0;
    const currency = ledger.total?.currency.toLowerCase();
    const live = keptCharges(books);
    const kept = live.filter(({ intent, amount }) => amount > refundedOf(books, intent));
    if (kept.length > 1)
      return [`charged twice after the end: a completed order is charged once; it is ${charges}`];
    const charge = kept[0] ?? live[0];
    const once = charge?.amount === total && charge.currency === currency;
    return once ? [] : [`a completed order is charged ${total} ${currency} once; it is ${charges}`];
  }
  if (isEnded(ledger.status)) {
    const otherwise = inProviderUnits(ledger.refunds.filter(({ state }) => state === 'paid_otherwise'));
    const kept = sum(provider.charged) - sum(provider.refunded) - sum(lostDisputes(books)) - otherwise;
    const said = inProviderUnits(owedOf(ledger));
    /* A debt waits for the bank, and a refund that failed after the order's end for a person. */
    const promised = inProviderUnits(
      ledger.refunds.filter(({ state }) => state === 'owed' || state === 'failed'),
    );
    if (kept < 0 || kept > promised) return [`a ${ledger.status} order keeps no money; it is ${charges}`];
    return kept === said
      ? []
      : [
          `a ${ledger.status} order owes its customer ${kept}, and says ${said}: owed and not said; it is ${charges}`,
        ];
  }
  return keptCharges(books).length <= 1
    ? []
    : [`charged twice: an order is charged at most once; it is ${charges}`];
}

/** Charges that the compensation has not taken back; what people refunded of them is a matter of its own. */
const keptCharges = ({ ledger, provider }: OrderBooks) => {
  const compensated = new Set(
    ledger.refunds
      .filter(({ actor, state }) => actor === 'saga' && state !== 'failed')
      .map(({ n }) => ledger.payments.find((payment) => payment.n === n)?.intentId),
  );
  return provider.charged.filter(({ intent }) => !compensated.has(intent));
};

const refundedOf = ({ provider }: OrderBooks, intentId: string): number =>
  sum(provider.refunded.filter(({ intent, status }) => intent === intentId && status !== 'failed'));

const lostDisputes = ({ provider }: OrderBooks) =>
  provider.disputes.filter(({ status }) => status === 'lost');

const inProviderUnits = (refunds: readonly Pick<RefundRow, 'amount'>[]): number =>
  refunds.reduce((total, { amount }) => total + toStripeAmount(amount), 0);

/** SQL's payments against the provider's, intent by intent. */
function recordViolations(books: OrderBooks): string[] {
  const { ledger, provider } = books;
  const violations: string[] = [];
  const say = (text: string) => violations.push(text);
  const known = new Map(ledger.payments.map((payment) => [payment.intentId, payment]));
  for (const { intent, amount } of provider.charged) {
    /* One that a person has made and given back himself is nobody's. */
    if (!known.has(intent) && refundedOf(books, intent) < amount)
      say(`a charge that no row knows: ${intent}, which SQL does not know`);
  }
  if (!isEnded(ledger.status)) return violations;
  for (const { n, intentId, state } of ledger.payments) {
    const of = (list: OrderBooks['provider']['refunded'] | OrderBooks['provider']['charged']) =>
      sum(list.filter(({ intent }) => intent === intentId));
    const otherwise = ledger.refunds.filter((refund) => refund.n === n && refund.state === 'paid_otherwise');
    const kept = of(provider.charged) - of(provider.refunded) - inProviderUnits(otherwise);
    const charged = of(provider.charged) > 0;
    const expected = charged ? (kept === 0 ? ['refunded'] : ['charged']) : ['declined', 'canceled'];
    if (!expected.includes(state)) {
      say(`payment ${n} is ${state} in SQL; by the provider's books it is ${expected.join(' or ')}`);
    }
  }
  for (const { intent, status } of provider.intents) {
    if (mayStillCharge.includes(status))
      say(`intent ${intent} is ${status}: it may still charge a closed order`);
  }
  return violations;
}

/** An intent that waits for its payment method again was declined: whoever has its client secret can pay it. */
const mayStillCharge = ['requires_payment_method', 'requires_action', 'processing', 'requires_capture'];

/** SQL's refunds against the provider's, refund by refund; never more than was charged. */
function refundViolations({ ledger, provider }: OrderBooks): string[] {
  const violations: string[] = [];
  const standing = ledger.refunds.filter(({ state }) => state === 'pending' || state === 'refunded');
  const known = new Map(standing.map((refund) => [refund.providerRefundId, refund]));
  const payments = new Set(ledger.payments.map(({ intentId }) => intentId));
  for (const { refund, intent, amount, currency } of provider.refunded) {
    if (!payments.has(intent)) continue;
    const row = known.get(refund);
    const same = row && row.amount.amountMinor === fromStripeAmount(amount, currency).amountMinor;
    if (!same && isEnded(ledger.status)) {
      violations.push(
        `the provider refunded ${amount} as ${refund}; SQL knows ${row ? 'another amount' : 'nothing of it'}`,
      );
    }
  }
  const there = new Set(provider.refunded.map(({ refund }) => refund));
  for (const { refundId, providerRefundId } of standing) {
    if (!there.has(providerRefundId ?? '')) {
      violations.push(`refund ${refundId} went back in SQL; the provider has no ${providerRefundId}`);
    }
  }
  for (const { intent, amount } of provider.charged) {
    const back = sum(provider.refunded.filter((refund) => refund.intent === intent));
    if (back > amount) violations.push(`${back} of the charge ${intent} of ${amount} were refunded`);
  }
  return violations;
}
