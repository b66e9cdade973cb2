import type { OrderId, ProductId } from '../../domain/ids.ts';
import type { Currency } from '../../domain/money.ts';
import type { OrderStatus, SagaState, StepName } from '../../domain/order.ts';
import type { UndecidedRefundState } from '../../domain/refunds.ts';
import type { InFlightGroup, StoreUpkeep } from '../../ports/store/upkeep.ts';
import { closedCondition } from './retention.ts';
import { factColumns, factsOf } from './inventory.ts';
import { statements, type Row, type Session } from './statement.ts';
import { isoOf, numberOf, present } from './values.ts';

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
    text: () => `SELECT ProductId, Name, PriceMinor, Currency, OnHand, Reserved, ${factColumns} FROM dbo.Products
      ORDER BY ProductId`,
  },
  openOrders: {
    index: 'scan of a part of IX_Orders_InFlight, and PK_Orders',
    text: () => `SELECT TOP (@Limit) OrderId, CreatedAtUtc, UpdatedAtUtc FROM dbo.Orders
      WHERE SagaState <> 'ended' AND UpdatedAtUtc < @ClosedBeforeUtc AND CreatedAtUtc >= @AfterUtc
        AND (CreatedAtUtc > @AfterUtc OR OrderId > @OrderId)
      ORDER BY CreatedAtUtc, OrderId`,
  },
  recorded: {
    index: 'PK_Orders, PK_PurgedOrders',
    text: () => `SELECT Asked.OrderId
      FROM (
        SELECT CAST(value AS CHAR(36)) COLLATE Latin1_General_100_BIN2 AS OrderId FROM STRING_SPLIT(@OrderIds, ',')
      ) AS Asked
      WHERE EXISTS (SELECT 1 FROM dbo.Orders AS Known WHERE Known.OrderId = Asked.OrderId)
        OR EXISTS (SELECT 1 FROM dbo.PurgedOrders AS Purged WHERE Purged.OrderId = Asked.OrderId)`,
  },
  unrecorded: {
    index: 'scan of PK_UnrecordedOrders',
    text: () => 'SELECT COUNT(*) AS Found FROM dbo.UnrecordedOrders',
  },
  inFlight: {
    index: 'scan of IX_Orders_InFlight, and PK_Orders',
    text: () => `SELECT Waiting.Status, Waiting.SagaState, Waiting.ParkedStep, Waiting.ParkedActivity,
        COUNT(*) AS Found, MIN(Waiting.CreatedAtUtc) AS OldestUtc, MIN(Waiting.UpdatedAtUtc) AS StillSinceUtc,
        MIN(Waiting.SinceUtc) AS WaitingSinceUtc
      FROM (
        SELECT Status, SagaState, CreatedAtUtc, UpdatedAtUtc, JSON_VALUE(Detail, '$.parked.step') AS ParkedStep,
          JSON_VALUE(Detail, '$.parked.activity') AS ParkedActivity,
          COALESCE(JSON_VALUE(Detail, '$.parked.sinceUtc'), JSON_VALUE(Detail, '$.hold.sinceUtc')) AS SinceUtc
        FROM dbo.Orders WHERE SagaState <> 'ended'
      ) AS Waiting
      GROUP BY Waiting.Status, Waiting.SagaState, Waiting.ParkedStep, Waiting.ParkedActivity`,
  },
  stockTotals: {
    index: 'scan of PK_Products',
    text: () => `SELECT COALESCE(SUM(CAST(OnHand AS BIGINT)), 0) AS OnHand,
        COALESCE(SUM(CAST(Reserved AS BIGINT)), 0) AS Reserved,
        COALESCE(SUM(CASE WHEN Reserved > OnHand THEN CAST(Reserved AS BIGINT) - OnHand ELSE 0 END), 0) AS Oversold
      FROM dbo.Products`,
  },
  undecidedRefunds: {
    index: 'IX_Refunds_Undecided',
    text: () => `SELECT State, COUNT(*) AS Found, MIN(RequestedAtUtc) AS OldestUtc FROM dbo.Refunds
      WHERE State IN ('owed', 'requested', 'pending') GROUP BY State ORDER BY State`,
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
    async openOrders({ after, updatedBeforeUtc, limit }) {
      const rows = await session.rows(upkeepSql.openOrders, {
        AfterUtc: after?.createdAtUtc ?? '1970-01-01T00:00:00.000Z',
        OrderId: after?.orderId ?? '',
        ClosedBeforeUtc: updatedBeforeUtc,
        Limit: limit,
      });
      return rows.map((row) => ({
        orderId: row['OrderId'] as OrderId,
        createdAtUtc: isoOf(row['CreatedAtUtc']),
        updatedAtUtc: isoOf(row['UpdatedAtUtc']),
      }));
    },
    async stock() {
      const rows = await session.rows(upkeepSql.stock, {});
      return rows.map((row) => ({
        productId: row['ProductId'] as ProductId,
        name: row['Name'] as string,
        price: { amountMinor: numberOf(row['PriceMinor']), currency: row['Currency'] as Currency },
        onHand: numberOf(row['OnHand']),
        reserved: numberOf(row['Reserved']),
        ...factsOf(row),
      }));
    },
    async recorded(ids) {
      const rows = await session.rows(upkeepSql.recorded, { OrderIds: ids.join(',') });
      return rows.map((row) => row['OrderId'] as OrderId);
    },
    async standing() {
      const groups = await session.rows(upkeepSql.inFlight, {});
      const [totals] = await session.rows(upkeepSql.stockTotals, {});
      const refunds = await session.rows(upkeepSql.undecidedRefunds, {});
      const [unrecorded] = await session.rows(upkeepSql.unrecorded, {});
      return {
        inFlight: groups.map(groupOf),
        stock: {
          onHand: numberOf(totals?.['OnHand']),
          reserved: numberOf(totals?.['Reserved']),
          oversold: numberOf(totals?.['Oversold']),
        },
        refunds: refunds.map((row) => ({
          state: row['State'] as UndecidedRefundState,
          refunds: numberOf(row['Found']),
          oldestUtc: isoOf(row['OldestUtc']),
        })),
        unrecordedOrders: numberOf(unrecorded?.['Found']),
      };
    },
  };
}

function groupOf(row: Row): InFlightGroup {
  const step = row['ParkedStep'] as StepName | null;
  return {
    status: row['Status'] as OrderStatus,
    sagaState: row['SagaState'] as SagaState,
    ...(step !== null && { parked: { step, activity: (row['ParkedActivity'] as string | null) ?? step } }),
    orders: numberOf(row['Found']),
    oldestUtc: isoOf(row['OldestUtc']),
    stillSinceUtc: isoOf(row['StillSinceUtc']),
    ...present('waitingSinceUtc', row['WaitingSinceUtc'] as string | null),
  };
}
