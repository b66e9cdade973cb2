import type { OrderId } from '../../domain/ids.ts';
import type { OrderActRow, OrderActStatements } from '../../ports/store/orders.ts';
import type { Connection } from './connection.ts';
import type { Synchronous } from './statements.ts';

export const orderActSql = {
  list: `SELECT OrderId, ActId, Kind, N, RecordedAtUtc FROM OrderActs WHERE OrderId = ?`,
  insert: `INSERT INTO OrderActs (OrderId, ActId, Kind, N, RecordedAtUtc) VALUES (?, ?, ?, ?, ?)`,
};

interface OrderActRecord {
  OrderId: OrderId;
  ActId: string;
  Kind: OrderActRow['kind'];
  N: number;
  RecordedAtUtc: string;
}

export const createOrderActs = (connection: Connection): Synchronous<OrderActStatements> => ({
  list: (orderId) => connection.all<OrderActRecord>(orderActSql.list, orderId).map(orderActOf),
  insert({ orderId, actId, kind, n, recordedAtUtc }) {
    connection.run(orderActSql.insert, orderId, actId, kind, n, recordedAtUtc);
  },
});

const orderActOf = (record: OrderActRecord): OrderActRow => ({
  orderId: record.OrderId,
  actId: record.ActId,
  kind: record.Kind,
  n: record.N,
  recordedAtUtc: record.RecordedAtUtc,
});
