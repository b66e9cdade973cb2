import { expect, it } from 'vitest';
import { deadLetterQueueOf, emailDestination, eventsDestination, parseDestination } from './destinations.ts';

it('reads the destinations it makes', () => {
  expect(parseDestination(eventsDestination)).toEqual({ kind: 'exchange', name: 'orders.exchange' });
  expect(parseDestination(emailDestination)).toEqual({ kind: 'queue', name: 'email-queue' });
});

it.each(['', 'queue:', 'orders.exchange', 'topic:x', `queue:${'x'.repeat(256)}`])(
  'does not read %j',
  (text) => {
    expect(parseDestination(text)).toBeUndefined();
  },
);

it('names the dead-letter queue after its queue', () => {
  expect(deadLetterQueueOf('email-queue')).toBe('email-queue.dlq');
});
