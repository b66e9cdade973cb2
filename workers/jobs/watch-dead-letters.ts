import { unroutedQueue } from '../../messaging/topology.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DeadLetterQueues } from '../../ports/dead-letters.ts';
import type { Store } from '../../ports/store.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { repeat } from './repeat.ts';

/**
 * Keeps the gauges of dead letters and of events nobody is bound for. The depth is the broker's, so that it counts what
 * no index has seen; the age is the index's. While one of the two is away, its gauges keep their values.
 */
export function watchDeadLetters(deps: {
  queues: Pick<DeadLetterQueues, 'list' | 'depth'>;
  store: Pick<Store, 'read'>;
  metrics: Pick<Metrics, 'deadLetterMessages' | 'deadLetterOldestAge' | 'unroutedMessages'>;
  clock: Clock;
  logger: Logger;
  everyMs?: number;
}): { close(): Promise<void> } {
  const { queues, store, metrics, clock, logger, everyMs = 10_000 } = deps;

  async function look(): Promise<void> {
    metrics.unroutedMessages.set(await queues.depth(unroutedQueue));
    const found: { queue: string; depth: number; ageSeconds: number }[] = [];
    for (const queue of await queues.list()) {
      const depth = await queues.depth(queue);
      found.push({ queue, depth, ageSeconds: depth === 0 ? 0 : await oldestSeconds(queue) });
    }
    // A queue that is gone has no series any more.
    metrics.deadLetterMessages.reset();
    metrics.deadLetterOldestAge.reset();
    for (const { queue, depth, ageSeconds } of found) {
      metrics.deadLetterMessages.set({ queue }, depth);
      metrics.deadLetterOldestAge.set({ queue }, ageSeconds);
    }
  }

  async function oldestSeconds(queue: string): Promise<number> {
    const [oldest] = await store.read.deadLetters.page({
      filter: { queue: queue.replace(/\.dlq$/, '') },
      states: ['open', 'replaying'],
      limit: 1,
    });
    if (oldest === undefined) return 0;
    return Math.max(0, Date.parse(clock.nowUtc()) - Date.parse(oldest.firstFailedAtUtc)) / 1_000;
  }

  return repeat({
    everyMs,
    work: look,
    onError: (error) => logger.warn({ err: error }, 'the gauges of dead letters keep their last values'),
  });
}
