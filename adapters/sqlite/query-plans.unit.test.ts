import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { actSql } from './acts.ts';
import { auditSql } from './audit.ts';
import { openConnection, type Connection } from './connection.ts';
import { customerSql } from './customers.ts';
import { deadLetterReadSql } from './dead-letter-reads.ts';
import { deadLetterSql } from './dead-letters.ts';
import { fulfillmentSql } from './fulfillments.ts';
import { inventorySql } from './inventory.ts';
import { ledgerSql } from './ledger.ts';
import { messageSql } from './messages.ts';
import { knownMigrations, migrate } from './migrate.ts';
import { operationSql } from './operations.ts';
import { orderActSql } from './order-acts.ts';
import { orderSql } from './orders.ts';
import { outboxLeaseSql } from './outbox-leases.ts';
import { outboxSql, outboxUpkeepSql } from './outbox.ts';
import { paymentSql } from './payments.ts';
import { processedEventSql } from './processed-events.ts';
import { providerSql } from './providers.ts';
import { caseSql, catalogSql, readSql } from './reads.ts';
import { debtSql, refundClaimSql } from './debts.ts';
import { refundSql } from './refunds.ts';
import { orderRowsSql, retentionSql } from './retention.ts';
import { shipmentSql } from './shipments.ts';
import { retryListSql, retrySql } from './retries.ts';
import { unrecordedOrderListSql, unrecordedOrderSql } from './unrecorded-orders.ts';
import { upkeepSql } from './upkeep.ts';
import { webhookListSql, webhookSql } from './webhooks.ts';

const perOrder = {
  actSql,
  auditSql,
  customerSql,
  debtSql,
  fulfillmentSql,
  inventorySql,
  messageSql,
  operationSql,
  orderRowsSql,
  orderActSql,
  orderSql,
  outboxSql,
  paymentSql,
  processedEventSql,
  readSql,
  refundSql,
  retentionSql,
  shipmentSql,
  retrySql,
  unrecordedOrderSql,
  webhookSql,
};

/** These run once in a while and may read as much as there is. */
const upkeep = {
  caseSql,
  catalogSql,
  deadLetterReadSql,
  deadLetterSql,
  ledgerSql,
  outboxLeaseSql,
  outboxUpkeepSql,
  providerSql,
  refundClaimSql,
  retryListSql,
  unrecordedOrderListSql,
  upkeepSql,
  webhookListSql,
};

const statements = Object.entries(perOrder).flatMap(([family, members]) =>
  Object.entries(members).map(([name, sql]) => ({ name: `${family}.${name}`, sql })),
);

describe('statements that run per order', () => {
  let connection: Connection;
  beforeAll(() => {
    connection = openConnection({ path: ':memory:', readOnly: false });
    migrate(connection, knownMigrations());
  });
  afterAll(() => connection.close());

  const scansOf = (sql: string) =>
    connection
      .all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
      .map(({ detail }) => detail)
      .filter((detail) => /^(SCAN|USE TEMP B-TREE)/.test(detail));

  it('are all in the list', () => {
    const sources = readdirSync(new URL('.', import.meta.url)).filter((file) => /^[a-z-]+\.ts$/.test(file));
    const families = sources.flatMap((file) =>
      [...readFileSync(new URL(file, import.meta.url), 'utf8').matchAll(/const (\w+Sql)\b/g)].map(
        ([, name]) => name,
      ),
    );
    expect(new Set(families)).toEqual(new Set([...Object.keys(perOrder), ...Object.keys(upkeep)]));
  });

  it.each(statements)('$name reads by index only', ({ sql }) => {
    expect(scansOf(sql)).toEqual([]);
  });

  it('would be found out if one scanned a table', () => {
    expect(scansOf("SELECT 1 FROM Orders WHERE CustomerEmail = 'c'")).toEqual(['SCAN Orders']);
  });
});
