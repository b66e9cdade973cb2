import type {
  DeadLetter,
  DeadLetterState,
  DeadLetterSummary,
  KeptMessage,
} from '../../domain/dead-letters.ts';
import type { DeadLetterStatements, NewDeadLetter } from '../../ports/dead-letters.ts';
import { inserts } from './insert-or-update.ts';
import { statements, type Row, type Session } from './statement.ts';
import { isoOf, isoOrAbsent, numberOf, present } from './values.ts';

const inserted = `DeadLetterId, Queue, MessageId, MessageType, OrderReference, TraceId, Reason, Error, Fingerprint, Attempts,
        FirstFailedAtUtc, LastFailedAtUtc, IndexedAtUtc, Envelope, Content`;
export const summaryColumns = `DeadLetterId, Queue, MessageId, MessageType, OrderReference, TraceId, Reason, Error,
        Fingerprint, Attempts, FirstFailedAtUtc, LastFailedAtUtc, IndexedAtUtc, State, ReplayId, ReplayError,
        SettledAtUtc`;
export const allColumns = `${summaryColumns}, Patch, Envelope, Content`;

/** Ids are hexadecimal, so a comma divides them. */
export const amongIds = `DeadLetterId IN (
        SELECT CAST(value AS VARCHAR(64)) COLLATE Latin1_General_100_BIN2 FROM STRING_SPLIT(@DeadLetterIds, ',')
      )`;

export const deadLetterSql = statements('deadLetters', {
  add: {
    index: 'PK_DeadLetters',
    text: () => `INSERT INTO dbo.DeadLetters (${inserted})
      OUTPUT inserted.DeadLetterId
      SELECT ${inserted.replace(/(\w+)/g, '@$1')}
      WHERE NOT EXISTS (SELECT 1 FROM dbo.DeadLetters WHERE DeadLetterId = @DeadLetterId)`,
  },
  failedAgain: {
    index: 'PK_DeadLetters',
    text: () => `UPDATE dbo.DeadLetters SET Reason = @Reason, Error = @Error, Fingerprint = @Fingerprint,
        Attempts = @Attempts, LastFailedAtUtc = @LastFailedAtUtc
      WHERE DeadLetterId = @DeadLetterId AND State = 'open' AND LastFailedAtUtc < @LastFailedAtUtc`,
  },
  claim: {
    index: 'PK_DeadLetters',
    text: () => `UPDATE dbo.DeadLetters SET State = 'replaying', ReplayId = @ReplayId, ReplayError = NULL,
        ClaimedAtUtc = @NowUtc, Patch = CASE WHEN State = 'open' THEN @Patch ELSE Patch END
      WHERE DeadLetterId = @DeadLetterId AND (
        State = 'open'
        OR (State = 'replaying' AND (ReplayId = @ReplayId OR (ClaimedAtUtc < @StaleBeforeUtc AND @Patch IS NULL)))
      );
      IF @@ROWCOUNT = 1
        SELECT ${allColumns} FROM dbo.DeadLetters WHERE DeadLetterId = @DeadLetterId`,
  },
  settle: {
    index: 'PK_DeadLetters',
    text: () => `UPDATE dbo.DeadLetters SET State = @State, ReplayError = @ReplayError,
        SettledAtUtc = CASE WHEN @State = 'open' THEN NULL ELSE @SettledAtUtc END,
        Patch = CASE WHEN @State = 'open' THEN NULL ELSE Patch END
      OUTPUT inserted.DeadLetterId
      WHERE DeadLetterId = @DeadLetterId AND State = 'replaying' AND ReplayId = @ReplayId`,
  },
  markLeft: {
    index: 'PK_DeadLetters',
    text: () => `UPDATE dbo.DeadLetters SET LeftAtUtc = @LeftAtUtc
      WHERE ${amongIds} AND SettledAtUtc IS NOT NULL AND LeftAtUtc IS NULL`,
  },
  purge: {
    index: 'IX_DeadLetters_Left',
    text: (hints) => `DELETE TOP (@Limit) FROM dbo.DeadLetters${hints.table('ROWLOCK', 'UPDLOCK', 'READPAST')}
      OUTPUT deleted.DeadLetterId
      WHERE LeftAtUtc IS NOT NULL AND SettledAtUtc < @SettledBeforeUtc`,
  },
});

/** Most rows of one DELETE, far below the 5,000 locks at which SQL Server locks the whole table. */
const largestPurge = 1_000;

export function createDeadLetters(session: Session): DeadLetterStatements {
  return {
    async add(letter) {
      const values = valuesOf(letter);
      if (await inserts(() => session.rows(deadLetterSql.add, values))) return true;
      await session.rows(deadLetterSql.failedAgain, values);
      return false;
    },
    async claim({ ids, replayId, patch = null, nowUtc, staleBeforeUtc }) {
      const values = { ReplayId: replayId, Patch: patch, NowUtc: nowUtc, StaleBeforeUtc: staleBeforeUtc };
      const claimed: DeadLetter[] = [];
      // One after another in one order, so that two claims of the same letters do not wait in a circle.
      for (const id of [...ids].sort()) {
        const rows = await session.rows(deadLetterSql.claim, { ...values, DeadLetterId: id });
        claimed.push(...rows.map(deadLetterOf));
      }
      return claimed.sort((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id));
    },
    async settle({ id, replayId, state, replayError = null, nowUtc }) {
      const rows = await session.rows(deadLetterSql.settle, {
        DeadLetterId: id,
        ReplayId: replayId,
        State: state,
        ReplayError: replayError,
        SettledAtUtc: nowUtc,
      });
      return rows.length === 1;
    },
    async markLeft({ ids, leftAtUtc }) {
      if (ids.length === 0) return;
      await session.rows(deadLetterSql.markLeft, { DeadLetterIds: ids.join(','), LeftAtUtc: leftAtUtc });
    },
    async purge({ settledBeforeUtc, limit }) {
      const values = { SettledBeforeUtc: settledBeforeUtc, Limit: Math.min(limit, largestPurge) };
      return (await session.rows(deadLetterSql.purge, values)).length;
    },
  };
}

/** What strangers wrote is cut to its column: a letter that is too long must not stop the others from being indexed. */
const cut = (text: string): string => text.slice(0, 255);
/** DATETIME2 begins with the year 1. */
const representable = (timeUtc: string): string =>
  timeUtc.startsWith('0000') ? '0001-01-01T00:00:00.000Z' : timeUtc;

function valuesOf(letter: NewDeadLetter) {
  const { content, properties, headers } = letter.message;
  return {
    DeadLetterId: letter.id,
    Queue: cut(letter.queue),
    MessageId: cut(letter.messageId),
    MessageType: cut(letter.type),
    OrderReference: cut(letter.orderId),
    TraceId: letter.traceId,
    Reason: letter.reason,
    Error: letter.error,
    Fingerprint: letter.fingerprint,
    Attempts: letter.attempts,
    FirstFailedAtUtc: representable(letter.firstFailedAtUtc),
    LastFailedAtUtc: representable(letter.lastFailedAtUtc),
    IndexedAtUtc: letter.indexedAtUtc,
    Envelope: JSON.stringify({ properties, headers }),
    Content: content,
  };
}

export const summaryOf = (row: Row): DeadLetterSummary => ({
  id: row['DeadLetterId'] as string,
  queue: row['Queue'] as string,
  messageId: row['MessageId'] as string,
  type: row['MessageType'] as string,
  orderId: row['OrderReference'] as string,
  traceId: row['TraceId'] as string,
  reason: row['Reason'] as string,
  error: row['Error'] as string,
  fingerprint: row['Fingerprint'] as string,
  attempts: numberOf(row['Attempts']),
  firstFailedAtUtc: isoOf(row['FirstFailedAtUtc']),
  lastFailedAtUtc: isoOf(row['LastFailedAtUtc']),
  indexedAtUtc: isoOf(row['IndexedAtUtc']),
  state: row['State'] as DeadLetterState,
  ...present('replayId', row['ReplayId'] as string | null),
  ...present('replayError', row['ReplayError'] as string | null),
  ...present('settledAtUtc', isoOrAbsent(row['SettledAtUtc']) ?? null),
});

export function deadLetterOf(row: Row): DeadLetter {
  const envelope = JSON.parse(row['Envelope'] as string) as Omit<KeptMessage, 'content'>;
  const patch = row['Patch'] as string | null;
  return {
    ...summaryOf(row),
    message: { ...envelope, content: row['Content'] as Buffer },
    ...(patch !== null && { patch: JSON.parse(patch) as unknown }),
  };
}
