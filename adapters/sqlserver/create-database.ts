import { setTimeout as sleep } from 'node:timers/promises';
import type { SqlServerSettings } from './connection-settings.ts';
import { connectDriver, type Driver } from './driver.ts';
import { readDriverError, storeError } from './errors.ts';
import { whenStarted } from './when-started.ts';
import { withoutHints } from './lock-hints.ts';
import { typedParameters } from './parameter-types.ts';
import { statements } from './statement.ts';
import { numberOf } from './values.ts';

export const databaseSql = statements('database', {
  find: { index: 'none', text: () => 'SELECT DB_ID(@DatabaseName) AS DatabaseId' },
  snapshot: {
    index: 'none',
    text: () =>
      'SELECT is_read_committed_snapshot_on AS Snapshot FROM sys.databases WHERE name = @DatabaseName',
  },
  isBabelfish: { index: 'none', text: () => "SELECT CAST(SERVERPROPERTY('Babelfish') AS INT) AS Babelfish" },
});

/** Names of databases cannot be parameters: in brackets, with `]` doubled. */
const bracketed = (name: string): string => `[${name.replaceAll(']', ']]')}]`;
export const createDatabaseText = (name: string): string => `CREATE DATABASE ${bracketed(name)}`;
/** NO_WAIT: it needs the database to itself, and waiting for that would hold up everybody. */
export const snapshotText = (name: string): string =>
  `ALTER DATABASE ${bracketed(name)} SET READ_COMMITTED_SNAPSHOT ON WITH NO_WAIT`;

const createTimeoutMs = 120_000;
/** A new database may take a moment to be open to logins. */
const openTries = 20;
const openPauseMs = 500;

/**
 * A small pool on the settings' database; waits while it starts; creates it when it is missing, that is asked for and
 * the login may. Rejects with StoreUnavailable or an Error that names the server, the database and what to do.
 */
export async function openDatabase(
  settings: SqlServerSettings,
  onWaiting?: (message: string) => void,
): Promise<Driver> {
  const open = () => whenStarted(() => connectDriver(settings, { poolSize: 1 }), { onWaiting });
  try {
    return await open();
  } catch (error) {
    const reason = connectError(settings, error);
    if (!settings.createDatabase || !mayBeMissing(error)) throw reason;
    if (!(await createIfMissing(settings, reason))) throw reason;
  }
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await open();
    } catch (error) {
      if (attempt === openTries || !mayBeMissing(error)) throw connectError(settings, error);
    }
    await sleep(openPauseMs);
  }
}

const connectError = (settings: SqlServerSettings, error: unknown): Error =>
  storeError(error, {
    server: `${settings.server}:${settings.port}/${settings.database}`,
    statement: 'a login',
  });

/** Error 4060 (cannot open database), or a server that says so in words only. A wrong password is 18456 alone. */
function mayBeMissing(error: unknown): boolean {
  const { code, numbers, message } = readDriverError(error);
  if (code !== 'ELOGIN') return false;
  return numbers.includes(4060) || numbers.includes(911) || /database .*does not exist/i.test(message);
}

/** True when the database is there now. Throws `loginFailed` when nobody can tell. */
async function createIfMissing(settings: SqlServerSettings, loginFailed: Error): Promise<boolean> {
  const master = await connectDriver(settings, { database: 'master', poolSize: 1 }).catch(() => {
    throw loginFailed;
  });
  try {
    if (await exists(master, settings.database)) return false;
    await create(master, settings);
    return true;
  } finally {
    await master.close();
  }
}

async function exists(master: Driver, name: string): Promise<boolean> {
  const text = databaseSql.find.text(withoutHints, 1);
  const [[row] = []] = await master.query(text, typedParameters(text, { DatabaseName: name }));
  return row !== undefined && row['DatabaseId'] !== null;
}

async function create(master: Driver, settings: SqlServerSettings): Promise<void> {
  const { database } = settings;
  try {
    await master.query(createDatabaseText(database), [], createTimeoutMs);
  } catch (error) {
    // Another process was quicker.
    if (readDriverError(error).numbers.includes(1801) || (await exists(master, database))) return;
    throw new Error(
      `The database ${database} does not exist on ${settings.server} and could not be created ` +
        `(${readDriverError(error).message}): create it, or let the login do so (CREATE ANY DATABASE)`,
      { cause: error },
    );
  }
  // Before anybody else is connected to it; `readCommittedSnapshot` tries again and reports.
  await master.query(snapshotText(database), []).catch(() => {});
}

/**
 * Turns READ COMMITTED SNAPSHOT on where it is off, so that readers never wait for writers. Where the server or the
 * login refuses, returns why: everything stays correct without it, readers may then wait for writers for milliseconds.
 */
export async function readCommittedSnapshot(driver: Driver, database: string): Promise<string | undefined> {
  try {
    const text = databaseSql.snapshot.text(withoutHints, 1);
    const [[row] = []] = await driver.query(text, typedParameters(text, { DatabaseName: database }));
    if (row?.['Snapshot'] === true || row?.['Snapshot'] === 1) return undefined;
    await driver.query(snapshotText(database), []);
    return undefined;
  } catch (error) {
    return (
      `READ_COMMITTED_SNAPSHOT is off in ${driver.server} and could not be set ` +
      `(${readDriverError(error).message}); readers may wait for writers. Set it once while nobody is connected: ` +
      snapshotText(database)
    );
  }
}

/** Babelfish takes lock hints and ignores them. */
export async function isBabelfish(driver: Driver): Promise<boolean> {
  const [[row] = []] = await driver.query(databaseSql.isBabelfish.text(withoutHints, 1), []);
  return row !== undefined && row['Babelfish'] !== null && numberOf(row['Babelfish']) === 1;
}
