/**
 * Names that messages travel by, made in this one place: what an activity writes into `OutboxMessage.destination`,
 * what the topology declares and what the broker adapter reads.
 */

/** Topic exchange of all events; the routing key is the event type. */
export const eventsExchange = 'orders.exchange';
/** Tasks of the email worker. */
export const emailQueue = 'email-queue';

export type Destination = `exchange:${string}` | `queue:${string}`;

/** Where events go. */
export const eventsDestination: Destination = `exchange:${eventsExchange}`;
/** Where email tasks go. */
export const emailDestination: Destination = `queue:${emailQueue}`;

/** Everything of `queue` that failed for good or expired. */
export const deadLetterQueueOf = (queue: string): string => `${queue}.dlq`;

/** Reads `exchange:<name>` or `queue:<name>`; undefined when it is neither. */
export function parseDestination(text: string): { kind: 'exchange' | 'queue'; name: string } | undefined {
  const match = /^(exchange|queue):(.{1,255})$/s.exec(text);
  return match ? { kind: match[1] as 'exchange' | 'queue', name: match[2] as string } : undefined;
}
