import type { OrderId } from '../domain/ids.ts';
import type { PublishAnswer, Publisher } from '../ports/broker.ts';
import type { Clock } from '../ports/clock.ts';
import type { OutboxStore, PendingMessage } from '../ports/store/messages.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { outsideMessage } from './outside-message.ts';
import type { RelayTiming } from './relay-timing.ts';

export interface RelayDeps {
  store: OutboxStore;
  publisher: Publisher;
  clock: Clock;
  /** Names this relay in the leases; unique per process and start. */
  owner: string;
  logger: Logger;
  metrics: Metrics;
}

/** `idle`: nothing more to do now. `more`: a full batch was taken. `unavailable`: the broker is away, back off. */
export type PassOutcome = 'idle' | 'more' | 'unavailable';

const batchSize = 50;
const setAsideAfter = 10;
/** An order that waits for its next attempt keeps its rows at the head of the outbox; so many are read past each. */
const rowsPerWaitingOrder = 20;
const maximumRows = 2_000;

/**
 * Publishes one batch. Messages of one order go out one after another, each after the confirm of the one before;
 * orders go out side by side. So a first publication never overtakes an earlier one of its order, whoever else
 * publishes at the same time.
 */
export function createRelayPass(
  deps: RelayDeps & { timing: RelayTiming },
): (partitions: readonly number[]) => Promise<PassOutcome> {
  const { store, publisher, clock, logger, metrics, timing } = deps;
  /** Confirmed by the broker, not yet marked in SQL. */
  const confirmed = new Set<string>();
  /** Orders whose next message waits for another attempt, and until when. */
  const waiting = new Map<OrderId, number>();

  async function pass(partitions: readonly number[]): Promise<PassOutcome> {
    await markConfirmed();
    forgetWaited();
    const limit = Math.min(batchSize + waiting.size * rowsPerWaitingOrder, maximumRows);
    const rows = await store.pending({ owner: deps.owner, partitions, limit });
    const due = rows.filter((row) => !waiting.has(row.orderId)).slice(0, batchSize);
    const reachable = await publishOrders(due);
    await markConfirmed();
    if (!reachable) return 'unavailable';
    return due.length > 0 && rows.length >= limit ? 'more' : 'idle';
  }

  /** False when the broker became unavailable: then no order publishes any further. */
  async function publishOrders(rows: readonly PendingMessage[]): Promise<boolean> {
    const batch = { reachable: true };
    const orders = [...Map.groupBy(rows, (row) => row.orderId).values()];
    // All of them end before an error is reported: the next pass must not begin beside them.
    const ends = await Promise.allSettled(orders.map((order) => publishOrder(order, batch)));
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return batch.reachable;
  }

  async function publishOrder(rows: PendingMessage[], batch: { reachable: boolean }): Promise<void> {
    for (const row of rows) {
      if (!batch.reachable) return;
      const answer = await publish(row);
      if (answer.status === 'unavailable') batch.reachable = false;
      if (answer.status === 'confirmed') confirmed.add(row.id);
      else return await noteFailure(row, answer);
    }
  }

  async function publish(row: PendingMessage): Promise<PublishAnswer> {
    const startedAtMs = performance.now();
    const answer = await publisher.publish(outsideMessage(row));
    const { status: result } = answer;
    metrics.messagesPublished.inc({ result });
    metrics.messagePublishDuration.observe({ result }, (performance.now() - startedAtMs) / 1_000);
    if (result === 'confirmed') {
      const delayMs = nowMs() - Date.parse(row.occurredAtUtc);
      metrics.outboxPublishDelay.observe(Math.max(0, delayMs) / 1_000);
    }
    return answer;
  }

  /** Only what is wrong with the message itself is an attempt of it. */
  async function noteFailure(row: PendingMessage, answer: PublishAnswer): Promise<void> {
    if (answer.status !== 'unroutable' && answer.status !== 'refused') return;
    const error = `${answer.status} for ${row.destination}: ${answer.reason}`;
    waiting.set(row.orderId, nowMs() + retryDelay(row.attempts, timing));
    const { setAside } = await store.markFailed({ id: row.id, error, setAsideAfter });
    const facts = { messageId: row.id, orderId: row.orderId, type: row.type, error };
    if (setAside) logger.error(facts, 'message set aside: later messages of its order wait for a person');
    else logger.warn(facts, 'message could not be published');
  }

  async function markConfirmed(): Promise<void> {
    if (confirmed.size === 0) return;
    const ids = [...confirmed];
    await store.markPublished({ ids, publishedAtUtc: clock.nowUtc() });
    for (const id of ids) confirmed.delete(id);
  }

  function forgetWaited(): void {
    const now = nowMs();
    for (const [id, untilMs] of waiting) if (untilMs <= now) waiting.delete(id);
  }

  const nowMs = () => Date.parse(clock.nowUtc());

  return pass;
}

const retryDelay = (attempts: number, timing: RelayTiming): number =>
  Math.min(timing.retryMs * 2 ** attempts, timing.maximumRetryMs);
