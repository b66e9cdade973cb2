import type { Locks } from '../../ports/locks.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { repeat } from './repeat.ts';
import { sweepBulkRuns, type BulkSweepDeps } from './sweep-bulk-runs.ts';
import { sweepCases, type SweepDeps } from './sweep-cases.ts';
import { sweepUnrecorded, type Patrol, type UnrecordedDeps } from './sweep-unrecorded.ts';

/**
 * Sweeps for orders and acts on many that have lost their run, and for runs whose order SQL does not know, every
 * `everyMs`, leaving alone orders that were changed within half of that.
 * Workers share it by a lock; without Redis each of them does it, which costs reads and changes nothing.
 */
export function watchCases(
  deps: SweepDeps & UnrecordedDeps & BulkSweepDeps & { locks: Locks; logger: Logger; everyMs: number },
): {
  close(): Promise<void>;
} {
  const { locks, logger, everyMs } = deps;
  const patrol: Patrol = {};
  return repeat({
    everyMs,
    async work() {
      const lock = await locks.acquire({ name: 'sweep:cases', ttlMs: Math.ceil(everyMs * 0.9) });
      if (lock.status === 'held') return;
      const { found } = await sweepCases({ ...deps, unchangedForMs: everyMs / 2 });
      if (found > 0) logger.warn({ found }, 'orders have lost their run; see `npm run -s ops -- cases list`');
      const unrecorded = await sweepUnrecorded(deps, patrol);
      if (unrecorded.found > 0)
        logger.warn(
          { found: unrecorded.found },
          'orders are unknown to SQL; see `npm run -s ops -- cases list`',
        );
      const bulk = await sweepBulkRuns(deps);
      if (bulk.found > 0)
        logger.warn(
          { found: bulk.found },
          'acts on many have lost their run; see `npm run -s ops -- cases list`',
        );
    },
    onError: (error) => logger.warn({ err: error }, 'orders that have lost their run are looked for later'),
  });
}
