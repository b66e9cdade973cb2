import { webhookQueue } from '../domain/destinations.ts';
import { TechnicalFailure } from '../domain/failures.ts';
import { messageHeaders } from '../domain/message-headers.ts';
import { webhookDeliveryType, webhookIdOf, type WebhookEndpointId } from '../domain/webhooks.ts';
import type { Broker, Consumer, Delivery, HandlerResult } from '../ports/broker.ts';
import type { Store } from '../ports/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { countHandled } from './count-handled.ts';
import { delayParts, retryDelaysMs } from './queue-parts.ts';
import {
  makeAttempt,
  recordAttempt,
  resultOf,
  type AttemptDeps,
  type MadeAttempt,
} from './webhook-attempt.ts';
import { parseWebhookDelivery, type WebhookDelivery } from './webhook-delivery.ts';
import { fanOut } from './webhook-fan-out.ts';
import {
  createWebhookGate,
  webhookGateDefaults,
  type Entry,
  type WebhookGateSettings,
} from './webhook-gate.ts';

export interface WebhookConsumerDeps extends AttemptDeps {
  broker: Pick<Broker, 'consume' | 'declare' | 'publish' | 'state'>;
  store: Pick<Store, 'transaction' | 'read'>;
  logger: Logger;
  metrics: Metrics;
  settings?: Partial<WebhookSettings>;
}

export interface WebhookSettings {
  /** Pauses between attempts, milliseconds, ascending; one more attempt than pauses is made. Default 5, 25 and 125 s. */
  delaysMs: readonly number[];
  /** How long a delivery may wait for its turn without an attempt, milliseconds. Default 1 h. */
  patienceMs: number;
  gate: WebhookGateSettings;
}

const prefetch = 50;
/** While SQL or the broker is away, nothing is attempted. */
const awayPauseMs = 1_000;
type Postponement = Extract<Entry, { status: 'postpone' }>;

/** Attempts kept in memory while SQL could not record them. */
const maximumUnrecorded = 1_000;

/**
 * Takes events to partners: an event of `orders.exchange` becomes one delivery message per subscribed endpoint, each of
 * which is attempted, retried through the broker's delay queues and, in the end, dead-lettered by itself
 * (`webhook-queue.dlq`, with the endpoint in its body).
 *
 * At least once, with the same `webhook-id` whenever it is repeated; what SQL has recorded as delivered is not sent
 * again. Dead-letter reasons: the last attempt's (`http-<status>`, `redirect`, `timeout`, `connection`, …),
 * `endpoint-gone`, `endpoint-disabled`, `endpoint-deleted`, `expired`, `invalid-payload`, `invalid-json`, `unknown-type`.
 */
export function startWebhookConsumer(deps: WebhookConsumerDeps): Consumer & { openCircuits(): number } {
  const settings: WebhookSettings = {
    delaysMs: retryDelaysMs,
    patienceMs: 3_600_000,
    gate: webhookGateDefaults,
    ...deps.settings,
  };
  const gate = createWebhookGate(settings.gate);
  const unrecorded = new Map<string, MadeAttempt>();
  let closed = false;
  let consumer: Consumer | undefined;

  async function start(): Promise<void> {
    const { short, long } = settings.gate.overflowMs;
    await deps.broker.declare(delayParts(webhookQueue, [...settings.delaysMs, short, long]));
    if (closed) return;
    consumer = await deps.broker.consume({ queue: webhookQueue, prefetch, handler });
  }

  async function handler(delivery: Delivery): Promise<HandlerResult> {
    const stopTimer = deps.metrics.messageHandlingDuration.startTimer({ queue: webhookQueue });
    const result = await handled(delivery).catch((error: unknown) =>
      afterError(deps, delivery, error, settings),
    );
    stopTimer();
    countHandled(deps.metrics, { queue: webhookQueue, result });
    return result;
  }

  async function handled(delivery: Delivery): Promise<HandlerResult> {
    // Without the broker a failed attempt could not be put off: it would be made again every second, uncounted.
    if (deps.broker.state() !== 'connected')
      return { status: 'pause', ms: awayPauseMs, reason: `the broker is ${deps.broker.state()}` };
    if (delivery.parseError !== undefined)
      return { status: 'dead-letter', reason: 'invalid-json', error: delivery.parseError };
    if (delivery.type !== webhookDeliveryType)
      return fanOut({ broker: deps.broker, read: deps.store.read.webhooks }, delivery);
    const parsed = parseWebhookDelivery(delivery.body);
    return parsed.ok
      ? deliver(delivery, parsed.value)
      : { status: 'dead-letter', reason: 'invalid-payload', error: parsed.reason };
  }

  async function deliver(delivery: Delivery, { endpointId, event }: WebhookDelivery): Promise<HandlerResult> {
    const { attempt } = delivery;
    const webhookId = webhookIdOf({ eventId: event.eventId, endpointId });
    const turn = await gate.enter({ endpointId, webhookId, attempt });
    if (turn.status === 'postpone') return postponed(delivery, endpointId, turn);
    let outcome: Parameters<typeof turn.leave>[0];
    try {
      const endpoint = await deps.store.read.webhooks.find(endpointId);
      if (endpoint?.state !== 'enabled') {
        outcome = 'forget';
        return undeliverable(endpointId, endpoint === undefined ? 'deleted' : 'disabled');
      }
      if (await deps.store.read.webhooks.delivered(webhookId)) {
        count('duplicate', 'enabled');
        return { status: 'done' };
      }
      const made =
        unrecorded.get(webhookId) ?? (await makeAttempt(deps, { endpoint, event, webhookId, attempt }));
      outcome = outcomeOf(made, settings);
      await record(webhookId, made);
      if (made.attempt.result === 'delivered') observeDelay(event.occurredAtUtc, made);
      return settled(delivery, made);
    } finally {
      turn.leave(outcome);
    }
  }

  function postponed(
    delivery: Delivery,
    endpointId: WebhookEndpointId,
    { delayMs, reason }: Postponement,
  ): HandlerResult {
    const error = `no turn at ${endpointId}: ${reason}`;
    const expired = hasExpired(delivery, settings);
    count(expired ? 'dead-letter' : 'postponed', stateOf(endpointId));
    return expired
      ? { status: 'dead-letter', reason: 'expired', error }
      : { status: 'retry', delayMs, reason, error, counted: false };
  }

  function undeliverable(endpointId: WebhookEndpointId, state: 'deleted' | 'disabled'): HandlerResult {
    count('dead-letter', state);
    return { status: 'dead-letter', reason: `endpoint-${state}`, error: `${endpointId} is ${state}` };
  }

  function settled({ headers }: Delivery, made: MadeAttempt): HandlerResult {
    const { result, durationMs, endpointId } = made.attempt;
    const decided = resultOf(made, settings.delaysMs);
    deps.metrics.webhookAttemptDuration.observe({ result }, durationMs / 1_000);
    count(
      decided.status === 'dead-letter' ? 'dead-letter' : result,
      made.isGone ? 'disabled' : stateOf(endpointId),
    );
    logAttempt(deps.logger.child({ orderId: headers[messageHeaders.orderId] }), made, decided);
    return decided;
  }

  function observeDelay(occurredAtUtc: string, { attempt }: MadeAttempt): void {
    const deliveredAtMs = Date.parse(attempt.attemptedAtUtc) + attempt.durationMs;
    const delayMs = deliveredAtMs - Date.parse(occurredAtUtc);
    deps.metrics.webhookDeliveryDelay.observe(Math.max(0, delayMs) / 1_000);
  }

  const count = (result: string, state: string) =>
    deps.metrics.webhookDeliveries.inc({ result, endpoint_state: state });
  const stateOf = (id: WebhookEndpointId) => (gate.isOpen(id) ? 'circuit-open' : 'enabled');

  /** What was sent is not sent again because SQL could not be told: it is kept, and told when the message comes back. */
  async function record(webhookId: string, made: MadeAttempt): Promise<void> {
    if (unrecorded.size < maximumUnrecorded) unrecorded.set(webhookId, made);
    await recordAttempt(deps, made);
    unrecorded.delete(webhookId);
  }

  start().catch((error: unknown) => {
    if (!closed)
      deps.logger.error({ err: error }, 'webhooks are not delivered: their queues cannot be declared');
  });
  return {
    openCircuits: gate.openCircuits,
    async close() {
      closed = true;
      await consumer?.close();
    },
  };
}

/** SQL away: nobody gets anything. Anything else is this message's own trouble, and it must not stop the others. */
function afterError(
  deps: WebhookConsumerDeps,
  delivery: Delivery,
  error: unknown,
  { delaysMs }: WebhookSettings,
): HandlerResult {
  if (error instanceof TechnicalFailure)
    return { status: 'pause', ms: awayPauseMs, reason: `SQL is away: ${error.message}` };
  const { messageId, attempt } = delivery;
  const text = error instanceof Error ? error.message : String(error);
  deps.logger.error({ err: error, messageId, attempt }, 'a webhook delivery failed with an error of ours');
  const delayMs = delaysMs[attempt - 1];
  return delayMs === undefined
    ? { status: 'dead-letter', reason: 'internal-error', error: text }
    : { status: 'retry', delayMs, reason: 'internal-error', error: text };
}

/** Counted from when it was first put off; retries have their pauses on top. */
function hasExpired({ headers, attempt }: Delivery, { delaysMs, patienceMs }: WebhookSettings): boolean {
  const firstMs = Date.parse(String(headers[messageHeaders.firstFailedAt]));
  const pausesMs = (attempt - 1) * Math.max(0, ...delaysMs);
  return Date.now() - firstMs > patienceMs + pausesMs;
}

/** Others wait as long as this one does when the partner asked for it. */
function outcomeOf({ attempt, retryAfterMs = 0 }: MadeAttempt, { delaysMs }: WebhookSettings) {
  const failed = attempt.result === 'failed';
  const holdMs = failed ? Math.min(retryAfterMs, Math.max(0, ...delaysMs)) : 0;
  return { failed, durationMs: attempt.durationMs, holdMs };
}

function logAttempt(logger: Logger, { attempt, isGone }: MadeAttempt, decided: HandlerResult): void {
  const { endpointId, webhookId, result, httpStatus, reason, attempt: number } = attempt;
  const about = { endpointId, webhookId, attempt: number, httpStatus, reason };
  if (result === 'delivered') logger.debug(about, 'webhook delivered');
  else logger.warn({ ...about, next: decided.status, isGone }, 'webhook not delivered');
}
