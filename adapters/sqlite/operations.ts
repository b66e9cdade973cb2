import type { OperationKey, OrderId } from '../../domain/ids.ts';
import type { Operation, OperationStatements, StoredOutcome } from '../../ports/store/orders.ts';
import type { Connection } from './connection.ts';
import type { Synchronous } from './statements.ts';

const columns = 'OperationKey, OrderId, Step, Fence, Outcome, LeaseUntilUtc';

export const operationSql = {
  find: `SELECT ${columns} FROM Operations WHERE OperationKey = ?`,
  /* Changes and returns nothing where an outcome is stored. */
  begin: `INSERT INTO Operations (OperationKey, OrderId, Step, Fence, LeaseUntilUtc) VALUES (?, ?, ?, 1, ?)
    ON CONFLICT (OperationKey) DO UPDATE SET Fence = Fence + 1, LeaseUntilUtc = excluded.LeaseUntilUtc
    WHERE Outcome IS NULL
    RETURNING ${columns}`,
  finish: `UPDATE Operations SET Outcome = ?, LeaseUntilUtc = NULL WHERE OperationKey = ? AND Outcome IS NULL`,
  revise: `UPDATE Operations SET Outcome = ?, LeaseUntilUtc = NULL WHERE OperationKey = ?`,
  endLease: `UPDATE Operations SET LeaseUntilUtc = NULL WHERE OperationKey = ? AND Fence = ?`,
  leased: `SELECT ${columns} FROM Operations WHERE OrderId = ? AND Step = ? AND LeaseUntilUtc > ?`,
};

interface OperationRecord {
  OperationKey: OperationKey;
  OrderId: OrderId;
  Step: string;
  Fence: number;
  Outcome: string | null;
  LeaseUntilUtc: string | null;
}

export function createOperations(connection: Connection): Synchronous<OperationStatements> {
  const find = (key: OperationKey) => {
    const record = connection.get<OperationRecord>(operationSql.find, key);
    return record && operationOf(record);
  };
  return {
    find,
    begin({ key, orderId, step, leaseUntilUtc = null }) {
      const begun = connection.get<OperationRecord>(operationSql.begin, key, orderId, step, leaseUntilUtc);
      return begun ? operationOf(begun) : (find(key) as Operation);
    },
    finish({ key, outcome }) {
      if (connection.run(operationSql.finish, JSON.stringify(outcome), key) === 1) return true;
      if (!find(key)) throw new Error(`Operation ${key} cannot finish: it never began; call begin first`);
      return false;
    },
    revise({ key, outcome }) {
      connection.run(operationSql.revise, JSON.stringify(outcome), key);
    },
    endLease({ key, fence }) {
      connection.run(operationSql.endLease, key, fence);
    },
    leased: ({ orderId, step, nowUtc }) =>
      connection.all<OperationRecord>(operationSql.leased, orderId, step, nowUtc).map(operationOf),
  };
}

const operationOf = (record: OperationRecord): Operation => ({
  key: record.OperationKey,
  orderId: record.OrderId,
  step: record.Step,
  fence: record.Fence,
  ...(record.Outcome !== null && { outcome: JSON.parse(record.Outcome) as StoredOutcome }),
  ...(record.LeaseUntilUtc !== null && { leaseUntilUtc: record.LeaseUntilUtc }),
});
