import { createHash } from 'node:crypto';
import type { DomainEvent } from '../domain/events.ts';
import { TechnicalFailure } from '../domain/failures.ts';
import { messageHeaders } from '../domain/message-headers.ts';
import type { Delivery, HandlerResult } from '../ports/broker.ts';
import { activeTraceparent } from '../telemetry/tracing.ts';
import type { EventContract } from './contracts/event-contract.ts';
import { readEvent } from './contracts/read-event.ts';
import { countHandled } from './count-handled.ts';
import type { EventContext, MarksEvents, Rejection, SubscriberDeps } from './subscription.ts';

/** Handles one delivery as its `attempt`th attempt. Never rejects. */
export type HandleDelivery = (delivery: Delivery, attempt: number) => Promise<HandlerResult>;

interface Handling<Tx extends MarksEvents> {
  deps: SubscriberDeps<Tx>;
  queue: string;
  delaysMs: readonly number[];
  contracts: Readonly<Record<string, EventContract>>;
  handler: (event: never, context: EventContext<Tx>) => Promise<Rejection | void>;
}

/** Duplicates come within seconds of a crash; replays of dead letters, later ones, are told apart by `once`. */
const rememberSeconds = 7 * 24 * 3_600;

/** From a delivery to what becomes of it: read it, know duplicates, run the handler, plan the next attempt. */
export function createSubscriptionHandler<Tx extends MarksEvents>(handling: Handling<Tx>): HandleDelivery {
  const { deps, queue } = handling;
  return async (delivery, attempt) => {
    const stopTimer = deps.metrics.messageHandlingDuration.startTimer({ queue });
    const { result, counted } = await outcomeOf(handling, delivery, attempt);
    stopTimer();
    countHandled(deps.metrics, { queue, result, counted });
    return result;
  };
}

interface Outcome {
  result: HandlerResult;
  /** What the metric calls it. */
  counted: HandlerResult['status'] | 'duplicate';
}

async function outcomeOf<Tx extends MarksEvents>(
  handling: Handling<Tx>,
  delivery: Delivery,
  attempt: number,
): Promise<Outcome> {
  const read = readDelivery(handling.contracts, delivery);
  if (read.status !== 'event') return ended(deadLetter(read.status, read.error, attempt));
  const { event } = read;
  const known = await isKnown(handling, event, delivery.content);
  if (known === 'duplicate') return { result: { status: 'done' }, counted: 'duplicate' };
  if (known === 'conflict') return ended(deadLetter('conflicting-duplicate', conflictText(event), attempt));
  return run(handling, { delivery, event, attempt });
}

const ended = (result: HandlerResult): Outcome => ({ result, counted: result.status });

const deadLetter = (reason: string, error: string, attempt: number): HandlerResult => ({
  status: 'dead-letter',
  reason,
  error,
  attempt,
});

function readDelivery(contracts: Readonly<Record<string, EventContract>>, delivery: Delivery) {
  const { body, parseError } = delivery;
  if (parseError !== undefined) return { status: 'invalid-json' as const, error: parseError };
  const read = readEvent(contracts, body);
  const hasNoId = read.status === 'invalid-event' && typeof body === 'object' && !hasText(body, 'eventId');
  return hasNoId
    ? { status: 'missing-id' as const, error: 'expected an eventId, which duplicates are known by' }
    : read;
}

const hasText = (body: object | null, field: string): boolean => {
  const value = (body as Record<string, unknown> | null)?.[field];
  return typeof value === 'string' && value !== '';
};

/** The same eventId with the same body is a duplicate; with another body it is a fault that somebody has to see. */
async function isKnown<Tx extends MarksEvents>(
  { deps, queue }: Handling<Tx>,
  { eventId }: DomainEvent,
  content: Uint8Array,
): Promise<'new' | 'duplicate' | 'conflict'> {
  if ((await deps.seen.seen({ scope: queue, id: eventId })) !== 'seen') return 'new';
  const same = await deps.seen.seen({ scope: queue, id: contentId(eventId, content) });
  return same === 'new' ? 'conflict' : 'duplicate';
}

const contentId = (eventId: string, content: Uint8Array): string =>
  `${eventId}:${createHash('sha256').update(content).digest('base64url')}`;

const conflictText = ({ eventId }: DomainEvent): string =>
  `event ${eventId} was handled before with another body; one eventId names one event for good`;

async function run<Tx extends MarksEvents>(
  handling: Handling<Tx>,
  work: { delivery: Delivery; event: DomainEvent; attempt: number },
): Promise<Outcome> {
  const { deps, queue } = handling;
  const { delivery, event, attempt } = work;
  const facts = { queue, eventId: event.eventId, orderId: event.payload.orderId, attempt };
  const logger = deps.logger.child(facts);
  let isDuplicate = false;
  const context: EventContext<Tx> = {
    attempt,
    traceparent: activeTraceparent() ?? traceparentOf(delivery),
    signal: delivery.signal,
    logger,
    async once(effect) {
      const first = await applyOnce(handling, event, effect);
      isDuplicate ||= !first;
      return first;
    },
  };
  try {
    const rejected = await handling.handler(event as never, context);
    if (isRejection(rejected)) return ended(deadLetter(rejected.reject, rejected.error, attempt));
  } catch (error) {
    logger.warn({ err: error }, 'an event could not be handled');
    return ended(afterFailure(handling.delaysMs, attempt, error));
  }
  const { eventId } = event;
  await deps.seen.remember({
    scope: queue,
    id: contentId(eventId, delivery.content),
    ttlSeconds: rememberSeconds,
  });
  await deps.seen.remember({ scope: queue, id: eventId, ttlSeconds: rememberSeconds });
  return { result: { status: 'done' }, counted: isDuplicate ? 'duplicate' : 'done' };
}

/** Handlers may end in any expression: only what says so is a rejection. */
const isRejection = (returned: unknown): returned is Rejection =>
  typeof returned === 'object' && returned !== null && 'reject' in returned;

function applyOnce<Tx extends MarksEvents>(
  { deps, queue }: Handling<Tx>,
  { eventId }: DomainEvent,
  effect: (tx: Tx) => Promise<void> | void,
): Promise<boolean> {
  const { store, clock } = deps;
  if (store === undefined) {
    return Promise.reject(
      new Error(`Subscription ${queue}: once() needs a store, and createSubscribe got none`),
    );
  }
  return store.transaction(async (tx) => {
    const first = await tx.processedEvents.mark({ consumer: queue, eventId, processedAtUtc: clock.nowUtc() });
    if (first) await effect(tx);
    return first;
  });
}

/** A store that is away is no attempt of the event: it waits for as long as that takes. */
function afterFailure(delaysMs: readonly number[], attempt: number, error: unknown): HandlerResult {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const isStoreAway = error instanceof TechnicalFailure && error.type === 'StoreUnavailable';
  const delayMs = isStoreAway ? delaysMs[0] : delaysMs[attempt - 1];
  if (delayMs === undefined) return deadLetter('retries-exhausted', text, attempt);
  const reason = isStoreAway ? 'store-unavailable' : 'handler-failed';
  return { status: 'retry', delayMs, reason, error: text, counted: !isStoreAway };
}

/** Only a well-formed one: it becomes the parent of other traces. */
function traceparentOf({ headers }: Delivery): string | undefined {
  const value = headers[messageHeaders.traceparent];
  return typeof value === 'string' && /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/.test(value)
    ? value
    : undefined;
}
