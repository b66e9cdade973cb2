import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectSqliteStore } from '../../adapters/sqlite/sqlite-store.ts';
import { productId } from '../../domain/ids.ts';
import type { Store } from '../../ports/store.ts';
import { givenOrder } from '../../test/contract/store-fixtures.ts';
import { createApp } from '../app.ts';
import { fakeDeps, operatorKey, send } from '../testing/fake-deps.ts';

describe('POST /products on a real store', () => {
  let folder: string;
  let store: Store;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'order-saga-products-'));
    store = await connectSqliteStore({ path: join(folder, 'store.sqlite') });
    await post([{ ...lamp, available: 10 }]);
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });

  const lamp = { productId: 'lamp', name: 'Lamp', price: { amount: '10.00', currency: 'INR' } };
  const post = (products: unknown[], key?: string) =>
    send(createApp(fakeDeps({ store })), 'POST', '/products', {
      body: { products },
      key: operatorKey,
      headers: key === undefined ? {} : { 'idempotency-key': key },
    });
  const reserve = async (quantity: number) => {
    const { orderId } = await givenOrder(store);
    const items = [{ productId: productId('lamp'), quantity }];
    expect(await store.transaction((tx) => tx.inventory.reserve({ orderId, items }))).toEqual([]);
  };
  const stock = async () => {
    const [row] = (await store.upkeep.stock()).filter((product) => product.productId === 'lamp');
    return [row?.onHand, row?.reserved];
  };
  const problem = async (response: Response) => {
    const { status, code, detail } = (await response.json()) as Record<string, unknown>;
    return { status, code, detail };
  };

  it.each([0, 1, 10, 1_000_000_000])(
    'sets what can be sold to %i while units are reserved',
    async (available) => {
      await reserve(8);
      const response = await post([{ productId: 'lamp', available }]);
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ products: [{ available }] });
      expect(await stock()).toEqual([available + 8, 8]);
    },
  );

  it('refuses a new price of which an order could not be counted exactly, not one that is there', async () => {
    const price = { amountMinor: 10 ** 12, currency: 'INR' } as const;
    await store.transaction((tx) =>
      tx.inventory.putProduct({ productId: productId('lamp'), name: 'Lamp', price, onHand: 1 }),
    );
    const priced = (amount: string) => post([{ productId: 'lamp', price: { amount, currency: 'INR' } }]);
    expect((await priced('10000000000.00')).status).toBe(200);
    const response = await priced('100000000.01');
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      errors: [{ field: '/products/0/price/amount', reason: 'expected at most 100000000.00 INR' }],
    });
    expect((await priced('100000000.00')).status).toBe(200);
  });

  it('withdraws from sale and puts back, and says so in the audit trail', async () => {
    const withdrawn = async (put: object) => {
      const response = await post([{ productId: 'lamp', ...put }]);
      const body = (await response.json()) as { products: { withdrawnAtUtc?: string }[] };
      return body.products[0]?.withdrawnAtUtc;
    };
    const since = await withdrawn({ withdrawn: true });
    expect(since).toBe(fakeDeps({ store }).clock.nowUtc());
    expect(await withdrawn({ price: { amount: '12.00', currency: 'INR' } })).toBe(since);
    expect(await withdrawn({ withdrawn: false })).toBeUndefined();
    const trail = await store.read.audit('product:lamp');
    expect(trail.map(({ to }) => to.endsWith(`withdrawn from sale since ${since}`))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('keeps what carriers and customs ask for, until it is changed or null', async () => {
    const facts = {
      weightGrams: 500,
      lengthMm: 300,
      widthMm: 200,
      heightMm: 100,
      hsCode: '940520',
      originCountry: 'IN',
      customsDescription: 'Desk lamp',
    };
    const put = async (change: object) => (await post([{ productId: 'lamp', ...change }])).json();
    expect(await put(facts)).toMatchObject({ products: [facts] });
    expect(await put({ name: 'Lantern' })).toMatchObject({ products: [facts] });
    const { hsCode: _, ...others } = facts;
    const after = (await put({ hsCode: null })) as { products: object[] };
    expect(after).toMatchObject({ products: [others] });
    expect(after.products[0]).not.toHaveProperty('hsCode');
    const response = await post([{ productId: 'lamp', widthMm: null }]);
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ errors: [{ field: '/products/0/widthMm' }] });
  });

  it.each([
    ['weightGrams', 0],
    ['weightGrams', 1.5],
    ['hsCode', '9405.20'],
    ['originCountry', 'XX'],
    ['customsDescription', 'x'.repeat(51)],
    ['withdrawn', 'yes'],
  ])('refuses %s %j', async (field, value) => {
    const response = await post([{ productId: 'lamp', [field]: value }]);
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ errors: [{ field: `/products/0/${field}` }] });
  });

  it('changes the price alone, the name alone and the stock alone', async () => {
    await post([{ productId: 'lamp', price: { amount: '12.00', currency: 'INR' } }]);
    await post([{ productId: 'lamp', name: 'Lantern' }]);
    const response = await post([{ productId: 'lamp', available: 3 }]);
    expect(await response.json()).toEqual({
      products: [
        { productId: 'lamp', name: 'Lantern', price: { amount: '12.00', currency: 'INR' }, available: 3 },
      ],
      shipping: [{ amount: '0.00', currency: 'INR' }],
    });
    const rows = await store.read.audit('product:lamp');
    expect(rows.at(-2)).toMatchObject({
      from: 'Lamp, 12.00 INR, 10 available',
      to: 'Lantern, 12.00 INR, 10 available',
    });
  });

  it('takes a difference once for each key', async () => {
    const add = (adjustBy: number, key: string) => post([{ productId: 'lamp', adjustBy }], key);
    for (const expected of [15, 15]) {
      const response = await add(5, 'delivery-1');
      expect(await response.json()).toMatchObject({ products: [{ available: expected }] });
    }
    expect((await add(6, 'delivery-1')).status).toBe(422);
    expect((await add(-1, 'broken-1')).status).toBe(200);
    expect(await stock()).toEqual([14, 0]);
    expect(await problem(await post([{ productId: 'lamp', adjustBy: 5 }]))).toMatchObject({ status: 400 });
  });

  it('refuses a difference below what is reserved, with nothing changed and the key free', async () => {
    await reserve(8);
    const mat = { ...lamp, productId: 'mat' };
    const refused = await post([mat, { productId: 'lamp', adjustBy: -3 }], 'k');
    expect(await problem(refused)).toMatchObject({
      status: 409,
      code: 'stock_below_reserved',
      detail: expect.stringContaining('less than the 8 that orders have reserved') as string,
    });
    expect(await store.read.products()).toHaveLength(1);
    expect((await post([{ productId: 'lamp', adjustBy: -2 }], 'k')).status).toBe(200);
    expect(await stock()).toEqual([8, 8]);
  });

  it('refuses more on hand than a store counts', async () => {
    await post([{ productId: 'lamp', adjustBy: 1_000_000_000 }], 'a');
    const refused = await post([{ productId: 'lamp', adjustBy: 1_000_000_000 }], 'b');
    expect(await problem(refused)).toMatchObject({ status: 409, code: 'stock_too_many' });
  });

  it('says that a rule of the store holds instead of calling the store away', async () => {
    const forced: Store = {
      ...store,
      transaction: (work) =>
        store.transaction((tx) =>
          work({
            ...tx,
            inventory: {
              ...tx.inventory,
              putProduct: (product) => tx.inventory.putProduct({ ...product, onHand: -1 }),
            },
          }),
        ),
    };
    const response = await send(createApp(fakeDeps({ store: forced })), 'POST', '/products', {
      body: { products: [lamp] },
      key: operatorKey,
    });
    expect(await problem(response)).toMatchObject({ status: 409, code: 'CK_Products_NotOversold' });
  });

  it('needs a name and a price of a product that is new', async () => {
    const response = await post([{ productId: 'new', available: 1 }]);
    expect(await response.json()).toMatchObject({
      status: 422,
      errors: [
        { field: '/products/0/name', reason: 'required, since the product is new' },
        { field: '/products/0/price' },
      ],
    });
  });
});
