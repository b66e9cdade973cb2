import type { OrderId } from '../../domain/ids.ts';
import type { NotedRetry } from '../../domain/retries.ts';
import type { RetryStatements } from '../../ports/store/upkeep.ts';
import type { Connection } from './connection.ts';
import type { Synchronous } from './statements.ts';

const columns =
  'OrderId, Activity, Failures, FailureType, Failure, FailedAtUtc, NextAttemptAtUtc, StaleAfterUtc';

export const retrySql = {
  /* A note that comes late must not hide a newer one. */
  note: `INSERT INTO OrderRetries (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (OrderId, Activity) DO UPDATE SET Failures = excluded.Failures, FailureType = excluded.FailureType,
      Failure = excluded.Failure, FailedAtUtc = excluded.FailedAtUtc, NextAttemptAtUtc = excluded.NextAttemptAtUtc,
      StaleAfterUtc = excluded.StaleAfterUtc
    WHERE FailedAtUtc <= excluded.FailedAtUtc`,
  remove: 'DELETE FROM OrderRetries WHERE OrderId = ? AND Activity = ?',
  ofOrder: `SELECT ${columns} FROM OrderRetries WHERE OrderId = ? AND StaleAfterUtc >= ?`,
};

/** As few rows as there are faults. */
export const retryListSql = {
  forget: 'DELETE FROM OrderRetries WHERE StaleAfterUtc < ?',
  list: `SELECT ${columns} FROM OrderRetries WHERE StaleAfterUtc >= ? AND Failures > ?
    ORDER BY Failures DESC, OrderId, Activity LIMIT ?`,
};

interface RetryRecord {
  OrderId: OrderId;
  Activity: string;
  Failures: number;
  FailureType: string;
  Failure: string;
  FailedAtUtc: string;
  NextAttemptAtUtc: string;
  StaleAfterUtc: string;
}

export function createRetries(connection: Connection): Synchronous<RetryStatements> {
  return {
    note({ orderId, activity, failures, failureType, failure, ...times }) {
      const { failedAtUtc, nextAttemptAtUtc, staleAfterUtc } = times;
      const values = [orderId, activity, failures, failureType, failure, failedAtUtc, nextAttemptAtUtc];
      connection.run(retrySql.note, ...values, staleAfterUtc);
    },
    remove({ orderId, activity }) {
      connection.run(retrySql.remove, orderId, activity);
    },
    forget({ staleBeforeUtc }) {
      connection.run(retryListSql.forget, staleBeforeUtc);
    },
  };
}

export const listRetries = (
  connection: Connection,
  { nowUtc, moreThan, limit }: { nowUtc: string; moreThan: number; limit: number },
): NotedRetry[] => connection.all<RetryRecord>(retryListSql.list, nowUtc, moreThan, limit).map(retryOf);

export const retriesOfOrder = (
  connection: Connection,
  { orderId, nowUtc }: { orderId: OrderId; nowUtc: string },
): NotedRetry[] => connection.all<RetryRecord>(retrySql.ofOrder, orderId, nowUtc).map(retryOf);

const retryOf = (record: RetryRecord): NotedRetry => ({
  orderId: record.OrderId,
  activity: record.Activity,
  failures: record.Failures,
  failureType: record.FailureType,
  failure: record.Failure,
  failedAtUtc: record.FailedAtUtc,
  nextAttemptAtUtc: record.NextAttemptAtUtc,
  staleAfterUtc: record.StaleAfterUtc,
});
