import type { OrderId } from '../../domain/ids.ts';
import { orderSubject } from '../../domain/audit.ts';
import type { EndStatus } from '../../domain/order.ts';
import type { RetentionStatements } from '../../ports/store/upkeep.ts';
import { auditSql } from './audit.ts';
import type { Connection } from './connection.ts';
import { owesCondition } from './debts.ts';
import type { Synchronous } from './statements.ts';

/** An order that a purge may delete, as a condition on `Orders AS Closed`. Each part enters by an index. */
export const closedCondition = `Closed.SagaState = 'ended' AND Closed.Status IN ('completed', 'cancelled', 'failed')
    AND NOT EXISTS (SELECT 1 FROM Reservations WHERE OrderId = Closed.OrderId AND State = 'reserved')
    AND NOT EXISTS (SELECT 1 FROM Operations WHERE OrderId = Closed.OrderId AND LeaseUntilUtc IS NOT NULL)
    AND NOT ${owesCondition('Closed')}
    AND NOT EXISTS (SELECT 1 FROM Disputes WHERE OrderId = Closed.OrderId AND State IN ('inquiry', 'open'))
    AND NOT EXISTS (
      SELECT 1 FROM OutboxMessages WHERE OrderId = Closed.OrderId AND Sequence > 0 AND PublishedAtUtc IS NULL
    )
    AND NOT EXISTS (
      SELECT 1 FROM OutboxMessages WHERE OrderId = Closed.OrderId AND Sequence = 0 AND PublishedAtUtc IS NULL
    )`;

export const retentionSql = {
  closedOrders: `SELECT OrderId FROM Orders AS Closed WHERE Closed.UpdatedAtUtc < ? AND ${closedCondition}
    ORDER BY Closed.UpdatedAtUtc, Closed.OrderId LIMIT ?`,
  closedOrder: `SELECT Status FROM Orders AS Closed
    WHERE Closed.OrderId = ? AND Closed.UpdatedAtUtc < ? AND ${closedCondition}`,
  processedEvents: `DELETE FROM ProcessedEvents WHERE (Consumer, EventId) IN (
      SELECT Consumer, EventId FROM ProcessedEvents WHERE ProcessedAtUtc < ? ORDER BY ProcessedAtUtc LIMIT ?
    )`,
  keepId: `INSERT INTO PurgedOrders (OrderId, Status, PurgedAtUtc) VALUES (?, ?, ?) ON CONFLICT (OrderId) DO NOTHING`,
  allowAudit: `INSERT INTO AuditPurges (Subject) VALUES (?)`,
  audit: `DELETE FROM AuditLog WHERE Subject = ?`,
  auditHead: `DELETE FROM AuditHeads WHERE Subject = ?`,
  endAudit: `DELETE FROM AuditPurges WHERE Subject = ?`,
};

/** What hangs on an order, its own row last; each takes the order's id. */
export const orderRowsSql = {
  lines: `DELETE FROM OrderLines WHERE OrderId = ?`,
  reservations: `DELETE FROM Reservations WHERE OrderId = ?`,
  payments: `DELETE FROM Payments WHERE OrderId = ?`,
  refunds: `DELETE FROM Refunds WHERE OrderId = ?`,
  disputes: `DELETE FROM Disputes WHERE OrderId = ?`,
  fulfillments: `DELETE FROM Fulfillments WHERE OrderId = ?`,
  shipments: `DELETE FROM Shipments WHERE OrderId = ?`,
  numberedActs: `DELETE FROM OrderActs WHERE OrderId = ?`,
  acts: `DELETE FROM Acts WHERE OrderId = ?`,
  operations: `DELETE FROM Operations WHERE OrderId = ?`,
  events: `DELETE FROM OutboxMessages WHERE OrderId = ? AND Sequence > 0`,
  tasks: `DELETE FROM OutboxMessages WHERE OrderId = ? AND Sequence = 0`,
  order: `DELETE FROM Orders WHERE OrderId = ?`,
};

export function createRetention(connection: Connection): Synchronous<RetentionStatements> {
  return {
    closedOrders: ({ closedBeforeUtc, limit }) =>
      connection
        .all<{ OrderId: OrderId }>(retentionSql.closedOrders, closedBeforeUtc, limit)
        .map(({ OrderId: id }) => id),
    purgeOrder({ orderId, closedBeforeUtc, nowUtc }) {
      const order = connection.get<{ Status: EndStatus }>(retentionSql.closedOrder, orderId, closedBeforeUtc);
      if (!order) return undefined;
      const head = purgeChain(connection, orderSubject(orderId));
      for (const sql of Object.values(orderRowsSql)) connection.run(sql, orderId);
      connection.run(retentionSql.keepId, orderId, order.Status, nowUtc);
      return { status: order.Status, ...(head && { head: { seq: head.Seq, hash: head.Hash } }) };
    },
    purgeProcessedEvents: ({ processedBeforeUtc, limit }) =>
      connection.run(retentionSql.processedEvents, processedBeforeUtc, limit),
  };
}

/** Deletes the subject's audit rows; returns the head they had. */
function purgeChain(connection: Connection, subject: string): { Seq: number; Hash: string } | undefined {
  const head = connection.get<{ Seq: number; Hash: string }>(auditSql.head, subject);
  connection.run(retentionSql.allowAudit, subject);
  connection.run(retentionSql.audit, subject);
  connection.run(retentionSql.endAudit, subject);
  connection.run(retentionSql.auditHead, subject);
  return head;
}
