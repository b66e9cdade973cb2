import { toStripeAmount } from '../../adapters/stripe/stripe-amounts.ts';
import { isEnded } from '../../domain/order.ts';
import type { OrderBooks } from './books.ts';

const sum = (entries: readonly { amount: number }[]): number =>
  entries.reduce((total, { amount }) => total + amount, 0);

/** Charged less refunded at the provider, in its own units. */
const netCharged = ({ provider }: OrderBooks): number => sum(provider.charged) - sum(provider.refunded);

/** Charged once for what ships, nothing for what does not, and SQL knows of every charge. */
export function moneyViolations(books: OrderBooks): string[] {
  return [...chargeViolations(books), ...recordViolations(books)];
}

function chargeViolations(books: OrderBooks): string[] {
  const { ledger, provider } = books;
  const charges = `charged ${provider.charged.length} times, ${sum(provider.charged)} in all, refunded ${sum(provider.refunded)}`;
  const net = netCharged(books);
  if (ledger.status === 'completed') {
    const total = ledger.total ? toStripeAmount(ledger.total) : 0;
    const currency = ledger.total?.currency.toLowerCase();
    const once = provider.charged.length === 1 && net === total && provider.charged[0]?.currency === currency;
    return once && provider.refunded.length === 0
      ? []
      : [`a completed order is charged ${total} ${currency} once and not refunded; it is ${charges}`];
  }
  if (isEnded(ledger.status)) {
    return net === 0 ? [] : [`a ${ledger.status} order keeps no money; it is ${charges}`];
  }
  const kept = provider.charged.length - new Set(provider.refunded.map(({ intent }) => intent)).size;
  return kept <= 1 ? [] : [`an order is charged at most once; it is ${charges}`];
}

/** SQL's payments against the provider's, intent by intent. */
function recordViolations({ ledger, provider }: OrderBooks): string[] {
  const violations: string[] = [];
  const say = (text: string) => violations.push(text);
  const known = new Map(ledger.payments.map((payment) => [payment.intentId, payment]));
  for (const { intent } of provider.charged) {
    if (!known.has(intent)) say(`the provider charged ${intent}, which SQL does not know`);
  }
  if (!isEnded(ledger.status)) return violations;
  for (const { n, intentId, state } of ledger.payments) {
    const charged = provider.charged.some(({ intent }) => intent === intentId);
    const refunded = provider.refunded.some(({ intent }) => intent === intentId);
    const expected = charged ? (refunded ? ['refunded'] : ['charged']) : ['declined', 'canceled'];
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

const mayStillCharge = ['requires_action', 'processing', 'requires_capture'];
