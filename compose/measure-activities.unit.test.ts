import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { expect, it } from 'vitest';
import { refusalFailure } from '../activities/failures.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { measureActivities } from './measure-activities.ts';

async function run(activityType: string, work: () => Promise<unknown>, scheduledAgoMs = 0) {
  const metrics = createMetrics('worker');
  const info = { activityType, scheduledTimestampMs: Date.now() - scheduledAgoMs };
  const { inbound } = measureActivities(metrics)({ info } as Parameters<ActivityInterceptorsFactory>[0]);
  const ended = await inbound?.execute?.({ args: [], headers: {} }, work).catch((error: unknown) => error);
  const text = await metrics.registry.metrics();
  return { ended, lines: text.split('\n').filter((line) => /^step_.*_count/.test(line)), text };
}

it('counts an attempt that is done, with the time since it was scheduled', async () => {
  const { ended, lines, text } = await run('processPayment', async () => 'charged', 40_000);
  expect(ended).toBe('charged');
  expect(lines).toEqual([
    'step_attempt_duration_seconds_count{activity="processPayment",kind="forward",result="done"} 1',
    'step_duration_seconds_count{activity="processPayment",kind="forward"} 1',
  ]);
  expect(text).toContain('step_duration_seconds_bucket{le="30",activity="processPayment",kind="forward"} 0');
});

it('tells business answers from failures, and failures of compensations from those of steps', async () => {
  const refusal = refusalFailure({ type: 'CardDeclined', reason: 'no' });
  expect((await run('processPayment', () => Promise.reject(refusal))).lines[0]).toContain('result="refused"');
  const failed = await run('refundPayment', () => Promise.reject(new ApplicationFailure('down')));
  expect(failed.ended).toBeInstanceOf(ApplicationFailure);
  expect(failed.lines).toEqual([
    'step_attempt_duration_seconds_count{activity="refundPayment",kind="compensation",result="failed"} 1',
  ]);
  const canceled = await run('parkOrder', () => Promise.reject(new CancelledFailure('stop')));
  expect(canceled.lines[0]).toContain('kind="upkeep",result="canceled"');
});
