import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, it } from 'vitest';
import type { AuditEntry } from '../domain/audit.ts';
import type { DomainEvent, EventFacts } from '../domain/events.ts';
import type { StoreTransaction } from '../ports/store.ts';
import { newOrder } from '../test/contract/store-fixtures.ts';
import { writeTransition } from './transition.ts';
import type { OrderRow } from '../ports/store/orders.ts';
import type { OutboxMessage } from '../ports/store/messages.ts';

const order: OrderRow = {
  ...newOrder(),
  status: 'received',
  sagaState: 'running',
  step: 'receive',
  detail: {},
  updatedAtUtc: '2026-01-02T03:04:05.678Z',
};

/** Outbox rows and audit rows of a change with these events. */
async function written(event?: EventFacts | EventFacts[]) {
  const messages: OutboxMessage[] = [];
  const audit: AuditEntry[] = [];
  let last: string | undefined;
  const tx = {
    audit: { append: async (entry: AuditEntry) => void audit.push(entry) },
    orders: {
      update: async () => {},
      nextEvent: async ({ eventId }: { eventId: string }) => {
        const next = { sequence: messages.length + 1, previousEventId: last };
        last = eventId;
        return next;
      },
    },
    messages: { add: async (message: OutboxMessage) => void messages.push(message) },
  } as unknown as StoreTransaction;
  const nowUtc = '2026-01-02T03:04:05.678Z';
  const change = { order, step: 'receive' as const, reason: 'test', nowUtc, ...(event ? { event } : {}) };
  await new MockActivityEnvironment().run(() => writeTransition(tx, change));
  return { messages, audit, events: messages.map(({ payload }) => JSON.parse(payload) as DomainEvent) };
}

const created: EventFacts = { type: 'order.created.v1', details: {} };
const createdV2 = { type: 'order.created.v2', details: { channel: 'web' } } as unknown as EventFacts;

it('writes a change without an event as an audit row alone', async () => {
  const { messages, audit } = await written();
  expect([messages.length, audit[0]?.causingEventId]).toEqual([0, '']);
});

it('writes one fact in two versions as two events: ids and sequences of their own, each with its version', async () => {
  const { messages, audit, events } = await written([created, createdV2]);
  expect(messages.map(({ type, sequence }) => [type, sequence])).toEqual([
    ['order.created.v1', 1],
    ['order.created.v2', 2],
  ]);
  expect(events.map(({ metadata }) => metadata.schemaVersion)).toEqual([1, 2]);
  expect(events[0]?.payload).not.toHaveProperty('channel');
  expect(events[1]?.metadata.causationId).toBe(events[0]?.eventId);
  expect(audit.map(({ causingEventId }) => causingEventId)).toEqual([order.workflowId]);
});
