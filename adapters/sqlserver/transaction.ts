import type { StoreTransaction } from '../../ports/store.ts';
import { createActs } from './acts.ts';
import { createAudit } from './audit.ts';
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
import type { Scope } from './run-transaction.ts';
import { createShipments } from './shipments.ts';
import type { Session } from './statement.ts';
import { createRetries } from './retries.ts';
import { createUnrecordedOrders } from './unrecorded-orders.ts';
import { createWebhooks } from './webhooks.ts';

type Method = (input: unknown) => Promise<unknown>;

/**
 * Runs `work` with the port's view of one transaction. Its calls run one after another, each of them whole, in the order
 * they were made; after the transaction has ended every call rejects.
 */
export async function withTransaction<T>(
  { session, scope }: { session: Session; scope: Scope },
  work: (tx: StoreTransaction) => Promise<T>,
): Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  const call = (method: Method, argument: unknown): Promise<unknown> => {
    if (scope.ended) return Promise.reject(new Error(usedAfterEnd));
    const called = last.then(() => method(argument));
    last = called.catch(() => {});
    return called;
  };
  const bound: Record<string, Record<string, Method>> = {};
  for (const [family, methods] of Object.entries(families(session)) as [string, Record<string, Method>][]) {
    const members: Record<string, Method> = (bound[family] = {});
    for (const name in methods) members[name] = (argument) => call(methods[name] as Method, argument);
  }
  const result = await work(bound as unknown as StoreTransaction);
  // Calls that the work has not awaited still belong to the transaction.
  await last;
  return result;
}

const families = (session: Session): StoreTransaction => ({
  operations: createOperations(session),
  orders: createOrders(session),
  orderActs: createOrderActs(session),
  acts: createActs(session),
  inventory: createInventory(session),
  payments: createPayments(session),
  refunds: createRefunds(session),
  disputes: createDisputes(session),
  fulfillments: createFulfillments(session),
  shipments: createShipments(session),
  audit: createAudit(session),
  messages: createMessages(session),
  processedEvents: createProcessedEvents(session),
  deadLetters: createDeadLetters(session),
  providers: createProviders(session),
  webhooks: createWebhooks(session),
  retention: createRetention(session),
  personalData: createPersonalData(session),
  unrecordedOrders: createUnrecordedOrders(session),
  retries: createRetries(session),
});

const usedAfterEnd =
  'This transaction has ended: its tx was used after the promise of transaction(work) settled; await every call of tx ' +
  'inside work';
