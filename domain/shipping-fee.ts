import type { Currency, Money } from './money.ts';
import type { OrderLine } from './order.ts';

/** What shipping adds to an order, in minor units of its currency; free where a currency is not named. */
export type ShippingFees = Readonly<Partial<Record<Currency, number>>>;

/** What of an order's lines is for shipping; nothing where that is free. */
export function shippingOf(lines: readonly OrderLine[], currency: Currency): { shipping?: Money } {
  const fees = lines.filter(({ kind }) => kind === 'shipping');
  const amountMinor = fees.reduce((sum, line) => sum + line.amountMinor, 0);
  return amountMinor === 0 ? {} : { shipping: { amountMinor, currency } };
}
