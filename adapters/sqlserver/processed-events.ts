import type { ProcessedEventStatements } from '../../ports/store/messages.ts';
import { inserts } from './insert-or-update.ts';
import { statements, type Session } from './statement.ts';

export const processedEventSql = statements('processedEvents', {
  mark: {
    index: 'PK_ProcessedEvents',
    text: () => `INSERT INTO dbo.ProcessedEvents (Consumer, EventId, ProcessedAtUtc)
      OUTPUT inserted.EventId
      SELECT @Consumer, @EventId, @ProcessedAtUtc
      WHERE NOT EXISTS (SELECT 1 FROM dbo.ProcessedEvents WHERE Consumer = @Consumer AND EventId = @EventId)`,
  },
});

export function createProcessedEvents(session: Session): ProcessedEventStatements {
  return {
    mark: ({ consumer, eventId, processedAtUtc }) =>
      inserts(() =>
        session.rows(processedEventSql.mark, {
          Consumer: consumer,
          EventId: eventId,
          ProcessedAtUtc: processedAtUtc,
        }),
      ),
  };
}
