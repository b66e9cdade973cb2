import type { Currency, Money } from './money.ts';
import type { OrderLine } from './order.ts';

/** What of an order's lines is for shipping; nothing where that is free. */
export function shippingOf(lines: readonly OrderLine[], currency: Currency): { shipping?: Money } {
  const fees = lines.filter(({ kind }) => kind === 'shipping');
  const amountMinor = fees.reduce((sum, line) => sum + line.amountMinor, 0);
  return amountMinor === 0 ? {} : { shipping: { amountMinor, currency } };
}
