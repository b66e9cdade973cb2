import type { OrderId, ProductId } from '../../domain/ids.ts';
import type { Currency } from '../../domain/money.ts';
import type { OrderStatus, SagaState, StepName } from '../../domain/order.ts';
import type { UndecidedRefundState } from '../../domain/refunds.ts';
import type { InFlightGroup, StoreUpkeep } from '../../ports/store/upkeep.ts';
import { snapshot, type Connection } from './connection.ts';
import { factColumns, factsOf, type FactsRecord } from './inventory.ts';
import { closedCondition } from './retention.ts';
import type { Synchronous } from './statements.ts';

/** For scripts that run once in a while. */
export const upkeepSql = {
  headSubjects: `SELECT Subject FROM AuditHeads WHERE Subject > ? ORDER BY Subject LIMIT ?`,
  rowSubjects: `SELECT DISTINCT Subject FROM AuditLog WHERE Subject > ? ORDER BY Subject LIMIT ?`,
  purgeableOrders: `SELECT COUNT(*) AS Found FROM Orders AS Closed WHERE Closed.UpdatedAtUtc < ? AND ${closedCondition}`,
  purgeableEvents: `SELECT COUNT(*) AS Found FROM ProcessedEvents WHERE ProcessedAtUtc < ?`,
  purgeableMessages: `SELECT COUNT(*) AS Found FROM OutboxMessages WHERE PublishedAtUtc < ?`,
  stock: `SELECT ProductId, Name, PriceMinor, Currency, OnHand, Reserved, ${factColumns}
    FROM Products ORDER BY ProductId`,
  openOrders: `SELECT OrderId, CreatedAtUtc, UpdatedAtUtc FROM Orders
    WHERE SagaState <> 'ended' AND (CreatedAtUtc, OrderId) > (?, ?) AND UpdatedAtUtc < ?
    ORDER BY CreatedAtUtc, OrderId LIMIT ?`,
  recorded: `SELECT value AS OrderId FROM json_each(?) WHERE EXISTS (SELECT 1 FROM Orders WHERE OrderId = value)
    OR EXISTS (SELECT 1 FROM PurgedOrders WHERE OrderId = value)`,
  unrecorded: `SELECT COUNT(*) AS Found FROM UnrecordedOrders`,
  /* By way of IX_Orders_InFlight: 12 ms where 5,000 orders wait. */
  inFlight: `SELECT Status, SagaState, Detail ->> '$.parked.step' AS ParkedStep,
      Detail ->> '$.parked.activity' AS ParkedActivity, COUNT(*) AS Orders, MIN(CreatedAtUtc) AS OldestUtc,
      MIN(UpdatedAtUtc) AS StillSinceUtc,
      MIN(COALESCE(Detail ->> '$.parked.sinceUtc', Detail ->> '$.hold.sinceUtc')) AS WaitingSinceUtc
    FROM Orders WHERE SagaState <> 'ended' GROUP BY 1, 2, 3, 4`,
  stockTotals: `SELECT COALESCE(SUM(OnHand), 0) AS OnHand, COALESCE(SUM(Reserved), 0) AS Reserved,
      COALESCE(SUM(MAX(Reserved - OnHand, 0)), 0) AS Oversold FROM Products`,
  undecidedRefunds: `SELECT State, COUNT(*) AS Refunds, MIN(RequestedAtUtc) AS OldestUtc FROM Refunds
    WHERE State IN ('owed', 'requested', 'pending') GROUP BY State ORDER BY State`,
};

interface OpenRecord {
  OrderId: OrderId;
  CreatedAtUtc: string;
  UpdatedAtUtc: string;
}

interface RefundsRecord {
  State: UndecidedRefundState;
  Refunds: number;
  OldestUtc: string;
  StillSinceUtc: string;
}

interface InFlightRecord {
  Status: OrderStatus;
  SagaState: SagaState;
  ParkedStep: StepName | null;
  ParkedActivity: string | null;
  Orders: number;
  OldestUtc: string;
  StillSinceUtc: string;
  WaitingSinceUtc: string | null;
}

interface StockTotals {
  OnHand: number;
  Reserved: number;
  Oversold: number;
}

interface StockRecord extends FactsRecord {
  ProductId: ProductId;
  Name: string;
  PriceMinor: number;
  Currency: Currency;
  OnHand: number;
  Reserved: number;
}

export function createUpkeep(connection: Connection): Synchronous<StoreUpkeep> {
  const subjects = (sql: string, after: string, limit: number) =>
    connection.all<{ Subject: string }>(sql, after, limit).map(({ Subject }) => Subject);
  const count = (sql: string, beforeUtc: string) =>
    connection.get<{ Found: number }>(sql, beforeUtc)?.Found ?? 0;
  return {
    auditSubjects: ({ after, limit }) =>
      snapshot(connection, () => {
        const found = [upkeepSql.headSubjects, upkeepSql.rowSubjects].flatMap((sql) =>
          subjects(sql, after, limit),
        );
        return [...new Set(found)].sort(byBytes).slice(0, limit);
      }),
    purgeable: ({ beforeUtc }) =>
      snapshot(connection, () => ({
        orders: count(upkeepSql.purgeableOrders, beforeUtc),
        processedEvents: count(upkeepSql.purgeableEvents, beforeUtc),
        outboxMessages: count(upkeepSql.purgeableMessages, beforeUtc),
      })),
    stock: () =>
      connection.all<StockRecord>(upkeepSql.stock).map((record) => ({
        productId: record.ProductId,
        name: record.Name,
        price: { amountMinor: record.PriceMinor, currency: record.Currency },
        onHand: record.OnHand,
        reserved: record.Reserved,
        ...factsOf(record),
      })),
    openOrders: ({ after, updatedBeforeUtc, limit }) =>
      connection
        .all<OpenRecord>(
          upkeepSql.openOrders,
          after?.createdAtUtc ?? '',
          after?.orderId ?? '',
          updatedBeforeUtc,
          limit,
        )
        .map(({ OrderId: orderId, CreatedAtUtc: createdAtUtc, UpdatedAtUtc: updatedAtUtc }) => ({
          orderId,
          createdAtUtc,
          updatedAtUtc,
        })),
    recorded: (ids) =>
      connection
        .all<{ OrderId: OrderId }>(upkeepSql.recorded, JSON.stringify(ids))
        .map(({ OrderId: id }) => id),
    standing: () =>
      snapshot(connection, () => {
        const totals = connection.get<StockTotals>(upkeepSql.stockTotals);
        return {
          inFlight: connection.all<InFlightRecord>(upkeepSql.inFlight).map(groupOf),
          stock: {
            onHand: totals?.OnHand ?? 0,
            reserved: totals?.Reserved ?? 0,
            oversold: totals?.Oversold ?? 0,
          },
          refunds: connection
            .all<RefundsRecord>(upkeepSql.undecidedRefunds)
            .map(({ State, Refunds, OldestUtc }) => ({
              state: State,
              refunds: Refunds,
              oldestUtc: OldestUtc,
            })),
          unrecordedOrders: connection.get<{ Found: number }>(upkeepSql.unrecorded)?.Found ?? 0,
        };
      }),
  };
}

const groupOf = (record: InFlightRecord): InFlightGroup => ({
  status: record.Status,
  sagaState: record.SagaState,
  ...(record.ParkedStep !== null && {
    parked: { step: record.ParkedStep, activity: record.ParkedActivity ?? record.ParkedStep },
  }),
  orders: record.Orders,
  oldestUtc: record.OldestUtc,
  stillSinceUtc: record.StillSinceUtc,
  ...(record.WaitingSinceUtc !== null && { waitingSinceUtc: record.WaitingSinceUtc }),
});

/** As SQLite orders text: by its bytes in UTF-8. */
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
