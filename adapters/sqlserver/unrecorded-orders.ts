import type { OrderId } from '../../domain/ids.ts';
import type { OrderStatus } from '../../domain/order.ts';
import type { UnrecordedOrder, UnrecordedOrderStatements } from '../../ports/store/upkeep.ts';
import { upsert } from './insert-or-update.ts';
import { statements, type Row, type Session } from './statement.ts';
import { isoOf } from './values.ts';

const columns = 'OrderId, RunId, ClosedAs, Status, StartedAtUtc, FoundAtUtc';

export const unrecordedOrderSql = statements('unrecordedOrders', {
  put: {
    index: 'PK_UnrecordedOrders',
    text: () => `UPDATE dbo.UnrecordedOrders SET RunId = @RunId, ClosedAs = @ClosedAs, Status = @Status,
        StartedAtUtc = @StartedAtUtc
      WHERE OrderId = @OrderId;
      IF @@ROWCOUNT = 0
        INSERT INTO dbo.UnrecordedOrders (${columns})
        SELECT @OrderId, @RunId, @ClosedAs, @Status, @StartedAtUtc, @FoundAtUtc
        WHERE NOT EXISTS (SELECT 1 FROM dbo.UnrecordedOrders WHERE OrderId = @OrderId)`,
  },
  remove: {
    index: 'PK_UnrecordedOrders',
    text: () => 'DELETE FROM dbo.UnrecordedOrders OUTPUT deleted.OrderId WHERE OrderId = @OrderId',
  },
  find: {
    index: 'PK_UnrecordedOrders',
    text: () => `SELECT ${columns} FROM dbo.UnrecordedOrders WHERE OrderId = @OrderId`,
  },
});

/** The operators' list: as few as there are faults. */
export const unrecordedOrderListSql = statements('unrecordedOrderList', {
  list: {
    index: 'scan of a part of PK_UnrecordedOrders',
    text: () => `SELECT TOP (@Limit) ${columns} FROM dbo.UnrecordedOrders
      WHERE OrderId > @OrderId ORDER BY OrderId`,
  },
});

export function createUnrecordedOrders(session: Session): UnrecordedOrderStatements {
  return {
    async put({ orderId, runId, closedAs, status, startedAtUtc, foundAtUtc }) {
      await upsert(() =>
        session.rows(unrecordedOrderSql.put, {
          OrderId: orderId,
          RunId: runId,
          ClosedAs: closedAs ?? null,
          Status: status,
          StartedAtUtc: startedAtUtc,
          FoundAtUtc: foundAtUtc,
        }),
      );
    },
    remove: async (id) => (await session.rows(unrecordedOrderSql.remove, { OrderId: id })).length === 1,
    async find(id) {
      const [row] = await session.rows(unrecordedOrderSql.find, { OrderId: id });
      return row && unrecordedOf(row);
    },
  };
}

export async function listUnrecordedOrders(
  session: Session,
  { after, limit }: { after: string; limit: number },
): Promise<UnrecordedOrder[]> {
  const rows = await session.rows(unrecordedOrderListSql.list, { OrderId: after, Limit: limit });
  return rows.map(unrecordedOf);
}

const unrecordedOf = (row: Row): UnrecordedOrder => ({
  orderId: row['OrderId'] as OrderId,
  runId: row['RunId'] as string,
  ...(row['ClosedAs'] !== null && { closedAs: row['ClosedAs'] as string }),
  status: row['Status'] as OrderStatus,
  startedAtUtc: isoOf(row['StartedAtUtc']),
  foundAtUtc: isoOf(row['FoundAtUtc']),
});
