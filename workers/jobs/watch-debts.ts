import type { RefundWorkflows, DebtRuns } from '../../ports/temporal.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Locks } from '../../ports/locks.ts';
import type { Store } from '../../ports/store.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { repeat } from './repeat.ts';
import { sweepDebts } from './sweep-debts.ts';
import { sweepRefunds } from './sweep-refunds.ts';

/**
 * Starts what settles debts, and refunds that have lost their run, every `everyMs`. Workers share it by a lock; without Redis each of them does it, which costs
 * requests and changes nothing.
 */
export function watchDebts(deps: {
  store: Pick<Store, 'read' | 'transaction'>;
  debts: DebtRuns;
  refunds: Pick<RefundWorkflows, 'start'>;
  clock: Clock;
  locks: Locks;
  logger: Logger;
  everyMs: number;
}): { close(): Promise<void> } {
  const { locks, logger, everyMs } = deps;
  return repeat({
    everyMs,
    async work() {
      const lock = await locks.acquire({ name: 'sweep:debts', ttlMs: Math.ceil(everyMs * 0.9) });
      if (lock.status === 'held') return;
      const { started } = await sweepDebts(deps);
      if (started > 0) logger.info({ started }, 'debts have got a run that settles them');
      const refunds = await sweepRefunds(deps);
      if (refunds.started > 0)
        logger.warn({ started: refunds.started }, 'refunds had lost their run; they go on');
    },
    onError: (error) => logger.warn({ err: error }, 'debts without a run are looked for later'),
  });
}
