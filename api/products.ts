import { z } from '@hono/zod-openapi';
import { productId } from '../domain/ids.ts';
import { formatAmount, parseAmount, type Money } from '../domain/money.ts';
import type { Product, StoreTransaction } from '../ports/store.ts';
import type { AppDeps } from './app-deps.ts';
import { within } from './bounded.ts';
import { invalidFields, readJson } from './body.ts';
import { requireOperator } from './callers.ts';
import { moneyBody, moneyField, productIdField, textField } from './fields.ts';
import { readStore, storeUnavailable } from './read-store.ts';
import type { FieldError } from './problems.ts';
import { addRoute, type App } from './route.ts';

const MAX_PRODUCTS = 100;
const MAX_UNITS = 1_000_000_000;
const WRITE_TIMEOUT_MS = 2_000;

const example = {
  productId: 'keyboard',
  name: 'Mechanical keyboard',
  price: { amount: '749.50', currency: 'INR' as const },
  available: 25,
};

const productBody = z
  .object({
    productId: z.string(),
    name: z.string(),
    price: moneyField,
    available: z.int().openapi({ description: 'Units that can still be reserved.' }),
  })
  .openapi('Product', { example });

const productsBody = z
  .object({ products: z.array(productBody) })
  .openapi('Products', { example: { products: [example] } });

const productPut = z
  .strictObject({
    productId: productIdField,
    name: textField(200).openapi({ example: 'Mechanical keyboard' }),
    price: moneyField,
    available: z
      .int('expected a whole number')
      .min(0, 'expected at least 0')
      .max(MAX_UNITS, `expected at most ${MAX_UNITS}`)
      .optional()
      .openapi({
        description: 'Units that can be reserved from now on; without it the stock stays as it is.',
      }),
  })
  .openapi('ProductPut', { example });

const productsPut = z
  .strictObject({
    products: z
      .array(productPut)
      .min(1, 'expected at least 1 product')
      .max(MAX_PRODUCTS, `expected at most ${MAX_PRODUCTS}`),
  })
  .openapi('ProductsPut', { example: { products: [example] } });

type ProductPut = Omit<z.output<typeof productPut>, 'price'> & { price: Money };

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
      produces: 'application/json',
      responses: {
        200: { description: 'All products.', content: { 'application/json': { schema: productsBody } } },
      },
      problems: ['store-unavailable'],
    },
    async (c) => {
      const products = await readStore(deps, (read) => read.products());
      return c.json({ products: products.map(toBody) }, 200, { 'cache-control': 'no-store' });
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
      description: 'Operators only. All of them or none; orders that are already priced keep their prices.',
      produces: 'application/json',
      request: { body: { required: true, content: { 'application/json': { schema: productsPut } } } },
      responses: {
        200: {
          description: 'The products as they are now.',
          content: { 'application/json': { schema: productsBody } },
        },
      },
      problems: [
        'malformed-request',
        'forbidden',
        'body-too-large',
        'unsupported-media-type',
        'invalid-fields',
        'store-unavailable',
      ],
    },
    async (c) => {
      const caller = c.get('caller');
      requireOperator(caller);
      const puts = toPuts((await readJson(c, productsPut)).products);
      const products = await putProducts(deps, puts, caller.callerId);
      return c.json({ products: products.map(toBody) }, 200, { 'cache-control': 'no-store' });
    },
  );
}

const toBody = ({ productId: id, name, price, available }: Product) => ({
  productId: id,
  name,
  price: moneyBody(price),
  available,
});

function toPuts(products: z.output<typeof productsPut>['products']): ProductPut[] {
  const errors: FieldError[] = [];
  const puts = products.flatMap((product, index) => {
    const amount = parseAmount(product.price.amount, product.price.currency);
    if (!amount.ok) errors.push({ field: `/products/${index}/price/amount`, reason: amount.reason });
    if (products.findIndex((other) => other.productId === product.productId) !== index) {
      errors.push({ field: `/products/${index}/productId`, reason: 'given more than once' });
    }
    return amount.ok ? [{ ...product, price: amount.money }] : [];
  });
  if (errors.length > 0) throw invalidFields(errors);
  return puts;
}

async function putProducts(deps: AppDeps, puts: readonly ProductPut[], actor: string): Promise<Product[]> {
  try {
    return await within(WRITE_TIMEOUT_MS, 'store', () =>
      deps.store.transaction(async (tx) => {
        const products: Product[] = [];
        for (const put of puts)
          products.push(await putProduct(tx, { put, actor, nowUtc: deps.clock.nowUtc() }));
        return products;
      }),
    );
  } catch (error) {
    throw storeUnavailable(deps, error);
  }
}

async function putProduct(
  tx: StoreTransaction,
  { put, actor, nowUtc }: { put: ProductPut; actor: string; nowUtc: string },
): Promise<Product> {
  const id = productId(put.productId);
  const fields = { productId: id, name: put.name, price: put.price };
  const before = await findProduct(tx, put.productId);
  await tx.inventory.putProduct({
    ...fields,
    ...(put.available === undefined ? {} : { onHand: put.available }),
  });
  let after = await findProduct(tx, put.productId);
  if (after && put.available !== undefined && after.available !== put.available) {
    /* The store counts units on hand, reserved ones included: what is missing now are the reserved ones. */
    await tx.inventory.putProduct({ ...fields, onHand: put.available + (put.available - after.available) });
    after = await findProduct(tx, put.productId);
  }
  if (!after) throw new Error(`Product ${put.productId} is not in the store right after it was put there`);
  await tx.audit.append({
    subject: `product:${put.productId}`,
    actor,
    step: 'catalog',
    from: before ? describe(before) : '',
    to: describe(after),
    reason: 'Put through the API',
    causingEventId: '',
    workflowId: '',
    runId: '',
    occurredAtUtc: nowUtc,
  });
  return after;
}

const findProduct = async (tx: StoreTransaction, id: string): Promise<Product | undefined> =>
  (await tx.inventory.products([productId(id)]))[0];

const describe = ({ price, available }: Product): string =>
  `${formatAmount(price)} ${price.currency}, ${available} available`;
