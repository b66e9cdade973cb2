import type { OrderId } from '../../domain/ids.ts';
import type { OrderActRow, OrderActStatements } from '../../ports/store/orders.ts';
import { statements, type Row, type Session } from './statement.ts';
import { isoOf, numberOf } from './values.ts';

export const orderActSql = statements('orderActs', {
  list: {
    index: 'PK_OrderActs',
    text: () =>
      'SELECT OrderId, ActId, Kind, N, RecordedAtUtc FROM dbo.OrderActs WHERE OrderId = @OrderId ORDER BY ActId',
  },
  insert: {
    index: 'PK_OrderActs, UX_OrderActs_Number',
    text: () => `INSERT INTO dbo.OrderActs (OrderId, ActId, Kind, N, RecordedAtUtc)
      VALUES (@OrderId, @ActId, @Kind, @N, @RecordedAtUtc)`,
  },
});

export const createOrderActs = (session: Session): OrderActStatements => ({
  list: async (orderId) => (await session.rows(orderActSql.list, { OrderId: orderId })).map(orderActOf),
  async insert({ orderId, actId, kind, n, recordedAtUtc }) {
    const values = { OrderId: orderId, ActId: actId, Kind: kind, N: n, RecordedAtUtc: recordedAtUtc };
    await session.rows(orderActSql.insert, values);
  },
});

const orderActOf = (row: Row): OrderActRow => ({
  orderId: row['OrderId'] as OrderId,
  actId: row['ActId'] as string,
  kind: row['Kind'] as OrderActRow['kind'],
  n: numberOf(row['N']),
  recordedAtUtc: isoOf(row['RecordedAtUtc']),
});
