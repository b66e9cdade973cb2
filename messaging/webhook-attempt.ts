import {
  signingSecrets,
  webhookSubject,
  type WebhookAttempt,
  type WebhookEndpoint,
} from '../domain/webhooks.ts';
import type { HandlerResult } from '../ports/broker.ts';
import type { Clock } from '../ports/clock.ts';
import type { Store, StoreTransaction } from '../ports/store.ts';
import type { WebhookAnswer, WebhookSecrets, WebhookSender } from '../ports/webhooks.ts';
import { signedHeaders } from './webhook-signature.ts';
import type { WebhookEvent } from './webhook-delivery.ts';

export interface AttemptDeps {
  store: Pick<Store, 'transaction'>;
  sender: WebhookSender;
  secrets: WebhookSecrets;
  clock: Clock;
}

/** An attempt that was made, and what its answer asks for. */
export interface MadeAttempt {
  attempt: WebhookAttempt;
  /** The endpoint says that it is no more (410): it gets nothing until a person enables it again. */
  isGone: boolean;
  retryAfterMs?: number;
}

const goneStatus = 410;

/** Signs and posts the event once. Rejects only when no secret of the endpoint can be opened. */
export async function makeAttempt(
  deps: AttemptDeps,
  input: { endpoint: WebhookEndpoint; event: WebhookEvent; webhookId: string; attempt: number },
): Promise<MadeAttempt> {
  const { endpoint, event, webhookId, attempt } = input;
  const { endpointId } = endpoint;
  const attemptedAtUtc = deps.clock.nowUtc();
  const body = JSON.stringify(event);
  const secrets = signingSecrets(endpoint.secrets, attemptedAtUtc).map(({ sealed }) =>
    deps.secrets.open({ endpointId, sealed }),
  );
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'order-saga-webhooks/1',
    ...signedHeaders({ webhookId, body, nowUtc: attemptedAtUtc, secrets }),
  };
  const startedMs = performance.now();
  const answer = await deps.sender.post({ url: endpoint.url, headers, body });
  const durationMs = performance.now() - startedMs;
  const { eventId, eventType } = event;
  return {
    attempt: {
      endpointId,
      webhookId,
      eventId,
      eventType,
      attempt,
      attemptedAtUtc,
      durationMs,
      ...read(answer),
    },
    isGone: answer.status === 'answered' && answer.httpStatus === goneStatus,
    ...(answer.status === 'answered' &&
      answer.retryAfterMs !== undefined && { retryAfterMs: answer.retryAfterMs }),
  };
}

type Outcome = Pick<WebhookAttempt, 'result' | 'httpStatus' | 'reason' | 'answer'>;

/** Delivered is 2xx and nothing else (Standard Webhooks); a redirect is a failure. */
function read(answer: WebhookAnswer): Outcome {
  if (answer.status === 'failed') return { result: 'failed', reason: answer.reason, answer: answer.error };
  const { httpStatus, body } = answer;
  if (httpStatus >= 200 && httpStatus < 300)
    return { result: 'delivered', httpStatus, reason: '', answer: body };
  const reason = httpStatus >= 300 && httpStatus < 400 ? 'redirect' : `http-${httpStatus}`;
  return { result: 'failed', httpStatus, reason, answer: body };
}

/** Records the attempt and, where the endpoint is gone, disables it: one transaction. */
export function recordAttempt(deps: AttemptDeps, { attempt, isGone }: MadeAttempt): Promise<void> {
  return deps.store.transaction(async (tx) => {
    await tx.webhooks.record(attempt);
    if (isGone) await disable(tx, attempt, deps.clock.nowUtc());
  });
}

async function disable(tx: StoreTransaction, attempt: WebhookAttempt, nowUtc: string): Promise<void> {
  const endpoint = await tx.webhooks.find(attempt.endpointId);
  if (endpoint === undefined || endpoint.state === 'disabled') return;
  const disabledReason = 'the endpoint answered 410 Gone';
  await tx.webhooks.put({ ...endpoint, state: 'disabled', disabledReason, updatedAtUtc: nowUtc });
  await tx.audit.append({
    subject: webhookSubject(attempt.endpointId),
    actor: 'webhooks',
    step: 'webhook-endpoint',
    from: 'enabled',
    to: 'disabled',
    reason: disabledReason,
    causingEventId: attempt.eventId,
    workflowId: '',
    runId: '',
    occurredAtUtc: nowUtc,
  });
}

/** What the broker is told: acknowledge, the next tier that is no shorter than what the partner asked for, or the dead letters. */
export function resultOf(made: MadeAttempt, delaysMs: readonly number[]): HandlerResult {
  const { attempt, isGone, retryAfterMs = 0 } = made;
  if (attempt.result === 'delivered') return { status: 'done' };
  const error = `attempt ${attempt.attempt} at ${attempt.endpointId}: ${attempt.reason}${attempt.answer === '' ? '' : `, "${attempt.answer.slice(0, 200)}"`}`;
  if (isGone) return { status: 'dead-letter', reason: 'endpoint-gone', error };
  const tier = delaysMs[attempt.attempt - 1];
  if (tier === undefined) return { status: 'dead-letter', reason: attempt.reason, error };
  const atLeastMs = Math.max(tier, retryAfterMs);
  const delayMs = delaysMs.find((delay) => delay >= atLeastMs) ?? Math.max(...delaysMs);
  return { status: 'retry', delayMs, reason: attempt.reason, error };
}
