import { Command } from 'commander';
import { loadConfig } from '../config/config.ts';
import { systemClock } from '../ports/clock.ts';
import type { Purgeable } from '../ports/store/upkeep.ts';
import { connectExistingStore, StoreMissing } from '../compose/connect-store.ts';
import { ageMs } from './jobs/age.ts';
import { lineOption } from './jobs/line-option.ts';
import { purgeStore, purgeSubject, type PurgeReport } from './jobs/purge-store.ts';

/*
 * `npm run db:purge -- --older-than 90d`: retention in the store that SQL_URL names; on SQL Server SQL_URL must log in
 * as a member of order_saga_owner. Exit code 0 when done, 1 when it failed or when orders with a broken audit chain
 * were kept.
 */
interface Options {
  olderThan: string;
  dryRun?: true;
  json?: true;
  actor: string;
}

/** Between two transactions: writers that waited get their turn. */
const pauseMs = 20;
const progressMs = 2_000;

const command = new Command('db:purge')
  .description('delete closed orders with their audit chains, marks of handled events and published messages')
  .requiredOption('--older-than <age>', 'age in days, at least 7d')
  .option('--dry-run', 'count only')
  .option('--json', 'print the result as JSON')
  .option('--actor <name>', 'who does it, for the audit row', lineOption(64), 'operator')
  .action(run);

async function run({ olderThan, dryRun, json, actor }: Options): Promise<void> {
  const beforeUtc = new Date(Date.now() - ageMs(olderThan)).toISOString();
  const store = await connectExistingStore(loadConfig());
  try {
    if (dryRun) {
      const counts = await store.upkeep.purgeable({ beforeUtc });
      console.log(json ? JSON.stringify({ beforeUtc, dryRun, ...counts }) : dryText(beforeUtc, counts));
      return;
    }
    const report = await purgeStore({
      store,
      beforeUtc,
      actor,
      clock: systemClock,
      pauseMs,
      onProgress: progress(),
    });
    console.log(json ? JSON.stringify({ beforeUtc, ...report }) : reportText(beforeUtc, report));
    if (report.kept.length > 0) process.exitCode = 1;
  } finally {
    await store.close();
  }
}

function progress(): (report: PurgeReport) => void {
  let saidAtMs = performance.now();
  return (report) => {
    if (performance.now() - saidAtMs < progressMs) return;
    saidAtMs = performance.now();
    console.error(`${countsText(report)} deleted …`);
  };
}

const countsText = ({ orders, processedEvents, outboxMessages }: Purgeable): string =>
  `${orders} closed orders, ${processedEvents} marks of handled events, ${outboxMessages} published messages`;

/** Messages of the orders are among those counted, since they go with their orders. */
const dryText = (beforeUtc: string, counts: Purgeable): string =>
  `Older than ${beforeUtc}: ${countsText(counts)}. Nothing was deleted.`;

function reportText(beforeUtc: string, report: PurgeReport): string {
  const record = purgeSubject(systemClock.nowUtc());
  const kept = report.kept.map(({ orderId, what }) => `Kept, its audit chain is broken: ${orderId}: ${what}`);
  const recorded =
    report.orders > 0 ? [`Recorded with their head hashes under audit subject ${record}.`] : [];
  return [`Deleted, older than ${beforeUtc}: ${countsText(report)}.`, ...recorded, ...kept].join('\n');
}

try {
  await command.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof StoreMissing ? 2 : 1;
}
