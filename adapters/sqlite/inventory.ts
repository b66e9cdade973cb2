import type { OrderId, ProductId } from '../../domain/ids.ts';
import type { Currency } from '../../domain/money.ts';
import type { OrderItem } from '../../domain/order.ts';
import { changedStock } from '../../domain/stock.ts';
import type { InventoryStatements, Product, ProductFacts } from '../../ports/store/goods.ts';
import type { Connection } from './connection.ts';
import type { Synchronous } from './statements.ts';

export const factColumns =
  'WeightGrams, LengthMm, WidthMm, HeightMm, HsCode, OriginCountry, CustomsDescription, WithdrawnAtUtc';

export const inventorySql = {
  product: `SELECT ProductId, Name, PriceMinor, Currency, OnHand - Reserved AS Available, ${factColumns}
    FROM Products WHERE ProductId = ?`,
  take: `UPDATE Products SET Reserved = Reserved + ?1 WHERE ProductId = ?2 AND OnHand - Reserved >= ?1`,
  giveBack: `UPDATE Products SET Reserved = Reserved - ? WHERE ProductId = ?`,
  ship: `UPDATE Products SET OnHand = OnHand - ?1, Reserved = Reserved - ?1 WHERE ProductId = ?2`,
  reserve: `INSERT INTO Reservations (OrderId, ProductId, Quantity, State) VALUES (?, ?, ?, 'reserved')`,
  heldBy: `SELECT Mine.OrderId FROM Orders AS Mine
    JOIN Reservations AS Units ON Units.OrderId = Mine.OrderId AND Units.ProductId = ?3 AND Units.State = 'reserved'
    WHERE Mine.SagaState = 'held' AND Mine.CustomerId = ?2 AND Mine.CallerId = ?1 ORDER BY Mine.OrderId`,
  settle: `UPDATE Reservations SET State = ? WHERE OrderId = ? AND State = 'reserved' RETURNING ProductId, Quantity`,
  putProduct: `INSERT INTO Products (ProductId, Name, PriceMinor, Currency, OnHand) VALUES (?1, ?2, ?3, ?4, COALESCE(?5, 0))
    ON CONFLICT (ProductId) DO UPDATE SET Name = ?2, PriceMinor = ?3, Currency = ?4, OnHand = COALESCE(?5, OnHand)`,
  describe: `UPDATE Products SET WeightGrams = ?, LengthMm = ?, WidthMm = ?, HeightMm = ?, HsCode = ?, OriginCountry = ?,
      CustomsDescription = ?, WithdrawnAtUtc = ? WHERE ProductId = ?`,
  stock: `SELECT OnHand, Reserved FROM Products WHERE ProductId = ?`,
  setOnHand: `UPDATE Products SET OnHand = ? WHERE ProductId = ?`,
};

export interface FactsRecord {
  WeightGrams: number | null;
  LengthMm: number | null;
  WidthMm: number | null;
  HeightMm: number | null;
  HsCode: string | null;
  OriginCountry: string | null;
  CustomsDescription: string | null;
  WithdrawnAtUtc: string | null;
}

export interface ProductRecord extends FactsRecord {
  ProductId: ProductId;
  Name: string;
  PriceMinor: number;
  Currency: Currency;
  Available: number;
}

export function createInventory(connection: Connection): Synchronous<InventoryStatements> {
  return {
    products: (ids) =>
      ids.flatMap((id) => connection.get<ProductRecord>(inventorySql.product, id) ?? []).map(productOf),
    reserve({ orderId, items }) {
      const inOrder = [...items].sort(byProduct);
      const taken = inOrder.filter((item) => take(connection, item));
      if (taken.length < inOrder.length) {
        for (const item of taken) connection.run(inventorySql.giveBack, item.quantity, item.productId);
        return inOrder.filter((item) => !taken.includes(item)).map((item) => item.productId);
      }
      for (const item of inOrder)
        connection.run(inventorySql.reserve, orderId, item.productId, item.quantity);
      return [];
    },
    heldBy: ({ callerId, customerId, productId }) =>
      connection
        .all<{ OrderId: OrderId }>(inventorySql.heldBy, callerId, customerId, productId)
        .map(({ OrderId }) => OrderId),
    release(orderId) {
      const items = settle(connection, orderId, 'released');
      for (const item of items) connection.run(inventorySql.giveBack, item.quantity, item.productId);
      return items;
    },
    consume(orderId) {
      const items = settle(connection, orderId, 'consumed');
      for (const item of items) connection.run(inventorySql.ship, item.quantity, item.productId);
      return items.length > 0;
    },
    putProduct({ productId, name, price, onHand = null }) {
      connection.run(inventorySql.putProduct, productId, name, price.amountMinor, price.currency, onHand);
    },
    describeProduct({ productId, ...facts }) {
      connection.run(
        inventorySql.describe,
        facts.weightGrams ?? null,
        facts.lengthMm ?? null,
        facts.widthMm ?? null,
        facts.heightMm ?? null,
        facts.hsCode ?? null,
        facts.originCountry ?? null,
        facts.customsDescription ?? null,
        facts.withdrawnAtUtc ?? null,
        productId,
      );
    },
    adjust({ productId, ...change }) {
      const stock = connection.get<{ OnHand: number; Reserved: number }>(inventorySql.stock, productId);
      if (!stock) return undefined;
      const adjustment = changedStock({ onHand: stock.OnHand, reserved: stock.Reserved }, change);
      const { refusal, from, to } = adjustment;
      if (refusal === undefined && to !== from) connection.run(inventorySql.setOnHand, to, productId);
      return adjustment;
    },
  };
}

export const productOf = (record: ProductRecord): Product => ({
  productId: record.ProductId,
  name: record.Name,
  price: { amountMinor: record.PriceMinor, currency: record.Currency },
  available: record.Available,
  ...factsOf(record),
});

export const factsOf = (record: FactsRecord): ProductFacts => ({
  ...(record.WeightGrams !== null && { weightGrams: record.WeightGrams }),
  ...(record.LengthMm !== null && { lengthMm: record.LengthMm }),
  ...(record.WidthMm !== null && { widthMm: record.WidthMm }),
  ...(record.HeightMm !== null && { heightMm: record.HeightMm }),
  ...(record.HsCode !== null && { hsCode: record.HsCode }),
  ...(record.OriginCountry !== null && { originCountry: record.OriginCountry }),
  ...(record.CustomsDescription !== null && { customsDescription: record.CustomsDescription }),
  ...(record.WithdrawnAtUtc !== null && { withdrawnAtUtc: record.WithdrawnAtUtc }),
});

const take = (connection: Connection, item: OrderItem): boolean =>
  connection.run(inventorySql.take, item.quantity, item.productId) === 1;

function settle(connection: Connection, orderId: OrderId, state: 'released' | 'consumed'): OrderItem[] {
  return connection
    .all<{ ProductId: ProductId; Quantity: number }>(inventorySql.settle, state, orderId)
    .map((row) => ({ productId: row.ProductId, quantity: row.Quantity }))
    .sort(byProduct);
}

/** The one order in which products are locked. */
const byProduct = (a: OrderItem, b: OrderItem): number => (a.productId < b.productId ? -1 : 1);
