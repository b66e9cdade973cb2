import { actSql } from './acts.ts';
import { auditSql } from './audit.ts';
import { databaseSql } from './create-database.ts';
import { customerSql } from './customers.ts';
import { deadLetterReadSql } from './dead-letter-reads.ts';
import { deadLetterSql } from './dead-letters.ts';
import { fulfillmentSql } from './fulfillments.ts';
import { inventorySql } from './inventory.ts';
import { ledgerSql, orderLedgerSql } from './ledger.ts';
import { messageSql } from './messages.ts';
import { migrationSql } from './migrate.ts';
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
import { retentionSql } from './retention.ts';
import { shipmentSql } from './shipments.ts';
import type { Statement } from './statement.ts';
import { retryListSql, retrySql } from './retries.ts';
import { unrecordedOrderListSql, unrecordedOrderSql } from './unrecorded-orders.ts';
import { upkeepSql } from './upkeep.ts';
import { webhookListSql, webhookSql } from './webhooks.ts';

/** Statements that run for an order, a message or a request: every one enters its tables by an index. */
export const perOrderFamilies = {
  actSql,
  auditSql,
  customerSql,
  deadLetterSql,
  fulfillmentSql,
  inventorySql,
  messageSql,
  operationSql,
  orderActSql,
  orderSql,
  outboxSql,
  paymentSql,
  processedEventSql,
  readSql,
  debtSql,
  refundSql,
  retentionSql,
  shipmentSql,
  retrySql,
  unrecordedOrderSql,
  webhookSql,
};

/** These run once in a while and may read as much as there is. */
export const upkeepFamilies = {
  caseSql,
  catalogSql,
  databaseSql,
  deadLetterReadSql,
  ledgerSql,
  migrationSql,
  orderLedgerSql,
  outboxLeaseSql,
  outboxUpkeepSql,
  providerSql,
  refundClaimSql,
  retryListSql,
  unrecordedOrderListSql,
  upkeepSql,
  webhookListSql,
};

const membersOf = (families: Record<string, Record<string, Statement>>): Statement[] =>
  Object.values(families).flatMap((family) => Object.values(family));

export const perOrderStatements: Statement[] = membersOf(perOrderFamilies);
export const allStatements: Statement[] = [...perOrderStatements, ...membersOf(upkeepFamilies)];
