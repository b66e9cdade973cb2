import type { OrderId } from '../../domain/ids.ts';
import type { Currency } from '../../domain/money.ts';
import type { DebtReads } from '../../ports/refunds.ts';
import type { Connection } from './connection.ts';
import { refundColumns, refundOf, type RefundRecord } from './refunds.ts';
import type { Synchronous } from './statements.ts';

/**
 * Whether the customer still has money to get from an order, as a condition on it: `owedOf` in SQL, on the side of yes
 * where a part was made good.
 */
export const owesCondition = (order: string): string => `(
      EXISTS (
        SELECT 1 FROM Refunds WHERE OrderId = ${order}.OrderId AND State IN ('owed', 'requested', 'pending')
      )
      OR (NOT EXISTS (SELECT 1 FROM Disputes WHERE OrderId = ${order}.OrderId AND State = 'lost') AND (
        EXISTS (
          SELECT 1 FROM Refunds AS Failed
          WHERE Failed.OrderId = ${order}.OrderId AND Failed.State = 'failed' AND NOT EXISTS (
            SELECT 1 FROM Refunds AS Good
            WHERE Good.OrderId = Failed.OrderId AND Good.State IN ('refunded', 'paid_otherwise')
              AND Good.RequestedAtUtc >= COALESCE(Failed.SettledAtUtc, Failed.RequestedAtUtc)
          )
        )
        OR (${order}.Status IN ('cancelled', 'failed')
          AND EXISTS (SELECT 1 FROM Payments WHERE OrderId = ${order}.OrderId AND State = 'charged'))
      ))
    )`;

export const debtSql = {
  /* By way of IX_Refunds_Undecided, whose condition has to stand here: as long as what waits. */
  debts: `SELECT OrderId, N, AmountMinor, Currency, RequestedAtUtc FROM Refunds
    WHERE State IN ('owed', 'requested', 'pending') AND State = 'owed'
      AND (RequestedAtUtc, OrderId, RefundId) > (?, ?, ?)
    ORDER BY RequestedAtUtc, OrderId, RefundId LIMIT ?`,
};

/** For the sweep, which reads as many as wait. */
export const refundClaimSql = {
  undecided: `SELECT ${refundColumns} FROM Refunds
    WHERE State IN ('owed', 'requested', 'pending') AND State <> 'owed' AND Fingerprint <> '' AND RequestedAtUtc < ?
      AND (RequestedAtUtc, OrderId, RefundId) > (?, ?, ?)
    ORDER BY RequestedAtUtc, OrderId, RefundId LIMIT ?`,
};

interface DebtRecord {
  OrderId: OrderId;
  N: number;
  AmountMinor: number;
  Currency: Currency;
  RequestedAtUtc: string;
}

export const createDebtReads = (connection: Connection): Synchronous<DebtReads> => ({
  list: ({ after, limit }) =>
    connection
      .all<DebtRecord>(
        debtSql.debts,
        after?.sinceUtc ?? '',
        after?.orderId ?? '',
        after ? `compensation-${after.n}` : '',
        limit,
      )
      .map((record) => ({
        orderId: record.OrderId,
        n: record.N,
        amount: { amountMinor: record.AmountMinor, currency: record.Currency },
        sinceUtc: record.RequestedAtUtc,
      })),
  undecided: ({ requestedBeforeUtc, after, limit }) =>
    connection
      .all<RefundRecord>(
        refundClaimSql.undecided,
        requestedBeforeUtc,
        after?.requestedAtUtc ?? '',
        after?.orderId ?? '',
        after?.refundId ?? '',
        limit,
      )
      .map(refundOf),
});
