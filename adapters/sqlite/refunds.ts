import type { OrderId } from '../../domain/ids.ts';
import type { Currency } from '../../domain/money.ts';
import type { Dispute, DisputeState, RefundState } from '../../domain/refunds.ts';
import type { DisputeStatements, RefundRow, RefundStatements } from '../../ports/refunds.ts';
import type { Connection } from './connection.ts';
import type { Synchronous } from './statements.ts';

export const refundColumns = `OrderId, RefundId, N, State, AmountMinor, Currency, ProviderRefundId, KeyNumber, Fingerprint, Actor,
      Reason, Failure, RequestedAtUtc, SettledAtUtc`;
const disputeColumns =
  'OrderId, DisputeId, N, State, AmountMinor, Currency, Reason, OpenedAtUtc, UpdatedAtUtc, DueByUtc';

/* An order has few of them: they are put in order of time by the reader. */
export const refundSql = {
  list: `SELECT ${refundColumns} FROM Refunds WHERE OrderId = ?`,
  put: `INSERT INTO Refunds (${refundColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (OrderId, RefundId) DO UPDATE SET N = excluded.N, State = excluded.State,
      AmountMinor = excluded.AmountMinor, Currency = excluded.Currency, ProviderRefundId = excluded.ProviderRefundId,
      KeyNumber = excluded.KeyNumber, Fingerprint = excluded.Fingerprint, Actor = excluded.Actor,
      Reason = excluded.Reason, Failure = excluded.Failure, RequestedAtUtc = excluded.RequestedAtUtc,
      SettledAtUtc = excluded.SettledAtUtc`,
  disputes: `SELECT ${disputeColumns} FROM Disputes WHERE OrderId = ?`,
  putDispute: `INSERT INTO Disputes (${disputeColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (OrderId, DisputeId) DO UPDATE SET N = excluded.N, State = excluded.State,
      AmountMinor = excluded.AmountMinor, Currency = excluded.Currency, Reason = excluded.Reason,
      OpenedAtUtc = excluded.OpenedAtUtc, UpdatedAtUtc = excluded.UpdatedAtUtc, DueByUtc = excluded.DueByUtc`,
};

export interface RefundRecord {
  OrderId: OrderId;
  RefundId: string;
  N: number;
  State: RefundState;
  AmountMinor: number;
  Currency: Currency;
  ProviderRefundId: string | null;
  KeyNumber: number;
  Fingerprint: string;
  Actor: string;
  Reason: string;
  Failure: string | null;
  RequestedAtUtc: string;
  SettledAtUtc: string | null;
}

interface DisputeRecord {
  OrderId: OrderId;
  DisputeId: string;
  N: number;
  State: DisputeState;
  AmountMinor: number;
  Currency: Currency;
  Reason: string;
  OpenedAtUtc: string;
  UpdatedAtUtc: string;
  DueByUtc: string | null;
}

export const createRefunds = (connection: Connection): Synchronous<RefundStatements> => ({
  list: (orderId) =>
    connection
      .all<RefundRecord>(refundSql.list, orderId)
      .map(refundOf)
      .sort((a, b) => (a.requestedAtUtc < b.requestedAtUtc ? -1 : 1)),
  put(row) {
    connection.run(
      refundSql.put,
      row.orderId,
      row.refundId,
      row.n,
      row.state,
      row.amount.amountMinor,
      row.amount.currency,
      row.providerRefundId ?? null,
      row.keyNumber,
      row.fingerprint,
      row.actor,
      row.reason,
      row.failure ?? null,
      row.requestedAtUtc,
      row.settledAtUtc ?? null,
    );
  },
});

export const createDisputes = (connection: Connection): Synchronous<DisputeStatements> => ({
  list: (orderId) =>
    connection
      .all<DisputeRecord>(refundSql.disputes, orderId)
      .map(disputeOf)
      .sort((a, b) => (a.openedAtUtc < b.openedAtUtc ? -1 : 1)),
  put(row) {
    connection.run(
      refundSql.putDispute,
      row.orderId,
      row.disputeId,
      row.n,
      row.state,
      row.amount.amountMinor,
      row.amount.currency,
      row.reason,
      row.openedAtUtc,
      row.updatedAtUtc,
      row.dueByUtc ?? null,
    );
  },
});

export const refundOf = (record: RefundRecord): RefundRow => ({
  orderId: record.OrderId,
  refundId: record.RefundId,
  n: record.N,
  state: record.State,
  amount: { amountMinor: record.AmountMinor, currency: record.Currency },
  ...(record.ProviderRefundId !== null && { providerRefundId: record.ProviderRefundId }),
  keyNumber: record.KeyNumber,
  fingerprint: record.Fingerprint,
  actor: record.Actor,
  reason: record.Reason,
  ...(record.Failure !== null && { failure: record.Failure }),
  requestedAtUtc: record.RequestedAtUtc,
  ...(record.SettledAtUtc !== null && { settledAtUtc: record.SettledAtUtc }),
});

const disputeOf = (record: DisputeRecord): Dispute => ({
  orderId: record.OrderId,
  disputeId: record.DisputeId,
  n: record.N,
  state: record.State,
  amount: { amountMinor: record.AmountMinor, currency: record.Currency },
  reason: record.Reason,
  openedAtUtc: record.OpenedAtUtc,
  updatedAtUtc: record.UpdatedAtUtc,
  ...(record.DueByUtc !== null && { dueByUtc: record.DueByUtc }),
});
