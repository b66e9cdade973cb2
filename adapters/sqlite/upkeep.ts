import type { ProductId } from '../../domain/ids.ts';
import type { Currency } from '../../domain/money.ts';
import type { StoreUpkeep } from '../../ports/store.ts';
import { snapshot, type Connection } from './connection.ts';
import { closedCondition } from './retention.ts';
import type { Synchronous } from './statements.ts';

/** For scripts that run once in a while. */
export const upkeepSql = {
  headSubjects: `SELECT Subject FROM AuditHeads WHERE Subject > ? ORDER BY Subject LIMIT ?`,
  rowSubjects: `SELECT DISTINCT Subject FROM AuditLog WHERE Subject > ? ORDER BY Subject LIMIT ?`,
  purgeableOrders: `SELECT COUNT(*) AS Found FROM Orders AS Closed WHERE Closed.UpdatedAtUtc < ? AND ${closedCondition}`,
  purgeableEvents: `SELECT COUNT(*) AS Found FROM ProcessedEvents WHERE ProcessedAtUtc < ?`,
  purgeableMessages: `SELECT COUNT(*) AS Found FROM OutboxMessages WHERE PublishedAtUtc < ?`,
  stock: `SELECT ProductId, Name, PriceMinor, Currency, OnHand, Reserved FROM Products ORDER BY ProductId`,
};

interface StockRecord {
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
      })),
  };
}

/** As SQLite orders text: by its bytes in UTF-8. */
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
