import type { OutboxMessage } from './store/messages.ts';

/** Publishing with the broker's confirm and, for what must be routed, its return. */
export interface Publisher {
  /**
   * Publishes one message persistently. Resolves when the broker has confirmed it; pipelined: callers do not wait for
   * one another (at most about 200 in flight).
   * - `confirmed`: a durable queue or the alternate exchange has it.
   * - `unroutable`: a message for a named queue that does not exist (returned by `mandatory`, then confirmed).
   * - `refused`: the broker will not take this message (too large, invalid): an attempt of that message.
   * - `unavailable`: no connection, blocked, or the channel broke before the confirm: not an attempt; nobody knows.
   */
  publish(message: OutboxMessage): Promise<PublishAnswer>;
}

export type PublishAnswer =
  | { status: 'confirmed' }
  | { status: 'unroutable'; reason: string }
  | { status: 'refused'; reason: string }
  | { status: 'unavailable'; reason: string };

/** A message as a consumer sees it. */
export interface Delivery {
  messageId: string;
  type: string;
  /** JSON-parsed body; undefined when the body is not JSON (`parseError` says why). */
  body: unknown;
  parseError?: string;
  headers: Readonly<Record<string, unknown>>;
  redelivered: boolean;
  /** Queue it came from. */
  queue: string;
  /** Raw body, for dead letters. */
  content: Uint8Array;
  /** Number of this attempt, from 1: our own count (`x-attempt`), believed only where this queue's retries set it. */
  attempt: number;
  /** When its publisher sent it first; retries keep that. Undefined when it does not say. */
  sentAtUtc?: string;
  /** How it first reached this queue, retries aside; an empty exchange is the default one. */
  exchange: string;
  routingKey: string;
  /** Aborted when the delivery is no longer ours: the channel broke or the consumer is closing; the broker delivers again. */
  signal: AbortSignal;
}

/**
 * What a handler decides. `done`: acknowledge. `dead-letter`: publish to `<queue>.dlq` with the reason, wait for the
 * confirm, then acknowledge. `retry`: publish to the queue's delay queue of `delayMs`, which must be declared, wait for
 * the confirm, then acknowledge; it comes back with the next attempt number, or with the same one when `counted` is
 * false. `pause`: give the delivery back and stop consuming for `ms` (the outside world is away).
 */
export type HandlerResult =
  | { status: 'done' }
  | { status: 'retry'; delayMs: number; reason: string; error: string; counted?: boolean }
  /** `attempt`: attempts made, where the handler counted them itself; otherwise the delivery's. */
  | { status: 'dead-letter'; reason: string; error: string; attempt?: number }
  | { status: 'pause'; ms: number; reason: string };

export interface Consumer {
  close(): Promise<void>;
}

export interface Broker extends Publisher {
  /**
   * Declares a part of the topology that is known at run time only, such as a subscription, and again after every
   * connect. Resolves when it stands, waiting for the broker; rejects, and forgets it, when it stands with other arguments.
   */
  declare(part: Topology): Promise<void>;
  /** Consumes a queue; survives reconnects, null deliveries and deleted queues. A throwing handler is a `pause` of 1 s. */
  consume(input: {
    queue: string;
    prefetch: number;
    /**
     * For queues with a single active consumer: nothing is given back before this consumer has gone, since the next
     * one would start with what follows it. Default false.
     */
    ordered?: boolean;
    /** The handler settles deliveries in batches and traces those: no span for each delivery. Default false. */
    batched?: boolean;
    handler: (delivery: Delivery) => Promise<HandlerResult>;
  }): Promise<Consumer>;
  /** `connected`, `blocked` (memory or disk alarm at the broker) or `disconnected`. */
  state(): 'connected' | 'blocked' | 'disconnected';
  close(): Promise<void>;
}

/** What is declared at the broker, as data: exchanges are durable, declared in the order given, then queues, then bindings. */
export interface Topology {
  exchanges: readonly ExchangeDeclaration[];
  queues: readonly QueueDeclaration[];
  bindings: readonly BindingDeclaration[];
  /** Bindings of an earlier declaration that must not stand any more; removed before `bindings` are made. */
  unbindings?: readonly BindingDeclaration[];
}

export interface BindingDeclaration {
  queue: string;
  exchange: string;
  routingKey: string;
}

export interface ExchangeDeclaration {
  name: string;
  type: 'topic' | 'direct' | 'fanout';
  /** Takes what no binding matches; must stand before this exchange in the list. */
  alternateExchange?: string;
}

export interface QueueDeclaration {
  name: string;
  kind: 'classic' | 'quorum';
  durable: boolean;
  /** Classic queues only. */
  maxPriority?: number;
  /** From first enqueue; a requeue does not start it again. Expires at the head of the queue only. */
  messageTtlMs?: number;
  maxLength?: number;
  overflow?: 'drop-head' | 'reject-publish';
  /** Quorum queues only; without it a poison message is redelivered without end. */
  deliveryLimit?: number;
  /** The routing key is required: the message's own would reach no dead-letter queue. */
  deadLetter?: { exchange: string; routingKey: string; strategy?: 'at-most-once' | 'at-least-once' };
  singleActiveConsumer?: boolean;
}
