import type { OrderId } from '../../domain/ids.ts';
import type { ActRow, ActStatements } from '../../ports/store/orders.ts';
import { inserts } from './insert-or-update.ts';
import { statements, type Row, type Session } from './statement.ts';
import { isoOf } from './values.ts';

const columns = 'OrderId, ActId, Name, Fingerprint, State, Reason, RecordedAtUtc';

export const actSql = statements('acts', {
  list: {
    index: 'PK_Acts',
    text: () => `SELECT ${columns} FROM dbo.Acts WHERE OrderId = @OrderId ORDER BY ActId`,
  },
  insert: {
    index: 'PK_Acts',
    text: () => `INSERT INTO dbo.Acts (${columns})
      OUTPUT inserted.ActId
      SELECT @OrderId, @ActId, @Name, @Fingerprint, @State, @Reason, @RecordedAtUtc
      WHERE NOT EXISTS (SELECT 1 FROM dbo.Acts WHERE OrderId = @OrderId AND ActId = @ActId)`,
  },
  settle: {
    index: 'PK_Acts',
    text: () => `UPDATE dbo.Acts SET State = @State, Reason = @Reason
      WHERE OrderId = @OrderId AND ActId = @ActId AND State = 'accepted'`,
  },
});

export const createActs = (session: Session): ActStatements => ({
  list: (orderId) => listActs(session, orderId),
  insert: ({ orderId, actId, name, fingerprint, state, reason, recordedAtUtc }) =>
    inserts(() =>
      session.rows(actSql.insert, {
        OrderId: orderId,
        ActId: actId,
        Name: name,
        Fingerprint: fingerprint ?? null,
        State: state,
        Reason: reason ?? null,
        RecordedAtUtc: recordedAtUtc,
      }),
    ),
  async settle({ orderId, actId, state, reason }) {
    const values = { OrderId: orderId, ActId: actId, State: state, Reason: reason ?? null };
    await session.rows(actSql.settle, values);
  },
});

export const listActs = async (session: Session, orderId: OrderId): Promise<ActRow[]> =>
  (await session.rows(actSql.list, { OrderId: orderId })).map(actOf);

const actOf = (row: Row): ActRow => ({
  orderId: row['OrderId'] as OrderId,
  actId: row['ActId'] as string,
  name: row['Name'] as string,
  ...(row['Fingerprint'] !== null && { fingerprint: row['Fingerprint'] as string }),
  state: row['State'] as ActRow['state'],
  ...(row['Reason'] !== null && { reason: row['Reason'] as string }),
  recordedAtUtc: isoOf(row['RecordedAtUtc']),
});
