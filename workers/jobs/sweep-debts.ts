import type { DebtRuns } from '../../ports/temporal.ts';
import type { Debt } from '../../ports/refunds.ts';
import type { Store } from '../../ports/store.ts';

const PAGE = 100;

/**
 * Lets every debt in SQL have its run: of one that was just recorded, of one whose worker was killed before anybody told
 * Temporal, of one whose run was terminated or forgotten. The only one who starts them. Run twice or at the same time:
 * Temporal keeps one run per debt. Returns how many were begun.
 */
export async function sweepDebts({
  store,
  debts,
}: {
  store: { read: { debts: Pick<Store['read']['debts'], 'list'> } };
  debts: DebtRuns;
}): Promise<{ found: number; started: number }> {
  const counts = { found: 0, started: 0 };
  for (let after: Debt | undefined; ;) {
    const page = await store.read.debts.list({ limit: PAGE, ...(after && { after }) });
    for (const debt of page) if ((await debts.ensure(debt)) === 'started') counts.started += 1;
    counts.found += page.length;
    after = page.at(-1);
    if (!after) return counts;
  }
}
