import { sumMinor } from '../../domain/money.ts';
import type { ShippingFees } from '../../domain/shipping-fee.ts';
import type { OrderItem, OrderLine } from '../../domain/order.ts';
import type { Quotes } from '../../ports/quotes.ts';
import type { Product } from '../../ports/store/goods.ts';

/**
 * Quotes from the catalog's prices: one line per item, one flat shipping line when the currency's fee is above 0, no
 * tax, no discounts. The total is `sumMinor` of the lines. Throws for an item that has no product or one priced in another currency: callers check both first.
 */
export function createFlatQuotes({ shippingFees }: { shippingFees: ShippingFees }): Quotes {
  for (const [currency, fee] of Object.entries(shippingFees)) {
    if (!Number.isSafeInteger(fee) || fee < 0)
      throw new Error(`Shipping fee in ${currency}: expected whole minor units from 0, got ${fee}`);
  }
  return {
    quote: ({ items, products, currency }) => {
      const byId = new Map(products.map((product) => [product.productId, product]));
      const lines = items.map((item) => itemLine(item, byId.get(item.productId), currency));
      const fee = shippingFees[currency] ?? 0;
      return fee > 0 ? [...lines, { kind: 'shipping', amountMinor: fee }] : lines;
    },
  };
}

function itemLine(
  { productId, quantity }: OrderItem,
  product: Product | undefined,
  currency: string,
): OrderLine {
  if (product?.price.currency !== currency) {
    throw new Error(
      `Product ${productId}: expected a price in ${currency}, got ${product?.price.currency ?? 'none'}`,
    );
  }
  return { kind: 'item', productId, quantity, amountMinor: sumMinor([product.price.amountMinor * quantity]) };
}
