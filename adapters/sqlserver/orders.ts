import type { CustomerId, OrderId, ProductId } from '../../domain/ids.ts';
import type { Currency, Money } from '../../domain/money.ts';
import type { EndStatus, OrderLine, OrderStatus, SagaState, StepName } from '../../domain/order.ts';
import type { ParcelItem } from '../../domain/parcel.ts';
import type { NewOrder, OrderRow, OrderStatements } from '../../ports/store/orders.ts';
import { inserts } from './insert-or-update.ts';
import type { StatementValues } from './parameter-types.ts';
import { forEachRow, sendRows, statements, type Row, type Session } from './statement.ts';
import { isoOf, numberOf } from './values.ts';

const columns = [
  'OrderId',
  'CallerId',
  'CustomerId',
  'CustomerEmail',
  'Currency',
  'Items',
  'TotalMinor',
  'PaymentMethodId',
  'ShippingAddress',
  'WorkflowId',
  'RunId',
  'TraceId',
  'Fingerprint',
  'Parcel',
  'Status',
  'SagaState',
  'Step',
  'Detail',
  'CreatedAtUtc',
  'UpdatedAtUtc',
] as const;

export const orderSql = statements('orders', {
  insert: {
    index: 'PK_Orders',
    text: () => `INSERT INTO dbo.Orders (${columns.join(', ')})
      OUTPUT inserted.OrderId
      SELECT @OrderId, @CallerId, @CustomerId, @CustomerEmail, @Currency, @Items, @TotalMinor, @PaymentMethodId,
        @ShippingAddress, @WorkflowId, @RunId, @TraceId, @Fingerprint, @Parcel, 'received', 'running', 'receive', N'{}',
        @CreatedAtUtc, @CreatedAtUtc
      WHERE NOT EXISTS (SELECT 1 FROM dbo.Orders WHERE OrderId = @OrderId)`,
  },
  insertLines: {
    index: 'PK_OrderLines',
    text: (
      _,
      rows,
    ) => `INSERT INTO dbo.OrderLines (OrderId, LineNumber, Kind, ProductId, Quantity, AmountMinor)
      SELECT @OrderId, LineNumber, Kind, ProductId, Quantity, AmountMinor
      FROM (VALUES ${forEachRow(
        rows,
        ', ',
        (row) =>
          `(@LineNumber_${row}, @Kind_${row}, @ProductId_${row}, @Quantity_${row}, @AmountMinor_${row})`,
      )}) AS Line (LineNumber, Kind, ProductId, Quantity, AmountMinor)
      WHERE LineNumber IS NOT NULL`,
  },
  /* The locked row and its lines, in one round trip: what every step begins with. */
  find: {
    index: 'PK_Orders, PK_OrderLines',
    text: (hints) => `${hints.lockingRead({
      table: 'dbo.Orders',
      columns,
      touch: 'EventSequence',
      where: 'OrderId = @OrderId',
    })};
      SELECT Kind, ProductId, Quantity, AmountMinor FROM dbo.OrderLines WHERE OrderId = @OrderId ORDER BY LineNumber`,
  },
  read: {
    index: 'PK_Orders',
    text: () => `SELECT ${columns.join(', ')} FROM dbo.Orders WHERE OrderId = @OrderId`,
  },
  purged: {
    index: 'PK_PurgedOrders',
    text: () => 'SELECT Status FROM dbo.PurgedOrders WHERE OrderId = @OrderId',
  },
  update: {
    index: 'PK_Orders',
    text: () => `UPDATE dbo.Orders SET Status = COALESCE(@Status, Status),
        SagaState = COALESCE(@SagaState, SagaState), Step = COALESCE(@Step, Step), Detail = COALESCE(@Detail, Detail),
        ShippingAddress = COALESCE(@ShippingAddress, ShippingAddress),
        CustomerEmail = COALESCE(@CustomerEmail, CustomerEmail),
        PaymentMethodId = COALESCE(@PaymentMethodId, PaymentMethodId),
        Fingerprint = COALESCE(@Fingerprint, Fingerprint), UpdatedAtUtc = @UpdatedAtUtc
      OUTPUT inserted.OrderId
      WHERE OrderId = @OrderId`,
  },
  nextEvent: {
    index: 'PK_Orders',
    text: () => `UPDATE dbo.Orders SET EventSequence = EventSequence + 1, PreviousEventId = LastEventId,
        LastEventId = @LastEventId
      WHERE OrderId = @OrderId;
      SELECT EventSequence, PreviousEventId FROM dbo.Orders WHERE OrderId = @OrderId`,
  },
});

export function createOrders(session: Session): OrderStatements {
  return {
    async insert(order) {
      const values = orderValues(order);
      if (!(await inserts(() => session.rows(orderSql.insert, values)))) return false;
      if (order.lines.length > 0) await insertLines(session, order);
      return true;
    },
    async find(id) {
      const [[row] = [], lines = []] = await session.results(orderSql.find, { OrderId: id });
      return row && orderOf(row, lines);
    },
    async purged(id) {
      const [row] = await session.rows(orderSql.purged, { OrderId: id });
      return row?.['Status'] as EndStatus | undefined;
    },
    async update({ orderId, detail, shippingAddress, ...change }) {
      const changed = await session.rows(orderSql.update, {
        OrderId: orderId,
        Status: change.status ?? null,
        SagaState: change.sagaState ?? null,
        Step: change.step ?? null,
        Detail: detail ? JSON.stringify(detail) : null,
        ShippingAddress: shippingAddress ? JSON.stringify(shippingAddress) : null,
        CustomerEmail: change.customerEmail ?? null,
        PaymentMethodId: change.paymentMethodId ?? null,
        Fingerprint: change.fingerprint ?? null,
        UpdatedAtUtc: change.updatedAtUtc,
      });
      if (changed.length === 0)
        throw new Error(`Order ${orderId} cannot be updated: it is not in Orders; insert it first`);
    },
    async nextEvent({ orderId, eventId }) {
      const [row] = await session.rows(orderSql.nextEvent, { OrderId: orderId, LastEventId: eventId });
      if (!row)
        throw new Error(`Order ${orderId} cannot have an event: it is not in Orders; insert it first`);
      return {
        sequence: numberOf(row['EventSequence']),
        previousEventId: (row['PreviousEventId'] as string | null) ?? undefined,
      };
    },
  };
}

function orderValues(order: NewOrder): StatementValues {
  if (order.total && order.total.currency !== order.currency) {
    throw new Error(
      `Order ${order.orderId} is in ${order.currency}, its total came in ${order.total.currency}`,
    );
  }
  return {
    OrderId: order.orderId,
    CallerId: order.callerId,
    CustomerId: order.customerId,
    CustomerEmail: order.customerEmail,
    Currency: order.currency,
    Items: JSON.stringify(order.items),
    TotalMinor: order.total?.amountMinor ?? null,
    PaymentMethodId: order.paymentMethodId,
    ShippingAddress: JSON.stringify(order.shippingAddress),
    WorkflowId: order.workflowId,
    RunId: order.runId,
    TraceId: order.traceId,
    Fingerprint: order.fingerprint ?? null,
    Parcel: order.parcel ? JSON.stringify(order.parcel) : null,
    CreatedAtUtc: order.createdAtUtc,
  };
}

async function insertLines(session: Session, { orderId, lines }: NewOrder): Promise<void> {
  const rows = lines.map((line, index) => ({
    LineNumber: index + 1,
    Kind: line.kind,
    ProductId: line.productId ?? null,
    Quantity: line.quantity ?? null,
    AmountMinor: line.amountMinor,
  }));
  await sendRows(session, orderSql.insertLines, rows, { OrderId: orderId });
}

export const orderOf = (row: Row, lines: readonly Row[]): OrderRow => ({
  orderId: row['OrderId'] as OrderId,
  callerId: row['CallerId'] as string,
  customerId: row['CustomerId'] as CustomerId,
  customerEmail: row['CustomerEmail'] as string,
  currency: row['Currency'] as Currency,
  items: JSON.parse(row['Items'] as string) as OrderRow['items'],
  lines: lines.map(lineOf),
  ...totalOf(row),
  paymentMethodId: row['PaymentMethodId'] as string,
  shippingAddress: JSON.parse(row['ShippingAddress'] as string) as OrderRow['shippingAddress'],
  workflowId: row['WorkflowId'] as string,
  runId: row['RunId'] as string,
  traceId: row['TraceId'] as string,
  ...(row['Fingerprint'] !== null && { fingerprint: row['Fingerprint'] as string }),
  ...(row['Parcel'] !== null && { parcel: JSON.parse(row['Parcel'] as string) as ParcelItem[] }),
  status: row['Status'] as OrderStatus,
  sagaState: row['SagaState'] as SagaState,
  step: row['Step'] as StepName,
  detail: JSON.parse(row['Detail'] as string) as OrderRow['detail'],
  createdAtUtc: isoOf(row['CreatedAtUtc']),
  updatedAtUtc: isoOf(row['UpdatedAtUtc']),
});

/** `total`, absent while the order has no price. */
export const totalOf = (row: Row): { total?: Money } =>
  row['TotalMinor'] === null
    ? {}
    : { total: { amountMinor: numberOf(row['TotalMinor']), currency: row['Currency'] as Currency } };

const lineOf = (row: Row): OrderLine => ({
  kind: row['Kind'] as OrderLine['kind'],
  ...(row['ProductId'] !== null && { productId: row['ProductId'] as ProductId }),
  ...(row['Quantity'] !== null && { quantity: numberOf(row['Quantity']) }),
  amountMinor: numberOf(row['AmountMinor']),
});
