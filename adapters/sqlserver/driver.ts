import mssql from 'mssql';
import { canonicalRows } from './column-names.ts';
import type { SqlServerSettings } from './connection-settings.ts';
import type { SqlType, TypedParameter } from './parameter-types.ts';
import type { Row } from './statement.ts';

/** One transaction on a connection of its own. One call at a time: TDS runs one request on a connection. */
export interface ServerTransaction {
  query(text: string, parameters: readonly TypedParameter[]): Promise<Row[][]>;
  commit(): Promise<void>;
  /** Never rejects: a connection that cannot roll back is closed, and the server then rolls back. */
  rollback(): Promise<void>;
}

/** The one place that knows the driver. Errors are the driver's own: see `errors.ts`. */
export interface Driver {
  /** `host:port/database`, for messages. */
  readonly server: string;
  /** One statement or batch outside any transaction. */
  query(text: string, parameters: readonly TypedParameter[], timeoutMs?: number): Promise<Row[][]>;
  /** At READ COMMITTED, which is READ COMMITTED SNAPSHOT where the database has it on. */
  begin(timeoutMs?: number): Promise<ServerTransaction>;
  /** Waits for what runs. */
  close(): Promise<void>;
}

/**
 * Connects a pool of at most `poolSize` connections, one of which is tried out. Encrypted, the certificate checked,
 * unless the settings say otherwise by name.
 */
export async function connectDriver(
  settings: SqlServerSettings,
  changes: { database?: string; poolSize?: number } = {},
): Promise<Driver> {
  const wanted = { ...settings, ...changes };
  const logins: LoginErrors = { latest: [] };
  const pool = new mssql.ConnectionPool(driverConfig(wanted, logins));
  // The pool emits what its callers are told anyway; without a listener that would end the process.
  pool.on('error', () => {});
  await withLoginErrors(logins, () => pool.connect());
  const requests = pool as unknown as PoolWithTimeouts;
  return {
    server: `${wanted.server}:${wanted.port}/${wanted.database}`,
    query: (text, parameters, timeoutMs) =>
      withLoginErrors(logins, () => run(requests.request(timeouts(timeoutMs)), text, parameters)),
    async begin(timeoutMs) {
      const transaction = requests.transaction(timeouts(timeoutMs));
      await withLoginErrors(logins, () => transaction.begin(mssql.ISOLATION_LEVEL.READ_COMMITTED));
      return serverTransaction(transaction);
    },
    async close() {
      await pool.close();
    },
  };
}

/** What the driver offers beyond its published types: a time-out for one request or transaction. */
interface PoolWithTimeouts {
  request(options: { requestTimeout?: number }): mssql.Request;
  transaction(options: { requestTimeout?: number }): mssql.Transaction;
}

const timeouts = (timeoutMs: number | undefined) =>
  timeoutMs === undefined ? {} : { requestTimeout: timeoutMs };

function serverTransaction(transaction: mssql.Transaction): ServerTransaction {
  const connection = connectionOf(transaction);
  return {
    query: (text, parameters) => run(transaction.request(), text, parameters),
    async commit() {
      try {
        await transaction.commit();
      } catch (error) {
        closeUnlessGivenBack(connection, error);
        throw error;
      }
    },
    async rollback() {
      try {
        await transaction.rollback();
      } catch (error) {
        closeUnlessGivenBack(connection, error);
      }
    },
  };
}

/**
 * Nobody may get a connection again whose transaction may still be open. When the server itself ended the transaction
 * (EABORT), the driver has given the connection back before: it may be somebody else's by now.
 */
function closeUnlessGivenBack(connection: { close(): void } | undefined, error: unknown): void {
  if (error instanceof Error && 'code' in error && error.code === 'EABORT') return;
  connection?.close();
}

/** The driver has no public way to a transaction's connection; a test says when this private one changes. */
export const connectionOf = (transaction: mssql.Transaction): { close(): void } | undefined =>
  (transaction as unknown as { _acquiredConnection?: { close(): void } | null })._acquiredConnection ??
  undefined;

async function run(
  request: mssql.Request,
  text: string,
  parameters: readonly TypedParameter[],
): Promise<Row[][]> {
  for (const { name, type, value } of parameters) request.input(name, driverType(type), value);
  // Without parameters a plain batch: DDL such as CREATE TRIGGER must not be inside sp_executesql's scope.
  const result = parameters.length > 0 ? await request.query<Row>(text) : await request.batch<Row>(text);
  return (result.recordsets as unknown as Row[][]).map(canonicalRows);
}

/** The driver's type for a declared one. */
export function driverType(type: SqlType): mssql.ISqlType {
  const [, name = '', length] = /^(\w+)(?:\((\w+)\))?$/.exec(type) ?? [];
  switch (name) {
    case 'TINYINT':
      return mssql.TinyInt();
    case 'INT':
      return mssql.Int();
    case 'BIGINT':
      return mssql.BigInt();
    case 'DATETIME2':
      return mssql.DateTime2(Number(length));
    case 'CHAR':
      return mssql.Char(Number(length));
    case 'VARCHAR':
      return mssql.VarChar(Number(length));
    case 'VARBINARY':
      return mssql.VarBinary(mssql.MAX);
    case 'NVARCHAR':
      return mssql.NVarChar(length === 'MAX' ? mssql.MAX : Number(length));
    default:
      throw new Error(`No driver type for ${type}`);
  }
}

/** A timed-out statement is given this long, in milliseconds, to end before its connection is closed. */
const cancelTimeoutMs = 1_000;
const idleTimeoutMs = 30_000;

/** Numbers of the server's errors during the latest login: the driver's own error has only their text. */
interface LoginErrors {
  latest: number[];
}

interface LoginConnection {
  on(event: 'errorMessage', listener: (token: { number: number }) => void): void;
  off(event: 'errorMessage', listener: (token: { number: number }) => void): void;
  once(event: 'connect', listener: () => void): void;
}

function driverConfig(settings: SqlServerSettings, logins: LoginErrors): mssql.config {
  const { authentication: login } = settings;
  return {
    server: settings.server,
    port: settings.port,
    database: settings.database,
    ...(login.kind === 'sql'
      ? { user: login.user, password: login.password }
      : {
          authentication: {
            type: 'azure-active-directory-default',
            options: login.clientId ? { clientId: login.clientId } : {},
          },
        }),
    connectionTimeout: settings.connectTimeoutMs,
    requestTimeout: settings.requestTimeoutMs,
    // A dead socket is found without a round trip; a dead server behind a living one by the statement itself.
    validateConnection: 'socket',
    pool: {
      min: 0,
      max: settings.poolSize,
      // Callers wait at the gate, here only for a new connection.
      acquireTimeoutMillis: settings.connectTimeoutMs + 1_000,
      createTimeoutMillis: settings.connectTimeoutMs + 1_000,
      idleTimeoutMillis: idleTimeoutMs,
    },
    options: {
      ...(settings.instanceName && { instanceName: settings.instanceName }),
      encrypt: settings.encrypt,
      trustServerCertificate: settings.trustServerCertificate,
      multiSubnetFailover: settings.multiSubnetFailover,
      appName: settings.applicationName,
      useUTC: true,
      // What filtered indexes require of every connection that writes.
      enableAnsiNull: true,
      enableAnsiPadding: true,
      enableAnsiWarnings: true,
      enableArithAbort: true,
      enableConcatNullYieldsNull: true,
      enableNumericRoundabort: false,
      enableQuotedIdentifier: true,
      // XACT_ABORT OFF: a statement that a constraint refuses takes only itself back.
      abortTransactionOnError: false,
      connectionIsolationLevel: mssql.ISOLATION_LEVEL.READ_COMMITTED,
      cancelTimeout: cancelTimeoutMs,
      maxRetriesOnTransientErrors: 0,
    },
    beforeConnect: (connection) => noteLoginErrors(connection, logins),
  };
}

function noteLoginErrors(connection: LoginConnection, logins: LoginErrors): void {
  const errors: number[] = [];
  const note = ({ number }: { number: number }) => {
    errors.push(number);
    logins.latest = errors;
  };
  logins.latest = [];
  connection.on('errorMessage', note);
  connection.once('connect', () => connection.off('errorMessage', note));
}

/** Gives a failed login the numbers of the server's errors, where `readDriverError` finds them. */
async function withLoginErrors<T>(logins: LoginErrors, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ELOGIN') {
      const precedingErrors = logins.latest.map((number) =>
        Object.assign(new Error(error.message), { number }),
      );
      Object.assign(error, { precedingErrors });
    }
    throw error;
  }
}
