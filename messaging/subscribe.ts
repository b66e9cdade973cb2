import type { EventType } from '../domain/events.ts';
import { subscriptionQueueOf } from '../domain/destinations.ts';
import type { EventContract } from './contracts/event-contract.ts';
import { eventContracts } from './contracts/event-contracts.ts';
import { retryInPlace } from './retry-in-place.ts';
import { retryDelaysMs, subscriptionParts } from './queue-parts.ts';
import { createSubscriptionHandler } from './subscription-handler.ts';
import type { MarksEvents, SubscriberDeps, SubscriptionInput, Subscription } from './subscription.ts';

/** Waiting in place holds the delivery, and brokers take back what is held for long (30 minutes by default). */
const longestInPlaceMs = 5 * 60_000;

/**
 * Makes `subscribe`. A subscription is one durable quorum queue `<service>.<subscription>.q`, bound to its events.
 *
 * Promised: every event at least once; a duplicate carries the same eventId and is handled once where `once` is used,
 * and otherwise while Redis remembers it. By default order may change under retries, and `metadata.sequence` shows it;
 * with `ordered` it does not. A handler that throws is tried again after 5, 25 and 125 s, held by the broker; then,
 * and when nothing can be made of a message, it is dead-lettered to `<queue>.dlq` with its reason: `invalid-json`,
 * `missing-id`, `unknown-type`, `unknown-version`, `invalid-event`, `conflicting-duplicate`, `retries-exhausted`,
 * or the handler's own.
 *
 * `subscribe` resolves when the queue stands and its consumer runs, waiting for the broker; rejects when the queue
 * stands with other arguments. Events published before that are not seen.
 */
export function createSubscribe<Tx extends MarksEvents = MarksEvents>(deps: SubscriberDeps<Tx>) {
  return async function subscribe<Type extends EventType>(
    input: SubscriptionInput<Type, Tx>,
  ): Promise<Subscription> {
    const { service, subscription = 'events', events, ordered = false } = input;
    const queue = subscriptionQueueOf({ service, subscription });
    const delaysMs = input.retryDelaysMs ?? retryDelaysMs;
    const contracts = deps.contracts ?? eventContracts;
    check({ queue, events, delaysMs, ordered, prefetch: input.prefetch ?? 10, contracts });
    await deps.broker.declare(subscriptionParts({ queue, events, ordered, delaysMs }));
    const handle = createSubscriptionHandler({ deps, queue, delaysMs, contracts, handler: input.handler });
    const consumer = await deps.broker.consume({
      queue,
      prefetch: ordered ? 1 : (input.prefetch ?? 10),
      ordered,
      handler: ordered ? retryInPlace(handle) : (delivery) => handle(delivery, delivery.attempt),
    });
    return { queue, close: consumer.close };
  };
}

function check(input: {
  queue: string;
  events: readonly string[];
  delaysMs: readonly number[];
  ordered: boolean;
  prefetch: number;
  contracts: Readonly<Record<string, EventContract>>;
}): void {
  const { queue, events, delaysMs, ordered, prefetch, contracts } = input;
  const refuse = (expected: string, came: unknown): never => {
    throw new Error(`Subscription ${queue}: expected ${expected}, came ${JSON.stringify(came)}`);
  };
  if (events.length === 0) refuse('at least one event type', events);
  const unknown = events.filter((type) => !Object.hasOwn(contracts, type));
  if (unknown.length > 0) refuse(`event types among ${Object.keys(contracts).join(', ')}`, unknown);
  const longest = ordered ? longestInPlaceMs : Number.MAX_SAFE_INTEGER;
  const wrong = delaysMs.filter((ms) => !Number.isInteger(ms) || ms < 1 || ms > longest);
  if (wrong.length > 0) refuse(`retry delays of 1 to ${longest} whole milliseconds`, wrong);
  if (!Number.isInteger(prefetch) || prefetch < 1 || prefetch > 1_000) {
    refuse('a prefetch of 1 to 1,000', prefetch);
  }
}
