import type { Currency } from '../domain/money.ts';
import type { Address, OrderItem, OrderLine } from '../domain/order.ts';
import type { Product } from './store/goods.ts';

/** Turns items into the priced lines of an order: items, shipping, tax, discounts. Pure: prices come in as data. */
export interface Quotes {
  /** Every item's product is among `products`, priced in `currency`. */
  quote(input: {
    items: readonly OrderItem[];
    products: readonly Product[];
    currency: Currency;
    address: Address;
  }): OrderLine[];
}
