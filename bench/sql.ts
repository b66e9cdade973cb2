import { mkdtempSync, rmSync } from 'node:fs';
import { StatementSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { connectSqliteStore } from '../adapters/sqlite/sqlite-store.ts';
import { connectSqlServerStore } from '../adapters/sqlserver/sqlserver-store.ts';
import type { Store } from '../ports/store.ts';
import { createSqlServerDatabase } from '../test/contract/sqlserver-database.ts';
import { closedLoop } from './closed-loop.ts';
import { countPortCalls } from './port-calls.ts';
import { createSqlOrder, seedBenchProduct } from './sql-order.ts';
import { distributionOf, rounded } from './statistics.ts';

/**
 * `npm run bench -- --sql [--quick]`: the two stores beside each other, without Temporal, broker and HTTP: orders and
 * transactions a second, the time of a transaction, statements per order. SQL Server only where SQL_TEST_URL is set.
 */
const { values } = parseArgs({
  options: { sql: { type: 'boolean' }, quick: { type: 'boolean', default: false } },
});
const inFlight = 20;

interface Bench {
  name: string;
  store: Store;
  /** Statements sent so far, BEGIN and COMMIT included. */
  statements(): number;
  /** Seconds of each transaction since the last call. */
  takeTimes(): number[];
  end(): Promise<void>;
}

/** Every run of a prepared statement in this process: node:sqlite has no hook for it. */
const sqliteRuns = { count: 0 };
for (const method of ['run', 'get', 'all'] as const) {
  const original = StatementSync.prototype[method] as (...values: unknown[]) => unknown;
  Object.defineProperty(StatementSync.prototype, method, {
    value(this: StatementSync, ...parameters: unknown[]) {
      sqliteRuns.count += 1;
      return original.apply(this, parameters);
    },
  });
}

const collected = () => {
  let times: number[] = [];
  return {
    onTransaction: (seconds: number) => times.push(seconds),
    take: () => {
      const taken = times;
      times = [];
      return taken;
    },
  };
};

async function sqliteBench(): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), 'order-saga-bench-sql-'));
  const times = collected();
  const store = await connectSqliteStore({
    path: join(folder, 'bench.sqlite'),
    onTransaction: times.onTransaction,
  });
  return {
    name: 'SQLite (WAL, synchronous=FULL)',
    store,
    statements: () => sqliteRuns.count,
    takeTimes: times.take,
    async end() {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

async function sqlServerBench(serverUrl: string): Promise<Bench> {
  const database = await createSqlServerDatabase(serverUrl);
  const times = collected();
  let sent = 0;
  const store = await connectSqlServerStore({
    url: database.url,
    // BEGIN and COMMIT are requests too.
    onTransaction: (seconds) => {
      sent += 2;
      times.onTransaction(seconds);
    },
    onStatement: () => (sent += 1),
  });
  return {
    name: 'SQL Server',
    store,
    statements: () => sent,
    takeTimes: times.take,
    async end() {
      await store.close();
      await database.drop();
    },
  };
}

/** Requests to SQL Server for one order, counted from the port's calls. */
let designed = 0;

async function measure(bench: Bench): Promise<Record<string, string | number>> {
  const placeOrder = createSqlOrder(bench.store);
  await seedBenchProduct(bench.store);
  await placeOrder();
  const counting = countPortCalls(bench.store);
  await createSqlOrder(counting.store)();
  designed = counting.sqlServerRequests();
  bench.takeTimes();
  const before = bench.statements();
  await placeOrder();
  const perOrder = { statements: bench.statements() - before, transactions: bench.takeTimes().length };
  const alone = await closedLoop({ inFlight: 1, ...window(), work: placeOrder });
  const aloneMs = distributionOf(bench.takeTimes().map((seconds) => seconds * 1_000));
  const together = await closedLoop({ inFlight, ...window(), work: placeOrder });
  const togetherMs = distributionOf(bench.takeTimes().map((seconds) => seconds * 1_000));
  return {
    'statements per order': perOrder.statements,
    'transactions per order': perOrder.transactions,
    'orders/s, 1 in flight': rounded(alone.perSecond, 1),
    'transaction ms p50/p99, 1 in flight': `${aloneMs.p50} / ${aloneMs.p99}`,
    [`orders/s, ${inFlight} in flight`]: rounded(together.perSecond, 1),
    [`transactions/s, ${inFlight} in flight`]: rounded(together.perSecond * perOrder.transactions, 0),
    [`transaction ms p50/p99, ${inFlight} in flight`]: `${togetherMs.p50} / ${togetherMs.p99}`,
  };
}

const window = () =>
  values.quick ? { warmUpMs: 500, measureMs: 2_000 } : { warmUpMs: 3_000, measureMs: 15_000 };

const serverUrl = process.env['SQL_TEST_URL'] ?? '';
const table: Record<string, Record<string, string | number>> = {};
const benches = [sqliteBench, ...(serverUrl ? [() => sqlServerBench(serverUrl)] : [])];
for (const start of benches) {
  const bench = await start();
  try {
    console.log(`${bench.name} ...`);
    table[bench.name] = await measure(bench);
  } finally {
    await bench.end();
  }
}
for (const [name, figures] of Object.entries(table)) {
  console.log(`\n${name}`);
  for (const [figure, value] of Object.entries(figures)) console.log(`  ${figure.padEnd(42)} ${value}`);
}
console.log(`\nSQL Server: ${designed} requests per order by design, BEGIN and COMMIT included`);
if (!serverUrl) console.log('SQL Server was not measured: SQL_TEST_URL is not set.');
