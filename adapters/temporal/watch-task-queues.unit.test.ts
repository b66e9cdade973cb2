import { expect, it } from 'vitest';
import { taskQueues } from '../../domain/ids.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { watchTaskQueues } from './watch-task-queues.ts';

const seconds = (ms: number) => ({ seconds: Math.floor(ms / 1_000), nanos: 0 });
const poller = (agoMs: number) => ({ lastAccessTime: seconds(Date.now() - agoMs) });

function watching(answer: (name: string) => object) {
  const metrics = createMetrics('api');
  const asked: string[] = [];
  const watch = watchTaskQueues({
    connection: {
      workflowService: {
        describeTaskQueue: async ({ taskQueue }: { taskQueue: { name: string } }) => {
          asked.push(taskQueue.name);
          return answer(taskQueue.name);
        },
      } as never,
      withDeadline: (_deadline, work) => work(),
    },
    namespace: 'default',
    taskQueues: taskQueues('shop-7'),
    metrics,
    logger: createLogger({ process: 'test', level: 'silent' }),
  });
  return { watch, asked, text: () => metrics.registry.metrics() };
}

it('counts who polls now, not who once did, and shows what waits', async () => {
  const { watch, asked, text } = watching((name) =>
    name === 'shop-7-carrier'
      ? {
          pollers: [poller(200_000)],
          stats: { approximateBacklogCount: 12, approximateBacklogAge: seconds(40_000) },
        }
      : { pollers: [poller(30_000), poller(1_000)], stats: {} },
  );
  await watch.look();
  await watch.close();
  expect(asked).toContain('shop-7-ops');
  const shown = await text();
  expect(shown).toContain('task_queue_pollers{task_queue="orders",task_type="workflow"} 2');
  expect(shown).toContain('task_queue_pollers{task_queue="carrier",task_type="activity"} 0');
  expect(shown).toContain('task_queue_backlog_tasks{task_queue="carrier",task_type="activity"} 12');
  expect(shown).toContain('task_queue_backlog_age_seconds{task_queue="carrier",task_type="activity"} 40');
});

it('shows nothing while Temporal is away, rather than what was', async () => {
  let away = false;
  const { watch, text } = watching(() => {
    if (away) throw new Error('14 UNAVAILABLE');
    return { pollers: [poller(0)], stats: {} };
  });
  await watch.look();
  expect(await text()).toMatch(/task_queue_pollers\{/);
  away = true;
  await watch.look();
  await watch.close();
  expect(await text()).not.toMatch(/task_queue_pollers\{/);
});
