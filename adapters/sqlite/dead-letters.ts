import type {
  DeadLetter,
  DeadLetterState,
  DeadLetterSummary,
  KeptMessage,
} from '../../domain/dead-letters.ts';
import type { DeadLetterStatements, NewDeadLetter } from '../../ports/dead-letters.ts';
import type { Connection } from './connection.ts';
import type { Synchronous } from './statements.ts';

export const summaryColumns = `Id, Queue, MessageId, Type, OrderId, TraceId, Reason, Error, Fingerprint, Attempts,
  FirstFailedAtUtc, LastFailedAtUtc, IndexedAtUtc, State, ReplayId, ReplayError, SettledAtUtc`;

export const deadLetterSql = {
  add: `INSERT INTO DeadLetters (Id, Queue, MessageId, Type, OrderId, TraceId, Reason, Error, Fingerprint, Attempts,
      FirstFailedAtUtc, LastFailedAtUtc, IndexedAtUtc, Envelope, Content)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (Id) DO NOTHING`,
  failedAgain: `UPDATE DeadLetters SET Reason = ?1, Error = ?2, Fingerprint = ?3, Attempts = ?4, LastFailedAtUtc = ?5
    WHERE Id = ?6 AND State = 'open' AND LastFailedAtUtc < ?5`,
  claim: `UPDATE DeadLetters
    SET State = 'replaying', ReplayId = ?1, ReplayError = NULL, ClaimedAtUtc = ?2,
      Patch = CASE WHEN State = 'open' THEN ?3 ELSE Patch END
    WHERE Id = ?4 AND (State = 'open'
      OR State = 'replaying' AND (ReplayId = ?1 OR ClaimedAtUtc < ?5 AND ?3 IS NULL))
    RETURNING ${summaryColumns}, Patch, Envelope, Content`,
  settle: `UPDATE DeadLetters
    SET State = ?1, ReplayError = ?2, SettledAtUtc = CASE WHEN ?1 = 'open' THEN NULL ELSE ?3 END,
      Patch = CASE WHEN ?1 = 'open' THEN NULL ELSE Patch END
    WHERE Id = ?4 AND State = 'replaying' AND ReplayId = ?5`,
  markLeft: `UPDATE DeadLetters SET LeftAtUtc = ? WHERE Id = ? AND SettledAtUtc IS NOT NULL AND LeftAtUtc IS NULL`,
  purge: `DELETE FROM DeadLetters WHERE Id IN (
      SELECT Id FROM DeadLetters WHERE LeftAtUtc IS NOT NULL AND SettledAtUtc < ? ORDER BY SettledAtUtc LIMIT ?
    )`,
};

export interface SummaryRecord {
  Id: string;
  Queue: string;
  MessageId: string;
  Type: string;
  OrderId: string;
  TraceId: string;
  Reason: string;
  Error: string;
  Fingerprint: string;
  Attempts: number;
  FirstFailedAtUtc: string;
  LastFailedAtUtc: string;
  IndexedAtUtc: string;
  State: DeadLetterState;
  ReplayId: string | null;
  ReplayError: string | null;
  SettledAtUtc: string | null;
}

export interface DeadLetterRecord extends SummaryRecord {
  Patch: string | null;
  Envelope: string;
  Content: string;
}

export function createDeadLetters(connection: Connection): Synchronous<DeadLetterStatements> {
  return {
    add(letter) {
      if (connection.run(deadLetterSql.add, ...valuesOf(letter)) === 1) return true;
      const { lastFailedAtUtc, reason, error, fingerprint, attempts, id } = letter;
      connection.run(deadLetterSql.failedAgain, reason, error, fingerprint, attempts, lastFailedAtUtc, id);
      return false;
    },
    claim: ({ ids, replayId, patch, nowUtc, staleBeforeUtc }) =>
      ids.flatMap((id) => {
        const values = [replayId, nowUtc, patch ?? null, id, staleBeforeUtc];
        const record = connection.get<DeadLetterRecord>(deadLetterSql.claim, ...values);
        return record === undefined ? [] : [deadLetterOf(record)];
      }),
    settle: ({ id, replayId, state, replayError, nowUtc }) =>
      connection.run(deadLetterSql.settle, state, replayError ?? null, nowUtc, id, replayId) === 1,
    markLeft({ ids, leftAtUtc }) {
      for (const id of ids) connection.run(deadLetterSql.markLeft, leftAtUtc, id);
    },
    purge: ({ settledBeforeUtc, limit }) => connection.run(deadLetterSql.purge, settledBeforeUtc, limit),
  };
}

function valuesOf(letter: NewDeadLetter): (string | number)[] {
  const { content, properties, headers } = letter.message;
  return [
    letter.id,
    letter.queue,
    letter.messageId,
    letter.type,
    letter.orderId,
    letter.traceId,
    letter.reason,
    letter.error,
    letter.fingerprint,
    letter.attempts,
    letter.firstFailedAtUtc,
    letter.lastFailedAtUtc,
    letter.indexedAtUtc,
    JSON.stringify({ properties, headers }),
    Buffer.from(content).toString('base64'),
  ];
}

export const summaryOf = (record: SummaryRecord): DeadLetterSummary => ({
  id: record.Id,
  queue: record.Queue,
  messageId: record.MessageId,
  type: record.Type,
  orderId: record.OrderId,
  traceId: record.TraceId,
  reason: record.Reason,
  error: record.Error,
  fingerprint: record.Fingerprint,
  attempts: record.Attempts,
  firstFailedAtUtc: record.FirstFailedAtUtc,
  lastFailedAtUtc: record.LastFailedAtUtc,
  indexedAtUtc: record.IndexedAtUtc,
  state: record.State,
  ...(record.ReplayId !== null && { replayId: record.ReplayId }),
  ...(record.ReplayError !== null && { replayError: record.ReplayError }),
  ...(record.SettledAtUtc !== null && { settledAtUtc: record.SettledAtUtc }),
});

export function deadLetterOf(record: DeadLetterRecord): DeadLetter {
  const envelope = JSON.parse(record.Envelope) as Omit<KeptMessage, 'content'>;
  return {
    ...summaryOf(record),
    message: { ...envelope, content: Buffer.from(record.Content, 'base64') },
    ...(record.Patch !== null && { patch: JSON.parse(record.Patch) as unknown }),
  };
}
