import { z } from '@hono/zod-openapi';
import { parseAmount } from '../../domain/money.ts';
import type { Product } from '../../ports/store/goods.ts';
import type { AppDeps } from '../app-deps.ts';
import { invalidFields, readJson } from '../http/body.ts';
import { requireOperator } from '../http/callers.ts';
import { readIdempotencyKey } from '../orders/checkout-request.ts';
import { moneyBody, moneyField } from '../http/fields.ts';
import { putProducts } from './put-products.ts';
import { readStore } from '../http/read-store.ts';
import type { FieldError } from '../http/problems.ts';
import { addRoute, type App } from '../http/route.ts';
import { example, productsPut, type ProductPut } from './product-put.ts';

const productBody = z
  .object({
    productId: z.string(),
    name: z.string(),
    price: moneyField,
    available: z.int().openapi({ description: 'Units that can still be reserved.' }),
    weightGrams: z.int().optional(),
    lengthMm: z.int().optional(),
    widthMm: z.int().optional(),
    heightMm: z.int().optional(),
    hsCode: z.string().optional(),
    originCountry: z.string().optional(),
    customsDescription: z.string().optional(),
    withdrawnAtUtc: z
      .string()
      .optional()
      .openapi({ description: 'Since when it is withdrawn from sale; absent: it is sold.' }),
  })
  .openapi('Product', { example });

const productsBody = z
  .object({
    products: z.array(productBody),
    shipping: z.array(moneyField).openapi({
      description:
        'What shipping adds to an order’s prices, once for each currency of the catalog: `expectedTotal` is the sum of the ' +
        'items and of that.',
    }),
  })
  .openapi('Products', {
    example: { products: [example], shipping: [{ amount: '50.00', currency: 'INR' }] },
  });

/** GET and POST /products: the catalog. */
export function addProducts(app: App, deps: AppDeps): void {
  addRoute(
    app,
    {
      method: 'get',
      path: '/products',
      operationId: 'listProducts',
      tag: 'Catalog',
      summary: 'The catalog with prices and stock',
      description: 'All products in one answer; `available` is what can be sold now.',
      produces: 'application/json',
      responses: {
        200: { description: 'All products.', content: { 'application/json': { schema: productsBody } } },
      },
      problems: ['store-unavailable'],
    },
    async (c) => {
      const products = await readStore(deps, (read) => read.products());
      return c.json(toAnswer(deps, products), 200, { 'cache-control': 'no-store' });
    },
  );
  addRoute(
    app,
    {
      method: 'post',
      path: '/products',
      operationId: 'putProducts',
      tag: 'Catalog',
      summary: 'Adds or changes products',
      description:
        'Operators only. All of them or none; orders that are already priced keep their prices. With an ' +
        'Idempotency-Key the request takes effect once; with another body 422. Refused with 409 and a `code`: ' +
        '`stock_below_reserved`, `stock_too_many`.',
      produces: 'application/json',
      request: {
        headers: z.object({
          'Idempotency-Key': z.string().min(1).max(255).optional().openapi({
            pattern: '^[ -~]+$',
            description:
              'Printable ASCII. Needed with `adjustBy`, so that a repeated request does not count twice.',
            example: 'delivery-4711',
          }),
        }),
        body: { required: true, content: { 'application/json': { schema: productsPut } } },
      },
      responses: {
        200: {
          description: 'The products as they are now.',
          content: { 'application/json': { schema: productsBody } },
        },
      },
      problems: [
        'malformed-request',
        'idempotency-key',
        'forbidden',
        'act-refused',
        'body-too-large',
        'unsupported-media-type',
        'invalid-fields',
        'idempotency-key-reused',
        'store-unavailable',
      ],
    },
    async (c) => {
      const caller = c.get('caller');
      requireOperator(caller);
      const puts = toPuts((await readJson(c, productsPut)).products);
      const header = c.req.header('idempotency-key');
      const keyed = header !== undefined || puts.some(({ adjustBy }) => adjustBy !== undefined);
      const products = await putProducts(deps, {
        puts,
        callerId: caller.callerId,
        ...(keyed && { idempotencyKey: readIdempotencyKey(header) }),
      });
      return c.json(toAnswer(deps, products), 200, { 'cache-control': 'no-store' });
    },
  );
}

/** One fee for each currency that the products are priced in. */
const toAnswer = ({ settings: { shippingFees } }: AppDeps, products: readonly Product[]) => ({
  products: products.map(toBody),
  shipping: [...new Set(products.map(({ price }) => price.currency))].map((currency) =>
    moneyBody({ amountMinor: shippingFees[currency] ?? 0, currency }),
  ),
});

const toBody = ({ productId: id, price, ...rest }: Product) => ({
  productId: id,
  ...rest,
  price: moneyBody(price),
});

function toPuts(products: z.output<typeof productsPut>['products']): ProductPut[] {
  const errors: FieldError[] = [];
  const refuse = (index: number, field: string, reason: string) =>
    void errors.push({ field: `/products/${index}/${field}`, reason });
  const puts = products.map(({ price, ...put }, index): ProductPut => {
    const amount = price && parseAmount(price.amount, price.currency);
    if (amount && !amount.ok) refuse(index, 'price/amount', amount.reason);
    if (products.findIndex((other) => other.productId === put.productId) !== index) {
      refuse(index, 'productId', 'given more than once');
    }
    if (put.available !== undefined && put.adjustBy !== undefined) {
      refuse(index, 'adjustBy', 'expected either available or adjustBy');
    }
    return { ...put, ...(amount?.ok && { price: amount.money }) };
  });
  if (errors.length > 0) throw invalidFields(errors);
  return puts;
}
