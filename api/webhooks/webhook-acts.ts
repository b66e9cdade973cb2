import { createHash, randomUUID } from 'node:crypto';
import type { EventType } from '../../domain/events.ts';
import { orderId } from '../../domain/ids.ts';
import { webhookDestination } from '../../domain/destinations.ts';
import {
  maximumSecrets,
  rotatedSecrets,
  webhookDeliveryType,
  webhookIdOf,
  webhookSubject,
  webhookTestType,
  type WebhookEndpoint,
  type WebhookEndpointId,
  type WebhookEndpointState,
  type WebhookSecret,
} from '../../domain/webhooks.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import type { AppDeps } from '../app-deps.ts';
import { within } from '../../ports/bounded.ts';
import { ApiProblem } from '../http/problems.ts';
import { storeUnavailable } from '../http/read-store.ts';

const WRITE_TIMEOUT_MS = 2_000;

/** Who does it and why, for the audit trail. */
export interface By {
  actor: string;
  reason: string;
}

export const unknownEndpoint = (id: string): ApiProblem =>
  new ApiProblem('unknown-endpoint', {
    detail: `There is no webhook endpoint ${id.slice(0, 64).toWellFormed()}.`,
  });

/** Registers an endpoint, enabled, with its first secret. */
export async function registerEndpoint(
  deps: AppDeps,
  input: { url: string; events: EventType[]; description: string },
  by: By,
): Promise<{ endpoint: WebhookEndpoint; secret: string }> {
  const endpointId: WebhookEndpointId = `we_${randomUUID().replaceAll('-', '')}`;
  const nowUtc = deps.clock.nowUtc();
  const { secret, sealed } = deps.webhooks.secrets.create(endpointId);
  const endpoint: WebhookEndpoint = {
    ...input,
    endpointId,
    state: 'enabled',
    disabledReason: '',
    secrets: [{ sealed, createdAtUtc: nowUtc }],
    createdAtUtc: nowUtc,
    updatedAtUtc: nowUtc,
  };
  await write(deps, async (tx) => {
    await tx.webhooks.put(endpoint);
    await audit(tx, endpointId, { from: '', to: summary(endpoint), by, nowUtc });
  });
  return { endpoint, secret };
}

export interface EndpointChange {
  url?: string;
  events?: EventType[];
  description?: string;
  state?: WebhookEndpointState;
}

/** Changes what is given. Deliveries that are on their way, retries and replays included, go by the new values. */
export const changeEndpoint = (
  deps: AppDeps,
  id: WebhookEndpointId,
  change: EndpointChange,
  by: By,
): Promise<WebhookEndpoint> =>
  update(deps, id, by, (endpoint) => {
    const state = change.state ?? endpoint.state;
    const disabledReason = change.state === 'disabled' ? by.reason : endpoint.disabledReason;
    return { ...endpoint, ...change, disabledReason: state === 'enabled' ? '' : disabledReason };
  });

/** A new secret; the former ones sign beside it until the overlap ends. Refused while as many as may sign already do. */
export async function rotateSecret(
  deps: AppDeps,
  id: WebhookEndpointId,
  overlapSeconds: number,
  by: By,
): Promise<{ endpoint: WebhookEndpoint; secret: string }> {
  const { secret, sealed } = deps.webhooks.secrets.create(id);
  const endpoint = await update(deps, id, by, ({ secrets, ...rest }, nowUtc) => {
    const rotated = rotatedSecrets({ secrets, sealed, nowUtc, overlapSeconds });
    if (rotated.length > maximumSecrets) throw tooManySecrets(id, rotated);
    return { ...rest, secrets: rotated };
  });
  return { endpoint, secret };
}

const tooManySecrets = (id: WebhookEndpointId, secrets: readonly WebhookSecret[]): ApiProblem => {
  const next = secrets.flatMap(({ expiresAtUtc }) => expiresAtUtc ?? []).sort()[0] ?? '';
  return new ApiProblem('act-refused', {
    detail:
      `${maximumSecrets} secrets of webhook endpoint ${id} sign already, the first of them until ${next}: wait for ` +
      'that, or rotate with overlapSeconds 0, which ends all former ones at once.',
    code: 'too_many_secrets',
  });
};

export const removeEndpoint = (deps: AppDeps, id: WebhookEndpointId, by: By): Promise<void> =>
  write(deps, async (tx) => {
    const endpoint = await tx.webhooks.find(id);
    if (!endpoint) throw unknownEndpoint(id);
    await tx.webhooks.remove(id);
    await audit(tx, id, { from: summary(endpoint), to: '', by, nowUtc: deps.clock.nowUtc() });
  });

/** Sends a `webhook.test.v1` on the way that every delivery takes; its result is in the endpoint's deliveries. */
export function testEndpoint(deps: AppDeps, id: WebhookEndpointId, by: By): Promise<string> {
  const eventId = randomUUID();
  const nowUtc = deps.clock.nowUtc();
  return write(deps, async (tx) => {
    const endpoint = await tx.webhooks.find(id);
    if (!endpoint) throw unknownEndpoint(id);
    if (endpoint.state === 'disabled')
      throw new ApiProblem('act-refused', {
        detail: `Webhook endpoint ${id} is disabled: enable it first.`,
        code: 'endpoint_disabled',
      });
    const webhookId = webhookIdOf({ eventId, endpointId: id });
    await tx.messages.add({
      id: webhookId,
      occurredAtUtc: nowUtc,
      type: webhookDeliveryType,
      payload: JSON.stringify({ endpointId: id, event: testEvent(eventId, nowUtc) }),
      destination: webhookDestination,
      // A test belongs to no order: its own id stands in.
      orderId: orderId(eventId),
      sequence: 0,
      traceparent: '',
    });
    await audit(tx, id, { from: summary(endpoint), to: summary(endpoint), by, nowUtc });
    return webhookId;
  });
}

const testEvent = (eventId: string, nowUtc: string) => ({
  eventId,
  eventType: webhookTestType,
  occurredAtUtc: nowUtc,
  payload: { message: 'A test delivery: the endpoint is reached, and the signature can be verified.' },
  metadata: { producer: 'order-saga', schemaVersion: 1 },
});

function update(
  deps: AppDeps,
  id: WebhookEndpointId,
  by: By,
  change: (endpoint: WebhookEndpoint, nowUtc: string) => WebhookEndpoint,
): Promise<WebhookEndpoint> {
  const nowUtc = deps.clock.nowUtc();
  return write(deps, async (tx) => {
    const before = await tx.webhooks.find(id);
    if (!before) throw unknownEndpoint(id);
    const after = { ...change(before, nowUtc), updatedAtUtc: nowUtc };
    await tx.webhooks.put(after);
    await audit(tx, id, { from: summary(before), to: summary(after), by, nowUtc });
    return after;
  });
}

async function write<T>(deps: AppDeps, work: (tx: StoreTransaction) => Promise<T>): Promise<T> {
  try {
    return await within(WRITE_TIMEOUT_MS, 'store', () => deps.store.transaction(work));
  } catch (error) {
    throw error instanceof ApiProblem ? error : storeUnavailable(deps, error);
  }
}

/** All that a change may change. Path and query of the URL may hold a token: a short hash tells that they changed. */
const summary = ({ state, url, description, events, secrets }: WebhookEndpoint): string =>
  [
    state,
    `${new URL(url).origin} (URL ${createHash('sha256').update(url).digest('hex').slice(0, 12)})`,
    JSON.stringify(description),
    events.join(' '),
    `secrets of ${secrets.map(({ createdAtUtc }) => createdAtUtc).join(' ')}`,
  ].join(', ');

const audit = (
  tx: StoreTransaction,
  id: WebhookEndpointId,
  { from, to, by, nowUtc }: { from: string; to: string; by: By; nowUtc: string },
): Promise<void> =>
  tx.audit.append({
    subject: webhookSubject(id),
    actor: by.actor,
    step: 'webhook-endpoint',
    from,
    to,
    reason: by.reason,
    causingEventId: '',
    workflowId: '',
    runId: '',
    occurredAtUtc: nowUtc,
  });
