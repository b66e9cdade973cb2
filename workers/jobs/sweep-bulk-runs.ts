import { bulkActSubject, lostBulkState } from '../../domain/lost-bulk.ts';
import type { BulkRuns, LostBulkRun } from '../../ports/temporal.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Store } from '../../ports/store.ts';

/** Closed runs that one sweep looks at, the newest ones. */
const MOST_RUNS = 100;

export interface BulkSweepDeps {
  store: Pick<Store, 'read' | 'transaction'>;
  bulkRuns: Pick<BulkRuns, 'lost'>;
  clock: Clock;
}

/**
 * Finds acts on many, orders or dead letters, whose run Temporal closed from outside (terminated, timed out, failed), and
 * tells of each in the act's own audit trail, once per run. Nothing is begun again by itself: whoever terminated it may
 * have meant it. Temporal lists them for as long as it can start them again, so SQL keeps no list. Two sweeps at the same time
 * may write the row twice.
 */
export async function sweepBulkRuns({
  store,
  bulkRuns,
  clock,
}: BulkSweepDeps): Promise<{ looked: number; found: number }> {
  const lost = await bulkRuns.lost({ limit: MOST_RUNS });
  const counts = { looked: lost.length, found: 0 };
  for (const run of lost) if (await tell({ store, clock }, run)) counts.found += 1;
  return counts;
}

async function tell({ store, clock }: Omit<BulkSweepDeps, 'bulkRuns'>, run: LostBulkRun): Promise<boolean> {
  const subject = bulkActSubject(run);
  const rows = await store.read.audit(subject);
  if (rows.some(({ to, runId }) => to === lostBulkState && runId === run.runId)) return false;
  await store.transaction((tx) =>
    tx.audit.append({
      subject,
      actor: 'sweep',
      step: run.kind,
      from: 'running',
      to: lostBulkState,
      reason: `Temporal closed its run (${run.closedAs}); what was not acted on by then waits for a restart`,
      causingEventId: '',
      workflowId: run.workflowId,
      runId: run.runId,
      occurredAtUtc: clock.nowUtc(),
    }),
  );
  return true;
}
