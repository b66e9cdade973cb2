import { TechnicalFailure } from '../../domain/failures.ts';
import { RefusedWrite } from '../../domain/refused-write.ts';

/**
 * What an error of SQL Server means:
 * - `again`: the server rolled the transaction back and running it once more at once is right;
 * - `later`: nothing of it stands and a later attempt may succeed (StoreUnavailable);
 * - `refused`: the statement or its values are wrong, or a constraint holds; the transaction goes on.
 * Numbers that are not named are mistakes in our own statements. Whether a *commit* took effect is decided by
 * `commitError`, not here.
 */
interface Meaning {
  kind: 'again' | 'later' | 'refused';
  act: string;
}

const again = (act: string): Meaning => ({ kind: 'again', act });
const later = (act: string): Meaning => ({ kind: 'later', act });
const refused = (act: string): Meaning => ({ kind: 'refused', act });

const waits = 'nothing to do unless it lasts';
const failover = 'the database is moving or restarting; nothing to do unless it lasts';
const resources = 'the server is short of resources: give it more, or lower the load';
const full = 'free or add space for the database, or back up its log';

/** By the server's error number. */
const byNumber: Readonly<Record<number, Meaning>> = {
  1205: again('it was chosen as the victim of a deadlock'),
  3960: again('a row changed under its snapshot'),
  1222: later(`a lock was not free in time; ${waits}`),
  1204: later(resources),
  701: later(resources),
  802: later(resources),
  8645: later(resources),
  8651: later(resources),
  1101: later(full),
  1105: later(full),
  9002: later(full),
  3906: later('the database is read-only: connect to the primary replica'),
  596: later(failover), // The session is in the kill state: restart or failover.
  615: later(failover), // The database's id changed: it was moved.
  921: later(failover), // Not recovered yet.
  922: later(failover), // Being recovered.
  923: later('the database is in restricted mode; nothing to do unless it lasts'),
  924: later('somebody else holds the database in single-user mode: end that'),
  926: later(`${failover}, then see the server's error log`), // Marked SUSPECT while a reconfiguration ends.
  952: later(failover), // In transition.
  982: later(failover), // No readable replica now.
  3908: later(failover),
  927: later(failover),
  942: later(failover),
  945: later(failover),
  976: later('this replica cannot be read: connect to the primary replica'),
  978: later('this replica takes read-only connections only: connect to the primary replica'),
  983: later(failover),
  6005: later('the server is shutting down; nothing to do unless it lasts'),
  18451: later(
    'only administrators may log in now: the server is starting or stopping; nothing to do unless it lasts',
  ),
  18461: later('the server is in single-user mode: start it normally'),
  18401: later('the server is starting or stopping; nothing to do unless it lasts'),
  17142: later('the server is paused: resume it'),
  4060: later('the login may not open the database, or it does not exist: create it or grant access'),
  18456: later('the login failed: check the user, its password and its default database'),
  18452: later('the login is not trusted: use a SQL login or Microsoft Entra'),
  18470: later('the login is disabled: enable it'),
  18486: later('the login is locked out: unlock it'),
  18487: later("the login's password has expired: change it"),
  18488: later("the login's password must be changed"),
  // Azure SQL's transient errors; with 615, 926 and 4060 above, the "List of transient fault error codes" of
  // https://learn.microsoft.com/azure/azure-sql/database/troubleshoot-common-errors-issues is whole.
  4221: later(failover),
  10928: later(resources),
  10929: later(resources),
  10936: later(resources),
  40020: later(failover),
  40143: later(failover),
  40166: later(failover),
  40197: later(failover),
  40501: later(resources),
  40540: later(failover),
  40544: later('the database has reached its size quota: raise it or purge'),
  40549: later(resources),
  40550: later(resources),
  40551: later(resources),
  40552: later(resources),
  40553: later(resources),
  40613: later(failover),
  42108: later('the pool is paused: resume it'),
  42109: later('the pool is resuming; nothing to do unless it lasts'),
  49918: later(resources),
  49919: later(resources),
  49920: later(resources),
  // The network below the server.
  20: later('check the encryption settings of both sides'),
  64: later(waits),
  121: later(waits),
  233: later(waits),
  10053: later(waits),
  10054: later(waits),
  10060: later(waits),
  // A person has to act, but trying again harms nobody.
  229: later(
    'the login lacks a permission: run adapters/sqlserver/roles.sql and add it to the application role',
  ),
  262: later('the login lacks a permission: run the migrations once with the owner login'),
  // The statement alone failed; the transaction stands.
  245: refused('a value does not fit its type'),
  515: refused('a required value is missing'),
  547: refused('a CHECK or FOREIGN KEY constraint holds'),
  2601: refused('a UNIQUE index holds'),
  2627: refused('a PRIMARY KEY or UNIQUE constraint holds'),
  2628: refused('a text is too long'),
  8114: refused('a value does not fit its type'),
  8115: refused('a number is too large'),
  8152: refused('a text is too long'),
};

const unreachable = later('check that the server runs, its address and the network between');
const slow = later(
  'it did not answer in time; nothing to do unless it lasts, then see what blocks or slows it',
);

/** By the driver's own code, where the server sent no number. */
const byCode: Readonly<Record<string, Meaning>> = {
  ETIMEOUT: slow,
  ESOCKET: unreachable,
  ECONNRESET: unreachable,
  ECLOSE: unreachable,
  ECONNCLOSED: unreachable,
  ECONNREFUSED: unreachable,
  ECONNECTION: unreachable,
  ENOTOPEN: unreachable,
  EINSTLOOKUP: later(
    'the named instance was not found: check its name and that SQL Browser runs, or give a port',
  ),
  EINVALIDSTATE: unreachable,
  ENOTBEGUN: unreachable,
  ELOGIN: later('the login failed: check the user, its password and the database'),
  EFEDAUTH: later('Microsoft Entra gave no token: check the identity this process runs under'),
  EENCRYPT: later(
    'the server offers no encryption: set it up there, or encrypt=false where the network is trusted',
  ),
  EABORT: later('the server ended the transaction'),
};

/** The driver's error with everything it says, in one shape. */
export interface DriverError {
  /** Numbers of all errors of the statement, the last first. */
  numbers: number[];
  code: string | undefined;
  message: string;
}

interface ErrorLike {
  name: string;
  message: string;
  number?: unknown;
  code?: unknown;
  originalError?: unknown;
  precedingErrors?: unknown;
}

/** Reads a driver's error: the error itself, what it was made of, and the errors that came before it. */
export function readDriverError(error: unknown): DriverError {
  const links: ErrorLike[] = [];
  const visit = (value: unknown): void => {
    if (!(value instanceof Error) || links.includes(value)) return;
    const link: ErrorLike = value;
    links.push(link);
    visit(link.originalError);
    if (Array.isArray(link.precedingErrors)) link.precedingErrors.forEach(visit);
  };
  visit(error);
  const codes = links.flatMap(({ code, name }) => {
    // The pool's own time-out carries no code.
    if (name === 'TimeoutError') return ['ETIMEOUT'];
    return typeof code === 'string' ? [code] : [];
  });
  return {
    numbers: links.flatMap(({ number }) => (typeof number === 'number' ? [number] : [])),
    // The wrapping code says least: EREQUEST, ETRANSACTION.
    code: codes.find((code) => code in byCode) ?? codes[0],
    message: [...new Set(links.map(({ message }) => message))].join(' | '),
  };
}

function meaningOf({ numbers, code }: DriverError): Meaning | undefined {
  const known = numbers.find((number) => number in byNumber);
  if (known !== undefined) return byNumber[known];
  // A number that is not in the table is the server's answer: no failure of the connection.
  return numbers.length === 0 && code !== undefined ? byCode[code] : undefined;
}

/** The server rolled back; the same work can run again at once. */
export const isRerunnable = (error: unknown): boolean =>
  meaningOf(readDriverError(rootOf(error)))?.kind === 'again';

/** The database is on its way: an Azure database resumes for up to a minute, a server restarts or fails over. */
export const isStarting = (error: unknown): boolean =>
  readDriverError(rootOf(error)).numbers.some((number) => starting.has(number));

const starting = new Set([921, 922, 926, 952, 6005, 18401, 18451, 40197, 40613, 42109]);

/** A UNIQUE or PRIMARY KEY holds: somebody else inserted the row first. */
export const isUniqueViolation = (error: unknown): boolean =>
  readDriverError(rootOf(error)).numbers.some((number) => number === 2601 || number === 2627);

/**
 * The transaction can go on after this error of one of its statements: that statement alone failed. After any other
 * error it must end, since the server may have ended it already and what follows would commit on its own.
 */
export const leavesTransaction = (error: unknown): boolean =>
  meaningOf(readDriverError(rootOf(error)))?.kind === 'refused';

/** The driver's error below one that was made of it. */
const rootOf = (error: unknown): unknown => {
  let root = error;
  while (root instanceof Error && root.cause instanceof Error) root = root.cause;
  return root;
};

/**
 * A driver's error in our terms: StoreUnavailable where trying later may help, otherwise RefusedWrite with the
 * statement, since then a constraint holds or the statement or its values are wrong. Errors that are ours already come
 * back unchanged.
 */
export function storeError(
  error: unknown,
  input: { server: string; statement: string; text?: string },
): Error {
  if (error instanceof TechnicalFailure) return error;
  const read = readDriverError(error);
  if (read.numbers.length === 0 && read.code === undefined) {
    return error instanceof Error ? error : new Error(String(error));
  }
  const meaning = meaningOf(read);
  const cause = { cause: error };
  const said = `${labelOf(read)}: ${read.message}`;
  if (meaning && meaning.kind !== 'refused') {
    return new TechnicalFailure(
      'StoreUnavailable',
      `${input.server} cannot run ${input.statement} now (${said}); ${meaning.act}`,
      cause,
    );
  }
  const text = input.text ? `: ${input.text.replace(/\s+/g, ' ').trim().slice(0, 1_000)}` : '';
  const why = meaning ? `; ${meaning.act}` : '';
  return new RefusedWrite(`${input.server} refused ${input.statement} (${said})${why}${text}`, {
    ...cause,
    constraint: constraintIn(read),
  });
}

/** The constraint or index as the server names it; undefined where none holds. */
function constraintIn({ numbers, message }: DriverError): string | undefined {
  if (!numbers.some((number) => constraintNumbers.has(number))) return undefined;
  return /(?:constraint|unique index|column) ["'](\w+)["']/i.exec(message)?.[1] ?? message;
}

const constraintNumbers = new Set([515, 547, 2601, 2627]);

/** After these the server says for certain that the transaction did not commit. */
const notCommitted = new Set([1205, 3960, 3902, 3903, 3930, 9002, 1101, 1105]);

/**
 * An error of COMMIT: StoreUnavailable where the server said that nothing was committed, OutcomeUnknown where its reply
 * is lost (connection, time-out, failover): then the operation key tells on the next attempt.
 */
export function commitError(error: unknown, input: { server: string }): Error {
  const read = readDriverError(error);
  const certain = read.code === 'EABORT' || read.numbers.some((number) => notCommitted.has(number));
  const said = `${labelOf(read)}: ${read.message}`;
  return certain
    ? new TechnicalFailure(
        'StoreUnavailable',
        `${input.server} rolled the transaction back (${said}); try again`,
        {
          cause: error,
        },
      )
    : new TechnicalFailure(
        'OutcomeUnknown',
        `The commit may or may not stand on ${input.server} (${said}); the operation key tells on the next attempt`,
        { cause: error },
      );
}

const labelOf = ({ numbers, code }: DriverError): string =>
  numbers.length > 0 ? `error ${[...new Set(numbers)].join(', ')}` : (code ?? 'no code');
