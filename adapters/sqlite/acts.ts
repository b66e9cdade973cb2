import type { OrderId } from '../../domain/ids.ts';
import type { ActRow, ActStatements } from '../../ports/store/orders.ts';
import type { Connection } from './connection.ts';
import type { Synchronous } from './statements.ts';

export const actSql = {
  list: `SELECT OrderId, ActId, Name, Fingerprint, State, Reason, RecordedAtUtc FROM Acts WHERE OrderId = ?`,
  insert: `INSERT INTO Acts (OrderId, ActId, Name, Fingerprint, State, Reason, RecordedAtUtc) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (OrderId, ActId) DO NOTHING`,
  settle: `UPDATE Acts SET State = ?, Reason = ? WHERE OrderId = ? AND ActId = ? AND State = 'accepted'`,
};

interface ActRecord {
  OrderId: OrderId;
  ActId: string;
  Name: string;
  Fingerprint: string | null;
  State: ActRow['state'];
  Reason: string | null;
  RecordedAtUtc: string;
}

export const createActs = (connection: Connection): Synchronous<ActStatements> => ({
  list: (orderId) => listActs(connection, orderId),
  insert({ orderId, actId, name, fingerprint, state, reason, recordedAtUtc }) {
    const values = [orderId, actId, name, fingerprint ?? null, state, reason ?? null, recordedAtUtc];
    return connection.run(actSql.insert, ...values) === 1;
  },
  settle({ orderId, actId, state, reason }) {
    connection.run(actSql.settle, state, reason ?? null, orderId, actId);
  },
});

export const listActs = (connection: Connection, orderId: OrderId): ActRow[] =>
  connection.all<ActRecord>(actSql.list, orderId).map(actOf);

const actOf = (record: ActRecord): ActRow => ({
  orderId: record.OrderId,
  actId: record.ActId,
  name: record.Name,
  ...(record.Fingerprint !== null && { fingerprint: record.Fingerprint }),
  state: record.State,
  ...(record.Reason !== null && { reason: record.Reason }),
  recordedAtUtc: record.RecordedAtUtc,
});
