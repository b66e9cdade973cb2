import type { OrderId } from '../../domain/ids.ts';
import type { OutboxStore, PendingMessage } from '../../ports/store/messages.ts';
import { forEachRow, sendRows, statements, type Row, type Session } from './statement.ts';
import { isoOf, numberOf } from './values.ts';

const waiting = 'PublishedAtUtc IS NULL AND SetAsideAtUtc IS NULL';

/*
 * A relay claims partitions, not rows (outbox-leases.ts): whoever holds a partition's lease is the only one to publish
 * from it, which keeps the order of each order's events. A claim of single rows with READPAST would step over a locked
 * row and lose that order, and would write every row once more.
 */
export const outboxSql = statements('outbox', {
  /*
   * At most @Limit from each partition that is asked for and that the relay holds, then the oldest of those; nothing
   * that follows a message of its order that is set aside.
   */
  pending: {
    index: 'PK_OutboxPartitions, IX_OutboxMessages_Pending, IX_OutboxMessages_SetAside, PK_OutboxMessages',
    text: (
      _,
      rows,
    ) => `SELECT Message.Id, Message.OccurredAtUtc, Message.Type, Message.Payload, Message.Destination,
        Message.OrderId, Message.Sequence, Message.Traceparent, Message.Priority, Message.Attempts
      FROM (
        SELECT TOP (@Limit) Waiting.PartitionNumber, Waiting.Position
        FROM dbo.OutboxPartitions AS Held
        CROSS APPLY (
          SELECT TOP (@Limit) Candidate.PartitionNumber, Candidate.Position
          FROM dbo.OutboxMessages AS Candidate
          WHERE Candidate.PartitionNumber = Held.PartitionNumber
            AND Candidate.PublishedAtUtc IS NULL AND Candidate.SetAsideAtUtc IS NULL
            AND NOT EXISTS (
              SELECT 1 FROM dbo.OutboxMessages AS Blocking
              WHERE Blocking.OrderId = Candidate.OrderId AND Blocking.Position < Candidate.Position
                AND Blocking.PublishedAtUtc IS NULL AND Blocking.SetAsideAtUtc IS NOT NULL
            )
          ORDER BY Candidate.Position
        ) AS Waiting
        WHERE Held.Owner = @Owner
          AND Held.PartitionNumber IN (${forEachRow(rows, ', ', (row) => `@PartitionNumber_${row}`)})
        ORDER BY Waiting.Position
      ) AS Chosen
      INNER JOIN dbo.OutboxMessages AS Message
        ON Message.PartitionNumber = Chosen.PartitionNumber AND Message.Position = Chosen.Position
      ORDER BY Message.Position`,
  },
  markPublished: {
    index: 'UX_OutboxMessages_Id',
    text: (
      hints,
      rows,
    ) => `UPDATE dbo.OutboxMessages${hints.table('ROWLOCK')} SET PublishedAtUtc = @PublishedAtUtc, SetAsideAtUtc = NULL
      WHERE Id IN (${forEachRow(rows, ', ', (row) => `@Id_${row}`)}) AND PublishedAtUtc IS NULL`,
  },
  markFailed: {
    index: 'UX_OutboxMessages_Id',
    text: (hints) => `UPDATE dbo.OutboxMessages${hints.table('ROWLOCK')} SET Attempts = Attempts + 1,
        LastError = @LastError, SetAsideAtUtc = CASE WHEN Attempts + 1 >= @SetAsideAfter THEN @NowUtc END
      WHERE Id = @Id AND PublishedAtUtc IS NULL;
      IF @@ROWCOUNT = 1
        SELECT SetAsideAtUtc FROM dbo.OutboxMessages WHERE Id = @Id`,
  },
});

/** Asked once in a while, not per order: these may read as much as the backlog holds. */
export const outboxUpkeepSql = statements('outboxUpkeep', {
  depth: {
    index: 'scan of IX_OutboxMessages_Pending and of IX_OutboxMessages_SetAside',
    text: () => `SELECT
        (SELECT COUNT(*) FROM dbo.OutboxMessages WHERE ${waiting}) AS Messages,
        (SELECT COUNT(*) FROM dbo.OutboxMessages WHERE PublishedAtUtc IS NULL AND SetAsideAtUtc IS NOT NULL) AS SetAside,
        (SELECT TOP (1) OccurredAtUtc FROM dbo.OutboxMessages WHERE ${waiting} ORDER BY Position) AS Oldest`,
  },
  setAside: {
    index: 'scan of IX_OutboxMessages_SetAside',
    text: () => `SELECT TOP (@Limit) Id, OccurredAtUtc, Type, Payload, Destination, OrderId, Sequence, Traceparent,
        Priority, Attempts, LastError, SetAsideAtUtc
      FROM dbo.OutboxMessages
      WHERE PublishedAtUtc IS NULL AND SetAsideAtUtc IS NOT NULL ORDER BY Position`,
  },
  /* Small batches of row locks that step over what others hold: no writer ever waits for the cleaning. */
  purge: {
    index: 'IX_OutboxMessages_Published',
    text: (
      hints,
    ) => `DELETE TOP (@Limit) FROM dbo.OutboxMessages${hints.table('ROWLOCK', 'UPDLOCK', 'READPAST')}
      OUTPUT deleted.Position
      WHERE PublishedAtUtc < @PublishedBeforeUtc AND PublishedAtUtc IS NOT NULL`,
  },
});

/** Longest error text kept with a message, in UTF-16 units. */
const longestError = 2_000;
/** Most rows of one UPDATE or DELETE: far below the 5,000 locks at which SQL Server locks the whole table. */
const largestBatch = 1_000;

export function createOutbox(
  session: Session,
): Pick<OutboxStore, 'pending' | 'markPublished' | 'markFailed' | 'depth' | 'setAside' | 'purge'> {
  return {
    async pending({ owner, partitions, limit }) {
      const asked = partitions.map((partition) => ({ PartitionNumber: partition }));
      return (await sendRows(session, outboxSql.pending, asked, { Owner: owner, Limit: limit })).map(
        messageOf,
      );
    },
    async markPublished({ ids, publishedAtUtc }) {
      const marked = ids.map((id) => ({ Id: id }));
      await sendRows(session, outboxSql.markPublished, marked, { PublishedAtUtc: publishedAtUtc });
    },
    async markFailed({ id, error, setAsideAfter }) {
      const [row] = await session.rows(outboxSql.markFailed, {
        Id: id,
        LastError: error.slice(0, longestError),
        SetAsideAfter: setAsideAfter,
        NowUtc: new Date().toISOString(),
      });
      return { setAside: row !== undefined && row['SetAsideAtUtc'] !== null };
    },
    async depth() {
      const [row] = await session.rows(outboxUpkeepSql.depth, {});
      return {
        unpublished: numberOf(row?.['Messages']),
        setAside: numberOf(row?.['SetAside']),
        oldestUtc: row?.['Oldest'] ? isoOf(row['Oldest']) : undefined,
      };
    },
    async setAside({ limit }) {
      const rows = await session.rows(outboxUpkeepSql.setAside, { Limit: limit });
      return rows.map((row) => ({
        ...messageOf(row),
        lastError: (row['LastError'] as string | null) ?? '',
        setAsideAtUtc: isoOf(row['SetAsideAtUtc']),
      }));
    },
    async purge({ publishedBeforeUtc, limit }) {
      const values = { PublishedBeforeUtc: publishedBeforeUtc, Limit: Math.min(limit, largestBatch) };
      return (await session.rows(outboxUpkeepSql.purge, values)).length;
    },
  };
}

const messageOf = (row: Row): PendingMessage => ({
  id: row['Id'] as string,
  occurredAtUtc: isoOf(row['OccurredAtUtc']),
  type: row['Type'] as string,
  payload: row['Payload'] as string,
  destination: row['Destination'] as string,
  orderId: row['OrderId'] as OrderId,
  sequence: numberOf(row['Sequence']),
  traceparent: row['Traceparent'] as string,
  ...(row['Priority'] !== null && { priority: numberOf(row['Priority']) }),
  attempts: numberOf(row['Attempts']),
});
