import { orderSubject } from '../../domain/audit.ts';
import type { OrderId } from '../../domain/ids.ts';
import type { EndStatus } from '../../domain/order.ts';
import type { RetentionStatements } from '../../ports/store/upkeep.ts';
import { auditSql } from './audit.ts';
import { owesCondition } from './debts.ts';
import { statements, type Session } from './statement.ts';
import { numberOf } from './values.ts';

/** An order that a purge may delete, as a condition on `dbo.Orders AS Closed`. */
export const closedCondition = `Closed.SagaState = 'ended' AND Closed.Status IN ('completed', 'cancelled', 'failed')
        AND NOT EXISTS (
          SELECT 1 FROM dbo.Reservations AS Held WHERE Held.OrderId = Closed.OrderId AND Held.State = 'reserved'
        )
        AND NOT EXISTS (
          SELECT 1 FROM dbo.Operations AS Leased
          WHERE Leased.OrderId = Closed.OrderId AND Leased.LeaseUntilUtc IS NOT NULL
        )
        AND NOT ${owesCondition('Closed')}
        AND NOT EXISTS (
          SELECT 1 FROM dbo.Disputes AS Dispute
          WHERE Dispute.OrderId = Closed.OrderId AND Dispute.State IN ('inquiry', 'open')
        )
        AND NOT EXISTS (
          SELECT 1 FROM dbo.OutboxMessages AS Event
          WHERE Event.OrderId = Closed.OrderId AND Event.Sequence > 0 AND Event.PublishedAtUtc IS NULL
        )
        AND NOT EXISTS (
          SELECT 1 FROM dbo.OutboxMessages AS Task
          WHERE Task.OrderId = Closed.OrderId AND Task.Sequence = 0 AND Task.PublishedAtUtc IS NULL
        )`;

const closedIndexes =
  'PK_Reservations, IX_Operations_Order, PK_Refunds, PK_Disputes, PK_Payments, UX_OutboxMessages_Event, ' +
  'IX_OutboxMessages_Task, PK_OutboxMessages';

export const retentionSql = statements('retention', {
  closedOrders: {
    index: `IX_Orders_Ended, ${closedIndexes}`,
    text: () => `SELECT TOP (@Limit) Closed.OrderId FROM dbo.Orders AS Closed
      WHERE Closed.UpdatedAtUtc < @ClosedBeforeUtc
        AND ${closedCondition}
      ORDER BY Closed.UpdatedAtUtc, Closed.OrderId`,
  },
  /* Every transaction of an order locks its row first; so does the one that ends it. */
  lockOrder: {
    index: 'PK_Orders',
    text: (hints) =>
      hints.lockingRead({
        table: 'dbo.Orders',
        columns: ['Status'],
        touch: 'Status',
        where: 'OrderId = @OrderId',
      }),
  },
  closedOrder: {
    index: `PK_Orders, ${closedIndexes}`,
    text: () => `SELECT Closed.Status FROM dbo.Orders AS Closed
      WHERE Closed.OrderId = @OrderId AND Closed.UpdatedAtUtc < @ClosedBeforeUtc
        AND ${closedCondition}`,
  },
  /* In the order in which foreign keys allow it. */
  orderRows: {
    index:
      'PK_OrderLines, PK_Reservations, PK_Payments, PK_Refunds, PK_Disputes, PK_Fulfillments, PK_Shipments, ' +
      'PK_OrderActs, PK_Acts, IX_Operations_Order, ' +
      'UX_OutboxMessages_Event, IX_OutboxMessages_Task, PK_Orders',
    text: () =>
      [
        ...[
          'OrderLines',
          'Reservations',
          'Payments',
          'Refunds',
          'Disputes',
          'Fulfillments',
          'Shipments',
          'OrderActs',
          'Acts',
          'Operations',
        ].map((table) => `DELETE FROM dbo.${table} WHERE OrderId = @OrderId`),
        'DELETE FROM dbo.OutboxMessages WHERE OrderId = @OrderId AND Sequence > 0',
        'DELETE FROM dbo.OutboxMessages WHERE OrderId = @OrderId AND Sequence = 0',
        'DELETE FROM dbo.Orders WHERE OrderId = @OrderId',
      ].join(';\n'),
  },
  keepId: {
    index: 'PK_PurgedOrders',
    text: () => `INSERT INTO dbo.PurgedOrders (OrderId, Status, PurgedAtUtc)
      SELECT @OrderId, @Status, @NowUtc
      WHERE NOT EXISTS (SELECT 1 FROM dbo.PurgedOrders WHERE OrderId = @OrderId)`,
  },
  /* One at a time, so that a missing permission for the first says so before anything is deleted. */
  allowAudit: {
    index: 'PK_AuditPurges',
    text: () => 'INSERT INTO dbo.AuditPurges (Subject) VALUES (@Subject)',
  },
  audit: {
    index: 'PK_AuditLog, PK_AuditHeads, PK_AuditPurges',
    text: () => `DELETE FROM dbo.AuditLog WHERE Subject = @Subject;
      DELETE FROM dbo.AuditPurges WHERE Subject = @Subject;
      DELETE FROM dbo.AuditHeads WHERE Subject = @Subject`,
  },
  processedEvents: {
    index: 'IX_ProcessedEvents_Time',
    text: (
      hints,
    ) => `DELETE TOP (@Limit) FROM dbo.ProcessedEvents${hints.table('ROWLOCK', 'UPDLOCK', 'READPAST')}
      OUTPUT deleted.EventId
      WHERE ProcessedAtUtc < @ProcessedBeforeUtc`,
  },
});

/** Most rows of one DELETE: far below the 5,000 locks at which SQL Server locks the whole table. */
const largestBatch = 1_000;

export function createRetention(session: Session): RetentionStatements {
  return {
    async closedOrders({ closedBeforeUtc, limit }) {
      const values = { ClosedBeforeUtc: closedBeforeUtc, Limit: limit };
      return (await session.rows(retentionSql.closedOrders, values)).map((row) => row['OrderId'] as OrderId);
    },
    async purgeOrder({ orderId, closedBeforeUtc, nowUtc }) {
      await session.rows(retentionSql.lockOrder, { OrderId: orderId });
      const values = { OrderId: orderId, ClosedBeforeUtc: closedBeforeUtc };
      const [order] = await session.rows(retentionSql.closedOrder, values);
      if (!order) return undefined;
      const head = await purgeChain(session, orderSubject(orderId));
      await session.rows(retentionSql.orderRows, { OrderId: orderId });
      const status = order['Status'] as EndStatus;
      await session.rows(retentionSql.keepId, { OrderId: orderId, Status: status, NowUtc: nowUtc });
      return { status, ...(head && { head }) };
    },
    async purgeProcessedEvents({ processedBeforeUtc, limit }) {
      const values = { ProcessedBeforeUtc: processedBeforeUtc, Limit: Math.min(limit, largestBatch) };
      return (await session.rows(retentionSql.processedEvents, values)).length;
    },
  };
}

/** Deletes the subject's audit rows; returns the head they had. */
async function purgeChain(
  session: Session,
  subject: string,
): Promise<{ seq: number; hash: string } | undefined> {
  const [head] = await session.rows(auditSql.lockHead, { Subject: subject });
  await session.rows(retentionSql.allowAudit, { Subject: subject });
  await session.rows(retentionSql.audit, { Subject: subject });
  return head && { seq: numberOf(head['Seq']), hash: head['Hash'] as string };
}
