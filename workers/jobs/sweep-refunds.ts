import type { RefundWorkflows } from '../../ports/temporal.ts';
import { orderSubject } from '../../domain/audit.ts';
import { refundWithoutRun } from '../../domain/recovery.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RefundRow } from '../../ports/refunds.ts';
import type { Store } from '../../ports/store.ts';

const PAGE = 100;
const MINUTE = 60_000;

export interface RefundSweepDeps {
  store: Pick<Store, 'read' | 'transaction'>;
  refunds: Pick<RefundWorkflows, 'start'>;
  clock: Clock;
  /** Refunds that were asked for later are left for the next sweep. Default 1 min. */
  askedForMs?: number;
}

/**
 * Lets every refund that was asked for and is not decided have its run. Its amount is reserved from the moment it has a
 * row, so that a refund whose run was terminated, timed out or is forgotten would hold money that nobody gives back. Such
 * a refund cannot be taken back, since the provider may have it: its run is begun again, and the audit trail says so.
 * Run twice or at the same time: Temporal keeps one run per refund, and begins none that has ended by itself.
 */
export async function sweepRefunds(deps: RefundSweepDeps): Promise<{ found: number; started: number }> {
  const { store, refunds, clock, askedForMs = MINUTE } = deps;
  const requestedBeforeUtc = new Date(Date.parse(clock.nowUtc()) - askedForMs).toISOString();
  const counts = { found: 0, started: 0 };
  for (let after: RefundRow | undefined; ;) {
    const page = await store.read.debts.undecided({
      requestedBeforeUtc,
      limit: PAGE,
      ...(after && { after }),
    });
    for (const refund of page) {
      const { orderId, refundId, amount, reason, actor, fingerprint } = refund;
      const begun = await refunds.start({ orderId, refundId, amount, reason, actor, fingerprint });
      if (begun.status !== 'started') continue;
      counts.started += 1;
      await tell(deps, refund);
    }
    counts.found += page.length;
    after = page.at(-1);
    if (!after) return counts;
  }
}

const tell = ({ store, clock }: RefundSweepDeps, { orderId, refundId, state }: RefundRow): Promise<void> =>
  store.transaction(async (tx) => {
    const order = await tx.orders.find(orderId);
    if (!order) return;
    await tx.audit.append({
      subject: orderSubject(orderId),
      actor: 'sweep',
      step: 'refund',
      from: refundWithoutRun,
      to: 'begun again',
      reason: `the run of refund ${refundId} had closed while the refund was ${state}`,
      causingEventId: '',
      workflowId: order.workflowId,
      runId: order.runId,
      occurredAtUtc: clock.nowUtc(),
    });
  });
