import { analyticsQueue, eventsExchange } from '../domain/destinations.ts';
import { eventTypes } from '../domain/events.ts';
import { messageHeaders } from '../domain/message-headers.ts';
import type { AnalyticsEvent, AnalyticsSink } from '../ports/analytics.ts';
import type { Broker, Consumer, Delivery, HandlerResult, Topology } from '../ports/broker.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { traced } from '../telemetry/tracing.ts';

export interface AnalyticsDeps {
  broker: Pick<Broker, 'declare' | 'consume'>;
  sink: AnalyticsSink;
  logger: Logger;
  metrics: Metrics;
  /** A batch is written when it has so many events, default 100, … */
  batchSize?: number;
  /** … or after so long, milliseconds, default 1,000. */
  batchMs?: number;
  /** Pause after the sink failed, milliseconds. Default 5,000. */
  pauseMs?: number;
}

const ttlMs = 2 * 3_600_000;

/** Best effort: gone with a broker restart, after two hours, and without dead letters. */
const analyticsParts: Topology = {
  exchanges: [],
  queues: [{ name: analyticsQueue, kind: 'classic', durable: false, messageTtlMs: ttlMs }],
  bindings: eventTypes.map((routingKey) => ({ queue: analyticsQueue, exchange: eventsExchange, routingKey })),
};

/**
 * Carries every event to the analytics sink in batches. Resolves when it consumes, waiting for the broker. A batch is
 * acknowledged after it was written; a sink that fails pauses the consumer, and what waits longer than two hours is
 * dropped by the broker. What is no event is dropped here.
 */
export async function startAnalytics(deps: AnalyticsDeps): Promise<Consumer> {
  const { broker, batchSize = 100 } = deps;
  await broker.declare(analyticsParts);
  const add = createBatches(deps, batchSize);
  return broker.consume({
    queue: analyticsQueue,
    prefetch: batchSize * 2,
    batched: true,
    async handler(delivery) {
      const event = eventOf(delivery);
      if (event !== undefined) return add(event, traceparentOf(delivery));
      deps.metrics.analyticsEvents.inc({ result: 'dropped' });
      return { status: 'done' };
    },
  });
}

interface Waiting {
  event: AnalyticsEvent;
  traceparent: string | undefined;
  settle: (result: HandlerResult) => void;
}

/** Resolves for each event with what became of its batch. */
function createBatches(deps: AnalyticsDeps, batchSize: number) {
  const { batchMs = 1_000 } = deps;
  let waiting: Waiting[] = [];
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    const batch = waiting;
    waiting = [];
    void tracedBatch(deps, batch).then((result) => {
      for (const { settle } of batch) settle(result);
    });
  }

  return (event: AnalyticsEvent, traceparent: string | undefined): Promise<HandlerResult> => {
    const { promise, resolve } = Promise.withResolvers<HandlerResult>();
    waiting.push({ event, traceparent, settle: resolve });
    if (waiting.length >= batchSize) flush();
    else timer ??= setTimeout(flush, batchMs);
    return promise;
  };
}

/** A batch holds events of many orders: a trace of its own, linked to theirs. */
const tracedBatch = (deps: AnalyticsDeps, batch: readonly Waiting[]): Promise<HandlerResult> =>
  traced(
    {
      name: `process ${analyticsQueue}`,
      kind: 'consumer',
      parent: undefined,
      links: batch.map(({ traceparent }) => traceparent),
      attributes: {
        'messaging.system': 'rabbitmq',
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.destination.name': analyticsQueue,
        'messaging.batch.message_count': batch.length,
      },
    },
    async (span) => {
      const events = batch.map(({ event }) => event);
      const result = await writeBatch(deps, events);
      if (result.status !== 'done') span.fail(result.status);
      return result;
    },
  );

function traceparentOf({ headers }: Delivery): string | undefined {
  const value = headers[messageHeaders.traceparent];
  return typeof value === 'string' ? value : undefined;
}

async function writeBatch(deps: AnalyticsDeps, batch: readonly AnalyticsEvent[]): Promise<HandlerResult> {
  const { sink, logger, metrics, pauseMs = 5_000 } = deps;
  try {
    const result = await sink.write(batch);
    metrics.analyticsEvents.inc({ result }, batch.length);
    if (result === 'dropped') logger.warn({ events: batch.length }, 'analytics did not take a batch');
    return { status: 'done' };
  } catch (error) {
    metrics.analyticsEvents.inc({ result: 'failed' }, batch.length);
    return { status: 'pause', ms: pauseMs, reason: `analytics is away: ${(error as Error).message}` };
  }
}

function eventOf({ body }: Delivery): AnalyticsEvent | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { eventId, eventType, occurredAtUtc } = body as Record<string, unknown>;
  const isEvent = [eventId, eventType, occurredAtUtc].every((value) => typeof value === 'string');
  return isEvent ? ({ eventId, eventType, occurredAtUtc, body } as AnalyticsEvent) : undefined;
}
