import type { EventType } from '../../domain/events.ts';
import type {
  WebhookAttempt,
  WebhookEndpoint,
  WebhookEndpointId,
  WebhookEndpointState,
} from '../../domain/webhooks.ts';
import type { WebhookReads, WebhookStatements } from '../../ports/store/messages.ts';
import { upsert } from './insert-or-update.ts';
import { forEachRow, sendRows, statements, type Row, type Session, type Statement } from './statement.ts';
import { isoOf, numberOf, present } from './values.ts';

const endpointColumns = [
  'EndpointId',
  'Url',
  'Description',
  'State',
  'DisabledReason',
  'Secrets',
  'CreatedAtUtc',
  'UpdatedAtUtc',
] as const;
const attemptColumns = `EndpointId, WebhookId, EventId, EventType, Attempt, AttemptedAtUtc, DurationMs, Result, HttpStatus,
        Reason, Answer`;
const eventsOf = `SELECT EndpointId, EventType FROM dbo.WebhookSubscriptions WHERE EndpointId = @EndpointId
      ORDER BY EventType`;

export const webhookSql = statements('webhooks', {
  lock: {
    index: 'PK_WebhookEndpoints, IX_WebhookSubscriptions_Endpoint',
    text: (hints) => `${hints.lockingRead({
      table: 'dbo.WebhookEndpoints',
      columns: endpointColumns,
      touch: 'State',
      where: 'EndpointId = @EndpointId',
    })};
      ${eventsOf}`,
  },
  find: {
    index: 'PK_WebhookEndpoints, IX_WebhookSubscriptions_Endpoint',
    text: () => `SELECT ${endpointColumns.join(', ')} FROM dbo.WebhookEndpoints WHERE EndpointId = @EndpointId;
      ${eventsOf}`,
  },
  put: {
    index: 'PK_WebhookEndpoints',
    text: () => `UPDATE dbo.WebhookEndpoints SET Url = @Url, Description = @Description, State = @State,
        DisabledReason = @DisabledReason, Secrets = @Secrets, CreatedAtUtc = @CreatedAtUtc,
        UpdatedAtUtc = @UpdatedAtUtc
      WHERE EndpointId = @EndpointId;
      IF @@ROWCOUNT = 0
        INSERT INTO dbo.WebhookEndpoints (${endpointColumns.join(', ')})
        SELECT ${endpointColumns.map((column) => `@${column}`).join(', ')}
        WHERE NOT EXISTS (SELECT 1 FROM dbo.WebhookEndpoints WHERE EndpointId = @EndpointId)`,
  },
  unsubscribe: {
    index: 'IX_WebhookSubscriptions_Endpoint',
    text: () => 'DELETE FROM dbo.WebhookSubscriptions WHERE EndpointId = @EndpointId',
  },
  subscribe: {
    index: 'PK_WebhookSubscriptions',
    text: (_, rows) => `INSERT INTO dbo.WebhookSubscriptions (EventType, EndpointId)
      SELECT EventType, @EndpointId
      FROM (VALUES ${forEachRow(rows, ', ', (row) => `(@EventType_${row})`)}) AS Wanted (EventType)
      WHERE EventType IS NOT NULL`,
  },
  remove: {
    index: 'PK_WebhookEndpoints',
    text: () => 'DELETE FROM dbo.WebhookEndpoints OUTPUT deleted.EndpointId WHERE EndpointId = @EndpointId',
  },
  subscribers: {
    index: 'PK_WebhookSubscriptions, PK_WebhookEndpoints',
    text: () => `SELECT Subscription.EndpointId FROM dbo.WebhookSubscriptions AS Subscription
      INNER JOIN dbo.WebhookEndpoints AS Endpoint ON Endpoint.EndpointId = Subscription.EndpointId
      WHERE Subscription.EventType = @EventType AND Endpoint.State = 'enabled'
      ORDER BY Subscription.EndpointId`,
  },
  record: {
    index: 'PK_WebhookDeliveries',
    text: () => `INSERT INTO dbo.WebhookDeliveries (${attemptColumns})
      VALUES (@EndpointId, @WebhookId, @EventId, @EventType, @Attempt, @AttemptedAtUtc, @DurationMs, @Result,
        @HttpStatus, @Reason, @Answer)`,
  },
  delivered: {
    index: 'IX_WebhookDeliveries_Delivered',
    text: () => `SELECT TOP (1) WebhookId FROM dbo.WebhookDeliveries
      WHERE WebhookId = @WebhookId AND Result = 'delivered' ORDER BY WebhookId`,
  },
  attempts: {
    index: 'PK_WebhookDeliveries',
    text: () => `SELECT TOP (@Limit) Position, ${attemptColumns} FROM dbo.WebhookDeliveries
      WHERE EndpointId = @EndpointId AND Position < @Position ORDER BY Position DESC`,
  },
  purge: {
    index: 'IX_WebhookDeliveries_Time',
    text: (
      hints,
    ) => `DELETE TOP (@Limit) FROM dbo.WebhookDeliveries${hints.table('ROWLOCK', 'UPDLOCK', 'READPAST')}
      OUTPUT deleted.Position
      WHERE AttemptedAtUtc < @AttemptedBeforeUtc`,
  },
});

/** For a person or once a minute, not per event. */
export const webhookListSql = statements('webhookLists', {
  list: {
    index: 'scan of PK_WebhookEndpoints and PK_WebhookSubscriptions',
    text: () => `SELECT ${endpointColumns.join(', ')} FROM dbo.WebhookEndpoints ORDER BY CreatedAtUtc, EndpointId;
      SELECT EndpointId, EventType FROM dbo.WebhookSubscriptions ORDER BY EndpointId, EventType`,
  },
  counts: {
    index: 'scan of PK_WebhookEndpoints',
    text: () => 'SELECT State, COUNT(*) AS Endpoints FROM dbo.WebhookEndpoints GROUP BY State',
  },
});

/** Longest answer kept with an attempt, in characters. */
const longestAnswer = 2_000;
/** Most rows of one DELETE, far below the 5,000 locks at which SQL Server locks the whole table. */
const largestPurge = 1_000;

export function createWebhooks(session: Session): WebhookStatements {
  return {
    find: (id) => findEndpoint(session, webhookSql.lock, id),
    async put(endpoint) {
      const own = { EndpointId: endpoint.endpointId };
      await upsert(() => session.rows(webhookSql.put, endpointValues(endpoint)));
      await session.rows(webhookSql.unsubscribe, own);
      const types = endpoint.events.map((type) => ({ EventType: type }));
      await sendRows(session, webhookSql.subscribe, types, own);
    },
    async remove(id) {
      await session.rows(webhookSql.unsubscribe, { EndpointId: id });
      return (await session.rows(webhookSql.remove, { EndpointId: id })).length === 1;
    },
    async record(attempt) {
      await session.rows(webhookSql.record, {
        EndpointId: attempt.endpointId,
        WebhookId: attempt.webhookId,
        EventId: attempt.eventId,
        EventType: attempt.eventType,
        Attempt: attempt.attempt,
        AttemptedAtUtc: attempt.attemptedAtUtc,
        DurationMs: Math.round(attempt.durationMs),
        Result: attempt.result,
        HttpStatus: attempt.httpStatus ?? null,
        Reason: attempt.reason,
        Answer: attempt.answer.slice(0, longestAnswer).toWellFormed(),
      });
    },
    async purge({ attemptedBeforeUtc, limit }) {
      const values = { AttemptedBeforeUtc: attemptedBeforeUtc, Limit: Math.min(limit, largestPurge) };
      return (await session.rows(webhookSql.purge, values)).length;
    },
  };
}

export function createWebhookReads(session: Session): WebhookReads {
  return {
    find: (id) => findEndpoint(session, webhookSql.find, id),
    async list() {
      const [endpoints = [], subscriptions = []] = await session.results(webhookListSql.list, {});
      return endpoints.map((row) =>
        endpointOf(
          row,
          subscriptions.filter((subscription) => subscription['EndpointId'] === row['EndpointId']),
        ),
      );
    },
    async subscribers(eventType) {
      const rows = await session.rows(webhookSql.subscribers, { EventType: eventType });
      return rows.map((row) => row['EndpointId'] as WebhookEndpointId);
    },
    delivered: async (webhookId) =>
      (await session.rows(webhookSql.delivered, { WebhookId: webhookId })).length > 0,
    async attempts({ endpointId, before = Number.MAX_SAFE_INTEGER, limit }) {
      const values = { EndpointId: endpointId, Position: before, Limit: limit };
      return (await session.rows(webhookSql.attempts, values)).map(attemptOf);
    },
    async counts() {
      const rows = await session.rows(webhookListSql.counts, {});
      const found = rows.map((row) => [row['State'] as WebhookEndpointState, numberOf(row['Endpoints'])]);
      return { enabled: 0, disabled: 0, ...(Object.fromEntries(found) as object) };
    },
  };
}

async function findEndpoint(
  session: Session,
  statement: Statement,
  id: WebhookEndpointId,
): Promise<WebhookEndpoint | undefined> {
  const [[row] = [], subscriptions = []] = await session.results(statement, { EndpointId: id });
  return row && endpointOf(row, subscriptions);
}

const endpointValues = (endpoint: WebhookEndpoint) => ({
  EndpointId: endpoint.endpointId,
  Url: endpoint.url,
  Description: endpoint.description,
  State: endpoint.state,
  DisabledReason: endpoint.disabledReason,
  Secrets: JSON.stringify(endpoint.secrets),
  CreatedAtUtc: endpoint.createdAtUtc,
  UpdatedAtUtc: endpoint.updatedAtUtc,
});

const endpointOf = (row: Row, subscriptions: readonly Row[]): WebhookEndpoint => ({
  endpointId: row['EndpointId'] as WebhookEndpointId,
  url: row['Url'] as string,
  events: subscriptions.map((subscription) => subscription['EventType'] as EventType),
  description: row['Description'] as string,
  state: row['State'] as WebhookEndpointState,
  disabledReason: row['DisabledReason'] as string,
  secrets: JSON.parse(row['Secrets'] as string) as WebhookEndpoint['secrets'],
  createdAtUtc: isoOf(row['CreatedAtUtc']),
  updatedAtUtc: isoOf(row['UpdatedAtUtc']),
});

const attemptOf = (row: Row): WebhookAttempt & { position: number } => ({
  position: numberOf(row['Position']),
  endpointId: row['EndpointId'] as WebhookEndpointId,
  webhookId: row['WebhookId'] as string,
  eventId: row['EventId'] as string,
  eventType: row['EventType'] as string,
  attempt: numberOf(row['Attempt']),
  attemptedAtUtc: isoOf(row['AttemptedAtUtc']),
  durationMs: numberOf(row['DurationMs']),
  result: row['Result'] as WebhookAttempt['result'],
  ...present('httpStatus', row['HttpStatus'] === null ? null : numberOf(row['HttpStatus'])),
  reason: row['Reason'] as string,
  answer: row['Answer'] as string,
});
