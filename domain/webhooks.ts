import type { EventType } from './events.ts';

/** Type of the message that stands for one event on its way to one endpoint; its queue is `webhook-queue`. */
export const webhookDeliveryType = 'webhook.delivery.v1';

/** What a test delivery carries; no endpoint subscribes to it, and it goes to the tested endpoint alone. */
export const webhookTestType = 'webhook.test.v1';

/** `we_` and 32 hexadecimal digits. */
export type WebhookEndpointId = `we_${string}`;

const endpointIdPattern = /^we_[0-9a-f]{32}$/;

export const isWebhookEndpointId = (text: string): text is WebhookEndpointId => endpointIdPattern.test(text);

/** Subject of an endpoint's rows in the audit trail. */
export const webhookSubject = (id: WebhookEndpointId): string => `webhook-endpoint:${id}`;

/** `enabled` takes deliveries; `disabled` gets none until a person enables it again. */
export type WebhookEndpointState = 'enabled' | 'disabled';

/** An encrypted signing secret. The plain one is shown once, when it is made, and is nowhere stored. */
export interface WebhookSecret {
  sealed: string;
  createdAtUtc: string;
  /** Signs until then beside the newer ones; absent on the newest. */
  expiresAtUtc?: string;
}

/** A partner's address for some event types. */
export interface WebhookEndpoint {
  endpointId: WebhookEndpointId;
  url: string;
  /** In alphabetical order, each once. */
  events: EventType[];
  description: string;
  state: WebhookEndpointState;
  /** Why it is disabled; empty while it is enabled. */
  disabledReason: string;
  /** Newest first. */
  secrets: WebhookSecret[];
  createdAtUtc: string;
  updatedAtUtc: string;
}

/** Secrets that sign now, newest first: several during a rotation's overlap. */
export const signingSecrets = (secrets: readonly WebhookSecret[], nowUtc: string): WebhookSecret[] =>
  secrets.filter(({ expiresAtUtc }) => expiresAtUtc === undefined || expiresAtUtc > nowUtc);

/** Secrets that may sign at once: a rotation beyond is refused, since a partner may still use the oldest alone. */
export const maximumSecrets = 3;

/** The secrets after a rotation: the new one first, the others until the overlap's end at the latest. */
export function rotatedSecrets(input: {
  secrets: readonly WebhookSecret[];
  sealed: string;
  nowUtc: string;
  overlapSeconds: number;
}): WebhookSecret[] {
  const { secrets, sealed, nowUtc, overlapSeconds } = input;
  const end = new Date(Date.parse(nowUtc) + overlapSeconds * 1_000).toISOString();
  const older = signingSecrets(secrets, nowUtc).map((secret) => ({
    ...secret,
    expiresAtUtc: secret.expiresAtUtc !== undefined && secret.expiresAtUtc < end ? secret.expiresAtUtc : end,
  }));
  const overlapping = overlapSeconds > 0 ? older : [];
  return [{ sealed, createdAtUtc: nowUtc }, ...overlapping];
}

/** One attempt to deliver, as it is recorded. */
export interface WebhookAttempt {
  endpointId: WebhookEndpointId;
  /** `webhook-id`: the same for all attempts and replays of one event to one endpoint. */
  webhookId: string;
  eventId: string;
  eventType: string;
  /** From 1; starts again at 1 after a replay. */
  attempt: number;
  attemptedAtUtc: string;
  /** From the request's begin to its answer or failure, milliseconds. */
  durationMs: number;
  result: 'delivered' | 'failed';
  /** Absent when there was no answer. */
  httpStatus?: number;
  /** Why it failed, one word; empty when it was delivered. */
  reason: string;
  /** The first bytes of the answer, or what went wrong on the way, as text. */
  answer: string;
}

/** `webhook-id` of an event to an endpoint. Has no dot, since the signed text is joined by dots. */
export const webhookIdOf = (input: { eventId: string; endpointId: string }): string =>
  `${input.eventId}_${input.endpointId}`;
