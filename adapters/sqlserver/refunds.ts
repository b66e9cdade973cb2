import type { OrderId } from '../../domain/ids.ts';
import type { Currency } from '../../domain/money.ts';
import type { Dispute, DisputeState, RefundState } from '../../domain/refunds.ts';
import type { DisputeStatements, RefundRow, RefundStatements } from '../../ports/refunds.ts';
import { upsert } from './insert-or-update.ts';
import { statements, type Row, type Session } from './statement.ts';
import { isoOf, isoOrAbsent, numberOf, present } from './values.ts';

export const refundColumns = `OrderId, RefundId, N, State, AmountMinor, Currency, ProviderRefundId, KeyNumber, Fingerprint,
        Actor, Reason, Failure, RequestedAtUtc, SettledAtUtc`;
export const disputeColumns =
  'OrderId, DisputeId, N, State, AmountMinor, Currency, Reason, OpenedAtUtc, UpdatedAtUtc, DueByUtc';
const parameters = (columns: string): string => columns.replaceAll(/(\w+)/g, '@$1');

export const refundSql = statements('refunds', {
  list: {
    index: 'PK_Refunds',
    text: () =>
      `SELECT ${refundColumns} FROM dbo.Refunds WHERE OrderId = @OrderId ORDER BY RequestedAtUtc, RefundId`,
  },
  put: {
    index: 'PK_Refunds',
    text: () => `UPDATE dbo.Refunds SET N = @N, State = @State, AmountMinor = @AmountMinor, Currency = @Currency,
        ProviderRefundId = @ProviderRefundId, KeyNumber = @KeyNumber, Fingerprint = @Fingerprint, Actor = @Actor,
        Reason = @Reason, Failure = @Failure, RequestedAtUtc = @RequestedAtUtc, SettledAtUtc = @SettledAtUtc
      WHERE OrderId = @OrderId AND RefundId = @RefundId;
      IF @@ROWCOUNT = 0
        INSERT INTO dbo.Refunds (${refundColumns})
        SELECT ${parameters(refundColumns)}
        WHERE NOT EXISTS (SELECT 1 FROM dbo.Refunds WHERE OrderId = @OrderId AND RefundId = @RefundId)`,
  },
  disputes: {
    index: 'PK_Disputes',
    text: () =>
      `SELECT ${disputeColumns} FROM dbo.Disputes WHERE OrderId = @OrderId ORDER BY OpenedAtUtc, DisputeId`,
  },
  putDispute: {
    index: 'PK_Disputes',
    text: () => `UPDATE dbo.Disputes SET N = @N, State = @State, AmountMinor = @AmountMinor, Currency = @Currency,
        Reason = @Reason, OpenedAtUtc = @OpenedAtUtc, UpdatedAtUtc = @UpdatedAtUtc,
        DueByUtc = @DueByUtc
      WHERE OrderId = @OrderId AND DisputeId = @DisputeId;
      IF @@ROWCOUNT = 0
        INSERT INTO dbo.Disputes (${disputeColumns})
        SELECT ${parameters(disputeColumns)}
        WHERE NOT EXISTS (SELECT 1 FROM dbo.Disputes WHERE OrderId = @OrderId AND DisputeId = @DisputeId)`,
  },
});

export const createRefunds = (session: Session): RefundStatements => ({
  list: async (orderId) => (await session.rows(refundSql.list, { OrderId: orderId })).map(refundOf),
  async put(row) {
    const values = {
      OrderId: row.orderId,
      RefundId: row.refundId,
      N: row.n,
      State: row.state,
      AmountMinor: row.amount.amountMinor,
      Currency: row.amount.currency,
      ProviderRefundId: row.providerRefundId ?? null,
      KeyNumber: row.keyNumber,
      Fingerprint: row.fingerprint,
      Actor: row.actor,
      Reason: row.reason,
      Failure: row.failure ?? null,
      RequestedAtUtc: row.requestedAtUtc,
      SettledAtUtc: row.settledAtUtc ?? null,
    };
    await upsert(() => session.rows(refundSql.put, values));
  },
});

export const createDisputes = (session: Session): DisputeStatements => ({
  list: async (orderId) => (await session.rows(refundSql.disputes, { OrderId: orderId })).map(disputeOf),
  async put(row) {
    const values = {
      OrderId: row.orderId,
      DisputeId: row.disputeId,
      N: row.n,
      State: row.state,
      AmountMinor: row.amount.amountMinor,
      Currency: row.amount.currency,
      Reason: row.reason,
      OpenedAtUtc: row.openedAtUtc,
      UpdatedAtUtc: row.updatedAtUtc,
      DueByUtc: row.dueByUtc ?? null,
    };
    await upsert(() => session.rows(refundSql.putDispute, values));
  },
});

export const refundOf = (row: Row): RefundRow => ({
  orderId: row['OrderId'] as OrderId,
  refundId: row['RefundId'] as string,
  n: numberOf(row['N']),
  state: row['State'] as RefundState,
  amount: amountOf(row),
  ...present('providerRefundId', row['ProviderRefundId'] as string | null),
  keyNumber: numberOf(row['KeyNumber']),
  fingerprint: row['Fingerprint'] as string,
  actor: row['Actor'] as string,
  reason: row['Reason'] as string,
  ...present('failure', row['Failure'] as string | null),
  requestedAtUtc: isoOf(row['RequestedAtUtc']),
  ...present('settledAtUtc', isoOrAbsent(row['SettledAtUtc']) ?? null),
});

export const disputeOf = (row: Row): Dispute => ({
  orderId: row['OrderId'] as OrderId,
  disputeId: row['DisputeId'] as string,
  n: numberOf(row['N']),
  state: row['State'] as DisputeState,
  amount: amountOf(row),
  reason: row['Reason'] as string,
  openedAtUtc: isoOf(row['OpenedAtUtc']),
  updatedAtUtc: isoOf(row['UpdatedAtUtc']),
  ...present('dueByUtc', isoOrAbsent(row['DueByUtc']) ?? null),
});

const amountOf = (row: Row) => ({
  amountMinor: numberOf(row['AmountMinor']),
  currency: row['Currency'] as Currency,
});
