import type { DeadLetterCursor, DeadLetterFilter, DeadLetterState } from '../../domain/dead-letters.ts';
import type { DeadLetterReads } from '../../ports/dead-letters.ts';
import { snapshot, type Connection } from './connection.ts';
import {
  deadLetterOf,
  summaryColumns,
  summaryOf,
  type DeadLetterRecord,
  type SummaryRecord,
} from './dead-letters.ts';
import type { Synchronous } from './statements.ts';

/** Values 1 to 5; each holds for everything where it is null. */
const fits = `(?1 IS NULL OR Queue = ?1) AND (?2 IS NULL OR Fingerprint = ?2) AND (?3 IS NULL OR OrderId = ?3)
  AND (?4 IS NULL OR LastFailedAtUtc <= ?4) AND (?5 IS NULL OR Id IN (SELECT value FROM json_each(?5)))`;
const follows = `(LastFailedAtUtc, Id) > (?6, ?7)`;

export const deadLetterReadSql = {
  groups: `SELECT Queue, Fingerprint, SUM(State = 'open') AS Open, SUM(State = 'replaying') AS Replaying,
      MIN(LastFailedAtUtc) AS Oldest, MAX(LastFailedAtUtc) AS Newest, MAX(Id) AS Example
    FROM DeadLetters INDEXED BY IX_DeadLetters_Group
    WHERE ${fits} AND State IN ('open', 'replaying')
    GROUP BY Queue, Fingerprint ORDER BY COUNT(*) DESC, Oldest LIMIT 500`,
  example: `SELECT Reason, Error FROM DeadLetters WHERE Id = ?`,
  page: `SELECT ${summaryColumns} FROM DeadLetters
    WHERE ${fits} AND ${follows} AND (State = ?8 OR State = 'replaying' AND ReplayId = ?9)
    ORDER BY LastFailedAtUtc, Id LIMIT ?10`,
  count: `SELECT COUNT(*) AS Letters FROM DeadLetters WHERE ${fits} AND ${follows} AND State = 'open'`,
  find: `SELECT ${summaryColumns}, Patch, Envelope, Content FROM DeadLetters WHERE Id = ?`,
  known: `SELECT Id, State, LastFailedAtUtc, LeftAtUtc FROM DeadLetters WHERE Id IN (SELECT value FROM json_each(?))`,
  leaving: `SELECT Queue, Id FROM DeadLetters WHERE SettledAtUtc IS NOT NULL AND LeftAtUtc IS NULL
    ORDER BY Queue LIMIT 50000`,
  countReplay: `SELECT State, COUNT(*) AS Letters FROM DeadLetters WHERE ReplayId = ? GROUP BY State`,
};

interface GroupRecord {
  Queue: string;
  Fingerprint: string;
  Open: number;
  Replaying: number;
  Oldest: string;
  Newest: string;
  Example: string;
}

type KnownRecord = Pick<SummaryRecord, 'Id' | 'State' | 'LastFailedAtUtc'> & { LeftAtUtc: string | null };

export function createDeadLetterReads(connection: Connection): Synchronous<DeadLetterReads> {
  const groupOf = (record: GroupRecord) => {
    const example = connection.get<{ Reason: string; Error: string }>(
      deadLetterReadSql.example,
      record.Example,
    );
    return {
      queue: record.Queue,
      fingerprint: record.Fingerprint,
      reason: example?.Reason ?? '',
      error: example?.Error ?? '',
      open: record.Open,
      replaying: record.Replaying,
      oldestUtc: record.Oldest,
      newestUtc: record.Newest,
    };
  };
  return {
    groups: (filter) =>
      snapshot(connection, () =>
        connection.all<GroupRecord>(deadLetterReadSql.groups, ...filterValues(filter)).map(groupOf),
      ),
    page({ filter, states, claimedBy, after, limit }) {
      const lists = states.map((state) =>
        connection.all<SummaryRecord>(
          deadLetterReadSql.page,
          ...filterValues(filter),
          ...cursorValues(after),
          state,
          claimedBy ?? null,
          limit,
        ),
      );
      const found = lists.length === 1 ? (lists[0] ?? []) : inOrder(lists.flat());
      return found.slice(0, limit).map(summaryOf);
    },
    find(id) {
      const record = connection.get<DeadLetterRecord>(deadLetterReadSql.find, id);
      return record && deadLetterOf(record);
    },
    known: (ids) =>
      connection.all<KnownRecord>(deadLetterReadSql.known, JSON.stringify(ids)).map((record) => ({
        id: record.Id,
        state: record.State,
        lastFailedAtUtc: record.LastFailedAtUtc,
        left: record.LeftAtUtc !== null,
      })),
    leaving: () =>
      connection
        .all<{ Queue: string; Id: string }>(deadLetterReadSql.leaving)
        .map(({ Queue, Id }) => ({ queue: Queue, id: Id })),
    count: ({ filter, after }) =>
      connection.get<{ Letters: number }>(
        deadLetterReadSql.count,
        ...filterValues(filter),
        ...cursorValues(after),
      )?.Letters ?? 0,
    countReplay(replayId) {
      const counts = new Map(
        connection
          .all<{ State: DeadLetterState; Letters: number }>(deadLetterReadSql.countReplay, replayId)
          .map(({ State, Letters }) => [State, Letters]),
      );
      const of = (state: DeadLetterState) => counts.get(state) ?? 0;
      return { open: of('open'), replaying: of('replaying'), settled: of('replayed') + of('discarded') };
    },
  };
}

const filterValues = (filter: DeadLetterFilter): (string | null)[] => [
  filter.queue ?? null,
  filter.fingerprint ?? null,
  filter.orderId ?? null,
  filter.failedUntilUtc ?? null,
  filter.ids === undefined ? null : JSON.stringify(filter.ids),
];

const cursorValues = (after: DeadLetterCursor | undefined): string[] => [
  after?.lastFailedAtUtc ?? '',
  after?.id ?? '',
];

/** By failure, then by id; one dead letter once. */
const inOrder = (records: readonly SummaryRecord[]): SummaryRecord[] =>
  [...new Map(records.map((record) => [record.Id, record])).values()].sort((one, other) =>
    placeOf(one) < placeOf(other) ? -1 : 1,
  );

const placeOf = (record: SummaryRecord): string => `${record.LastFailedAtUtc} ${record.Id}`;
