import type { ProcessedEventStatements } from '../../ports/store/messages.ts';
import type { Connection } from './connection.ts';
import type { Synchronous } from './statements.ts';

export const processedEventSql = {
  mark: `INSERT INTO ProcessedEvents (Consumer, EventId, ProcessedAtUtc) VALUES (?, ?, ?)
    ON CONFLICT (Consumer, EventId) DO NOTHING`,
};

export function createProcessedEvents(connection: Connection): Synchronous<ProcessedEventStatements> {
  return {
    mark: ({ consumer, eventId, processedAtUtc }) =>
      connection.run(processedEventSql.mark, consumer, eventId, processedAtUtc) === 1,
  };
}
