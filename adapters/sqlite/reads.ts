import { orderSubject, type AuditRow } from '../../domain/audit.ts';
import type { DomainEvent } from '../../domain/events.ts';
import type { OrderId } from '../../domain/ids.ts';
import type { OrderView } from '../../domain/order.ts';
import { closedRunActivity } from '../../domain/recovery.ts';
import type { StoreReads } from '../../ports/store.ts';
import { snapshot, type Connection } from './connection.ts';
import { factColumns, productOf, type ProductRecord } from './inventory.ts';
import { createLedger } from './ledger.ts';
import { createOrderActs } from './order-acts.ts';
import { orderOf, orderSql, type OrderRecord } from './orders.ts';
import { createOperations } from './operations.ts';
import { readProviders } from './providers.ts';
import { createPayments } from './payments.ts';
import { listActs } from './acts.ts';
import { createDisputes, createRefunds } from './refunds.ts';
import type { Synchronous } from './statements.ts';
import { listRetries, retriesOfOrder } from './retries.ts';
import { listUnrecordedOrders } from './unrecorded-orders.ts';
import { beginning, shownDetail, type OrderDetail } from '../../ports/store/orders.ts';
import { labelLease } from '../../ports/store/money.ts';

export const readSql = {
  audit: `SELECT Subject, Seq, PrevHash, Hash, Actor, Step, FromState, ToState, Reason, CausingEventId, WorkflowId, RunId,
      OccurredAtUtc
    FROM AuditLog WHERE Subject = ? ORDER BY Seq`,
  auditHead: `SELECT Seq, Hash FROM AuditHeads WHERE Subject = ?`,
  events: `SELECT Payload FROM OutboxMessages WHERE OrderId = ? AND Sequence > 0 AND Sequence > ? ORDER BY Sequence LIMIT 200`,
};

/** For the catalog's page, not per order. */
export const catalogSql = {
  products: `SELECT ProductId, Name, PriceMinor, Currency, OnHand - Reserved AS Available, ${factColumns}
    FROM Products ORDER BY ProductId`,
};

/** Orders without a run, for the operators' list: by way of IX_Orders_InFlight. */
export const caseSql = {
  cases: `SELECT OrderId, CallerId, CustomerId, Currency, Items, TotalMinor, Status, SagaState, Step, Detail, UpdatedAtUtc
    FROM Orders WHERE SagaState <> 'ended' AND SagaState = 'parked' AND Detail ->> '$.parked.activity' = ?
    ORDER BY CreatedAtUtc, OrderId LIMIT ?`,
};

interface AuditRecord {
  Subject: string;
  Seq: number;
  PrevHash: string;
  Hash: string;
  Actor: string;
  Step: string;
  FromState: string;
  ToState: string;
  Reason: string;
  CausingEventId: string;
  WorkflowId: string;
  RunId: string;
  OccurredAtUtc: string;
}

export function createReads(
  connection: Connection,
): Synchronous<Omit<StoreReads, 'webhooks' | 'deadLetters' | 'customers' | 'debts'>> {
  const audit = (subject: string) => connection.all<AuditRecord>(readSql.audit, subject).map(auditRowOf);
  const ledger = createLedger(connection);
  const acts = createOrderActs(connection);
  const payments = createPayments(connection);
  const refunds = createRefunds(connection);
  const disputes = createDisputes(connection);
  const operations = createOperations(connection);
  return {
    order(id) {
      const record = connection.get<OrderRecord>(orderSql.find, id);
      return record && orderViewOf(record);
    },
    placed: (id) =>
      snapshot(connection, () => {
        const record = connection.get<OrderRecord>(orderSql.find, id);
        if (!record) return undefined;
        const { lines: _, ...order } = orderOf(record, []);
        return { order, acts: acts.list(id) };
      }),
    audit,
    auditHead(subject) {
      const head = connection.get<{ Seq: number; Hash: string }>(readSql.auditHead, subject);
      return head && { seq: head.Seq, hash: head.Hash };
    },
    events: ({ orderId, afterSequence }) =>
      connection
        .all<{ Payload: string }>(readSql.events, orderId, afterSequence)
        .map((row) => JSON.parse(row.Payload) as DomainEvent),
    acts: (id) => listActs(connection, id),
    products: () => connection.all<ProductRecord>(catalogSql.products).map(productOf),
    cases: ({ limit }) =>
      connection.all<OrderRecord>(caseSql.cases, closedRunActivity, limit).map(orderViewOf),
    unrecordedOrders: (request) => listUnrecordedOrders(connection, request),
    retries: (request) => listRetries(connection, request),
    retriesOf: (request) => retriesOfOrder(connection, request),
    providers: () => readProviders(connection),
    money: (id) =>
      snapshot(connection, () =>
        connection.get(orderSql.find, id) === undefined
          ? undefined
          : {
              payments: payments.list(id),
              refunds: refunds.list(id),
              disputes: disputes.list(id),
              ...labelLease(operations.leased({ orderId: id, step: 'shipping', nowUtc: beginning })),
            },
      ),
    ledger: (id?: OrderId) =>
      snapshot(connection, () => ledger(id, (orderId) => audit(orderSubject(orderId)))),
  };
}

const orderViewOf = (record: OrderRecord): OrderView => ({
  orderId: record.OrderId,
  callerId: record.CallerId,
  customerId: record.CustomerId,
  status: record.Status,
  sagaState: record.SagaState,
  step: record.Step,
  items: JSON.parse(record.Items) as OrderView['items'],
  ...(record.TotalMinor !== null && { total: { amountMinor: record.TotalMinor, currency: record.Currency } }),
  ...shownDetail(JSON.parse(record.Detail) as OrderDetail),
  updatedAtUtc: record.UpdatedAtUtc,
});

const auditRowOf = (record: AuditRecord): AuditRow => ({
  subject: record.Subject,
  seq: record.Seq,
  prevHash: record.PrevHash,
  hash: record.Hash,
  actor: record.Actor,
  step: record.Step,
  from: record.FromState,
  to: record.ToState,
  reason: record.Reason,
  causingEventId: record.CausingEventId,
  workflowId: record.WorkflowId,
  runId: record.RunId,
  occurredAtUtc: record.OccurredAtUtc,
});
