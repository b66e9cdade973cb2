import { eventsDestination } from '../domain/destinations.ts';
import type { DomainEvent } from '../domain/events.ts';
import { outsideEvent } from '../domain/outside-words.ts';
import type { OutboxMessage } from '../ports/store/messages.ts';

/**
 * A message as it leaves for the broker. An event says there what outsiders may read, since whoever subscribes reads it; the
 * house's words stay in SQL, see `insideWords`. The same row gives the same bytes each time: a duplicate is known by them.
 */
export function outsideMessage<Message extends OutboxMessage>(message: Message): Message {
  if (message.destination !== eventsDestination) return message;
  const event = parsed(message.payload);
  return event === undefined ? message : { ...message, payload: JSON.stringify(outsideEvent(event)) };
}

/** What is no JSON goes out as it is, for its consumers to refuse. */
function parsed(payload: string): DomainEvent | undefined {
  try {
    const event: unknown = JSON.parse(payload);
    return typeof event === 'object' && event !== null ? (event as DomainEvent) : undefined;
  } catch {
    return undefined;
  }
}
