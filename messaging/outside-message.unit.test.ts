import { expect, it, test } from 'vitest';
import { emailDestination, eventsDestination } from '../domain/destinations.ts';
import { orderId } from '../domain/ids.ts';
import { outsideEvent, withCustomerMessage } from '../domain/outside-words.ts';
import { eventTypes, type DomainEvent, type EventType } from '../domain/events.ts';
import type { OutboxMessage } from '../ports/store/messages.ts';
import { exampleOf } from './contracts/event-contract.ts';
import { eventContracts } from './contracts/event-contracts.ts';
import { readEvent } from './contracts/read-event.ts';
import { outsideMessage } from './outside-message.ts';

const order = '0d1c6c4e-7a54-5a3e-9f0b-2f5f6f0a9b11';

const written = (event: unknown, changes: Partial<OutboxMessage> = {}): OutboxMessage => ({
  id: '6f1e9a52-3c1b-4a7e-8f66-0f2f6f0c1d2e',
  occurredAtUtc: '2026-01-02T03:04:05.678Z',
  type: 'order.created.v1',
  payload: typeof event === 'string' ? event : JSON.stringify(event),
  destination: eventsDestination,
  orderId: orderId(order),
  sequence: 1,
  traceparent: '',
  ...changes,
});

const withFacts = (eventType: EventType, facts: object): DomainEvent => {
  const example = exampleOf(eventType, eventContracts[eventType]) as DomainEvent;
  return { ...example, payload: { ...example.payload, ...facts } };
};
const published = (event: DomainEvent): DomainEvent =>
  JSON.parse(outsideMessage(written(event)).payload) as DomainEvent;

/* Facts by their contract: names of a list, ids, numbers and times. What is not here is text of people and providers. */
const facts = new Set(
  (
    'orderId customerId currency paymentId refundId disputeId respondByUtc moneyAct outcome fulfillmentId shipmentId ' +
    'carrier trackingCode status failureType untilUtc sinceUtc step activity'
  ).split(' '),
);

test.each(eventTypes)(
  '%s leaves without the words of people and providers, and keeps to its contract',
  (type) => {
    const { payload } = withFacts(type, {});
    const texts = Object.entries(payload).filter(
      ([name, value]) => typeof value === 'string' && !facts.has(name),
    );
    for (const failureType of [
      'failureType' in payload ? ['CardDeclined', 'AddressUndeliverable', 'New'] : undefined,
    ].flat()) {
      const marked = Object.fromEntries(texts.map(([name]) => [name, `MARKER of ${name}`]));
      const event = withFacts(type, { ...marked, ...(failureType ? { failureType } : {}) });
      const shown = published(event);
      expect(JSON.stringify(shown)).not.toContain('MARKER');
      expect(readEvent(eventContracts, shown)).toMatchObject({ status: 'event' });
      expect(published(shown), 'said in outside words twice').toEqual(shown);
    }
  },
);

it('keeps what is written for the customer, also for a partner who gets the event from the broker', () => {
  const reason = withCustomerMessage('the warehouse burned', 'We cannot deliver at present.');
  const event = withFacts('order.cancelled.v1', { actor: 'ada (help-desk)', reason });
  const said = { actor: 'person', reason: 'We cannot deliver at present.' };
  expect(published(event).payload).toMatchObject(said);
  expect(outsideEvent(published(event)).payload).toMatchObject(said);
});

it('keeps facts and the bank’s word as they are, byte by byte', () => {
  const untold = eventTypes
    .map((type) => JSON.stringify(withFacts(type, {})))
    .filter((payload) => payload.includes('disputed') || !/"(?:reason|failure|actor)":/.test(payload));
  expect(untold.length).toBeGreaterThan(10);
  expect(untold.map((payload) => outsideMessage(written(payload)).payload)).toEqual(untold);
});

it('leaves alone what is no event, or no JSON', () => {
  const mail = written({ payload: { reason: 'for the help desk' } }, { destination: emailDestination });
  expect(outsideMessage(mail)).toBe(mail);
  for (const text of ['no JSON', 'null', '"text"', '{}', '{"payload":null}']) {
    expect(outsideMessage(written(text)).payload).toBe(text);
  }
});
