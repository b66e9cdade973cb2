import { createHmac } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type { Clock } from '../clock.ts';
import type { Counts } from '../counts.ts';
import { stripeId } from '../ids.ts';
import { wait } from '../provider-call.ts';
import type { WebhookRecord } from '../records.ts';
import type { Settings } from '../sandbox-options.ts';
import type { Store } from '../store.ts';
import type { Origin } from './stripe-deps.ts';

const API_VERSION = '2026-10-28.endive';
const MAX_IN_FLIGHT = 8;
const UNNOTED_PAUSE_MS = 1_000;
const TIMEOUT_MS = 10_000;
const KEPT = 5_000;

/** The header Stripe signs with: HMAC-SHA256 of `<t>.<raw body>` under the endpoint's secret. */
const signatureHeader = (body: string, secret: string, timestampSeconds: number): string => {
  const signature = createHmac('sha256', secret).update(`${timestampSeconds}.${body}`).digest('hex');
  return `t=${timestampSeconds},v1=${signature}`;
};

export interface Webhooks {
  /** Queues an event for the subscribed endpoint; one in N twice, one in N held back. */
  emit(type: string, object: object, origin: Origin): void;
  /** Sends what is due; called by the sandbox's ticker. */
  deliverDue(): void;
  close(): void;
}

interface WebhookDeps {
  store: Store;
  clock: Clock;
  counts: Counts;
  settings: () => Settings;
  secret: string;
}

const post = (target: string, body: string, signature: string, agents: Agents): Promise<number> =>
  new Promise((resolve, reject) => {
    const secure = target.startsWith('https:');
    const request = (secure ? https : http).request(
      target,
      {
        method: 'POST',
        agent: secure ? agents.https : agents.http,
        timeout: TIMEOUT_MS,
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
          'stripe-signature': signature,
        },
      },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
        response.on('error', reject);
      },
    );
    request.on('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    request.on('error', reject);
    request.end(body);
  });

interface Agents {
  http: http.Agent;
  https: https.Agent;
}

/**
 * Sends events as Stripe does: late, now and then twice or out of order, and again with back-off until the endpoint
 * answers 2xx. What is undelivered survives a restart.
 */
export const createWebhooks = ({ store, clock, counts, settings, secret }: WebhookDeps): Webhooks => {
  const agents: Agents = {
    http: new http.Agent({ keepAlive: true, maxSockets: MAX_IN_FLIGHT }),
    https: new https.Agent({ keepAlive: true, maxSockets: MAX_IN_FLIGHT }),
  };
  const inFlight = new Set<string>();
  let emitted = 0;
  let closed = false;

  const delayMs = (): number => {
    const { webhookMinDelayMs: min, webhookMaxDelayMs: max } = settings();
    return min + Math.random() * Math.max(0, max - min);
  };

  const queue = (id: string, record: WebhookRecord, afterMs: number) =>
    store.put('webhook', id, record, { dueMs: Math.round(clock.nowMs() + afterMs) });

  const deliver = async (id: string, record: WebhookRecord, target: string): Promise<void> => {
    const signature = signatureHeader(record.body, secret, Math.floor(Date.now() / 1_000));
    const answer = await post(target, record.body, signature, agents).then(
      (status) => ({ delivered: status >= 200 && status < 300, text: `HTTP ${status}` }),
      (error: unknown) => ({ delivered: false, text: error instanceof Error ? error.message : 'failed' }),
    );
    if (!closed) settle(id, record, answer);
  };

  const settle = (id: string, record: WebhookRecord, answer: { delivered: boolean; text: string }) => {
    const tried = { ...record, attempts: record.attempts + 1, lastAnswer: answer.text };
    if (answer.delivered) {
      counts.business('webhooks_delivered');
      store.put('webhook', id, { ...tried, state: 'delivered' });
      return;
    }
    counts.business('webhooks_refused');
    const pause = settings().webhookRetryMs[record.attempts];
    if (pause === undefined) store.put('webhook', id, { ...tried, state: 'given-up' });
    else queue(id, tried, pause);
  };

  const nth = (every: number): boolean => every > 0 && emitted % every === 0;

  return {
    emit: (type, object, origin) => {
      const { webhookTarget, webhookEvents, webhookDuplicateEvery, webhookHoldBackEvery, webhookHoldBackMs } =
        settings();
      if (!webhookTarget || !(webhookEvents.includes(type) || webhookEvents.includes('*'))) return;
      emitted += 1;
      const id = stripeId('evt');
      const event = {
        id,
        object: 'event',
        api_version: API_VERSION,
        created: Math.floor(clock.nowMs() / 1_000),
        data: { object },
        livemode: false,
        pending_webhooks: 1,
        request: { id: origin.requestId, idempotency_key: origin.idempotencyKey },
        type,
      };
      // Indented, as Stripe sends it: a receiver that parses and prints before it verifies must fail here too.
      const body = JSON.stringify(event, null, 2);
      const record: WebhookRecord = {
        eventId: id,
        type,
        body,
        attempts: 0,
        state: 'pending',
        lastAnswer: null,
      };
      queue(id, record, delayMs() + (nth(webhookHoldBackEvery) ? webhookHoldBackMs : 0));
      if (nth(webhookDuplicateEvery)) queue(`${id}#2`, record, delayMs() + webhookMinimumGap);
      if (emitted % 500 === 0) store.prune('webhook', KEPT);
    },
    deliverDue: () => {
      const { webhookTarget } = settings();
      const room = MAX_IN_FLIGHT - inFlight.size;
      if (!webhookTarget || room <= 0) return;
      const due = store
        .due('webhook', clock.nowMs(), MAX_IN_FLIGHT + room)
        .filter(({ id }) => !inFlight.has(id));
      for (const { id, record } of due.slice(0, room)) {
        inFlight.add(id);
        // What cannot be noted (a full disk) stays due, and is sent again as after a crash of the provider's own.
        void deliver(id, record, webhookTarget)
          .catch(() => wait(UNNOTED_PAUSE_MS))
          .finally(() => inFlight.delete(id));
      }
    },
    close: () => {
      closed = true;
      agents.http.destroy();
      agents.https.destroy();
    },
  };
};

/** Between the two deliveries of one event, so that the second does not always come first. */
const webhookMinimumGap = 20;
