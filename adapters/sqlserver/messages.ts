import { outboxPartitionOf } from '../../domain/outbox-partition.ts';
import type { MessageStatements } from '../../ports/store.ts';
import { statements, type Session } from './statement.ts';

export const messageSql = statements('messages', {
  add: {
    index: 'PK_OutboxMessages',
    text: () => `INSERT INTO dbo.OutboxMessages (Id, OccurredAtUtc, Type, Payload, Destination, OrderId, Sequence,
        PartitionNumber, Priority, Traceparent)
      VALUES (@Id, @OccurredAtUtc, @Type, @Payload, @Destination, @OrderId, @Sequence, @PartitionNumber, @Priority,
        @Traceparent)`,
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
  };
}
