import type { OrderId } from '../../domain/ids.ts';
import type { OutboxStore, PendingMessage } from '../../ports/store/messages.ts';
import { snapshot, type Connection } from './connection.ts';
import type { Synchronous } from './statements.ts';

export const outboxSql = {
  /* Nothing from a partition that another relay holds; skips what follows a message of its order that is set aside. */
  pending: `SELECT Position FROM OutboxMessages AS Message
    WHERE PartitionNumber = ?1 AND PublishedAtUtc IS NULL AND SetAsideAtUtc IS NULL
      AND EXISTS (SELECT 1 FROM OutboxPartitions WHERE PartitionNumber = ?1 AND Owner = ?2)
      AND NOT EXISTS (
        SELECT 1 FROM OutboxMessages AS Blocking
        WHERE Blocking.OrderId = Message.OrderId AND Blocking.Position < Message.Position
          AND Blocking.PublishedAtUtc IS NULL AND Blocking.SetAsideAtUtc IS NOT NULL
      )
    ORDER BY Position LIMIT ?3`,
  message: `SELECT Id, OccurredAtUtc, Type, Payload, Destination, OrderId, Sequence, Traceparent, Priority, Attempts
    FROM OutboxMessages WHERE Position = ?`,
  markPublished: `UPDATE OutboxMessages SET PublishedAtUtc = ?, SetAsideAtUtc = NULL WHERE Id = ? AND PublishedAtUtc IS NULL`,
  markFailed: `UPDATE OutboxMessages SET Attempts = Attempts + 1, LastError = ?1,
      SetAsideAtUtc = CASE WHEN Attempts + 1 >= ?2 THEN ?3 END
    WHERE Id = ?4 AND PublishedAtUtc IS NULL
    RETURNING SetAsideAtUtc`,
};

/** Asked once in a while, not per order: these may read as much as the backlog holds. */
export const outboxUpkeepSql = {
  /* From the index of what is pending alone: 15 ms where 90,000 messages wait. */
  waiting: `SELECT COUNT(*) AS Messages, MIN(Position) AS Oldest FROM OutboxMessages
    WHERE PublishedAtUtc IS NULL AND SetAsideAtUtc IS NULL`,
  occurred: `SELECT OccurredAtUtc FROM OutboxMessages WHERE Position = ?`,
  setAside: `SELECT COUNT(*) AS Messages FROM OutboxMessages WHERE PublishedAtUtc IS NULL AND SetAsideAtUtc IS NOT NULL`,
  setAsideRows: `SELECT Position, LastError, SetAsideAtUtc FROM OutboxMessages
    WHERE PublishedAtUtc IS NULL AND SetAsideAtUtc IS NOT NULL ORDER BY Position LIMIT ?`,
  purge: `DELETE FROM OutboxMessages WHERE Position IN (
      SELECT Position FROM OutboxMessages WHERE PublishedAtUtc < ? ORDER BY PublishedAtUtc LIMIT ?
    )`,
};

/** Longest error text kept with a message, in characters. */
const longestError = 2_000;

interface MessageRecord {
  Id: string;
  OccurredAtUtc: string;
  Type: string;
  Payload: string;
  Destination: string;
  OrderId: OrderId;
  Sequence: number;
  Traceparent: string;
  Priority: number | null;
  Attempts: number;
}

/** The relay's reads, on a connection that only reads. */
export function createOutboxReads(
  connection: Connection,
): Synchronous<Pick<OutboxStore, 'pending' | 'depth' | 'setAside'>> {
  return {
    pending: ({ owner, partitions, limit }) =>
      snapshot(connection, () =>
        partitions
          .flatMap((partition) =>
            connection.all<{ Position: number }>(outboxSql.pending, partition, owner, limit),
          )
          .sort((a, b) => a.Position - b.Position)
          .slice(0, limit)
          .map(({ Position }) => messageAt(connection, Position)),
      ),
    setAside: ({ limit }) =>
      connection
        .all<{ Position: number; LastError: string | null; SetAsideAtUtc: string }>(
          outboxUpkeepSql.setAsideRows,
          limit,
        )
        .map(({ Position, LastError, SetAsideAtUtc }) => ({
          ...messageAt(connection, Position),
          lastError: LastError ?? '',
          setAsideAtUtc: SetAsideAtUtc,
        })),
    depth: () =>
      snapshot(connection, () => {
        const waiting = connection.get<{ Messages: number; Oldest: number | null }>(outboxUpkeepSql.waiting);
        const oldest = connection.get<{ OccurredAtUtc: string }>(
          outboxUpkeepSql.occurred,
          waiting?.Oldest ?? null,
        );
        return {
          unpublished: waiting?.Messages ?? 0,
          setAside: connection.get<{ Messages: number }>(outboxUpkeepSql.setAside)?.Messages ?? 0,
          oldestUtc: oldest?.OccurredAtUtc,
        };
      }),
  };
}

/** The relay's writes but leases, inside a transaction. */
export function createOutboxWrites(
  connection: Connection,
): Synchronous<Pick<OutboxStore, 'markPublished' | 'markFailed' | 'purge'>> {
  return {
    markPublished({ ids, publishedAtUtc }) {
      for (const id of ids) connection.run(outboxSql.markPublished, publishedAtUtc, id);
    },
    markFailed({ id, error, setAsideAfter }) {
      const nowUtc = new Date().toISOString();
      const text = error.slice(0, longestError);
      const row = connection.get<{ SetAsideAtUtc: string | null }>(
        outboxSql.markFailed,
        text,
        setAsideAfter,
        nowUtc,
        id,
      );
      return { setAside: typeof row?.SetAsideAtUtc === 'string' };
    },
    purge: ({ publishedBeforeUtc, limit }) =>
      connection.run(outboxUpkeepSql.purge, publishedBeforeUtc, limit),
  };
}

function messageAt(connection: Connection, position: number): PendingMessage {
  const record = connection.get<MessageRecord>(outboxSql.message, position) as MessageRecord;
  return {
    id: record.Id,
    occurredAtUtc: record.OccurredAtUtc,
    type: record.Type,
    payload: record.Payload,
    destination: record.Destination,
    orderId: record.OrderId,
    sequence: record.Sequence,
    traceparent: record.Traceparent,
    ...(record.Priority !== null && { priority: record.Priority }),
    attempts: record.Attempts,
  };
}
