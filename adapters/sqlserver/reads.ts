import type { CustomerId, OrderId } from '../../domain/ids.ts';
import type { DomainEvent } from '../../domain/events.ts';
import type { OrderStatus, OrderView, SagaState, StepName } from '../../domain/order.ts';
import { closedRunActivity } from '../../domain/recovery.ts';
import type { StoreReads } from '../../ports/store.ts';
import { auditRowOf } from './audit.ts';
import { factColumns, productOf } from './inventory.ts';
import { createCustomerReads } from './customers.ts';
import { createDebtReads } from './debts.ts';
import { createDeadLetterReads } from './dead-letter-reads.ts';
import { readLedger } from './ledger.ts';
import { createOrderActs } from './order-acts.ts';
import { orderOf, orderSql, totalOf } from './orders.ts';
import { createOperations } from './operations.ts';
import { readProviders } from './providers.ts';
import { createPayments } from './payments.ts';
import { createDisputes, createRefunds } from './refunds.ts';
import { listActs } from './acts.ts';
import { statements, type Row, type Session } from './statement.ts';
import { listRetries, retriesOfOrder } from './retries.ts';
import { listUnrecordedOrders } from './unrecorded-orders.ts';
import { isoOf, numberOf } from './values.ts';
import { createWebhookReads } from './webhooks.ts';
import { beginning, shownDetail, type OrderDetail } from '../../ports/store/orders.ts';
import { labelLease } from '../../ports/store/money.ts';

export const readSql = statements('read', {
  audit: {
    index: 'PK_AuditLog',
    text: () => `SELECT Subject, Seq, PrevHash, Hash, Actor, Step, FromState, ToState, Reason, CausingEventId, WorkflowId,
        RunId, OccurredAtUtc
      FROM dbo.AuditLog WHERE Subject = @Subject ORDER BY Seq`,
  },
  auditHead: {
    index: 'PK_AuditHeads',
    text: () => 'SELECT Seq, Hash FROM dbo.AuditHeads WHERE Subject = @Subject AND Seq > 0',
  },
  events: {
    index: 'UX_OutboxMessages_Event, PK_OutboxMessages',
    text: () => `SELECT TOP (200) Payload FROM dbo.OutboxMessages
      WHERE OrderId = @OrderId AND Sequence > 0 AND Sequence > @AfterSequence ORDER BY Sequence`,
  },
});

/** For the catalog's page, not per order. */
export const catalogSql = statements('catalog', {
  products: {
    index: 'scan of PK_Products',
    text: () => `SELECT ProductId, Name, PriceMinor, Currency, OnHand - Reserved AS Available, ${factColumns}
      FROM dbo.Products
      ORDER BY ProductId`,
  },
});

/** Orders without a run, for the operators' list. */
export const caseSql = statements('case', {
  cases: {
    index: 'scan of IX_Orders_InFlight',
    text: () => `SELECT TOP (@Limit) OrderId, CallerId, CustomerId, Currency, Items, TotalMinor, Status, SagaState, Step,
        Detail, UpdatedAtUtc
      FROM dbo.Orders
      WHERE SagaState <> 'ended' AND SagaState = 'parked'
        AND JSON_VALUE(Detail, '$.parked.activity') = '${closedRunActivity}'
      ORDER BY CreatedAtUtc, OrderId`,
  },
});

export function createReads(session: Session): StoreReads {
  return {
    async order(id) {
      const [row] = await session.rows(orderSql.read, { OrderId: id });
      return row && orderViewOf(row);
    },
    /* An act that is written meanwhile is in the second only, and takes its field out of the comparison. */
    async placed(id) {
      const [row] = await session.rows(orderSql.read, { OrderId: id });
      if (!row) return undefined;
      const { lines: _, ...order } = orderOf(row, []);
      return { order, acts: await createOrderActs(session).list(id) };
    },
    audit: async (subject) => (await session.rows(readSql.audit, { Subject: subject })).map(auditRowOf),
    async auditHead(subject) {
      const [row] = await session.rows(readSql.auditHead, { Subject: subject });
      return row && { seq: numberOf(row['Seq']), hash: row['Hash'] as string };
    },
    async events({ orderId, afterSequence }) {
      const rows = await session.rows(readSql.events, { OrderId: orderId, AfterSequence: afterSequence });
      return rows.map((row) => JSON.parse(row['Payload'] as string) as DomainEvent);
    },
    acts: (id) => listActs(session, id),
    products: async () => (await session.rows(catalogSql.products, {})).map(productOf),
    async cases({ limit }) {
      const rows = await session.rows(caseSql.cases, { Limit: limit });
      return rows.map(orderViewOf);
    },
    unrecordedOrders: (request) => listUnrecordedOrders(session, request),
    retries: (request) => listRetries(session, request),
    retriesOf: (request) => retriesOfOrder(session, request),
    providers: () => readProviders(session),
    deadLetters: createDeadLetterReads(session),
    ledger: (id) => readLedger(session, id),
    /* Read one after another: what is written meanwhile may be in one and not in another. */
    async money(id) {
      const [row] = await session.rows(orderSql.read, { OrderId: id });
      if (!row) return undefined;
      const payments = await createPayments(session).list(id);
      const refunds = await createRefunds(session).list(id);
      const disputes = await createDisputes(session).list(id);
      const leased = { orderId: id, step: 'shipping', nowUtc: beginning };
      return {
        payments,
        refunds,
        disputes,
        ...labelLease(await createOperations(session).leased(leased)),
      };
    },
    debts: createDebtReads(session),
    customers: createCustomerReads(session),
    webhooks: createWebhookReads(session),
  };
}

const orderViewOf = (row: Row): OrderView => ({
  orderId: row['OrderId'] as OrderId,
  callerId: row['CallerId'] as string,
  customerId: row['CustomerId'] as CustomerId,
  status: row['Status'] as OrderStatus,
  sagaState: row['SagaState'] as SagaState,
  step: row['Step'] as StepName,
  items: JSON.parse(row['Items'] as string) as OrderView['items'],
  ...totalOf(row),
  ...shownDetail(JSON.parse(row['Detail'] as string) as OrderDetail),
  updatedAtUtc: isoOf(row['UpdatedAtUtc']),
});
