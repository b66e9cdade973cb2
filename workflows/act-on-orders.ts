import {
  ActivityCancellationType,
  CancellationScope,
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { OrderActActivities } from '../activities/operators/act-on-orders.ts';
import {
  maximumShownRefusals,
  type BulkOrderAct,
  type BulkOrderProgress,
  type OrderActResult,
} from '../domain/order-acts.ts';
import { getOrderActProgress, type ActOnOrders } from './order-act-messages.ts';
import { watchCancel } from './watch-cancel.ts';

const { findOrders, actOnSlice, noteOrderAct } = proxyActivities<OrderActActivities>({
  /* 200 orders in ten lanes, none of which answers: 400 s. */
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '20s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '10s' },
});

/**
 * Acts on many orders, slice by slice and at most so many a second. Every order decides by itself, by the validator of
 * its own handlers; what it refuses is counted with its reason. A slice is found first and acted on then, so that a lost
 * worker repeats the same orders under the same update ids. A cancel lets the slice at work end and begins no other;
 * the run then closes as Canceled.
 */
export async function actOnOrders({ bulk, resumed, restarted }: ActOnOrders): Promise<BulkOrderProgress> {
  const progress = resumed?.progress ?? begin(bulk);
  setHandler(getOrderActProgress, () => progress);
  const cancel = watchCancel(() => show(bulk, progress, 'cancelling'));
  const note = (from: string, to: string, as = bulk) =>
    CancellationScope.nonCancellable(() => noteOrderAct({ bulk: as, from, to }));
  if (restarted) {
    const { actor, reason, closedAs } = restarted;
    await note(closedAs, 'running', { ...bulk, actor, reason });
  } else if (!resumed) await note('', 'running');
  show(bulk, progress, 'running');

  let after = resumed?.after;
  let finished = false;
  while (!finished && cancel.error === undefined) {
    after = await CancellationScope.nonCancellable(() => workOnSlice(bulk, progress, after));
    finished = after === undefined;
    show(bulk, progress, progress.status);
    if (after !== undefined && cancel.error === undefined && workflowInfo().continueAsNewSuggested) {
      return continueAsNew<typeof actOnOrders>({ bulk, resumed: { after, progress } });
    }
  }

  show(bulk, progress, finished ? 'completed' : 'cancelled');
  await note('running', `${progress.status}: ${countsOf(progress)}`);
  if (!finished) throw cancel.error;
  return progress;
}

/** Where the next slice begins; undefined when there is none. */
async function workOnSlice(
  bulk: BulkOrderAct,
  progress: BulkOrderProgress,
  after: string | undefined,
): Promise<string | undefined> {
  const { orderIds, next } = await findOrders({ bulk, ...(after === undefined ? {} : { after }) });
  if (orderIds.length > 0) count(progress, await actOnSlice({ bulk, orderIds }));
  return next;
}

function count(progress: BulkOrderProgress, results: readonly OrderActResult[]): void {
  for (const one of results) {
    progress[one.result] += 1;
    const shown = progress.refusals.length < maximumShownRefusals;
    if ('reason' in one && shown) progress.refusals.push({ orderId: one.orderId, reason: one.reason });
  }
}

function begin({ actId, act }: BulkOrderAct): BulkOrderProgress {
  const startedAtUtc = new Date().toISOString();
  const counts = { accepted: 0, refused: 0, gone: 0, unanswered: 0 };
  return {
    actId,
    act: act.kind,
    status: 'running',
    ...counts,
    refusals: [],
    startedAtUtc,
    updatedAtUtc: startedAtUtc,
  };
}

const countsOf = ({ accepted, refused, gone, unanswered }: BulkOrderProgress): string =>
  `${accepted} accepted, ${refused} refused, ${gone} gone, ${unanswered} unanswered`;

/** For the query and for people in the Web UI. */
function show(bulk: BulkOrderAct, progress: BulkOrderProgress, status: BulkOrderProgress['status']): void {
  Object.assign(progress, { status, updatedAtUtc: new Date().toISOString() });
  setCurrentDetails(
    [
      `**${status}**: ${countsOf(progress)}`,
      `${actText(bulk)} on ${choiceText(bulk)}, at most ${bulk.ratePerSecond} a second`,
      `Asked for by ${bulk.actor}: ${bulk.reason}`,
      ...progress.refusals.slice(0, 20).map(({ orderId, reason }) => `- order ${orderId}: ${reason}`),
    ].join('\n\n'),
  );
}

const actText = ({ act }: BulkOrderAct): string =>
  act.kind === 'resolve'
    ? `resolve (${act.action})`
    : act.kind === 'extend'
      ? `extend until ${act.untilUtc}`
      : act.kind;

function choiceText({ choice }: BulkOrderAct): string {
  if ('orderIds' in choice) return `${choice.orderIds.length} orders by id`;
  const { customerHash, amongst, ...rest } = choice.filter;
  const parts = Object.entries(rest).map(([name, value]) => `${name} ${String(value)}`);
  const more = [
    ...(customerHash ? ['one customer'] : []),
    ...(amongst ? ['a step that is retried or waits'] : []),
  ];
  return `orders with ${[...parts, ...more].join(', ')}`;
}
