import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, defineSearchAttributeKey } from '@temporalio/common';
import { afterAll, beforeAll, expect } from 'vitest';
import { orderId, type OrderId } from '../../domain/ids.ts';
import type { EndStatus } from '../../domain/order.ts';
import { searchAttributes } from '../../domain/search-attributes.ts';
import { readBooks, type OrderBooks } from '../checker/books.ts';
import { startSagaEnvironment, type SagaEnvironment } from '../setup/saga-environment.ts';

export type StartedOrder = Awaited<ReturnType<SagaEnvironment['start']>>;

/** Who acts in the tests, and why. */
export const act = { actor: 'help-desk', reason: 'asked for by phone' };

/** A fresh order id, for tests that put faults on an order before it starts. */
export const newOrderId = (): OrderId => orderId(crypto.randomUUID());

/**
 * One saga environment for the tests of a file, which may run side by side; everything they started is held against
 * the invariants at the end.
 */
export function sagaSuite(options: Parameters<typeof startSagaEnvironment>[0] = {}): () => SagaEnvironment {
  let saga: SagaEnvironment | undefined;
  beforeAll(async () => {
    saga = await startSagaEnvironment(options);
  });
  afterAll(async () => {
    try {
      await saga?.checkAll();
    } finally {
      await saga?.close();
    }
  });
  return () => {
    if (!saga) throw new Error('The saga environment has not started; use it inside a test');
    return saga;
  };
}

/** Event types of an order without `.v1`, in order, for example `order.created`. */
export async function eventsOf(saga: SagaEnvironment, id: OrderId): Promise<string[]> {
  const [ledger] = await saga.deps.store.read.ledger(id);
  return (ledger?.eventTypes ?? []).map((type) => type.replace(/\.v1$/, ''));
}

/**
 * Waits for the order's end, holds it against the invariants and compares its events where given, reminders apart:
 * whether there is time for one in a hold of milliseconds is the machine's affair.
 */
export async function expectEnd(
  saga: SagaEnvironment,
  order: StartedOrder,
  { status, failure, events }: { status: EndStatus; failure?: string; events?: string[] },
): Promise<OrderBooks> {
  const result = await order.result();
  expect(result.status).toBe(status);
  expect(result.failure?.type).toBe(failure);
  await saga.check(order.orderId);
  const told = await eventsOf(saga, order.orderId);
  if (events) expect(told.filter((type) => type !== 'order.hold_reminded')).toEqual(events);
  return booksOf(saga, order.orderId);
}

/** Temporal's own cancel: the run closes as Canceled, and nothing of the order stands. */
export async function expectCanceledRun(saga: SagaEnvironment, order: StartedOrder): Promise<void> {
  const error = await order.result().then(
    (result) => new Error(`Expected a canceled run, got ${JSON.stringify(result)}`),
    (failure: unknown) => failure,
  );
  if (!(error instanceof WorkflowFailedError)) throw error;
  expect(error.cause).toBeInstanceOf(CancelledFailure);
  expect(await shownOf(order)).toMatchObject({
    run: 'CANCELLED',
    orderStatus: 'cancelled',
    sagaState: 'ended',
  });
  await saga.check(order.orderId);
}

export async function booksOf(saga: SagaEnvironment, id: OrderId): Promise<OrderBooks> {
  const books = await readBooks({ store: saga.deps.store, sandboxUrl: saga.sandbox.url }, id);
  if (!books) throw new Error(`SQL does not know order ${id}`);
  return books;
}

/** The reason with which an update was refused; fails when it was accepted. */
export async function refusalOf(update: Promise<unknown>): Promise<string> {
  const error = await update.then(
    (answer) => new Error(`Expected a refusal; the update was accepted: ${JSON.stringify(answer)}`),
    (failure: unknown) => failure,
  );
  if (!(error instanceof WorkflowUpdateFailedError)) throw error;
  const { cause } = error;
  if (!(cause instanceof ApplicationFailure) || cause.type !== 'ActRefused') throw error;
  return cause.message;
}

/** What people see of a run with Temporal's own tools. */
export async function shownOf(order: StartedOrder) {
  const { typedSearchAttributes, status } = await order.describe();
  const attribute = (name: string) => typedSearchAttributes.get(defineSearchAttributeKey(name, 'KEYWORD'));
  return {
    run: status.name,
    orderStatus: attribute(searchAttributes.orderStatus),
    sagaState: attribute(searchAttributes.sagaState),
    parkedStep: attribute(searchAttributes.parkedStep),
    failureType: attribute(searchAttributes.failureType),
    details: await detailsOf(order),
  };
}

/** The current details, as the Web UI reads them. */
export async function detailsOf(order: StartedOrder): Promise<string> {
  const metadata = await order.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  return metadata.currentDetails ?? '';
}

/** Audit rows of an act, as `result: reason`. */
export async function auditedActs(saga: SagaEnvironment, id: OrderId, name: string): Promise<string[]> {
  const rows = await saga.deps.store.read.audit(`order:${id}`);
  return rows.filter(({ from }) => from === name).map(({ to, reason }) => `${to}: ${reason}`);
}
