/**
 * Names that messages travel by, made in this one place: what an activity writes into `OutboxMessage.destination`,
 * what the topology declares and what the broker adapter reads.
 */

/** Topic exchange of all events; the routing key is the event type. */
export const eventsExchange = 'orders.exchange';
/** Tasks of the email worker. */
export const emailQueue = 'email-queue';
/** Events on their way to partners: bound to every event, and where the deliveries made of them wait. */
export const webhookQueue = 'webhook-queue';

/** Every event, best effort. */
export const analyticsQueue = 'analytics-queue';

export type Destination = `exchange:${string}` | `queue:${string}`;

/** Where events go. */
export const eventsDestination: Destination = `exchange:${eventsExchange}`;
/** Where email tasks go. */
export const emailDestination: Destination = `queue:${emailQueue}`;
/** Where deliveries to one endpoint go. */
export const webhookDestination: Destination = `queue:${webhookQueue}`;

/** Everything of `queue` that failed for good or expired. */
export const deadLetterQueueOf = (queue: string): string => `${queue}.dlq`;

/** Holds messages of `queue` for `delayMs` and gives them back to it: one queue per delay, since expiry looks at the head only. */
export const delayQueueOf = (queue: string, delayMs: number): string => `${queue}.delay.${delayMs}ms`;

/** Queue of one subscription. Rejects names that would read as another queue's: lower-case letters, digits and `-` only. */
export function subscriptionQueueOf({
  service,
  subscription,
}: {
  service: string;
  subscription: string;
}): string {
  for (const name of [service, subscription]) {
    if (/^[a-z][a-z0-9-]{0,59}$/.test(name)) continue;
    throw new Error(
      `Subscription ${service}.${subscription}: expected names of lower-case letters, digits and "-", at most 60; came "${name}"`,
    );
  }
  return `${service}.${subscription}.q`;
}

/** Reads `exchange:<name>` or `queue:<name>`; undefined when it is neither. */
export function parseDestination(text: string): { kind: 'exchange' | 'queue'; name: string } | undefined {
  const match = /^(exchange|queue):(.{1,255})$/s.exec(text);
  return match ? { kind: match[1] as 'exchange' | 'queue', name: match[2] as string } : undefined;
}
