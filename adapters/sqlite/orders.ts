import type { CustomerId, OrderId, ProductId } from '../../domain/ids.ts';
import type { Currency } from '../../domain/money.ts';
import type { EndStatus, OrderLine, OrderStatus, SagaState, StepName } from '../../domain/order.ts';
import type { ParcelItem } from '../../domain/parcel.ts';
import type { NewOrder, OrderRow, OrderStatements } from '../../ports/store/orders.ts';
import type { Connection } from './connection.ts';
import type { Synchronous } from './statements.ts';

export const orderSql = {
  insert: `INSERT INTO Orders (OrderId, CallerId, CustomerId, CustomerEmail, Currency, Items, TotalMinor, PaymentMethodId,
      ShippingAddress, WorkflowId, RunId, TraceId, Fingerprint, Parcel, Status, SagaState, Step, Detail, CreatedAtUtc, UpdatedAtUtc)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'received', 'running', 'receive', '{}', ?, ?)
    ON CONFLICT (OrderId) DO NOTHING`,
  insertLine: `INSERT INTO OrderLines (OrderId, LineNumber, Kind, ProductId, Quantity, AmountMinor) VALUES (?, ?, ?, ?, ?, ?)`,
  find: `SELECT OrderId, CallerId, CustomerId, CustomerEmail, Currency, Items, TotalMinor, PaymentMethodId, ShippingAddress,
      WorkflowId, RunId, TraceId, Fingerprint, Parcel, Status, SagaState, Step, Detail, CreatedAtUtc, UpdatedAtUtc
    FROM Orders WHERE OrderId = ?`,
  purged: `SELECT Status FROM PurgedOrders WHERE OrderId = ?`,
  lines: `SELECT Kind, ProductId, Quantity, AmountMinor FROM OrderLines WHERE OrderId = ? ORDER BY LineNumber`,
  update: `UPDATE Orders SET Status = COALESCE(?, Status), SagaState = COALESCE(?, SagaState), Step = COALESCE(?, Step),
      Detail = COALESCE(?, Detail), ShippingAddress = COALESCE(?, ShippingAddress),
      CustomerEmail = COALESCE(?, CustomerEmail), PaymentMethodId = COALESCE(?, PaymentMethodId),
      Fingerprint = COALESCE(?, Fingerprint), UpdatedAtUtc = ?
    WHERE OrderId = ?`,
  lastEvent: `SELECT EventSequence, LastEventId FROM Orders WHERE OrderId = ?`,
  nextEvent: `UPDATE Orders SET EventSequence = ?, LastEventId = ? WHERE OrderId = ?`,
};

export interface OrderRecord {
  OrderId: OrderId;
  CallerId: string;
  CustomerId: CustomerId;
  CustomerEmail: string;
  Currency: Currency;
  Items: string;
  TotalMinor: number | null;
  PaymentMethodId: string;
  ShippingAddress: string;
  WorkflowId: string;
  RunId: string;
  TraceId: string;
  Fingerprint: string | null;
  Parcel: string | null;
  Status: OrderStatus;
  SagaState: SagaState;
  Step: StepName;
  Detail: string;
  CreatedAtUtc: string;
  UpdatedAtUtc: string;
}

interface LineRecord {
  Kind: OrderLine['kind'];
  ProductId: ProductId | null;
  Quantity: number | null;
  AmountMinor: number;
}

export function createOrders(connection: Connection): Synchronous<OrderStatements> {
  return {
    insert(order) {
      if (connection.run(orderSql.insert, ...orderValues(order)) === 0) return false;
      order.lines.forEach((line, index) => insertLine(connection, order.orderId, line, index + 1));
      return true;
    },
    find(id) {
      const record = connection.get<OrderRecord>(orderSql.find, id);
      return record && orderOf(record, connection.all<LineRecord>(orderSql.lines, id));
    },
    purged: (id) => connection.get<{ Status: EndStatus }>(orderSql.purged, id)?.Status,
    update({ orderId, detail, shippingAddress, ...change }) {
      const changed = connection.run(
        orderSql.update,
        change.status ?? null,
        change.sagaState ?? null,
        change.step ?? null,
        detail ? JSON.stringify(detail) : null,
        shippingAddress ? JSON.stringify(shippingAddress) : null,
        change.customerEmail ?? null,
        change.paymentMethodId ?? null,
        change.fingerprint ?? null,
        change.updatedAtUtc,
        orderId,
      );
      if (changed === 0)
        throw new Error(`Order ${orderId} cannot be updated: it is not in Orders; insert it first`);
    },
    nextEvent({ orderId, eventId }) {
      const last = connection.get<{ EventSequence: number; LastEventId: string | null }>(
        orderSql.lastEvent,
        orderId,
      );
      if (!last)
        throw new Error(`Order ${orderId} cannot have an event: it is not in Orders; insert it first`);
      const sequence = last.EventSequence + 1;
      connection.run(orderSql.nextEvent, sequence, eventId, orderId);
      return { sequence, previousEventId: last.LastEventId ?? undefined };
    },
  };
}

function orderValues(order: NewOrder) {
  if (order.total && order.total.currency !== order.currency) {
    throw new Error(
      `Order ${order.orderId} is in ${order.currency}, its total came in ${order.total.currency}`,
    );
  }
  return [
    order.orderId,
    order.callerId,
    order.customerId,
    order.customerEmail,
    order.currency,
    JSON.stringify(order.items),
    order.total?.amountMinor ?? null,
    order.paymentMethodId,
    JSON.stringify(order.shippingAddress),
    order.workflowId,
    order.runId,
    order.traceId,
    order.fingerprint ?? null,
    order.parcel ? JSON.stringify(order.parcel) : null,
    order.createdAtUtc,
    order.createdAtUtc,
  ];
}

function insertLine(connection: Connection, orderId: OrderId, line: OrderLine, lineNumber: number): void {
  const { kind, productId = null, quantity = null, amountMinor } = line;
  connection.run(orderSql.insertLine, orderId, lineNumber, kind, productId, quantity, amountMinor);
}

export const orderOf = (record: OrderRecord, lines: LineRecord[]): OrderRow => ({
  orderId: record.OrderId,
  callerId: record.CallerId,
  customerId: record.CustomerId,
  customerEmail: record.CustomerEmail,
  currency: record.Currency,
  items: JSON.parse(record.Items) as OrderRow['items'],
  lines: lines.map(lineOf),
  ...(record.TotalMinor !== null && { total: { amountMinor: record.TotalMinor, currency: record.Currency } }),
  paymentMethodId: record.PaymentMethodId,
  shippingAddress: JSON.parse(record.ShippingAddress) as OrderRow['shippingAddress'],
  workflowId: record.WorkflowId,
  runId: record.RunId,
  traceId: record.TraceId,
  ...(record.Fingerprint !== null && { fingerprint: record.Fingerprint }),
  ...(record.Parcel !== null && { parcel: JSON.parse(record.Parcel) as ParcelItem[] }),
  status: record.Status,
  sagaState: record.SagaState,
  step: record.Step,
  detail: JSON.parse(record.Detail) as OrderRow['detail'],
  createdAtUtc: record.CreatedAtUtc,
  updatedAtUtc: record.UpdatedAtUtc,
});

const lineOf = (line: LineRecord): OrderLine => ({
  kind: line.Kind,
  ...(line.ProductId !== null && { productId: line.ProductId }),
  ...(line.Quantity !== null && { quantity: line.Quantity }),
  amountMinor: line.AmountMinor,
});
