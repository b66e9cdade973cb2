import type { OperationKey, OrderId } from '../../domain/ids.ts';
import type { Operation, OperationStatements, StoredOutcome } from '../../ports/store/orders.ts';
import { isUniqueViolation } from './errors.ts';
import type { StatementValues } from './parameter-types.ts';
import { statements, type Row, type Session } from './statement.ts';
import { isoOf, numberOf } from './values.ts';

const columns = ['OperationKey', 'OrderId', 'Step', 'Fence', 'Outcome', 'LeaseUntilUtc'] as const;
const inserted = columns.map((column) => `inserted.${column}`).join(', ');

export const operationSql = statements('operations', {
  find: {
    index: 'PK_Operations',
    text: (hints) =>
      hints.lockingRead({
        table: 'dbo.Operations',
        columns,
        touch: 'Fence',
        where: 'OperationKey = @OperationKey',
      }),
  },
  /* The common case of an attempt: its first one. */
  beginFirst: {
    index: 'PK_Operations',
    text: () => `INSERT INTO dbo.Operations (OperationKey, OrderId, Step, Fence, LeaseUntilUtc)
      OUTPUT ${inserted}
      SELECT @OperationKey, @OrderId, @Step, 1, @LeaseUntilUtc
      WHERE NOT EXISTS (SELECT 1 FROM dbo.Operations WHERE OperationKey = @OperationKey)`,
  },
  /* Changes and returns nothing where an outcome is stored. */
  beginAgain: {
    index: 'PK_Operations',
    text: () => `UPDATE dbo.Operations SET Fence = Fence + 1, LeaseUntilUtc = @LeaseUntilUtc
      WHERE OperationKey = @OperationKey AND Outcome IS NULL;
      IF @@ROWCOUNT = 1
        SELECT ${columns.join(', ')} FROM dbo.Operations WHERE OperationKey = @OperationKey`,
  },
  finish: {
    index: 'PK_Operations',
    text: () => `UPDATE dbo.Operations SET Outcome = @Outcome, LeaseUntilUtc = NULL
      OUTPUT inserted.OperationKey
      WHERE OperationKey = @OperationKey AND Outcome IS NULL`,
  },
  revise: {
    index: 'PK_Operations',
    text: () =>
      'UPDATE dbo.Operations SET Outcome = @Outcome, LeaseUntilUtc = NULL WHERE OperationKey = @OperationKey',
  },
  endLease: {
    index: 'PK_Operations',
    text: () =>
      'UPDATE dbo.Operations SET LeaseUntilUtc = NULL WHERE OperationKey = @OperationKey AND Fence = @Fence',
  },
  leased: {
    index: 'IX_Operations_Order',
    text: () => `SELECT ${columns.join(', ')} FROM dbo.Operations
      WHERE OrderId = @OrderId AND Step = @Step AND LeaseUntilUtc > @NowUtc AND LeaseUntilUtc IS NOT NULL`,
  },
});

export function createOperations(session: Session): OperationStatements {
  const find = async (key: OperationKey) => {
    const [row] = await session.rows(operationSql.find, { OperationKey: key });
    return row && operationOf(row);
  };
  const first = async (values: StatementValues): Promise<Row | undefined> => {
    try {
      return (await session.rows(operationSql.beginFirst, values))[0];
    } catch (error) {
      // Another attempt began between NOT EXISTS and the insert, and has committed.
      if (isUniqueViolation(error)) return undefined;
      throw error;
    }
  };
  return {
    find,
    async begin({ key, orderId, step, leaseUntilUtc = null }) {
      const begun =
        (await first({ OperationKey: key, OrderId: orderId, Step: step, LeaseUntilUtc: leaseUntilUtc })) ??
        (await session.rows(operationSql.beginAgain, { OperationKey: key, LeaseUntilUtc: leaseUntilUtc }))[0];
      return begun ? operationOf(begun) : ((await find(key)) as Operation);
    },
    async finish({ key, outcome }) {
      const values = { OperationKey: key, Outcome: JSON.stringify(outcome) };
      if ((await session.rows(operationSql.finish, values)).length === 1) return true;
      if (!(await find(key)))
        throw new Error(`Operation ${key} cannot finish: it never began; call begin first`);
      return false;
    },
    async revise({ key, outcome }) {
      await session.rows(operationSql.revise, { OperationKey: key, Outcome: JSON.stringify(outcome) });
    },
    async endLease({ key, fence }) {
      await session.rows(operationSql.endLease, { OperationKey: key, Fence: fence });
    },
    async leased({ orderId, step, nowUtc }) {
      const values = { OrderId: orderId, Step: step, NowUtc: nowUtc };
      return (await session.rows(operationSql.leased, values)).map(operationOf);
    },
  };
}

const operationOf = (row: Row): Operation => ({
  key: row['OperationKey'] as OperationKey,
  orderId: row['OrderId'] as OrderId,
  step: row['Step'] as string,
  fence: numberOf(row['Fence']),
  ...(row['Outcome'] !== null && { outcome: JSON.parse(row['Outcome'] as string) as StoredOutcome }),
  ...(row['LeaseUntilUtc'] !== null && { leaseUntilUtc: isoOf(row['LeaseUntilUtc']) }),
});
