import { TechnicalFailure } from '../../domain/failures.ts';
import { RefusedWrite } from '../../domain/refused-write.ts';

/** What a result code of SQLite means here; codes that are not named are mistakes in our own statements. */
const meanings: Readonly<Record<number, { kind: 'busy' | 'unavailable' | 'reopen'; act: string }>> = {
  5: {
    kind: 'busy',
    act: 'another process holds the write lock; nothing to do unless it lasts: then end it',
  },
  6: { kind: 'busy', act: 'another statement holds the table; nothing to do unless it lasts' },
  7: { kind: 'unavailable', act: 'the process is out of memory' },
  8: { kind: 'reopen', act: 'make the file and its folder writable for this user' },
  10: { kind: 'reopen', act: 'check the disk and the file system that hold the file' },
  11: { kind: 'reopen', act: 'the file is damaged: stop all processes and restore a backup' },
  13: { kind: 'unavailable', act: 'free some space on the disk' },
  14: { kind: 'reopen', act: 'put the file back, or make the file and its folder readable for this user' },
  15: { kind: 'reopen', act: 'another process broke the locking of the file: restart the processes' },
  26: { kind: 'reopen', act: 'the file is no SQLite database: point SQL_URL to the right one' },
};

const constraintHolds = 19;

/** The constraint as SQLite names it: a CHECK by its name, a key by its columns, a foreign key not at all. */
const constraintIn = (reason: string): string =>
  /^(?:CHECK|UNIQUE|NOT NULL) constraint failed: (.+)$/.exec(reason)?.[1] ?? reason;

/** SQLite's primary result code, of the driver's own error or of one that was made of it. */
function codeOf(error: unknown): number | undefined {
  for (let link = error; link instanceof Error; link = link.cause) {
    if ('errcode' in link && typeof link.errcode === 'number') return link.errcode & 0xff;
  }
  return undefined;
}

const meaningOf = (error: unknown) => meanings[codeOf(error) ?? -1];

/** Another connection holds the lock: trying again in a moment helps. */
export const isBusy = (error: unknown): boolean => meaningOf(error)?.kind === 'busy';

/** Of an error at COMMIT: an input/output error says nothing about what reached the disk. */
export const isOutcomeUnknown = (error: unknown): boolean => codeOf(error) === 10;

/** The connection itself may be broken: it is opened anew before the next use. */
export const needsReopen = (error: unknown): boolean => meaningOf(error)?.kind === 'reopen';

/**
 * A driver's error in our terms: StoreUnavailable where the file or the disk is the reason (retried), otherwise
 * RefusedWrite with the statement, since then a constraint holds or the statement or its values are wrong. Other errors
 * come back unchanged.
 */
export function storeError(error: unknown, input: { path: string; statement: string }): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const code = codeOf(error);
  if (code === undefined) return error;
  const reason = error.message;
  const meaning = meanings[code];
  if (meaning) {
    return new TechnicalFailure(
      'StoreUnavailable',
      `SQLite file ${input.path} cannot be used now (code ${code}: ${reason}); ${meaning.act}`,
      { cause: error },
    );
  }
  const statement = input.statement.replace(/\s+/g, ' ').trim();
  return new RefusedWrite(`SQLite refused a statement (code ${code}: ${reason}): ${statement}`, {
    cause: error,
    constraint: code === constraintHolds ? constraintIn(reason) : undefined,
  });
}
