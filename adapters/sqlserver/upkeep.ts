import type { ProductId } from '../../domain/ids.ts';
import type { Currency } from '../../domain/money.ts';
import type { StoreUpkeep } from '../../ports/store.ts';
import { closedCondition } from './retention.ts';
import { statements, type Session } from './statement.ts';
import { numberOf } from './values.ts';

/** For scripts that run once in a while. */
export const upkeepSql = statements('upkeep', {
  auditSubjects: {
    index: 'PK_AuditHeads and scan of a part of PK_AuditLog',
    text: () => `SELECT TOP (@Limit) Found.Subject
      FROM (
        SELECT Subject FROM dbo.AuditHeads WHERE Subject > @Subject AND Seq > 0
        UNION
        SELECT Subject FROM dbo.AuditLog WHERE Subject > @Subject
      ) AS Found
      ORDER BY Found.Subject`,
  },
  purgeable: {
    index:
      'scan of the old parts of IX_Orders_Ended, IX_ProcessedEvents_Time and IX_OutboxMessages_Published',
    text: () => `SELECT
        (SELECT COUNT(*) FROM dbo.Orders AS Closed WHERE Closed.UpdatedAtUtc < @ClosedBeforeUtc
        AND ${closedCondition}) AS ClosedOrders,
        (SELECT COUNT(*) FROM dbo.ProcessedEvents WHERE ProcessedAtUtc < @ProcessedBeforeUtc) AS OldEvents,
        (SELECT COUNT(*) FROM dbo.OutboxMessages
        WHERE PublishedAtUtc < @PublishedBeforeUtc AND PublishedAtUtc IS NOT NULL) AS OldMessages`,
  },
  stock: {
    index: 'scan of PK_Products',
    text: () => `SELECT ProductId, Name, PriceMinor, Currency, OnHand, Reserved FROM dbo.Products
      ORDER BY ProductId`,
  },
});

export function createUpkeep(session: Session): StoreUpkeep {
  return {
    async auditSubjects({ after, limit }) {
      const rows = await session.rows(upkeepSql.auditSubjects, { Subject: after, Limit: limit });
      return rows.map((row) => row['Subject'] as string);
    },
    async purgeable({ beforeUtc }) {
      const [row] = await session.rows(upkeepSql.purgeable, {
        ClosedBeforeUtc: beforeUtc,
        ProcessedBeforeUtc: beforeUtc,
        PublishedBeforeUtc: beforeUtc,
      });
      return {
        orders: numberOf(row?.['ClosedOrders']),
        processedEvents: numberOf(row?.['OldEvents']),
        outboxMessages: numberOf(row?.['OldMessages']),
      };
    },
    async stock() {
      const rows = await session.rows(upkeepSql.stock, {});
      return rows.map((row) => ({
        productId: row['ProductId'] as ProductId,
        name: row['Name'] as string,
        price: { amountMinor: numberOf(row['PriceMinor']), currency: row['Currency'] as Currency },
        onHand: numberOf(row['OnHand']),
        reserved: numberOf(row['Reserved']),
      }));
    },
  };
}
