import {
  ActivityCancellationType,
  CancellationScope,
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { DeadLetterActivities } from '../activities/operators/dead-letters.ts';
import type { BulkAct, BulkProgress } from '../domain/dead-letters.ts';
import { getBulkProgress, type ReplayDeadLetters } from './dead-letter-messages.ts';
import { watchCancel } from './watch-cancel.ts';

const { workOnDeadLetters, noteDeadLetterAct } = proxyActivities<DeadLetterActivities>({
  startToCloseTimeout: '60s',
  heartbeatTimeout: '10s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '10s' },
});

/**
 * Replays or discards the dead letters that fit a filter and failed before its cutoff, oldest first, slice by slice.
 * A cancel lets the slice at work end, so that nothing stays claimed, and begins no other; the run then closes as
 * Canceled. While the broker or the store is away it waits. Everything done is in the dead letters' own rows: this
 * workflow only remembers how far it has come.
 */
export async function replayDeadLetters({
  bulk,
  resumed,
  restarted,
}: ReplayDeadLetters): Promise<BulkProgress> {
  const startedAtUtc = new Date().toISOString();
  const progress: BulkProgress = resumed?.progress ?? {
    replayId: bulk.replayId,
    act: bulk.act,
    status: 'running',
    settled: 0,
    left: 0,
    toGo: 0,
    startedAtUtc,
    updatedAtUtc: startedAtUtc,
  };
  setHandler(getBulkProgress, () => progress);
  const cancel = watchCancel(() => show(bulk, progress, 'cancelling'));
  const note = (from: string, to: string, as = bulk) =>
    CancellationScope.nonCancellable(() => noteDeadLetterAct({ bulk: as, from, to }));
  if (restarted) {
    const { actor, reason, closedAs } = restarted;
    await note(closedAs, 'running', { ...bulk, actor, reason });
  } else if (!resumed) await note('', 'running');
  show(bulk, progress, 'running');

  let after = resumed?.after;
  let finished = false;
  while (!finished && cancel.error === undefined) {
    const place = after === undefined ? {} : { after };
    const slice = await CancellationScope.nonCancellable(() => workOnDeadLetters({ bulk, ...place }));
    after = slice.next;
    finished = after === undefined;
    Object.assign(progress, slice.counts);
    show(bulk, progress, progress.status);
    if (after !== undefined && cancel.error === undefined && workflowInfo().continueAsNewSuggested) {
      return continueAsNew<typeof replayDeadLetters>({ bulk, resumed: { after, progress } });
    }
  }

  const cancelled = !finished;
  show(bulk, progress, cancelled ? 'cancelled' : 'completed');
  await note('running', `${progress.status}: ${progress.settled} ${wordOf(bulk)}, ${progress.left} left`);
  if (cancelled) throw cancel.error;
  return progress;
}

const wordOf = ({ act }: BulkAct): string => (act === 'replay' ? 'replayed' : 'discarded');

/** For the query and for people in the Web UI. */
function show(bulk: BulkAct, progress: BulkProgress, status: BulkProgress['status']): void {
  Object.assign(progress, { status, updatedAtUtc: new Date().toISOString() });
  const { settled, left, toGo } = progress;
  const what = bulk.filter.ids === undefined ? filterOf(bulk) : `${bulk.filter.ids.length} by id`;
  setCurrentDetails(
    [
      `**${status}**: ${settled} ${wordOf(bulk)}, ${left} left where they are, ${toGo} to go`,
      `Dead letters: ${what}; failed until ${bulk.filter.failedUntilUtc}`,
      `Asked for by ${bulk.actor}: ${bulk.reason}`,
    ].join('\n\n'),
  );
}

const filterOf = ({ filter }: BulkAct): string =>
  [
    filter.queue === undefined ? 'all queues' : `queue ${filter.queue}`,
    ...(filter.fingerprint === undefined ? [] : [`fingerprint ${filter.fingerprint}`]),
    ...(filter.orderId === undefined ? [] : [`order ${filter.orderId}`]),
  ].join(', ');
