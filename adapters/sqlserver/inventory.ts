import type { OrderId, ProductId } from '../../domain/ids.ts';
import type { Currency } from '../../domain/money.ts';
import type { OrderItem } from '../../domain/order.ts';
import { changedStock } from '../../domain/stock.ts';
import type { InventoryStatements, Product, ProductFacts } from '../../ports/store/goods.ts';
import { upsert } from './insert-or-update.ts';
import { forEachRow, sendRows, statements, type Row, type Session, type Statement } from './statement.ts';
import { isoOf, numberOf } from './values.ts';

/*
 * Products are locked by updates of one row each, in the order of their ids' bytes, one batch for all: a batch's
 * statements run in turn, so every transaction takes its locks in the same order and none waits in a circle. An UPDATE
 * sees the newest committed row also at READ COMMITTED SNAPSHOT.
 */
export const factColumns =
  'WeightGrams, LengthMm, WidthMm, HeightMm, HsCode, OriginCountry, CustomsDescription, WithdrawnAtUtc';

export const inventorySql = statements('inventory', {
  products: {
    index: 'PK_Products',
    text: (
      _,
      rows,
    ) => `SELECT ProductId, Name, PriceMinor, Currency, OnHand - Reserved AS Available, ${factColumns}
      FROM dbo.Products
      WHERE ProductId IN (${forEachRow(rows, ', ', (row) => `@ProductId_${row}`)})`,
  },
  take: {
    index: 'PK_Products',
    text: (_, rows) =>
      forEachRow(
        rows,
        ';\n',
        (row) => `UPDATE dbo.Products SET Reserved = Reserved + @Quantity_${row} OUTPUT inserted.ProductId
      WHERE ProductId = @ProductId_${row} AND OnHand - Reserved >= @Quantity_${row}`,
      ),
  },
  giveBack: {
    index: 'PK_Products',
    text: (_, rows) =>
      forEachRow(
        rows,
        ';\n',
        (row) =>
          `UPDATE dbo.Products SET Reserved = Reserved - @Quantity_${row} WHERE ProductId = @ProductId_${row}`,
      ),
  },
  ship: {
    index: 'PK_Products',
    text: (_, rows) =>
      forEachRow(
        rows,
        ';\n',
        (
          row,
        ) => `UPDATE dbo.Products SET OnHand = OnHand - @Quantity_${row}, Reserved = Reserved - @Quantity_${row}
      WHERE ProductId = @ProductId_${row}`,
      ),
  },
  reserve: {
    index: 'PK_Reservations',
    text: (_, rows) => `INSERT INTO dbo.Reservations (OrderId, ProductId, Quantity, State)
      SELECT @OrderId, ProductId, Quantity, 'reserved'
      FROM (VALUES ${forEachRow(rows, ', ', (row) => `(@ProductId_${row}, @Quantity_${row})`)}) AS Item (ProductId, Quantity)
      WHERE ProductId IS NOT NULL`,
  },
  heldBy: {
    index: 'IX_Orders_Held, PK_Orders, PK_Reservations',
    text: () => `SELECT Mine.OrderId FROM dbo.Orders AS Mine
      INNER JOIN dbo.Reservations AS Units
        ON Mine.OrderId = Units.OrderId AND Units.ProductId = @ProductId AND Units.State = 'reserved'
      WHERE Mine.SagaState = 'held' AND Mine.CustomerId = @CustomerId AND Mine.CallerId = @CallerId
      ORDER BY Mine.OrderId`,
  },
  settle: {
    index: 'PK_Reservations',
    text: () => `UPDATE dbo.Reservations SET State = @State OUTPUT inserted.ProductId, inserted.Quantity
      WHERE OrderId = @OrderId AND State = 'reserved'`,
  },
  putProduct: {
    index: 'PK_Products',
    text: () => `UPDATE dbo.Products SET Name = @Name, PriceMinor = @PriceMinor, Currency = @Currency,
        OnHand = COALESCE(@OnHand, OnHand)
      WHERE ProductId = @ProductId;
      IF @@ROWCOUNT = 0
        INSERT INTO dbo.Products (ProductId, Name, PriceMinor, Currency, OnHand)
        SELECT @ProductId, @Name, @PriceMinor, @Currency, COALESCE(@OnHand, 0)
        WHERE NOT EXISTS (SELECT 1 FROM dbo.Products WHERE ProductId = @ProductId)`,
  },
  describe: {
    index: 'PK_Products',
    text: () => `UPDATE dbo.Products SET WeightGrams = @WeightGrams, LengthMm = @LengthMm, WidthMm = @WidthMm,
        HeightMm = @HeightMm, HsCode = @HsCode, OriginCountry = @OriginCountry,
        CustomsDescription = @CustomsDescription, WithdrawnAtUtc = @WithdrawnAtUtc
      WHERE ProductId = @ProductId`,
  },
  lockStock: {
    index: 'PK_Products',
    text: (hints) =>
      hints.lockingRead({
        table: 'dbo.Products',
        columns: ['OnHand', 'Reserved'],
        touch: 'OnHand',
        where: 'ProductId = @ProductId',
      }),
  },
  setOnHand: {
    index: 'PK_Products',
    text: () => 'UPDATE dbo.Products SET OnHand = @OnHand WHERE ProductId = @ProductId',
  },
});

export function createInventory(session: Session): InventoryStatements {
  const send = (statement: Statement, items: readonly OrderItem[], values = {}) =>
    sendRows(session, statement, items.map(itemValues), values);
  return {
    async products(ids) {
      const asked = ids.map((id) => ({ ProductId: id }));
      return (await sendRows(session, inventorySql.products, asked)).map(productOf);
    },
    async reserve({ orderId, items }) {
      const inOrder = [...items].sort(byProduct);
      const taken = new Set((await send(inventorySql.take, inOrder)).map((row) => row['ProductId']));
      const short = inOrder.filter((item) => !taken.has(item.productId));
      if (short.length > 0) {
        await send(
          inventorySql.giveBack,
          inOrder.filter((item) => taken.has(item.productId)),
        );
        return short.map((item) => item.productId);
      }
      await send(inventorySql.reserve, inOrder, { OrderId: orderId });
      return [];
    },
    async heldBy({ callerId, customerId, productId }) {
      const values = { CallerId: callerId, CustomerId: customerId, ProductId: productId };
      const rows = await session.rows(inventorySql.heldBy, values);
      return rows.map((row) => row['OrderId'] as OrderId);
    },
    async release(orderId) {
      const items = await settle(session, orderId, 'released');
      await send(inventorySql.giveBack, items);
      return items;
    },
    async consume(orderId) {
      const items = await settle(session, orderId, 'consumed');
      await send(inventorySql.ship, items);
      return items.length > 0;
    },
    async putProduct({ productId, name, price, onHand = null }) {
      const values = {
        ProductId: productId,
        Name: name,
        PriceMinor: price.amountMinor,
        Currency: price.currency,
        OnHand: onHand,
      };
      await upsert(() => session.rows(inventorySql.putProduct, values));
    },
    async describeProduct({ productId, ...facts }) {
      await session.rows(inventorySql.describe, {
        ProductId: productId,
        WeightGrams: facts.weightGrams ?? null,
        LengthMm: facts.lengthMm ?? null,
        WidthMm: facts.widthMm ?? null,
        HeightMm: facts.heightMm ?? null,
        HsCode: facts.hsCode ?? null,
        OriginCountry: facts.originCountry ?? null,
        CustomsDescription: facts.customsDescription ?? null,
        WithdrawnAtUtc: facts.withdrawnAtUtc ?? null,
      });
    },
    async adjust({ productId, ...change }) {
      const [row] = await session.rows(inventorySql.lockStock, { ProductId: productId });
      if (!row) return undefined;
      const stock = { onHand: numberOf(row['OnHand']), reserved: numberOf(row['Reserved']) };
      const adjustment = changedStock(stock, change);
      const { refusal, from, to } = adjustment;
      if (refusal === undefined && to !== from)
        await session.rows(inventorySql.setOnHand, { ProductId: productId, OnHand: to });
      return adjustment;
    },
  };
}

const itemValues = (item: OrderItem) => ({ ProductId: item.productId, Quantity: item.quantity });

export const productOf = (row: Row): Product => ({
  productId: row['ProductId'] as ProductId,
  name: row['Name'] as string,
  price: { amountMinor: numberOf(row['PriceMinor']), currency: row['Currency'] as Currency },
  available: numberOf(row['Available']),
  ...factsOf(row),
});

export const factsOf = (row: Row): ProductFacts => ({
  ...(row['WeightGrams'] !== null && { weightGrams: numberOf(row['WeightGrams']) }),
  ...(row['LengthMm'] !== null && { lengthMm: numberOf(row['LengthMm']) }),
  ...(row['WidthMm'] !== null && { widthMm: numberOf(row['WidthMm']) }),
  ...(row['HeightMm'] !== null && { heightMm: numberOf(row['HeightMm']) }),
  ...(row['HsCode'] !== null && { hsCode: row['HsCode'] as string }),
  ...(row['OriginCountry'] !== null && { originCountry: row['OriginCountry'] as string }),
  ...(row['CustomsDescription'] !== null && { customsDescription: row['CustomsDescription'] as string }),
  ...(row['WithdrawnAtUtc'] !== null && { withdrawnAtUtc: isoOf(row['WithdrawnAtUtc']) }),
});

async function settle(
  session: Session,
  orderId: OrderId,
  state: 'released' | 'consumed',
): Promise<OrderItem[]> {
  const rows = await session.rows(inventorySql.settle, { OrderId: orderId, State: state });
  return rows
    .map((row) => ({ productId: row['ProductId'] as ProductId, quantity: numberOf(row['Quantity']) }))
    .sort(byProduct);
}

/** The one order in which products are locked. */
const byProduct = (a: OrderItem, b: OrderItem): number => (a.productId < b.productId ? -1 : 1);
