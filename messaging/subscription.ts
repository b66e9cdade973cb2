import type { EventType } from '../domain/events.ts';
import type { Broker, Consumer } from '../ports/broker.ts';
import type { Clock } from '../ports/clock.ts';
import type { SeenFilter } from '../ports/locks.ts';
import type { ProcessedEventStatements } from '../ports/store/messages.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { EventContract } from './contracts/event-contract.ts';
import type { EventOf } from './contracts/read-event.ts';

/** What an effect writes in, together with the mark that the event was handled. */
export interface MarksEvents {
  processedEvents: ProcessedEventStatements;
}

export interface SubscriberDeps<Tx extends MarksEvents> {
  broker: Pick<Broker, 'declare' | 'consume'>;
  /** Fast check for duplicates; without it, and without `store`, a duplicate reaches the handler again. */
  seen: SeenFilter;
  /** Where `context.once` runs effects: the order store, or the subscriber's own database. */
  store?: { transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> };
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** Events the subscriber can read. Default: all of this product. */
  contracts?: Readonly<Record<string, EventContract>>;
}

export interface SubscriptionInput<Type extends EventType, Tx> {
  /** Owner of the queue `<service>.<subscription>.q`. */
  service: string;
  /** One queue each; several instances of one subscription share its work. Default `events`. */
  subscription?: string;
  events: readonly Type[];
  handler: (event: EventOf<Type>, context: EventContext<Tx>) => Promise<Rejection | void>;
  /**
   * One queue, a single active consumer, one event at a time, retries in place: the next event waits meanwhile.
   * Changing it later needs a new subscription name: the queue stands with other arguments.
   */
  ordered?: boolean;
  /** Events handled at the same time per instance; 1 to 1,000, default 10. Always 1 when ordered. */
  prefetch?: number;
  /** Pauses before the attempts after the first, milliseconds. Default 5 s, 25 s, 125 s; at most 5 minutes when ordered. */
  retryDelaysMs?: readonly number[];
}

/** What a handler knows beside the event. */
export interface EventContext<Tx> {
  /** From 1; the last one is the number of retries plus 1. */
  attempt: number;
  /**
   * W3C `traceparent` to be the parent of what the handler does: of the handling's own span where this process records
   * traces, otherwise of the publisher; undefined when none came.
   */
  traceparent: string | undefined;
  /** Aborted when the delivery is lost to this instance: the event comes again, here or elsewhere. */
  signal: AbortSignal;
  logger: Logger;
  /**
   * Runs `work` and marks the event as handled in one transaction: both stand or neither does. False, and nothing is
   * run, when the event had been handled. Rejects without a `store`.
   */
  once(work: (tx: Tx) => Promise<void> | void): Promise<boolean>;
}

/** The handler can never do anything with this event: it is dead-lettered at once, without further attempts. */
export interface Rejection {
  /** One word for the kind of failure, for example `unknown-customer`. */
  reject: string;
  error: string;
}

export interface Subscription extends Consumer {
  queue: string;
}
