import type { EventType } from '../../domain/events.ts';
import type {
  WebhookAttempt,
  WebhookEndpoint,
  WebhookEndpointId,
  WebhookEndpointState,
} from '../../domain/webhooks.ts';
import type { WebhookReads, WebhookStatements } from '../../ports/store/messages.ts';
import { snapshot, type Connection } from './connection.ts';
import type { Synchronous } from './statements.ts';

const endpointColumns = `EndpointId, Url, Description, State, DisabledReason, Secrets, CreatedAtUtc, UpdatedAtUtc`;
const attemptColumns = `EndpointId, WebhookId, EventId, EventType, Attempt, AttemptedAtUtc, DurationMs, Result, HttpStatus,
      Reason, Answer`;

export const webhookSql = {
  find: `SELECT ${endpointColumns} FROM WebhookEndpoints WHERE EndpointId = ?`,
  events: `SELECT EventType FROM WebhookSubscriptions WHERE EndpointId = ? ORDER BY EventType`,
  put: `INSERT INTO WebhookEndpoints (${endpointColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (EndpointId) DO UPDATE SET Url = excluded.Url, Description = excluded.Description,
      State = excluded.State, DisabledReason = excluded.DisabledReason, Secrets = excluded.Secrets,
      CreatedAtUtc = excluded.CreatedAtUtc, UpdatedAtUtc = excluded.UpdatedAtUtc`,
  unsubscribe: `DELETE FROM WebhookSubscriptions WHERE EndpointId = ?`,
  subscribe: `INSERT INTO WebhookSubscriptions (EventType, EndpointId) VALUES (?, ?)`,
  remove: `DELETE FROM WebhookEndpoints WHERE EndpointId = ?`,
  subscribers: `SELECT Subscription.EndpointId FROM WebhookSubscriptions AS Subscription
    JOIN WebhookEndpoints AS Endpoint ON Endpoint.EndpointId = Subscription.EndpointId
    WHERE Subscription.EventType = ? AND Endpoint.State = 'enabled'
    ORDER BY Subscription.EndpointId`,
  record: `INSERT INTO WebhookDeliveries (${attemptColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  delivered: `SELECT 1 FROM WebhookDeliveries WHERE WebhookId = ? AND Result = 'delivered' LIMIT 1`,
  attempts: `SELECT Position, ${attemptColumns} FROM WebhookDeliveries
    WHERE EndpointId = ? AND Position < ? ORDER BY Position DESC LIMIT ?`,
  purge: `DELETE FROM WebhookDeliveries WHERE Position IN (
      SELECT Position FROM WebhookDeliveries WHERE AttemptedAtUtc < ? ORDER BY AttemptedAtUtc LIMIT ?
    )`,
};

/** For a person or once a minute, not per event. */
export const webhookListSql = {
  list: `SELECT ${endpointColumns} FROM WebhookEndpoints ORDER BY CreatedAtUtc, EndpointId`,
  counts: `SELECT State, COUNT(*) AS Endpoints FROM WebhookEndpoints GROUP BY State`,
};

/** Longest answer kept with an attempt, in characters. */
const longestAnswer = 2_000;

interface EndpointRecord {
  EndpointId: WebhookEndpointId;
  Url: string;
  Description: string;
  State: WebhookEndpointState;
  DisabledReason: string;
  Secrets: string;
  CreatedAtUtc: string;
  UpdatedAtUtc: string;
}

interface AttemptRecord {
  Position: number;
  EndpointId: WebhookEndpointId;
  WebhookId: string;
  EventId: string;
  EventType: string;
  Attempt: number;
  AttemptedAtUtc: string;
  DurationMs: number;
  Result: WebhookAttempt['result'];
  HttpStatus: number | null;
  Reason: string;
  Answer: string;
}

export function createWebhooks(connection: Connection): Synchronous<WebhookStatements> {
  return {
    find: (id) => findEndpoint(connection, id),
    put(endpoint) {
      connection.run(
        webhookSql.put,
        endpoint.endpointId,
        endpoint.url,
        endpoint.description,
        endpoint.state,
        endpoint.disabledReason,
        JSON.stringify(endpoint.secrets),
        endpoint.createdAtUtc,
        endpoint.updatedAtUtc,
      );
      connection.run(webhookSql.unsubscribe, endpoint.endpointId);
      for (const type of endpoint.events) connection.run(webhookSql.subscribe, type, endpoint.endpointId);
    },
    remove(id) {
      connection.run(webhookSql.unsubscribe, id);
      return connection.run(webhookSql.remove, id) === 1;
    },
    record(attempt) {
      connection.run(
        webhookSql.record,
        attempt.endpointId,
        attempt.webhookId,
        attempt.eventId,
        attempt.eventType,
        attempt.attempt,
        attempt.attemptedAtUtc,
        Math.round(attempt.durationMs),
        attempt.result,
        attempt.httpStatus ?? null,
        attempt.reason,
        attempt.answer.slice(0, longestAnswer).toWellFormed(),
      );
    },
    purge: ({ attemptedBeforeUtc, limit }) => connection.run(webhookSql.purge, attemptedBeforeUtc, limit),
  };
}

export function createWebhookReads(connection: Connection): Synchronous<WebhookReads> {
  return {
    find: (id) => snapshot(connection, () => findEndpoint(connection, id)),
    list: () =>
      snapshot(connection, () =>
        connection.all<EndpointRecord>(webhookListSql.list).map((record) => endpointOf(connection, record)),
      ),
    subscribers: (type) =>
      connection
        .all<{ EndpointId: WebhookEndpointId }>(webhookSql.subscribers, type)
        .map(({ EndpointId }) => EndpointId),
    delivered: (webhookId) => connection.get(webhookSql.delivered, webhookId) !== undefined,
    attempts: ({ endpointId, before = Number.MAX_SAFE_INTEGER, limit }) =>
      connection.all<AttemptRecord>(webhookSql.attempts, endpointId, before, limit).map(attemptOf),
    counts() {
      const rows = connection.all<{ State: WebhookEndpointState; Endpoints: number }>(webhookListSql.counts);
      const found = Object.fromEntries(rows.map(({ State, Endpoints }) => [State, Endpoints]));
      return { enabled: 0, disabled: 0, ...found };
    },
  };
}

function findEndpoint(connection: Connection, id: WebhookEndpointId): WebhookEndpoint | undefined {
  const record = connection.get<EndpointRecord>(webhookSql.find, id);
  return record && endpointOf(connection, record);
}

const endpointOf = (connection: Connection, record: EndpointRecord): WebhookEndpoint => ({
  endpointId: record.EndpointId,
  url: record.Url,
  events: connection
    .all<{ EventType: EventType }>(webhookSql.events, record.EndpointId)
    .map(({ EventType: type }) => type),
  description: record.Description,
  state: record.State,
  disabledReason: record.DisabledReason,
  secrets: JSON.parse(record.Secrets) as WebhookEndpoint['secrets'],
  createdAtUtc: record.CreatedAtUtc,
  updatedAtUtc: record.UpdatedAtUtc,
});

const attemptOf = (record: AttemptRecord): WebhookAttempt & { position: number } => ({
  position: record.Position,
  endpointId: record.EndpointId,
  webhookId: record.WebhookId,
  eventId: record.EventId,
  eventType: record.EventType,
  attempt: record.Attempt,
  attemptedAtUtc: record.AttemptedAtUtc,
  durationMs: record.DurationMs,
  result: record.Result,
  ...(record.HttpStatus !== null && { httpStatus: record.HttpStatus }),
  reason: record.Reason,
  answer: record.Answer,
});
