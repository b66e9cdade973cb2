import type { OrderId } from '../../domain/ids.ts';
import type { NotedRetry } from '../../domain/retries.ts';
import type { RetryStatements } from '../../ports/store/upkeep.ts';
import { upsert } from './insert-or-update.ts';
import { statements, type Row, type Session } from './statement.ts';
import { isoOf } from './values.ts';

const columns =
  'OrderId, Activity, Failures, FailureType, Failure, FailedAtUtc, NextAttemptAtUtc, StaleAfterUtc';

export const retrySql = statements('retries', {
  /* A note that comes late must not hide a newer one. */
  note: {
    index: 'PK_OrderRetries',
    text: () => `UPDATE dbo.OrderRetries SET
        Failures = IIF(FailedAtUtc <= @FailedAtUtc, @Failures, Failures),
        FailureType = IIF(FailedAtUtc <= @FailedAtUtc, @FailureType, FailureType),
        Failure = IIF(FailedAtUtc <= @FailedAtUtc, @Failure, Failure),
        NextAttemptAtUtc = IIF(FailedAtUtc <= @FailedAtUtc, @NextAttemptAtUtc, NextAttemptAtUtc),
        StaleAfterUtc = IIF(FailedAtUtc <= @FailedAtUtc, @StaleAfterUtc, StaleAfterUtc),
        FailedAtUtc = IIF(FailedAtUtc <= @FailedAtUtc, @FailedAtUtc, FailedAtUtc)
      WHERE OrderId = @OrderId AND Activity = @Activity;
      IF @@ROWCOUNT = 0
        INSERT INTO dbo.OrderRetries (${columns})
        SELECT @OrderId, @Activity, @Failures, @FailureType, @Failure, @FailedAtUtc, @NextAttemptAtUtc, @StaleAfterUtc
        WHERE NOT EXISTS (SELECT 1 FROM dbo.OrderRetries WHERE OrderId = @OrderId AND Activity = @Activity)`,
  },
  remove: {
    index: 'PK_OrderRetries',
    text: () => 'DELETE FROM dbo.OrderRetries WHERE OrderId = @OrderId AND Activity = @Activity',
  },
  ofOrder: {
    index: 'PK_OrderRetries',
    text: () =>
      `SELECT ${columns} FROM dbo.OrderRetries WHERE OrderId = @OrderId AND StaleAfterUtc >= @NowUtc`,
  },
});

/** As few rows as there are faults. */
export const retryListSql = statements('retryList', {
  forget: {
    index: 'IX_OrderRetries_StaleAfterUtc',
    text: () => 'DELETE FROM dbo.OrderRetries WHERE StaleAfterUtc < @StaleAfterUtc',
  },
  list: {
    index: 'scan of PK_OrderRetries',
    text: () => `SELECT TOP (@Limit) ${columns} FROM dbo.OrderRetries
      WHERE StaleAfterUtc >= @NowUtc AND Failures > @Failures
      ORDER BY Failures DESC, OrderId, Activity`,
  },
});

export function createRetries(session: Session): RetryStatements {
  return {
    async note({ orderId, activity, failures, failureType, failure, ...times }) {
      await upsert(() =>
        session.rows(retrySql.note, {
          OrderId: orderId,
          Activity: activity,
          Failures: failures,
          FailureType: failureType,
          Failure: failure,
          FailedAtUtc: times.failedAtUtc,
          NextAttemptAtUtc: times.nextAttemptAtUtc,
          StaleAfterUtc: times.staleAfterUtc,
        }),
      );
    },
    async remove({ orderId, activity }) {
      await session.rows(retrySql.remove, { OrderId: orderId, Activity: activity });
    },
    async forget({ staleBeforeUtc }) {
      await session.rows(retryListSql.forget, { StaleAfterUtc: staleBeforeUtc });
    },
  };
}

export async function listRetries(
  session: Session,
  { nowUtc, moreThan, limit }: { nowUtc: string; moreThan: number; limit: number },
): Promise<NotedRetry[]> {
  const values = { NowUtc: nowUtc, Failures: moreThan, Limit: limit };
  return (await session.rows(retryListSql.list, values)).map(retryOf);
}

export async function retriesOfOrder(
  session: Session,
  { orderId, nowUtc }: { orderId: OrderId; nowUtc: string },
): Promise<NotedRetry[]> {
  return (await session.rows(retrySql.ofOrder, { OrderId: orderId, NowUtc: nowUtc })).map(retryOf);
}

const retryOf = (row: Row): NotedRetry => ({
  orderId: row['OrderId'] as OrderId,
  activity: row['Activity'] as string,
  failures: row['Failures'] as number,
  failureType: row['FailureType'] as string,
  failure: row['Failure'] as string,
  failedAtUtc: isoOf(row['FailedAtUtc']),
  nextAttemptAtUtc: isoOf(row['NextAttemptAtUtc']),
  staleAfterUtc: isoOf(row['StaleAfterUtc']),
});
