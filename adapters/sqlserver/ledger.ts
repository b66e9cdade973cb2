import { orderSubject } from '../../domain/audit.ts';
import type { OrderId } from '../../domain/ids.ts';
import type { OrderStatus, SagaState } from '../../domain/order.ts';
import type { OrderLedger } from '../../ports/store/money.ts';
import { totalOf } from './orders.ts';
import { paymentColumns, paymentOf } from './payments.ts';
import { disputeColumns, disputeOf, refundColumns, refundOf } from './refunds.ts';
import { shipmentOf } from './shipments.ts';
import { statements, type Row, type Session, type Statement } from './statement.ts';
import { numberOf } from './values.ts';

const shipmentColumns = `OrderId, N, State, ProviderShipmentId, RateId, Carrier, Service, TrackingCode, LabelUrl,
        LabelCostAmount, LabelCostCurrency`;

/** For the invariant checker, not per order: each list is read whole for all orders, or for one. */
const lists = (one: boolean) => {
  const index = (entry: string) => (one ? entry : `scan of ${entry}`);
  const where = one ? 'WHERE OrderId = @OrderId' : '';
  const and = one ? 'AND OrderId = @OrderId' : '';
  return {
    orders: {
      index: index('PK_Orders'),
      text: () =>
        `SELECT OrderId, Status, SagaState, TotalMinor, Currency FROM dbo.Orders ${where} ORDER BY OrderId`,
    },
    payments: {
      index: index('PK_Payments'),
      text: () => `SELECT ${paymentColumns} FROM dbo.Payments ${where} ORDER BY OrderId, N`,
    },
    refunds: {
      index: index('PK_Refunds'),
      text: () =>
        `SELECT ${refundColumns} FROM dbo.Refunds ${where} ORDER BY OrderId, RequestedAtUtc, RefundId`,
    },
    disputes: {
      index: index('PK_Disputes'),
      text: () =>
        `SELECT ${disputeColumns} FROM dbo.Disputes ${where} ORDER BY OrderId, OpenedAtUtc, DisputeId`,
    },
    shipments: {
      index: index('PK_Shipments'),
      text: () => `SELECT ${shipmentColumns} FROM dbo.Shipments ${where} ORDER BY OrderId, N`,
    },
    fulfillments: {
      index: index('PK_Fulfillments'),
      text: () => `SELECT OrderId, State FROM dbo.Fulfillments ${where}`,
    },
    units: {
      index: index('PK_Reservations'),
      text: () =>
        `SELECT OrderId, State, SUM(Quantity) AS Units FROM dbo.Reservations ${where} GROUP BY OrderId, State`,
    },
    events: {
      index: index('UX_OutboxMessages_Event'),
      text: () =>
        `SELECT OrderId, Type FROM dbo.OutboxMessages WHERE Sequence > 0 ${and} ORDER BY OrderId, Sequence`,
    },
    unpublished: {
      index: 'scan of PK_OutboxMessages',
      text: () =>
        `SELECT OrderId, COUNT(*) AS Messages FROM dbo.OutboxMessages WHERE PublishedAtUtc IS NULL ${and} GROUP BY OrderId`,
    },
    audit: {
      index: index('PK_AuditLog'),
      text: () =>
        `SELECT Subject, FromState, ToState FROM dbo.AuditLog ${one ? 'WHERE Subject = @Subject' : ''} ORDER BY Subject, Seq`,
    },
  };
};

export const ledgerSql = statements('ledger', lists(false));
export const orderLedgerSql = statements('orderLedger', lists(true));

/** The lists are read one after another, so what is written meanwhile may be in one and not in another. */
export async function readLedger(session: Session, id: OrderId | undefined): Promise<OrderLedger[]> {
  const sql = id ? orderLedgerSql : ledgerSql;
  const ofOrder = id ? { OrderId: id } : {};
  const byOrder = async (statement: Statement) => groupBy(await session.rows(statement, ofOrder), 'OrderId');
  const orders = await session.rows(sql.orders, ofOrder);
  const payments = await byOrder(sql.payments);
  const refunds = await byOrder(sql.refunds);
  const disputes = await byOrder(sql.disputes);
  const shipments = await byOrder(sql.shipments);
  const fulfillments = await byOrder(sql.fulfillments);
  const units = await byOrder(sql.units);
  const events = await byOrder(sql.events);
  const unpublished = await byOrder(sql.unpublished);
  const ofSubject = id ? { Subject: orderSubject(id) } : {};
  const audit = groupBy(await session.rows(sql.audit, ofSubject), 'Subject');
  return orders.map((order) => {
    const orderId = order['OrderId'] as OrderId;
    const of = (list: Map<string, Row[]>): Row[] => list.get(orderId) ?? [];
    const unitsOf = (state: string): number =>
      numberOf(of(units).find((row) => row['State'] === state)?.['Units'] ?? 0);
    return {
      orderId,
      status: order['Status'] as OrderStatus,
      sagaState: order['SagaState'] as SagaState,
      total: totalOf(order).total,
      payments: of(payments).map(paymentOf),
      refunds: of(refunds).map(refundOf),
      disputes: of(disputes).map(disputeOf),
      shipments: of(shipments).map(shipmentOf),
      fulfillment: (of(fulfillments)[0]?.['State'] as 'open' | 'cancelled' | undefined) ?? 'none',
      reservedUnits: unitsOf('reserved'),
      consumedUnits: unitsOf('consumed'),
      eventTypes: of(events).map((row) => row['Type'] as string),
      auditTransitions: (audit.get(orderSubject(orderId)) ?? []).map((row) => ({
        from: row['FromState'] as string,
        to: row['ToState'] as string,
      })),
      unpublished: numberOf(of(unpublished)[0]?.['Messages'] ?? 0),
    };
  });
}

function groupBy(rows: readonly Row[], column: string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = row[column] as string;
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}
