import { expect, it } from 'vitest';
import { createLogger } from '../../telemetry/logger.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { watchDeadLetters } from './watch-dead-letters.ts';

it('shows the depth of each dead-letter queue at the broker and the age of its oldest', async () => {
  const metrics = createMetrics('relay');
  let depths: Record<string, number> = { 'email-queue.dlq': 2, 'webhook-queue.dlq': 0, 'unrouted.q': 4 };
  const asked: unknown[] = [];
  const watch = watchDeadLetters({
    queues: {
      list: async () => Object.keys(depths).filter((queue) => queue.endsWith('.dlq')),
      depth: async (queue) => depths[queue] ?? 0,
    },
    store: {
      read: {
        deadLetters: {
          page: async (request: unknown) => {
            asked.push(request);
            return [{ firstFailedAtUtc: '2026-01-02T03:00:00.000Z' }];
          },
        },
      },
    } as never,
    metrics,
    clock: { nowUtc: () => '2026-01-02T03:00:30.000Z' },
    logger: createLogger({ process: 'test', level: 'silent' }),
    everyMs: 1,
  });
  const text = () => metrics.registry.metrics();
  await expect.poll(text).toContain('dead_letter_queue_messages{queue="email-queue.dlq"} 2');
  expect(await text()).toContain('dead_letter_oldest_age_seconds{queue="email-queue.dlq"} 30');
  expect(await text()).toContain('dead_letter_oldest_age_seconds{queue="webhook-queue.dlq"} 0');
  expect(await text()).toContain('unrouted_messages 4');
  expect(asked[0]).toMatchObject({ filter: { queue: 'email-queue' }, limit: 1 });
  depths = { 'webhook-queue.dlq': 1 };
  await expect.poll(text).not.toContain('email-queue.dlq');
  await watch.close();
});
