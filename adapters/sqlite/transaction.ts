import type { StoreTransaction } from '../../ports/store.ts';
import { createActs } from './acts.ts';
import { createAudit } from './audit.ts';
import type { Connection } from './connection.ts';
import { createPersonalData } from './customers.ts';
import { createDeadLetters } from './dead-letters.ts';
import { createFulfillments } from './fulfillments.ts';
import { createInventory } from './inventory.ts';
import { createMessages } from './messages.ts';
import { createOperations } from './operations.ts';
import { createOrderActs } from './order-acts.ts';
import { createOrders } from './orders.ts';
import { createPayments } from './payments.ts';
import { createProcessedEvents } from './processed-events.ts';
import { createProviders } from './providers.ts';
import { createDisputes, createRefunds } from './refunds.ts';
import { createRetention } from './retention.ts';
import { createShipments } from './shipments.ts';
import type { Statements } from './statements.ts';
import { createRetries } from './retries.ts';
import { createUnrecordedOrders } from './unrecorded-orders.ts';
import { createWebhooks } from './webhooks.ts';

/** One job's time in the write queue; past its end nothing of it reaches the database. */
export interface Scope {
  ended: boolean;
  /** First error after which the transaction cannot commit, also when the work swallowed it. */
  broken: Error | undefined;
}

export const createStatements = (connection: Connection): Statements => ({
  operations: createOperations(connection),
  orders: createOrders(connection),
  orderActs: createOrderActs(connection),
  acts: createActs(connection),
  inventory: createInventory(connection),
  payments: createPayments(connection),
  refunds: createRefunds(connection),
  disputes: createDisputes(connection),
  fulfillments: createFulfillments(connection),
  shipments: createShipments(connection),
  audit: createAudit(connection),
  messages: createMessages(connection),
  processedEvents: createProcessedEvents(connection),
  deadLetters: createDeadLetters(connection),
  providers: createProviders(connection),
  webhooks: createWebhooks(connection),
  retention: createRetention(connection),
  personalData: createPersonalData(connection),
  unrecordedOrders: createUnrecordedOrders(connection),
  retries: createRetries(connection),
});

type Method = (input: unknown) => unknown;

/**
 * The port's view of the statements for one transaction. Each call runs at once and returns a promise that is already
 * settled; after the transaction has ended every call rejects.
 */
export function createTransaction(input: {
  statements: Statements;
  connection: Connection;
  scope: Scope;
}): StoreTransaction {
  const { statements, connection, scope } = input;
  const call = (method: Method, argument: unknown): Promise<unknown> => {
    if (scope.ended) return Promise.reject(new Error(usedAfterEnd));
    try {
      return Promise.resolve(method(argument));
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error));
      if (!connection.inTransaction()) scope.broken ??= reason;
      return Promise.reject(reason);
    }
  };
  const bound: Record<string, Record<string, Method>> = {};
  for (const [family, methods] of Object.entries(statements) as [string, Record<string, Method>][]) {
    const members: Record<string, Method> = (bound[family] = {});
    for (const name in methods) members[name] = (argument) => call(methods[name] as Method, argument);
  }
  return bound as unknown as StoreTransaction;
}

const usedAfterEnd =
  'This transaction has ended: its tx was used after the promise of transaction(work) settled or after work awaited ' +
  'something else than tx; await every call of tx inside work';
