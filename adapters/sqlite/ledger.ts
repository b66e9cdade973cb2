import type { AuditRow } from '../../domain/audit.ts';
import type { OrderId } from '../../domain/ids.ts';
import type { Currency } from '../../domain/money.ts';
import type { OrderStatus, SagaState } from '../../domain/order.ts';
import type { OrderLedger } from '../../ports/store/money.ts';
import type { Connection } from './connection.ts';
import { createPayments } from './payments.ts';
import { createDisputes, createRefunds } from './refunds.ts';
import { createShipments } from './shipments.ts';

/** For the invariant checker, not per order: the lists over all orders read whole tables. */
export const ledgerSql = {
  order: `SELECT OrderId, Status, SagaState, TotalMinor, Currency FROM Orders WHERE OrderId = ?`,
  orders: `SELECT OrderId, Status, SagaState, TotalMinor, Currency FROM Orders ORDER BY OrderId`,
  fulfillment: `SELECT State FROM Fulfillments WHERE OrderId = ?`,
  units: `SELECT State, SUM(Quantity) AS Units FROM Reservations WHERE OrderId = ? GROUP BY State`,
  events: `SELECT Type FROM OutboxMessages WHERE OrderId = ? AND Sequence > 0 ORDER BY Sequence`,
  unpublished: `SELECT OrderId, COUNT(*) AS Messages FROM OutboxMessages WHERE PublishedAtUtc IS NULL GROUP BY OrderId`,
};

interface LedgerRecord {
  OrderId: OrderId;
  Status: OrderStatus;
  SagaState: SagaState;
  TotalMinor: number | null;
  Currency: Currency;
}

export function createLedger(connection: Connection) {
  const payments = createPayments(connection);
  const refunds = createRefunds(connection);
  const disputes = createDisputes(connection);
  const shipments = createShipments(connection);
  const unitsOf = (id: OrderId): Record<string, number> =>
    Object.fromEntries(
      connection
        .all<{ State: string; Units: number }>(ledgerSql.units, id)
        .map(({ State, Units }) => [State, Units]),
    );
  const entry = (record: LedgerRecord, audit: readonly AuditRow[], unpublished: number): OrderLedger => {
    const { OrderId: orderId } = record;
    const units = unitsOf(orderId);
    const fulfillment = connection.get<{ State: 'open' | 'cancelled' }>(ledgerSql.fulfillment, orderId);
    return {
      orderId,
      status: record.Status,
      sagaState: record.SagaState,
      total:
        record.TotalMinor === null
          ? undefined
          : { amountMinor: record.TotalMinor, currency: record.Currency },
      payments: payments.list(orderId),
      refunds: refunds.list(orderId),
      disputes: disputes.list(orderId),
      shipments: shipments.list(orderId),
      fulfillment: fulfillment?.State ?? 'none',
      reservedUnits: units['reserved'] ?? 0,
      consumedUnits: units['consumed'] ?? 0,
      eventTypes: connection.all<{ Type: string }>(ledgerSql.events, orderId).map(({ Type }) => Type),
      auditTransitions: audit.map(({ from, to }) => ({ from, to })),
      unpublished,
    };
  };
  return (id: OrderId | undefined, auditOf: (id: OrderId) => AuditRow[]): OrderLedger[] => {
    const records = id
      ? connection.all<LedgerRecord>(ledgerSql.order, id)
      : connection.all<LedgerRecord>(ledgerSql.orders);
    const unpublished = new Map(
      connection
        .all<{ OrderId: OrderId; Messages: number }>(ledgerSql.unpublished)
        .map(({ OrderId, Messages }) => [OrderId, Messages]),
    );
    return records.map((record) =>
      entry(record, auditOf(record.OrderId), unpublished.get(record.OrderId) ?? 0),
    );
  };
}
