import type {
  BulkSlice,
  DeadLetter,
  DeadLetterCursor,
  DeadLetterFilter,
  DeadLetterGroup,
  DeadLetterState,
  DeadLetterSummary,
  KeptMessage,
  SliceResult,
} from '../domain/dead-letters.ts';
import type { PublishAnswer } from './broker.ts';

/** Dead-letter queues at the broker. */
export interface DeadLetterQueues {
  /** Names of the dead-letter queues that are known now, also those of other services where they can be found out. */
  list(): Promise<string[]>;
  /** Messages ready in the queue; 0 when there is no such queue. Rejects while the broker is away. */
  depth(queue: string): Promise<number>;
  /**
   * Takes messages out from the oldest on, a page at a time, and shows each page to `onPage`, which says for each message
   * whether it leaves the queue. When the end or `maximum` is reached, everything else is back in its place. A crash at
   * any moment puts back everything. Rejects when the broker goes away meanwhile; what left before has left.
   */
  sweep(input: {
    queue: string;
    maximum: number;
    onPage: (page: readonly QueuedMessage[]) => Promise<readonly boolean[]>;
  }): Promise<{ kept: number; removed: number; complete: boolean }>;
  /** Publishes to one queue, through the default exchange. Answers as `Publisher.publish` does. */
  send(input: { queue: string; message: KeptMessage }): Promise<PublishAnswer>;
}

/** A message in a dead-letter queue. */
export interface QueuedMessage extends KeptMessage {
  /** The dead-letter queue. */
  queue: string;
  /** When it was first published, as its publisher says. */
  sentAtUtc?: string;
}

/** The index of dead letters in SQL, inside a transaction. */
export interface DeadLetterStatements {
  /**
   * Adds a dead letter as `open`. One that is there already and open takes over the later failure's time, attempts,
   * reason and error; any other is left as it is. Returns whether it is new.
   */
  add(letter: NewDeadLetter): Promise<boolean>;
  /**
   * Claims for one replay those of `ids` that are `open`, that it has claimed already, or whose claim is older than
   * `staleBeforeUtc`. The first claim stores the patch (JSON text); a claim taken over keeps the one it has, and is not
   * taken over at all when `patch` is given. Returns the claimed ones whole.
   */
  claim(input: {
    ids: readonly string[];
    replayId: string;
    patch?: string;
    nowUtc: string;
    staleBeforeUtc: string;
  }): Promise<DeadLetter[]>;
  /**
   * Ends this replay's claim on one: `open` gives it back, with the error. False when the claim is not this replay's.
   */
  settle(input: {
    id: string;
    replayId: string;
    state: Exclude<DeadLetterState, 'replaying'>;
    replayError?: string;
    nowUtc: string;
  }): Promise<boolean>;
  /** Notes that messages of settled dead letters have left their queue. */
  markLeft(input: { ids: readonly string[]; leftAtUtc: string }): Promise<void>;
  /** Deletes settled dead letters that have left, at most `limit`; returns how many. */
  purge(input: { settledBeforeUtc: string; limit: number }): Promise<number>;
}

export type NewDeadLetter = Omit<DeadLetter, 'state' | 'replayId' | 'replayError' | 'settledAtUtc' | 'patch'>;

export interface KnownDeadLetter {
  id: string;
  state: DeadLetterState;
  lastFailedAtUtc: string;
  left: boolean;
}

export interface DeadLetterReads {
  /** Open and replaying ones by queue and fingerprint, the largest group first, at most 500. */
  groups(filter: DeadLetterFilter): Promise<DeadLetterGroup[]>;
  /** Oldest failure first. `claimedBy` adds those that this replay has claimed to the open ones. */
  page(input: {
    filter: DeadLetterFilter;
    states: readonly DeadLetterState[];
    claimedBy?: string;
    after?: DeadLetterCursor;
    limit: number;
  }): Promise<DeadLetterSummary[]>;
  find(id: string): Promise<DeadLetter | undefined>;
  /** Those that are known, in any order. `left`: the message of a settled one has left its queue. */
  known(ids: readonly string[]): Promise<KnownDeadLetter[]>;
  /** Queues with settled dead letters whose message has not left yet, and their ids, at most 50,000. */
  leaving(): Promise<{ queue: string; id: string }[]>;
  /** Open ones that fit and come after the cursor. */
  count(input: { filter: DeadLetterFilter; after?: DeadLetterCursor }): Promise<number>;
  /** What became of those that a replay took last. */
  countReplay(replayId: string): Promise<{ open: number; replaying: number; settled: number }>;
}

/** What people and the bulk workflow do with dead letters. */
export interface DeadLetterService {
  /**
   * Works on one stretch of a bulk act, about two seconds of it. Idempotent by replay id and cursor: whatever was
   * claimed and not settled by an attempt that died is sent again, with the same message id. Rejects with
   * TechnicalFailure while broker or store is away.
   */
  slice(input: BulkSlice & { alive?: () => void }): Promise<SliceResult>;
  /** Writes the audit row of a bulk act's begin or end. */
  note(input: BulkSlice & { from: string; to: string }): Promise<void>;
}
