import { z } from '@hono/zod-openapi';
import { customerId, productId, type OrderId } from '../../domain/ids.ts';
import { parseAmount, type Currency, type Money } from '../../domain/money.ts';
import type { Address, Checkout, OrderItem } from '../../domain/order.ts';
import type { PaymentGateway } from '../../ports/payment-gateway.ts';
import { invalidFields } from '../http/body.ts';
import {
  absentable,
  addressExample,
  addressField,
  currencyField,
  customerIdField,
  emailField,
  moneyField,
  paymentMethodField,
  productIdField,
  refusePhone,
  riskMarkField,
  type MoneyBody,
} from '../http/fields.ts';
import { ApiProblem, type FieldError } from '../http/problems.ts';

const MAX_ITEMS = 100;
const MAX_QUANTITY = 1_000;

const itemField = z
  .strictObject({
    productId: productIdField,
    quantity: z
      .int('expected a whole number')
      .min(1, 'expected at least 1')
      .max(MAX_QUANTITY, `expected at most ${MAX_QUANTITY}`)
      .openapi({ example: 2 }),
  })
  .openapi('CheckoutItem');

export const checkoutBody = z
  .strictObject({
    customerId: customerIdField,
    customerEmail: emailField,
    items: z
      .array(itemField)
      .min(1, 'expected at least 1 item')
      .max(MAX_ITEMS, `expected at most ${MAX_ITEMS} items`)
      .openapi({
        description: 'Items of the same product are merged; a merged quantity is at most 1,000 as well.',
      }),
    paymentMethodId: paymentMethodField,
    shippingAddress: addressField,
    currency: absentable(currencyField).openapi({ description: "Default: the catalog's." }),
    expectedTotal: absentable(moneyField).openapi({
      description: 'Guards against price changes: another total fails the order with PriceChanged.',
    }),
    riskMark: riskMarkField.optional().openapi({
      description:
        'Why you distrust the order. Where the installation asks for it, such orders wait for an operator’s approval ' +
        'before anything is charged.',
    }),
  })
  .openapi('Checkout', {
    example: {
      customerId: 'customer-42',
      customerEmail: 'asha@example.com',
      items: [{ productId: 'keyboard', quantity: 2 }],
      paymentMethodId: 'pm_card_visa',
      shippingAddress: addressExample,
      expectedTotal: { amount: '1499.00', currency: 'INR' },
    },
  });

export type CheckoutBody = z.output<typeof checkoutBody>;

/**
 * The Idempotency-Key header (IETF draft), taken as it is; quotes belong to it. Scoped to the caller and this route,
 * good for 24 hours. 400 when missing, empty, over 255 characters or not printable ASCII.
 */
export function readIdempotencyKey(header: string | undefined): string {
  if (header !== undefined && /^[\x20-\x7e]{1,255}$/.test(header)) return header;
  const came =
    header === undefined ? 'none' : header === '' ? 'an empty one' : `one of ${header.length} characters`;
  throw new ApiProblem('idempotency-key', {
    detail: `Expected an Idempotency-Key of 1 to 255 printable ASCII characters; got ${came}.`,
  });
}

/** The total that is expected is in a currency that nothing but the default decides. */
export const currencyByDefault = ({ currency, expectedTotal }: CheckoutBody, byDefault: Currency): boolean =>
  currency === undefined && expectedTotal !== undefined && expectedTotal.currency !== byDefault;

/** The saga's checkout, from a body whose fields fit one by one; 422 for what does not fit together. */
export function toCheckout(
  body: CheckoutBody,
  context: {
    orderId: OrderId;
    callerId: string;
    defaultCurrency: Currency;
    shipFrom: Address;
    payable: PaymentGateway['payable'];
  },
): Checkout {
  const currency = body.currency ?? context.defaultCurrency;
  const merged = mergeItems(body.items);
  const total = body.expectedTotal && readTotal(body.expectedTotal, currency, context.payable);
  const shippingAddress = withoutUndefined(body.shippingAddress);
  const phone = refusePhone(context.shipFrom, shippingAddress).map(({ field, reason }) => ({
    field: `/shippingAddress/${field}`,
    reason,
  }));
  const errors = [merged.errors, total?.errors ?? [], phone].flat();
  if (errors.length > 0) throw invalidFields(errors);
  return {
    orderId: context.orderId,
    callerId: context.callerId,
    customerId: customerId(body.customerId),
    customerEmail: body.customerEmail,
    items: merged.items,
    paymentMethodId: body.paymentMethodId,
    shippingAddress,
    currency,
    ...(total?.money ? { expectedTotal: total.money } : {}),
    ...(body.riskMark === undefined ? {} : { riskMark: body.riskMark }),
  };
}

/** One item per product, in the order they first appear. */
function mergeItems(items: CheckoutBody['items']): { items: OrderItem[]; errors: FieldError[] } {
  const quantities = new Map<string, number>();
  const errors: FieldError[] = [];
  for (const [index, item] of items.entries()) {
    const quantity = (quantities.get(item.productId) ?? 0) + item.quantity;
    if (quantity > MAX_QUANTITY) {
      const reason = `merged with the other items of this product, expected at most ${MAX_QUANTITY}`;
      errors.push({ field: `/items/${index}/quantity`, reason });
    }
    quantities.set(item.productId, quantity);
  }
  return { items: [...quantities].map(([id, quantity]) => ({ productId: productId(id), quantity })), errors };
}

function readTotal(
  body: MoneyBody,
  currency: Currency,
  payable: PaymentGateway['payable'],
): { money?: Money; errors: FieldError[] } {
  if (body.currency !== currency) {
    return {
      errors: [{ field: '/expectedTotal/currency', reason: `expected the order's currency, ${currency}` }],
    };
  }
  const amount = parseAmount(body.amount, currency);
  if (!amount.ok) return { errors: [{ field: '/expectedTotal/amount', reason: amount.reason }] };
  const limits = payable(amount.money);
  return limits.ok
    ? { money: amount.money, errors: [] }
    : { errors: [{ field: '/expectedTotal/amount', reason: limits.reason }] };
}

/** Drops absent optional fields, so that the same request always has the same shape. */
export function withoutUndefined<T extends object>(
  value: T,
): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as {
    [Key in keyof T]: Exclude<T[Key], undefined>;
  };
}
