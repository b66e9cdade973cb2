import type { OrderId } from '../../domain/ids.ts';
import type { OrderStatus } from '../../domain/order.ts';
import type { UnrecordedOrder, UnrecordedOrderStatements } from '../../ports/store/upkeep.ts';
import type { Connection } from './connection.ts';
import type { Synchronous } from './statements.ts';

export const unrecordedOrderSql = {
  put: `INSERT INTO UnrecordedOrders (OrderId, RunId, ClosedAs, Status, StartedAtUtc, FoundAtUtc) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (OrderId) DO UPDATE SET RunId = excluded.RunId, ClosedAs = excluded.ClosedAs, Status = excluded.Status,
      StartedAtUtc = excluded.StartedAtUtc`,
  remove: `DELETE FROM UnrecordedOrders WHERE OrderId = ?`,
  find: `SELECT OrderId, RunId, ClosedAs, Status, StartedAtUtc, FoundAtUtc FROM UnrecordedOrders WHERE OrderId = ?`,
};

/** The operators' list: as few as there are faults. */
export const unrecordedOrderListSql = {
  list: `SELECT OrderId, RunId, ClosedAs, Status, StartedAtUtc, FoundAtUtc FROM UnrecordedOrders
    WHERE OrderId > ? ORDER BY OrderId LIMIT ?`,
};

interface UnrecordedRecord {
  OrderId: OrderId;
  RunId: string;
  ClosedAs: string | null;
  Status: OrderStatus;
  StartedAtUtc: string;
  FoundAtUtc: string;
}

export function createUnrecordedOrders(connection: Connection): Synchronous<UnrecordedOrderStatements> {
  return {
    put({ orderId, runId, closedAs, status, startedAtUtc, foundAtUtc }) {
      const values = [orderId, runId, closedAs ?? null, status, startedAtUtc, foundAtUtc];
      connection.run(unrecordedOrderSql.put, ...values);
    },
    remove: (id) => connection.run(unrecordedOrderSql.remove, id) === 1,
    find(id) {
      const record = connection.get<UnrecordedRecord>(unrecordedOrderSql.find, id);
      return record && unrecordedOf(record);
    },
  };
}

export const listUnrecordedOrders = (
  connection: Connection,
  { after, limit }: { after: string; limit: number },
): UnrecordedOrder[] =>
  connection.all<UnrecordedRecord>(unrecordedOrderListSql.list, after, limit).map(unrecordedOf);

const unrecordedOf = (record: UnrecordedRecord): UnrecordedOrder => ({
  orderId: record.OrderId,
  runId: record.RunId,
  ...(record.ClosedAs !== null && { closedAs: record.ClosedAs }),
  status: record.Status,
  startedAtUtc: record.StartedAtUtc,
  foundAtUtc: record.FoundAtUtc,
});
