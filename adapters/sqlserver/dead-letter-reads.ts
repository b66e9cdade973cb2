import type {
  DeadLetterCursor,
  DeadLetterFilter,
  DeadLetterState,
  DeadLetterSummary,
} from '../../domain/dead-letters.ts';
import type { DeadLetterReads } from '../../ports/dead-letters.ts';
import { allColumns, amongIds, deadLetterOf, summaryColumns, summaryOf } from './dead-letters.ts';
import { statements, type Session } from './statement.ts';
import { isoOf, numberOf } from './values.ts';

/*
 * People's searches: conditions that are not given are NULL, and RECOMPILE lets the server plan for those that are. The
 * index is then the one of the first condition given.
 */
const fits = `(@Queue IS NULL OR Queue = @Queue) AND (@Fingerprint IS NULL OR Fingerprint = @Fingerprint)
        AND (@OrderReference IS NULL OR OrderReference = @OrderReference)
        AND (@FailedUntilUtc IS NULL OR LastFailedAtUtc <= @FailedUntilUtc)
        AND (@DeadLetterIds IS NULL OR ${amongIds})`;
const follows = `(@AfterUtc IS NULL OR LastFailedAtUtc > @AfterUtc
        OR (LastFailedAtUtc = @AfterUtc AND DeadLetterId > @DeadLetterId))`;
const byCondition = 'scan of IX_DeadLetters_Group, IX_DeadLetters_Order or IX_DeadLetters_Time, by condition';

export const deadLetterReadSql = statements('deadLetterReads', {
  groups: {
    index: 'scan of IX_DeadLetters_Group, PK_DeadLetters',
    text: () => `SELECT Found.Queue, Found.Fingerprint, Found.OpenLetters, Found.ReplayingLetters, Found.Oldest,
        Found.Newest, Example.Reason, Example.Error
      FROM (
        SELECT TOP (500) Queue, Fingerprint, SUM(CASE WHEN State = 'open' THEN 1 ELSE 0 END) AS OpenLetters,
          SUM(CASE WHEN State = 'replaying' THEN 1 ELSE 0 END) AS ReplayingLetters, COUNT(*) AS Letters,
          MIN(LastFailedAtUtc) AS Oldest, MAX(LastFailedAtUtc) AS Newest, MAX(DeadLetterId) AS ExampleId
        FROM dbo.DeadLetters
        WHERE ${fits} AND State IN ('open', 'replaying')
        GROUP BY Queue, Fingerprint
        ORDER BY Letters DESC, Oldest
      ) AS Found
      INNER JOIN dbo.DeadLetters AS Example ON Example.DeadLetterId = Found.ExampleId
      ORDER BY Found.Letters DESC, Found.Oldest
      OPTION (RECOMPILE)`,
  },
  page: {
    index: byCondition,
    text: () => `SELECT TOP (@Limit) ${summaryColumns} FROM dbo.DeadLetters
      WHERE ${fits} AND ${follows} AND (State = @State OR (State = 'replaying' AND ReplayId = @ReplayId))
      ORDER BY LastFailedAtUtc, DeadLetterId
      OPTION (RECOMPILE)`,
  },
  count: {
    index: byCondition,
    text: () => `SELECT COUNT(*) AS Letters FROM dbo.DeadLetters
      WHERE ${fits} AND ${follows} AND State = 'open'
      OPTION (RECOMPILE)`,
  },
  find: {
    index: 'PK_DeadLetters',
    text: () => `SELECT ${allColumns} FROM dbo.DeadLetters WHERE DeadLetterId = @DeadLetterId`,
  },
  known: {
    index: 'PK_DeadLetters',
    text: () =>
      `SELECT DeadLetterId, State, LastFailedAtUtc, LeftAtUtc FROM dbo.DeadLetters WHERE ${amongIds}`,
  },
  leaving: {
    index: 'scan of IX_DeadLetters_Leaving',
    text: () => `SELECT TOP (50000) Queue, DeadLetterId FROM dbo.DeadLetters
      WHERE SettledAtUtc IS NOT NULL AND LeftAtUtc IS NULL ORDER BY Queue`,
  },
  countReplay: {
    index: 'IX_DeadLetters_Replay',
    text: () =>
      'SELECT State, COUNT(*) AS Letters FROM dbo.DeadLetters WHERE ReplayId = @ReplayId GROUP BY State',
  },
});

export function createDeadLetterReads(session: Session): DeadLetterReads {
  return {
    async groups(filter) {
      const rows = await session.rows(deadLetterReadSql.groups, filterValues(filter));
      return rows.map((row) => ({
        queue: row['Queue'] as string,
        fingerprint: row['Fingerprint'] as string,
        reason: row['Reason'] as string,
        error: row['Error'] as string,
        open: numberOf(row['OpenLetters']),
        replaying: numberOf(row['ReplayingLetters']),
        oldestUtc: isoOf(row['Oldest']),
        newestUtc: isoOf(row['Newest']),
      }));
    },
    async page({ filter, states, claimedBy = null, after, limit }) {
      const shared = { ...filterValues(filter), ...cursorValues(after), ReplayId: claimedBy, Limit: limit };
      const found: DeadLetterSummary[] = [];
      for (const state of states) {
        const rows = await session.rows(deadLetterReadSql.page, { ...shared, State: state });
        found.push(...rows.map(summaryOf));
      }
      return (states.length === 1 ? found : inOrder(found)).slice(0, limit);
    },
    async find(id) {
      const [row] = await session.rows(deadLetterReadSql.find, { DeadLetterId: id });
      return row && deadLetterOf(row);
    },
    async known(ids) {
      if (ids.length === 0) return [];
      const rows = await session.rows(deadLetterReadSql.known, { DeadLetterIds: ids.join(',') });
      return rows.map((row) => ({
        id: row['DeadLetterId'] as string,
        state: row['State'] as DeadLetterState,
        lastFailedAtUtc: isoOf(row['LastFailedAtUtc']),
        left: row['LeftAtUtc'] !== null,
      }));
    },
    async leaving() {
      const rows = await session.rows(deadLetterReadSql.leaving, {});
      return rows.map((row) => ({ queue: row['Queue'] as string, id: row['DeadLetterId'] as string }));
    },
    async count({ filter, after }) {
      const [row] = await session.rows(deadLetterReadSql.count, {
        ...filterValues(filter),
        ...cursorValues(after),
      });
      return numberOf(row?.['Letters'] ?? 0);
    },
    async countReplay(replayId) {
      const rows = await session.rows(deadLetterReadSql.countReplay, { ReplayId: replayId });
      const of = (state: DeadLetterState) =>
        numberOf(rows.find((row) => row['State'] === state)?.['Letters'] ?? 0);
      return { open: of('open'), replaying: of('replaying'), settled: of('replayed') + of('discarded') };
    },
  };
}

const filterValues = (filter: DeadLetterFilter) => ({
  Queue: filter.queue ?? null,
  Fingerprint: filter.fingerprint ?? null,
  OrderReference: filter.orderId ?? null,
  FailedUntilUtc: filter.failedUntilUtc ?? null,
  DeadLetterIds: filter.ids === undefined ? null : filter.ids.join(','),
});

const cursorValues = (after: DeadLetterCursor | undefined) => ({
  AfterUtc: after?.lastFailedAtUtc ?? null,
  DeadLetterId: after?.id ?? null,
});

/** By failure, then by id; one dead letter once. */
const inOrder = (letters: readonly DeadLetterSummary[]): DeadLetterSummary[] =>
  [...new Map(letters.map((letter) => [letter.id, letter])).values()].sort((one, other) =>
    placeOf(one) < placeOf(other) ? -1 : 1,
  );

const placeOf = (letter: DeadLetterSummary): string => `${letter.lastFailedAtUtc} ${letter.id}`;
