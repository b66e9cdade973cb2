import { Command } from 'commander';
import { verifyAudit, type AuditReport } from './jobs/verify-audit.ts';
import { loadConfig } from '../config/config.ts';
import { connectExistingStore } from '../compose/connect-store.ts';

/*
 * `npm run audit:verify`: checks the hash chains of the audit trail in the store that SQL_URL names. Exit code 0 when
 * all hold, 1 when one is broken, 2 when they could not be checked.
 */
interface Options {
  subject?: string;
  json?: true;
}

/** A run that lasts says how far it is this often. */
const progressMs = 2_000;

const command = new Command('audit:verify')
  .description('check the audit trail against its hashes and name the first broken row of each subject')
  .option('--subject <subject>', 'one subject only, for example order:<orderId>')
  .option('--json', 'print the result as JSON')
  .action(run);

async function run({ subject, json }: Options): Promise<void> {
  const store = await connectExistingStore(loadConfig());
  try {
    let saidAtMs = performance.now();
    const onProgress = ({ subjects, rows }: AuditReport) => {
      if (performance.now() - saidAtMs < progressMs) return;
      saidAtMs = performance.now();
      console.error(`${subjects} subjects, ${rows} rows checked …`);
    };
    const report = await verifyAudit({ store, subject, onProgress });
    console.log(json ? JSON.stringify(report, null, 2) : reportText(report));
    if (report.broken.length > 0) process.exitCode = 1;
  } finally {
    await store.close();
  }
}

function reportText({ subjects, rows, broken }: AuditReport): string {
  const checked = `${subjects} subjects with ${rows} rows checked`;
  if (broken.length === 0) return `${checked}: every chain holds.`;
  const lines = broken.map(({ subject, what }) => `${subject}: ${what}`);
  return [`${checked}: ${broken.length} broken.`, ...lines].join('\n');
}

try {
  await command.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
