import { outboxPartitionOf } from '../../domain/outbox-partition.ts';
import type { MessageStatements } from '../../ports/store.ts';
import type { Connection } from './connection.ts';
import type { Synchronous } from './statements.ts';

export const messageSql = {
  add: `INSERT INTO OutboxMessages (Id, OccurredAtUtc, Type, Payload, Destination, OrderId, Sequence, PartitionNumber,
      Priority, Traceparent)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
};

export function createMessages(connection: Connection): Synchronous<MessageStatements> {
  return {
    add(message) {
      connection.run(
        messageSql.add,
        message.id,
        message.occurredAtUtc,
        message.type,
        message.payload,
        message.destination,
        message.orderId,
        message.sequence,
        outboxPartitionOf(message.orderId),
        message.priority ?? null,
        message.traceparent,
      );
    },
  };
}
