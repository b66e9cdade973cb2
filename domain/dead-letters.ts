/**
 * Dead letters as people work with them: what failed for good or expired, wherever it did. Rows of the outbox that were
 * set aside are dead letters of the pretended queue `outbox`.
 */

/** Queue name under which messages that never reached the broker are listed. */
export const outboxDeadLetters = 'outbox';

/**
 * `open`: waits for a person. `replaying`: claimed by one replay, which alone may deliver it, with its edit or without.
 * `replayed`: the broker confirmed the new delivery. `discarded`: given up by a person.
 */
export type DeadLetterState = 'open' | 'replaying' | 'replayed' | 'discarded';

/** AMQP properties that a replay keeps; the time stamp is not among them, since a replay begins its life anew. */
export interface KeptProperties {
  messageId?: string;
  type?: string;
  correlationId?: string;
  contentType?: string;
  contentEncoding?: string;
  priority?: number;
  appId?: string;
  replyTo?: string;
}

/** A message as it is kept and sent again: bytes, properties and headers of its own. */
export interface KeptMessage {
  content: Uint8Array;
  properties: KeptProperties;
  headers: Record<string, unknown>;
}

/** What the lists show. Texts hold no personal data; the content is not among it. */
export interface DeadLetterSummary {
  /** 32 hex digits. */
  id: string;
  /** The queue it failed in, which a replay goes to, or `outbox`. */
  queue: string;
  /** Empty where the message had none. */
  messageId: string;
  type: string;
  orderId: string;
  traceId: string;
  reason: string;
  error: string;
  /** Same for the same kind of failure: numbers and ids do not count. */
  fingerprint: string;
  attempts: number;
  firstFailedAtUtc: string;
  lastFailedAtUtc: string;
  indexedAtUtc: string;
  state: DeadLetterState;
  /** The newest replay or discard that took it. */
  replayId?: string;
  /** Why that replay left it where it is. */
  replayError?: string;
  settledAtUtc?: string;
}

export interface DeadLetter extends DeadLetterSummary {
  message: KeptMessage;
  /** JSON merge patch (RFC 7396) of the replay that has claimed it. */
  patch?: unknown;
}

/** Of one queue and one kind of failure. */
export interface DeadLetterGroup {
  queue: string;
  fingerprint: string;
  reason: string;
  /** Error of one of them. */
  error: string;
  open: number;
  replaying: number;
  oldestUtc: string;
  newestUtc: string;
}

/** Which dead letters; every condition given must hold, none given means all. */
export interface DeadLetterFilter {
  ids?: readonly string[];
  queue?: string;
  fingerprint?: string;
  orderId?: string;
  /** Failed last at this time or before. */
  failedUntilUtc?: string;
}

/** Place in the list: oldest failure first, then by id. */
export interface DeadLetterCursor {
  lastFailedAtUtc: string;
  id: string;
}

/** One act on many: input of the workflow `replayDeadLetters`. */
export interface BulkAct {
  replayId: string;
  act: 'replay' | 'discard';
  filter: DeadLetterFilter & { failedUntilUtc: string };
  /** JSON merge patch for the body of each; replay only. */
  patch?: unknown;
  /** Most messages a second; none: as fast as it goes. */
  ratePerSecond?: number;
  actor: string;
  reason: string;
}

export interface BulkSlice {
  bulk: BulkAct;
  after?: DeadLetterCursor;
  workflowId: string;
  runId: string;
}

export interface SliceResult {
  /** Where the next slice begins; absent when nothing is left. */
  next?: DeadLetterCursor;
  counts: BulkCounts;
}

/** `settled`: replayed or discarded. `left`: could not be, and wait for a person as before. `toGo`: not looked at yet. */
export interface BulkCounts {
  settled: number;
  left: number;
  toGo: number;
}

export interface BulkProgress extends BulkCounts {
  replayId: string;
  act: BulkAct['act'];
  status: 'running' | 'cancelling' | 'cancelled' | 'completed';
  startedAtUtc: string;
  updatedAtUtc: string;
}

export const deadLetterSubject = (id: string): string => `dead-letter:${id}`;
export const bulkSubject = (replayId: string): string => `dead-letter-replay:${replayId}`;

const variable: readonly (readonly [RegExp, string])[] = [
  [/[^\s@<>,;"']+@[^\s@<>,;"']+/g, '<address>'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<id>'],
  [/\b\d{4}-\d\d-\d\d[T ][\d:.]+Z?/g, '<time>'],
  [/\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b/gi, '<id>'],
  [/\d+/g, '<n>'],
];

/** An error without what differs from one message to the next: addresses, ids, times, numbers. */
export const normalizedError = (error: string): string =>
  variable.reduce((text, [pattern, name]) => text.replace(pattern, name), error.slice(0, 1_000)).trim();
