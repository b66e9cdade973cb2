import type { DomainEvent, EventType } from '../../domain/events.ts';
import type { OrderId } from '../../domain/ids.ts';
import { isEnded } from '../../domain/order.ts';
import type { AppDeps } from '../app-deps.ts';
import { pause, within } from '../../ports/bounded.ts';
import { STORE_TIMEOUT_MS } from './read-order.ts';
import { toRetryingBody } from './retrying-body.ts';

const POLL_MS = 250;
const SLOWEST_POLL_MS = 2_000;
const HEARTBEAT_MS = 15_000;
const RETRIES_EVERY_MS = 1_000;
/** What a browser waits before it reconnects. */
const RECONNECT_MS = 2_000;

const finalEvents: ReadonlySet<EventType> = new Set<EventType>([
  'order.completed.v1',
  'order.cancelled.v1',
  'order.failed.v1',
]);

interface Listener {
  afterSequence: number;
  send(event: DomainEvent): void;
  /** What is no event of the order: it has no id, and a stream that is taken up again does not bring it back. */
  tell(text: string): void;
  end(): void;
}

/** One order that somebody listens to: read once for all its listeners. */
interface Topic {
  events: DomainEvent[];
  /** Whether the order has ended: known once its final event was read or, where that is purged, the order itself. */
  ended: boolean | undefined;
  listeners: Set<Listener>;
  stop: AbortController;
  /** What the listeners were told last of a step that is retried, and when the notes were read last. */
  retries: { told: string; readAtMs: number };
}

/**
 * Orders' events as server-sent events. Every listened-to order is read from the store four times a second, once for
 * all its listeners; a step that keeps failing is told of as `order.retrying`, without an id. While the store is away streams stay open and go on afterwards without a gap. A stream ends
 * once the order has ended and all there is was sent, from whatever event it is read, and when the server drains.
 */
export function createOrderFeed(deps: AppDeps) {
  const topics = new Map<OrderId, Topic>();
  let open = 0;
  deps.draining.addEventListener('abort', () => {
    for (const topic of topics.values()) for (const listener of topic.listeners) listener.end();
  });

  function attach(orderId: OrderId, listener: Listener): void {
    let topic = topics.get(orderId);
    if (!topic) {
      topic = {
        events: [],
        ended: undefined,
        listeners: new Set(),
        stop: new AbortController(),
        retries: { told: '', readAtMs: 0 },
      };
      topics.set(orderId, topic);
      void follow(deps, orderId, topic);
    }
    topic.listeners.add(listener);
    deliver(topic.events, listener);
    if (topic.retries.told !== '') listener.tell(topic.retries.told);
  }

  function detach(orderId: OrderId, listener: Listener): void {
    const topic = topics.get(orderId);
    if (!topic?.listeners.delete(listener) || topic.listeners.size > 0) return;
    topics.delete(orderId);
    topic.stop.abort();
  }

  return {
    /** A stream of the events after `afterSequence`, as the reader may see them; undefined when as many as allowed are open. */
    stream(
      orderId: OrderId,
      afterSequence: number,
      show: (event: DomainEvent) => DomainEvent = (event) => event,
    ): ReadableStream<Uint8Array> | undefined {
      if (open >= deps.settings.maxEventStreams || deps.draining.aborted) return undefined;
      open += 1;
      deps.metrics.eventStreams.set(open);
      let close = () => {};
      return new ReadableStream<Uint8Array>({
        start(controller) {
          const write = (text: string) => controller.enqueue(Buffer.from(text));
          const heartbeat = setInterval(() => write(': still here\n\n'), HEARTBEAT_MS);
          const listener: Listener = {
            afterSequence,
            send: (event) => write(serverSentEvent(show(event))),
            tell: write,
            end() {
              close();
              controller.close();
            },
          };
          close = () => {
            clearInterval(heartbeat);
            detach(orderId, listener);
            open -= 1;
            deps.metrics.eventStreams.set(open);
          };
          write(`retry: ${RECONNECT_MS}\n\n`);
          attach(orderId, listener);
        },
        cancel: () => close(),
      });
    },
  };
}

const serverSentEvent = (event: DomainEvent): string =>
  `id: ${event.metadata.sequence}\nevent: ${event.eventType}\ndata: ${JSON.stringify(event)}\n\n`;

/** Sends what the listener has not had yet. */
function deliver(events: readonly DomainEvent[], listener: Listener): void {
  for (const event of events) {
    if (event.metadata.sequence > listener.afterSequence) listener.send(event);
  }
}

/** Reads and sends until there is nothing more. */
async function readAll(deps: AppDeps, orderId: OrderId, topic: Topic): Promise<void> {
  for (;;) {
    const afterSequence = topic.events.at(-1)?.metadata.sequence ?? 0;
    const events = await within(STORE_TIMEOUT_MS, 'store', () =>
      deps.store.read.events({ orderId, afterSequence }),
    );
    topic.events.push(...events);
    for (const listener of topic.listeners) deliver(events, listener);
    if (events.some(({ eventType }) => finalEvents.has(eventType))) topic.ended = true;
    // What came with the final event, or is more than one read gives, is read at once.
    if (events.length === 0 || !topic.ended) return;
  }
}

/**
 * Tells of a step that keeps failing, in words for shops, whenever another attempt has failed, and once it is over. Read
 * from what workers have noted; while the order moves there is nothing.
 */
async function tellRetries(deps: AppDeps, orderId: OrderId, topic: Topic): Promise<void> {
  const nowUtc = deps.clock.nowUtc();
  const { retries } = topic;
  if (Date.parse(nowUtc) - retries.readAtMs < RETRIES_EVERY_MS) return;
  retries.readAtMs = Date.parse(nowUtc);
  const notes = await within(STORE_TIMEOUT_MS, 'store', () => deps.store.read.retriesOf({ orderId, nowUtc }));
  const [worst] = notes.toSorted((a, b) => b.failures - a.failures);
  const retrying = worst && toRetryingBody(worst, { role: 'shop' });
  if (!retrying && retries.told === '') return;
  const event = { eventType: 'order.retrying', occurredAtUtc: worst?.failedAtUtc ?? nowUtc, orderId };
  const text = `event: order.retrying\ndata: ${JSON.stringify({ ...event, payload: { retrying: retrying ?? null } })}\n\n`;
  if (retrying && text === retries.told) return;
  retries.told = retrying ? text : '';
  for (const listener of topic.listeners) listener.tell(text);
}

/** Asked once for a stream: an order that ends later says so by its final event. */
async function hasEnded(deps: AppDeps, orderId: OrderId): Promise<boolean> {
  const order = await within(STORE_TIMEOUT_MS, 'store', () => deps.store.read.order(orderId));
  return order !== undefined && isEnded(order.status);
}

async function follow(deps: AppDeps, orderId: OrderId, topic: Topic): Promise<void> {
  let interval = POLL_MS;
  do {
    try {
      await readAll(deps, orderId, topic);
      if (topic.ended === undefined) {
        topic.ended = await hasEnded(deps, orderId);
        // It may have ended between the two reads.
        if (topic.ended) await readAll(deps, orderId, topic);
      }
      if (topic.ended) for (const listener of topic.listeners) listener.end();
      else await tellRetries(deps, orderId, topic);
      interval = POLL_MS;
    } catch (error) {
      interval = Math.min(interval * 2, SLOWEST_POLL_MS);
      deps.logger.warn(
        { err: error, orderId },
        'The store did not answer; the order’s event streams wait for it',
      );
    }
  } while (await pause(interval, topic.stop.signal));
}
