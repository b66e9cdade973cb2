import { sumMinor } from '../../domain/money.ts';
import type { OrderItem, OrderLine } from '../../domain/order.ts';
import type { Quotes } from '../../ports/quotes.ts';
import type { Product } from '../../ports/store.ts';

/**
 * Quotes from the catalog's prices: one line per item, one flat shipping line when the fee is above 0, no tax, no
 * discounts. `shippingFeeMinor` is in minor units of the order's currency, whichever it is. The total is `sumMinor`
 * of the lines. Throws for an item that has no product or one priced in another currency: callers check both first.
 */
export function createFlatQuotes({ shippingFeeMinor }: { shippingFeeMinor: number }): Quotes {
  if (!Number.isSafeInteger(shippingFeeMinor) || shippingFeeMinor < 0) {
    throw new Error(`Shipping fee: expected whole minor units from 0, got ${shippingFeeMinor}`);
  }
  const shipping: OrderLine[] =
    shippingFeeMinor > 0 ? [{ kind: 'shipping', amountMinor: shippingFeeMinor }] : [];
  return {
    quote: ({ items, products, currency }) => {
      const byId = new Map(products.map((product) => [product.productId, product]));
      const lines = items.map((item) => itemLine(item, byId.get(item.productId), currency));
      return [...lines, ...shipping];
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
