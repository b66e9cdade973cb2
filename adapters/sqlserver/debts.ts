import type { OrderId } from '../../domain/ids.ts';
import type { Currency } from '../../domain/money.ts';
import type { DebtReads } from '../../ports/refunds.ts';
import { refundColumns, refundOf } from './refunds.ts';
import { statements, type Session } from './statement.ts';
import { isoOf, numberOf } from './values.ts';

/** As the SQLite adapter's `owesCondition`; enters by PK_Refunds, PK_Disputes and PK_Payments. */
export const owesCondition = (order: string): string => `(
          EXISTS (
            SELECT 1 FROM dbo.Refunds AS Waiting
            WHERE Waiting.OrderId = ${order}.OrderId AND Waiting.State IN ('owed', 'requested', 'pending')
          )
          OR (
            NOT EXISTS (
              SELECT 1 FROM dbo.Disputes AS Lost WHERE Lost.OrderId = ${order}.OrderId AND Lost.State = 'lost'
            )
            AND (
              EXISTS (
                SELECT 1 FROM dbo.Refunds AS Failed
                WHERE Failed.OrderId = ${order}.OrderId AND Failed.State = 'failed' AND NOT EXISTS (
                  SELECT 1 FROM dbo.Refunds AS Good
                  WHERE Good.OrderId = Failed.OrderId AND Good.State IN ('refunded', 'paid_otherwise')
                    AND Good.RequestedAtUtc >= COALESCE(Failed.SettledAtUtc, Failed.RequestedAtUtc)
                )
              )
              OR (
                ${order}.Status IN ('cancelled', 'failed') AND EXISTS (
                  SELECT 1 FROM dbo.Payments AS Kept
                  WHERE Kept.OrderId = ${order}.OrderId AND Kept.State = 'charged'
                )
              )
            )
          )
        )`;

export const debtSql = statements('debts', {
  debts: {
    index: 'IX_Refunds_Undecided, PK_Refunds',
    text: () => `SELECT TOP (@Limit) OrderId, N, AmountMinor, Currency, RequestedAtUtc FROM dbo.Refunds
      WHERE State IN ('owed', 'requested', 'pending') AND State = 'owed' AND RequestedAtUtc >= @AfterUtc
        AND (RequestedAtUtc > @AfterUtc OR OrderId > @OrderId OR (OrderId = @OrderId AND RefundId > @RefundId))
      ORDER BY RequestedAtUtc, OrderId, RefundId`,
  },
});

/** For the sweep, which reads as many as wait. */
export const refundClaimSql = statements('refundClaims', {
  undecided: {
    index: 'IX_Refunds_Undecided, PK_Refunds',
    text: () => `SELECT TOP (@Limit) ${refundColumns} FROM dbo.Refunds
      WHERE State IN ('owed', 'requested', 'pending') AND State <> 'owed' AND Fingerprint <> ''
        AND RequestedAtUtc < @RequestedBeforeUtc AND RequestedAtUtc >= @AfterUtc
        AND (RequestedAtUtc > @AfterUtc OR OrderId > @OrderId OR (OrderId = @OrderId AND RefundId > @RefundId))
      ORDER BY RequestedAtUtc, OrderId, RefundId`,
  },
});

export const createDebtReads = (session: Session): DebtReads => ({
  async list({ after, limit }) {
    const rows = await session.rows(debtSql.debts, {
      AfterUtc: after?.sinceUtc ?? '1970-01-01T00:00:00.000Z',
      OrderId: after?.orderId ?? '',
      RefundId: after ? `compensation-${after.n}` : '',
      Limit: limit,
    });
    return rows.map((row) => ({
      orderId: row['OrderId'] as OrderId,
      n: numberOf(row['N']),
      amount: { amountMinor: numberOf(row['AmountMinor']), currency: row['Currency'] as Currency },
      sinceUtc: isoOf(row['RequestedAtUtc']),
    }));
  },
  async undecided({ requestedBeforeUtc, after, limit }) {
    const rows = await session.rows(refundClaimSql.undecided, {
      RequestedBeforeUtc: requestedBeforeUtc,
      AfterUtc: after?.requestedAtUtc ?? '1970-01-01T00:00:00.000Z',
      OrderId: after?.orderId ?? '',
      RefundId: after?.refundId ?? '',
      Limit: limit,
    });
    return rows.map(refundOf);
  },
});
