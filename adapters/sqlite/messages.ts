import { outboxPartitionOf } from '../../domain/outbox-partition.ts';
import type { MessageStatements } from '../../ports/store/messages.ts';
import type { Connection } from './connection.ts';
import type { Synchronous } from './statements.ts';

export const messageSql = {
  add: `INSERT INTO OutboxMessages (Id, OccurredAtUtc, Type, Payload, Destination, OrderId, Sequence, PartitionNumber,
      Priority, Traceparent)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  retry: `UPDATE OutboxMessages SET SetAsideAtUtc = NULL, Attempts = 0, Payload = COALESCE(?, Payload)
    WHERE Id = ? AND PublishedAtUtc IS NULL AND SetAsideAtUtc IS NOT NULL`,
  /* Both times together say that it was given up: publishing takes the second one away. */
  skip: `UPDATE OutboxMessages SET PublishedAtUtc = ?
    WHERE Id = ? AND PublishedAtUtc IS NULL AND SetAsideAtUtc IS NOT NULL`,
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
    resume: ({ id, act, payload, nowUtc }) =>
      (act === 'retry'
        ? connection.run(messageSql.retry, payload ?? null, id)
        : connection.run(messageSql.skip, nowUtc, id)) === 1,
  };
}
