import type { Store } from '../../ports/store.ts';
import { createConnectionGate, type PoolState } from './connection-gate.ts';
import { readSqlServerUrl, type SqlServerSettings } from './connection-settings.ts';
import { isBabelfish, openDatabase, readCommittedSnapshot } from './create-database.ts';
import { connectDriver } from './driver.ts';
import { storeError } from './errors.ts';
import { withHints, withoutHints, type LockHints } from './lock-hints.ts';
import { checkSchema, knownMigrations, migrate } from './migrate.ts';
import { createOutboxLeases } from './outbox-leases.ts';
import { createOutbox } from './outbox.ts';
import { createReads } from './reads.ts';
import { autocommitSession } from './autocommit-session.ts';
import { runTransaction } from './run-transaction.ts';
import { withTransaction } from './transaction.ts';
import { createUpkeep } from './upkeep.ts';

export interface SqlServerHooks {
  /** Seconds from asking for a transaction to its being durable. */
  onTransaction?: (seconds: number) => void;
  /** The pool's state after each change. */
  onPool?: (state: PoolState) => void;
  /** Seconds a caller waited for a connection, also when it got none. */
  onAcquire?: (seconds: number, result: 'acquired' | 'refused') => void;
  /** The name of each statement that is sent, for counting. */
  onStatement?: (name: string) => void;
  /** Seconds from sending a statement to its answer or error. */
  onStatementTime?: (name: string, seconds: number) => void;
  /** Something the server refused and the store lives without, once each, and that it waits for a server that starts. */
  onRefusedSetting?: (message: string) => void;
}

/**
 * Opens the SQL Server store that `url` names (SQL_URL: see `readSqlServerUrl`): waits while the database starts or resumes,
 * creates it when it is missing and that is asked for, and brings the schema to the code's version. At most `poolSize` connections.
 *
 * Rejects with StoreUnavailable when the server cannot be reached, and with an Error when the login, the address or the
 * schema does not fit. Later failures are those of the port. A caller that gets no connection within
 * `acquireTimeoutMs` is refused with StoreUnavailable.
 */
export async function connectSqlServerStore(input: { url: string } & SqlServerHooks): Promise<Store> {
  const settings = readSqlServerUrl(input.url);
  const known = knownMigrations();
  const hints = await prepare(settings, known, input.onRefusedSetting);
  const driver = await connectDriver(settings).catch((error: unknown) => {
    throw storeError(error, { server: `${settings.server}:${settings.port}`, statement: 'a login' });
  });
  const gate = createConnectionGate({
    size: settings.poolSize,
    waitMs: settings.acquireTimeoutMs,
    onChange: input.onPool,
    onWaited: input.onAcquire,
  });
  const deps = {
    driver,
    gate,
    hints,
    workTimeoutMs: 2 * settings.requestTimeoutMs,
    onStatement: input.onStatement,
    onStatementTime: input.onStatementTime,
  };
  const transaction: Store['transaction'] = async (work) => {
    const askedAtMs = performance.now();
    const result = await runTransaction(deps, (session, scope) => withTransaction({ session, scope }, work));
    input.onTransaction?.((performance.now() - askedAtMs) / 1_000);
    return result;
  };
  const session = autocommitSession(deps);
  return {
    transaction,
    read: createReads(session),
    outbox: {
      ...createOutbox(session),
      lease: (request) => runTransaction(deps, (own) => createOutboxLeases(own).lease(request)),
      releaseLeases: (owner) => runTransaction(deps, (own) => createOutboxLeases(own).releaseLeases(owner)),
    },
    upkeep: createUpkeep(session),
    ping: async () => {
      const leave = await gate.enter();
      await checkSchema(driver, known).finally(leave);
    },
    close: () => driver.close(),
  };
}

/** Everything that is done once, on a connection of its own; tells which hints this server gets. */
async function prepare(
  settings: SqlServerSettings,
  known: ReturnType<typeof knownMigrations>,
  report: SqlServerHooks['onRefusedSetting'],
): Promise<LockHints> {
  const driver = await openDatabase(settings, report);
  try {
    const refused = await readCommittedSnapshot(driver, settings.database);
    if (refused) report?.(refused);
    await migrate(driver, known);
    const wanted = settings.lockHints === 'auto' ? !(await isBabelfish(driver)) : settings.lockHints === 'on';
    return wanted ? withHints : withoutHints;
  } finally {
    await driver.close();
  }
}
