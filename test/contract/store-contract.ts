import { describe } from 'vitest';
import { describeAudit } from './store-audit.ts';
import { describeCases } from './store-cases.ts';
import { describeDeadLetters } from './store-dead-letters.ts';
import { describeInventory } from './store-inventory.ts';
import { describeOperations } from './store-operations.ts';
import { describeOrders } from './store-orders.ts';
import { describeOutbox } from './store-outbox.ts';
import { describeOutboxLeases } from './store-outbox-leases.ts';
import { describeProcesses } from './store-processes.ts';
import { describeProviders } from './store-providers.ts';
import { describeRefunds } from './store-refunds.ts';
import { describeRetention } from './store-retention.ts';
import { describeStanding } from './store-standing.ts';
import { describeSwitches } from './store-switches.ts';
import { describeTransactions } from './store-transactions.ts';
import { describeRetries } from './store-retries.ts';
import { describeUnrecordedOrders } from './store-unrecorded-orders.ts';
import { describeWebhooks } from './store-webhooks.ts';
import type { CreateDatabase } from './contract-database.ts';

/**
 * What every SQL adapter must hold. Failing cases name the statement through the adapter's own errors, which carry the
 * statement's text.
 */
export function describeStoreContract(input: { name: string; createDatabase: CreateDatabase }): void {
  const { name, createDatabase } = input;
  describe(`the store contract on ${name}`, () => {
    describe('transactions', () => {
      describeTransactions(createDatabase);
    });
    describe('operations', () => {
      describeOperations(createDatabase);
    });
    describe('orders and their events', () => {
      describeOrders(createDatabase);
    });
    describe('inventory', () => {
      describeInventory(createDatabase);
    });
    describe('payments, fulfillments, shipments and the ledger', () => {
      describeProviders(createDatabase);
    });
    describe('refunds, disputes and personal data', () => {
      describeRefunds(createDatabase);
    });
    describe('audit trail', () => {
      describeAudit(createDatabase);
    });
    describe('open orders and cases', () => {
      describeCases(createDatabase);
    });
    describe('steps that are retried', () => {
      describeRetries(createDatabase);
    });
    describe('orders that SQL does not know', () => {
      describeUnrecordedOrders(createDatabase);
    });
    describe('retention and upkeep', () => {
      describeRetention(createDatabase);
    });
    describe('how orders and stock stand', () => {
      describeStanding(createDatabase);
    });
    describe('outbox', () => {
      describeOutbox(createDatabase);
    });
    describe('dead letters', () => {
      describeDeadLetters(createDatabase);
    });
    describe('outbox leases', () => {
      describeOutboxLeases(createDatabase);
    });
    describe('webhook endpoints and deliveries', () => {
      describeWebhooks(createDatabase);
    });
    describe("providers' switches and circuits", () => {
      describeSwitches(createDatabase);
    });
    describe('processes', () => {
      describeProcesses(createDatabase);
    });
  });
}
