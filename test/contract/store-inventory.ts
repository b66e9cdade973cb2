import fc from 'fast-check';
import { expect, it } from 'vitest';
import { customerId, productId, type OrderId, type ProductId } from '../../domain/ids.ts';
import type { StockChange } from '../../domain/stock.ts';
import type { OrderItem } from '../../domain/order.ts';
import type { Store } from '../../ports/store.ts';
import type { CreateDatabase } from './contract-database.ts';
import {
  at,
  atOnce,
  availableOf,
  givenOrder,
  givenProduct,
  newOrder,
  useDatabase,
} from './store-fixtures.ts';
import type { ProductFacts } from '../../ports/store/goods.ts';

export function describeInventory(createDatabase: CreateDatabase): void {
  const context = useDatabase(createDatabase, 4);

  const reserve = (store: Store, orderId: OrderId, items: OrderItem[]) =>
    store.transaction((tx) => tx.inventory.reserve({ orderId, items }));
  const release = (store: Store, orderId: OrderId) =>
    store.transaction((tx) => tx.inventory.release(orderId));
  const consume = (store: Store, orderId: OrderId) =>
    store.transaction((tx) => tx.inventory.consume(orderId));

  it('finds the held orders of one caller’s customer that have a product reserved, and nobody else’s', async () => {
    const { store } = context;
    const product = await givenProduct(store, 10);
    const given = async (change: Parameters<typeof newOrder>[0], sagaState?: 'held' | 'parked') => {
      const order = newOrder({ items: [{ productId: product, quantity: 1 }], ...change });
      await store.transaction(async (tx) => {
        await tx.orders.insert(order);
        await tx.inventory.reserve(order);
        if (sagaState) await tx.orders.update({ ...order, sagaState, updatedAtUtc: order.createdAtUtc });
      });
      return order.orderId;
    };
    const mine = customerId('held-customer');
    const held = await given({ customerId: mine }, 'held');
    await given({ customerId: mine });
    await given({ customerId: mine }, 'parked');
    await given({ customerId: mine, callerId: 'shop-b' }, 'held');
    await given({ customerId: customerId('other-customer') }, 'held');
    const ask = (id: ProductId) =>
      store.transaction((tx) => tx.inventory.heldBy({ callerId: 'shop-a', customerId: mine, productId: id }));
    expect(await ask(product)).toEqual([held]);
    expect(await ask(await givenProduct(store, 1))).toEqual([]);
    await release(store, held);
    expect(await ask(product)).toEqual([]);
  });

  it('gives the last 50 units to exactly 50 of 200 orders that want one at the same time', async () => {
    const { stores, store } = context;
    const product = await givenProduct(store, 50);
    const short = await atOnce(stores, 200, (each) =>
      each.transaction(async (tx) => {
        const order = newOrder({ items: [{ productId: product, quantity: 1 }] });
        await tx.orders.insert(order);
        return tx.inventory.reserve(order);
      }),
    );
    expect(short.filter((products) => products.length === 0)).toHaveLength(50);
    expect(short.filter((products) => products.length === 1 && products[0] === product)).toHaveLength(150);
    expect(await availableOf(store, product)).toBe(0);
  });

  it('reserves all lines or none and names every product that fell short', async () => {
    const { store } = context;
    const [plenty, few, none] = [
      await givenProduct(store, 9),
      await givenProduct(store, 1),
      await givenProduct(store, 0),
    ];
    const { orderId } = await givenOrder(store);
    const unknown = productId('no-such-product');
    const items = [none, plenty, unknown, few].map((id) => ({ productId: id, quantity: 2 }));
    expect((await reserve(store, orderId, items)).sort()).toEqual([few, none, unknown].sort());
    expect([await availableOf(store, plenty), await availableOf(store, few)]).toEqual([9, 1]);
    expect(await release(store, orderId)).toEqual([]);
  });

  it('does not deadlock orders that share products in opposite order', async () => {
    const { stores, store } = context;
    const [a, b] = [await givenProduct(store, 100), await givenProduct(store, 100)];
    const orders = await atOnce(stores, 40, (each) => givenOrder(each));
    const short = await atOnce(stores, 40, (each, index) => {
      const items = [a, b].map((id) => ({ productId: id, quantity: 1 }));
      return reserve(each, at(orders, index).orderId, index % 2 ? items : items.reverse());
    });
    expect(short.flat()).toEqual([]);
    expect([await availableOf(store, a), await availableOf(store, b)]).toEqual([60, 60]);
  });

  it('gives reserved units back once', async () => {
    const { store } = context;
    const product = await givenProduct(store, 5);
    const { orderId } = await givenOrder(store);
    const items = [{ productId: product, quantity: 3 }];
    await reserve(store, orderId, items);
    expect(await availableOf(store, product)).toBe(2);
    expect(await release(store, orderId)).toEqual(items);
    expect(await release(store, orderId)).toEqual([]);
    expect(await consume(store, orderId)).toBe(false);
    expect(await availableOf(store, product)).toBe(5);
  });

  it('takes shipped units out of stock once', async () => {
    const { store } = context;
    const product = await givenProduct(store, 5);
    const { orderId } = await givenOrder(store);
    await reserve(store, orderId, [{ productId: product, quantity: 3 }]);
    expect(await consume(store, orderId)).toBe(true);
    expect(await consume(store, orderId)).toBe(false);
    expect(await release(store, orderId)).toEqual([]);
    expect(await availableOf(store, product)).toBe(2);
    const [ledger] = await store.read.ledger(orderId);
    expect(ledger).toMatchObject({ reservedUnits: 0, consumedUnits: 3 });
  });

  it('refuses a second reservation of one order instead of adding to the first', async () => {
    const { store } = context;
    const product = await givenProduct(store, 5);
    const { orderId } = await givenOrder(store);
    const items = [{ productId: product, quantity: 1 }];
    await reserve(store, orderId, items);
    await expect(reserve(store, orderId, items)).rejects.toThrow('Reservations');
    expect(await availableOf(store, product)).toBe(4);
  });

  it('changes a product but not its stock where none is given', async () => {
    const { store } = context;
    const product = await givenProduct(store, 5);
    const put = (price: number, onHand?: number) =>
      store.transaction((tx) =>
        tx.inventory.putProduct({
          productId: product,
          name: 'Renamed',
          price: { amountMinor: price, currency: 'INR' },
          ...(onHand !== undefined && { onHand }),
        }),
      );
    const find = () =>
      store.transaction((tx) => tx.inventory.products([product, productId('no-such-product')]));
    await put(100);
    expect(await find()).toEqual([
      { productId: product, name: 'Renamed', price: { amountMinor: 100, currency: 'INR' }, available: 5 },
    ]);
    await put(100, 8);
    expect((await find())[0]?.available).toBe(8);
  });

  it('keeps what carriers and customs need to know of a product, and forgets what is left out', async () => {
    const { store } = context;
    const product = await givenProduct(store, 5);
    const facts = {
      weightGrams: 1_100,
      lengthMm: 440,
      widthMm: 140,
      heightMm: 40,
      hsCode: '847160',
      originCountry: 'TW',
      customsDescription: 'Computer keyboard — wired',
      withdrawnAtUtc: '2026-01-02T03:04:05.678Z',
    };
    const describeAs = (given: ProductFacts) =>
      store.transaction((tx) => tx.inventory.describeProduct({ productId: product, ...given }));
    const everywhere = async () => {
      const [inTransaction] = await store.transaction((tx) => tx.inventory.products([product]));
      const listed = (await store.read.products()).find(({ productId: id }) => id === product);
      const stocked = (await store.upkeep.stock()).find(({ productId: id }) => id === product);
      return [inTransaction, listed, stocked].map((row) =>
        Object.fromEntries(Object.entries(row ?? {}).filter(([name]) => name in facts)),
      );
    };
    expect(await everywhere()).toEqual([{}, {}, {}]);
    await describeAs(facts);
    expect(await everywhere()).toEqual([facts, facts, facts]);
    const price = { amountMinor: 1, currency: 'INR' } as const;
    await store.transaction((tx) => tx.inventory.putProduct({ productId: product, name: 'P', price }));
    expect(await everywhere()).toEqual([facts, facts, facts]);
    await describeAs({ hsCode: '850110' });
    expect(await everywhere()).toEqual(Array(3).fill({ hsCode: '850110' }));
    await expect(describeAs({ weightGrams: 0 })).rejects.toMatchObject({
      constraint: 'CK_Products_WeightGrams',
    });
  });

  it('changes the stock as asked and never below what is reserved', async () => {
    const { store } = context;
    const product = await givenProduct(store, 5);
    const { orderId } = await givenOrder(store);
    await reserve(store, orderId, [{ productId: product, quantity: 3 }]);
    const adjust = (change: StockChange) =>
      store.transaction((tx) => tx.inventory.adjust({ productId: product, ...change }));
    expect(await adjust({ available: 0 })).toEqual({ from: 5, to: 3, reserved: 3 });
    expect(await adjust({ by: -1 })).toEqual({ refusal: 'below_reserved', from: 3, to: 2, reserved: 3 });
    expect(await adjust({ to: 9, expected: 5 })).toMatchObject({ refusal: 'moved', from: 3 });
    expect(await adjust({ to: 9, expected: 3 })).toEqual({ from: 3, to: 9, reserved: 3 });
    expect(await adjust({ to: 9, expected: 3 })).toEqual({ from: 9, to: 9, reserved: 3 });
    expect(await adjust({ available: 2_000_000_000 })).toMatchObject({ refusal: 'too_many' });
    expect(await availableOf(store, product)).toBe(6);
    const stock = (await store.upkeep.stock()).find((row) => row.productId === product);
    expect(stock).toMatchObject({ onHand: 9, reserved: 3 });
    const unknown = { productId: productId('no-such-product'), by: 1 };
    expect(await store.transaction((tx) => tx.inventory.adjust(unknown))).toBeUndefined();
  });

  it('names the constraint that refuses a write', async () => {
    const { store } = context;
    const product = await givenProduct(store, 5);
    const price = { amountMinor: 1, currency: 'INR' } as const;
    const forced = store.transaction((tx) =>
      tx.inventory.putProduct({ productId: product, name: 'P', price, onHand: -1 }),
    );
    await expect(forced).rejects.toMatchObject({
      name: 'RefusedWrite',
      constraint: 'CK_Products_NotOversold',
    });
  });

  it('keeps stock on hand from falling below what is reserved, also by hand', async () => {
    const { store, database } = context;
    const product = await givenProduct(store, 5);
    const { orderId } = await givenOrder(store);
    await reserve(store, orderId, [{ productId: product, quantity: 4 }]);
    for (const set of ['OnHand = 3', 'Reserved = 6', 'Reserved = -1']) {
      const forced = database.execute(`UPDATE Products SET ${set} WHERE ProductId = '${product}'`);
      await expect(forced).rejects.toThrow(/CK_Products/i);
    }
    expect(await availableOf(store, product)).toBe(1);
  });

  it('counts as a simple model does, whatever orders reserve, give back and ship', async () => {
    const { store } = context;
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 25 }), async (acts) => {
        const products = [await givenProduct(store, 4), await givenProduct(store, 7)].sort();
        const model = createModel(
          new Map(await Promise.all(products.map(async (id) => [id, await stock(id)] as const))),
        );
        for (const { kind, quantities, order } of acts) {
          const { orderId } = await givenOrder(store);
          const chosen = products
            .map((id, index) => ({ productId: id, quantity: at(quantities, index) }))
            .filter(({ quantity }) => quantity > 0);
          const earlier = model.order(order) ?? orderId;
          const [given, expected] = await {
            reserve: async () => [await reserve(store, orderId, chosen), model.reserve(orderId, chosen)],
            release: async () => [await release(store, earlier), model.release(earlier)],
            consume: async () => [await consume(store, earlier), model.consume(earlier)],
          }[kind]();
          expect(given).toEqual(expected);
          expect(await Promise.all(products.map(stock))).toEqual(products.map(model.available));
        }
      }),
      { numRuns: 25 },
    );
  });

  const stock = async (id: ProductId): Promise<number> => (await availableOf(context.store, id)) ?? -1;
}

/** Stock and reservations as two maps: what the store has to agree with. */
function createModel(left: Map<ProductId, number>) {
  const reserved = new Map<OrderId, OrderItem[]>();
  const available = (id: ProductId): number => left.get(id) ?? -1;
  const move = (items: readonly OrderItem[], sign: 1 | -1) => {
    for (const { productId: id, quantity } of items) left.set(id, available(id) + sign * quantity);
  };
  const settle = (orderId: OrderId): OrderItem[] => {
    const items = reserved.get(orderId) ?? [];
    reserved.set(orderId, []);
    return items;
  };
  return {
    available,
    order: (index: number): OrderId | undefined => [...reserved.keys()][index % Math.max(1, reserved.size)],
    reserve(orderId: OrderId, items: OrderItem[]): ProductId[] {
      const short = items.filter(({ productId: id, quantity }) => quantity > available(id));
      if (short.length > 0) return short.map((item) => item.productId);
      move(items, -1);
      reserved.set(orderId, items);
      return [];
    },
    release(orderId: OrderId): OrderItem[] {
      const items = settle(orderId);
      move(items, 1);
      return items;
    },
    consume: (orderId: OrderId): boolean => settle(orderId).length > 0,
  };
}

type Act = { kind: 'reserve' | 'release' | 'consume'; quantities: number[]; order: number };

const act: fc.Arbitrary<Act> = fc.record({
  kind: fc.constantFrom('reserve' as const, 'reserve' as const, 'release' as const, 'consume' as const),
  quantities: fc.array(fc.nat({ max: 4 }), { minLength: 2, maxLength: 2 }),
  order: fc.nat({ max: 20 }),
});
