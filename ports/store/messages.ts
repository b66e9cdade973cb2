import type { EventType } from '../../domain/events.ts';
import type { OrderId } from '../../domain/ids.ts';
import type {
  WebhookAttempt,
  WebhookEndpoint,
  WebhookEndpointId,
  WebhookEndpointState,
} from '../../domain/webhooks.ts';

/** A message on its way to the broker: an event, or a task for a named queue. */
export interface OutboxMessage {
  /** UUID; becomes the AMQP messageId. For events the eventId. */
  id: string;
  occurredAtUtc: string;
  /** Event type or task type, for example `email.order-confirmation.v1`. */
  type: string;
  /** JSON text, sent as it is. */
  payload: string;
  /** `exchange:orders.exchange` for events, `queue:<name>` for tasks. */
  destination: string;
  orderId: OrderId;
  /** The event's sequence; 0 for tasks, which have no place in the order's events. */
  sequence: number;
  /** W3C `traceparent` header value; empty when there is none. */
  traceparent: string;
  /** AMQP priority 0-10; absent for none. */
  priority?: number;
}

export interface MessageStatements {
  add(message: OutboxMessage): Promise<void>;
  /**
   * Ends the setting aside of a message: `retry` gives it to the relay again with no attempts counted, with another
   * payload where one is given; `skip` closes it unpublished, so that later messages of its order go on. False when it
   * is not set aside.
   */
  resume(input: { id: string; act: 'retry' | 'skip'; payload?: string; nowUtc: string }): Promise<boolean>;
}

export interface ProcessedEventStatements {
  /** Marks the event as handled by this consumer; false when it already was (skip the effect). */
  mark(input: { consumer: string; eventId: string; processedAtUtc: string }): Promise<boolean>;
}

export interface WebhookStatements {
  /** The endpoint, locked until the transaction ends where the database locks rows. */
  find(id: WebhookEndpointId): Promise<WebhookEndpoint | undefined>;
  /** Inserts or replaces the endpoint whole. */
  put(endpoint: WebhookEndpoint): Promise<void>;
  /** Deletes the endpoint; its recorded attempts stay until they are purged. False when there is none. */
  remove(id: WebhookEndpointId): Promise<boolean>;
  /** Appends one attempt; `answer` is kept to 2,000 characters. */
  record(attempt: WebhookAttempt): Promise<void>;
  /** Deletes attempts older than the time, at most `limit`; returns how many. */
  purge(input: { attemptedBeforeUtc: string; limit: number }): Promise<number>;
}

export interface WebhookReads {
  find(id: WebhookEndpointId): Promise<WebhookEndpoint | undefined>;
  /** All endpoints, oldest first (by creation time, then id). */
  list(): Promise<WebhookEndpoint[]>;
  /** Ids of the enabled endpoints that subscribed to the type. */
  subscribers(eventType: EventType): Promise<WebhookEndpointId[]>;
  /** Whether an attempt of this `webhook-id` was recorded as delivered. */
  delivered(webhookId: string): Promise<boolean>;
  /** Recorded attempts of an endpoint, newest first; `before` is the position of the last one of the page before. */
  attempts(input: {
    endpointId: WebhookEndpointId;
    before?: number;
    limit: number;
  }): Promise<(WebhookAttempt & { position: number })[]>;
  /** How many endpoints there are in each state. */
  counts(): Promise<Record<WebhookEndpointState, number>>;
}

export interface PendingMessage extends OutboxMessage {
  attempts: number;
}

export interface SetAsideMessage extends PendingMessage {
  lastError: string;
  setAsideAtUtc: string;
}

/** Partitions are 0 to 15: a stable hash of OrderId modulo 16. */
export const outboxPartitions = 16;

export interface OutboxStore {
  /**
   * Takes or renews this relay's share of the 16 partitions: an even share among live owners; a partition whose lease
   * has run out is free. Returns the partitions now held. Leases last `leaseMs`. What is more than the share, since
   * another relay came, is given up here for others to take: call it between batches, never with messages on their way.
   */
  lease(input: { owner: string; nowUtc: string; leaseMs: number }): Promise<number[]>;
  /** Gives all partitions of this owner back (clean shutdown). */
  releaseLeases(owner: string): Promise<void>;
  /**
   * Oldest unpublished messages of the given partitions that this owner holds, at most `limit`, in the order they
   * were written per order; for one order never past a message that is set aside. Messages set aside are not
   * returned.
   */
  pending(input: { owner: string; partitions: readonly number[]; limit: number }): Promise<PendingMessage[]>;
  markPublished(input: { ids: readonly string[]; publishedAtUtc: string }): Promise<void>;
  /** Adds an attempt to one message that itself could not be published; at `setAsideAfter` it is set aside. */
  markFailed(input: { id: string; error: string; setAsideAfter: number }): Promise<{ setAside: boolean }>;
  /** How many messages wait to be published, how many are set aside, and since when the oldest of the waiting is there. */
  depth(): Promise<{ unpublished: number; setAside: number; oldestUtc: string | undefined }>;
  /** Messages set aside, oldest first, at most `limit`. */
  setAside(input: { limit: number }): Promise<SetAsideMessage[]>;
  /** Deletes published messages older than the time, at most `limit`; returns how many. */
  purge(input: { publishedBeforeUtc: string; limit: number }): Promise<number>;
}
