import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '../config/config.ts';
import { productId } from '../domain/ids.ts';
import { mostUnits } from '../domain/stock.ts';
import { systemClock } from '../ports/clock.ts';
import type { Store } from '../ports/store.ts';
import { connectExistingStore, StoreMissing } from '../compose/connect-store.ts';
import { adjustStock } from './jobs/adjust-stock.ts';
import { lineOption } from './jobs/line-option.ts';
import { catalogFromCsv, catalogToCsv } from './jobs/catalog-csv.ts';
import { importCatalog, type ImportReport } from './jobs/import-catalog.ts';

/*
 * `npm run catalog -- export | import | adjust`: the catalog and the stock in the store that SQL_URL names. Exit code 1
 * when something is refused: what an import refuses it lists, all the rest applies.
 */
async function withStore(work: (store: Store) => Promise<string>): Promise<void> {
  const store = await connectExistingStore(loadConfig());
  try {
    console.log(await work(store));
  } finally {
    await store.close();
  }
}

function wholeNumber(text: string): number {
  const units = Number(text);
  if (!/^[+-]?\d{1,10}$/.test(text) || units === 0 || Math.abs(units) > mostUnits) {
    throw new InvalidArgumentError('Expected a whole number other than 0, for example 20 or -3.');
  }
  return units;
}

function keyText(text: string): string {
  if (!/^[\x20-\x7e]{1,255}$/.test(text))
    throw new InvalidArgumentError('Expected 1 to 255 printable ASCII characters.');
  return text;
}

/** Half a catalog, as a full disk leaves it, could be imported again. */
async function writeWhole(file: string, text: string): Promise<void> {
  const unfinished = `${file}.${process.pid}.unfinished`;
  try {
    await writeFile(unfinished, text, { flush: true });
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

const clock = systemClock;
const actor = ['--actor <name>', 'who does it, for the audit row', lineOption(64), 'operator'] as const;
const command = new Command('catalog').description('the catalog as CSV, and adjustments of the stock');

command
  .command('export')
  .description('write all products as CSV')
  .option('--file <file>', 'file to write instead of the standard output')
  .action(({ file }: { file?: string }) =>
    withStore(async (store) => {
      const rows = await store.upkeep.stock();
      const csv = catalogToCsv(rows);
      if (file === undefined) return csv.trimEnd();
      await writeWhole(file, csv);
      return `${rows.length} products written to ${file}.`;
    }),
  );

command
  .command('import')
  .description('add and change products as a CSV file says; stock that moved since is refused and listed')
  .requiredOption('--file <file>', 'file as export writes it; what it leaves empty stays')
  .option('--dry-run', 'check only')
  .option('--json', 'print the result as JSON')
  .option('--reason <text>', 'why, for the audit rows', lineOption(500), 'Catalog import')
  .option(...actor)
  .action((options: { file: string; dryRun?: true; json?: true; reason: string; actor: string }) =>
    withStore(async (store) => {
      const lines = catalogFromCsv(await readFile(options.file));
      const report = await importCatalog({ ...options, store, lines, clock });
      if (report.refused.length > 0) process.exitCode = 1;
      return options.json
        ? JSON.stringify({ ...report, dryRun: options.dryRun === true })
        : describeImport(report, options.dryRun === true);
    }),
  );

command
  .command('adjust')
  .description("add units to a product's stock on hand or take them away")
  .requiredOption('--product <id>', 'the product')
  .requiredOption('--by <units>', 'units to add; negative: to take away', wholeNumber)
  .requiredOption('--reason <text>', 'why, for the audit row', lineOption(500))
  .requiredOption('--key <key>', 'name of this adjustment: repeated under it, it counts once', keyText)
  .option('--dry-run', 'check only')
  .option('--json', 'print the result as JSON')
  .option(...actor)
  .action(
    (options: {
      product: string;
      by: number;
      reason: string;
      key: string;
      dryRun?: true;
      json?: true;
      actor: string;
    }) =>
      withStore(async (store) => {
        const stock = await adjustStock({ ...options, store, productId: productId(options.product), clock });
        const { from, to, reserved, repeated } = stock;
        if (options.json)
          return JSON.stringify({
            productId: options.product,
            from,
            to,
            reserved,
            repeated,
            ...(options.dryRun ? { dryRun: true } : {}),
          });
        return repeated
          ? `${options.product}: adjusted under this key before; ${to} units on hand now, ${reserved} of them reserved.`
          : `${options.product}: ${from} units on hand before, ${to} ${options.dryRun ? 'then (nothing was written)' : 'now'}, ${reserved} of them reserved.`;
      }),
  );

function describeImport(
  { added, changed, unchanged, fields, stock, refused }: ImportReport,
  dryRun: boolean,
): string {
  const counts = `${added} products added, ${changed} changed, ${unchanged} as they were`;
  return [
    dryRun ? `Would be: ${counts}. Nothing was written.` : `${counts}.`,
    ...fields.map(
      ({ productId: id, field, from, to }) => `${field} of ${id}: ${quoted(from)} to ${quoted(to)}`,
    ),
    ...stock.map(({ productId: id, from, to }) => `stock of ${id}: ${from} to ${to}`),
    ...refused.map(({ line, reason }) => `line ${line} refused: ${reason}`),
  ].join('\n');
}

const quoted = (text: string): string => (text === '' ? 'nothing' : JSON.stringify(text));

try {
  await command.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof StoreMissing ? 2 : 1;
}
