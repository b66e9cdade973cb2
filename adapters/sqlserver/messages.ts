import { outboxPartitionOf } from '../../domain/outbox-partition.ts';
import type { MessageStatements } from '../../ports/store/messages.ts';
import { statements, type Session } from './statement.ts';

export const messageSql = statements('messages', {
  add: {
    index: 'PK_OutboxMessages',
    text: () => `INSERT INTO dbo.OutboxMessages (Id, OccurredAtUtc, Type, Payload, Destination, OrderId, Sequence,
        PartitionNumber, Priority, Traceparent)
      VALUES (@Id, @OccurredAtUtc, @Type, @Payload, @Destination, @OrderId, @Sequence, @PartitionNumber, @Priority,
        @Traceparent)`,
  },
  retry: {
    index: 'UX_OutboxMessages_Id',
    text: () => `UPDATE dbo.OutboxMessages SET SetAsideAtUtc = NULL, Attempts = 0, Payload = COALESCE(@Payload, Payload)
      OUTPUT inserted.Id
      WHERE Id = @Id AND PublishedAtUtc IS NULL AND SetAsideAtUtc IS NOT NULL`,
  },
  /* Both times together say that it was given up: publishing takes the second one away. */
  skip: {
    index: 'UX_OutboxMessages_Id',
    text: () => `UPDATE dbo.OutboxMessages SET PublishedAtUtc = @PublishedAtUtc
      OUTPUT inserted.Id
      WHERE Id = @Id AND PublishedAtUtc IS NULL AND SetAsideAtUtc IS NOT NULL`,
  },
});

export function createMessages(session: Session): MessageStatements {
  return {
    async add(message) {
      await session.rows(messageSql.add, {
        Id: message.id,
        OccurredAtUtc: message.occurredAtUtc,
        Type: message.type,
        Payload: message.payload,
        Destination: message.destination,
        OrderId: message.orderId,
        Sequence: message.sequence,
        PartitionNumber: outboxPartitionOf(message.orderId),
        Priority: message.priority ?? null,
        Traceparent: message.traceparent,
      });
    },
    async resume({ id, act, payload = null, nowUtc }) {
      const rows =
        act === 'retry'
          ? await session.rows(messageSql.retry, { Id: id, Payload: payload })
          : await session.rows(messageSql.skip, { Id: id, PublishedAtUtc: nowUtc });
      return rows.length === 1;
    },
  };
}
