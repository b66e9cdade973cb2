import { emailQueue } from '../domain/destinations.ts';
import { emailTasks, parseEmailTask, type EmailTask } from '../domain/email-task.ts';
import { messageHeaders } from '../domain/message-headers.ts';
import type { Clock } from '../ports/clock.ts';
import type { Broker, Consumer, Delivery, HandlerResult } from '../ports/broker.ts';
import type { SeenFilter } from '../ports/locks.ts';
import type { Mailer } from '../ports/mailer.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { countHandled } from './count-handled.ts';
import { delayParts } from './queue-parts.ts';
import { renderEmail } from './email-templates.ts';

export interface EmailConsumerDeps {
  broker: Pick<Broker, 'consume' | 'declare'>;
  mailer: Mailer;
  seen: SeenFilter;
  logger: Logger;
  metrics: Metrics;
  clock: Clock;
  /** Pause while the mail server is away, milliseconds. Default 5,000. */
  pauseMs?: number;
  /** Pauses of a mail that the server does not take now, by attempt; the last one repeats. */
  laterMs?: readonly number[];
}

const MINUTE_MS = 60_000;
/** Greylisting servers take a mail after some minutes; a full mailbox is full for longer. */
const emailLaterMs: readonly number[] = [MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS];
/** From first enqueue, as the queue's own. */
export const emailTtlMs = 24 * 60 * MINUTE_MS;

/** Few at a time: what lies here already is not overtaken by a later message of higher priority. */
const prefetch = 5;
const scope = 'email';
/** Longer than a message can live in the queue (24 h). */
const rememberSeconds = 2 * 24 * 3_600;

/**
 * Sends the mails of the email queue, each once by message id while Redis remembers it; without Redis, or after a crash
 * between sending and remembering, a mail may go out twice, with the same Message-ID.
 * Mail server away: pauses and keeps the message. This mail not now (greylisting, full mailbox): comes back after a
 * delay that the broker holds, until it is 24 h old. Mail refused for good, too old, or a message that is no email task:
 * dead-lettered with the reason (`mail-refused`, `expired`, `invalid-json`, `unknown-type`, `invalid-payload`,
 * `missing-id`).
 */
export function startEmailConsumer(deps: EmailConsumerDeps): Promise<Consumer> {
  // Not waited for: mails go out before the delay queues stand.
  deps.broker.declare(delayParts(emailQueue, deps.laterMs ?? emailLaterMs)).catch((error: unknown) => {
    deps.logger.error({ err: error }, 'the delay queues of mails cannot be declared');
  });
  return deps.broker.consume({ queue: emailQueue, prefetch, handler: (delivery) => timed(deps, delivery) });
}

async function timed(deps: EmailConsumerDeps, delivery: Delivery): Promise<HandlerResult> {
  const stopTimer = deps.metrics.messageHandlingDuration.startTimer({ queue: emailQueue });
  return handle(deps, delivery).finally(() => void stopTimer());
}

async function handle(deps: EmailConsumerDeps, delivery: Delivery): Promise<HandlerResult> {
  const read = readTask(delivery);
  if (!read.ok) return counted(deps, read.deadLetter);
  const id = { scope, id: delivery.messageId };
  if ((await deps.seen.seen(id)) === 'seen') {
    return counted(deps, { status: 'done' }, 'duplicate');
  }
  const result = await send(deps, read.task, delivery);
  if (result.status === 'done') await deps.seen.remember({ ...id, ttlSeconds: rememberSeconds });
  return counted(deps, result);
}

async function send(deps: EmailConsumerDeps, task: EmailTask, delivery: Delivery): Promise<HandlerResult> {
  const { messageId } = delivery;
  const answer = await deps.mailer.send({ messageId, to: task.to, ...renderEmail(task) });
  const about = { messageId, orderId: task.orderId, template: task.template };
  switch (answer.status) {
    case 'sent':
      deps.logger.info(about, 'mail sent');
      return { status: 'done' };
    case 'refused':
      deps.logger.warn({ ...about, reason: answer.reason }, 'mail refused for good');
      return deadLetter('mail-refused', answer.reason);
    case 'later':
      deps.logger.info({ ...about, reason: answer.reason }, 'mail not taken now');
      return later(deps, delivery, answer.reason);
    case 'unavailable':
      return { status: 'pause', ms: deps.pauseMs ?? 5_000, reason: `mail server away: ${answer.reason}` };
  }
}

/** Within the time a mail may take in all: the delay queue gives it back to a queue that would count anew. */
function later(deps: EmailConsumerDeps, delivery: Delivery, error: string): HandlerResult {
  const delays = deps.laterMs ?? emailLaterMs;
  const delayMs = delays[Math.min(delivery.attempt, delays.length) - 1] ?? MINUTE_MS;
  const sinceMs = Date.parse(firstKnownUtc(delivery) ?? deps.clock.nowUtc());
  const comesBackMs = Date.parse(deps.clock.nowUtc()) + delayMs;
  if (comesBackMs - sinceMs > emailTtlMs) return deadLetter('expired', `not taken within 24 h: ${error}`);
  return { status: 'retry', delayMs, reason: 'mail-later', error };
}

function firstKnownUtc({ sentAtUtc, headers }: Delivery): string | undefined {
  const failed = headers[messageHeaders.firstFailedAt];
  return sentAtUtc ?? (typeof failed === 'string' && !Number.isNaN(Date.parse(failed)) ? failed : undefined);
}

type ReadTask = { ok: true; task: EmailTask } | { ok: false; deadLetter: HandlerResult };

const knownTypes: ReadonlySet<string> = new Set(Object.values(emailTasks).map(({ type }) => type));

function readTask(delivery: Delivery): ReadTask {
  const { messageId, type, body, parseError } = delivery;
  const no = (reason: string, error: string): ReadTask => ({
    ok: false,
    deadLetter: deadLetter(reason, error),
  });
  if (messageId === '') return no('missing-id', 'expected a messageId, which duplicates are known by');
  if (parseError !== undefined) return no('invalid-json', parseError);
  if (!knownTypes.has(type))
    return no('unknown-type', `expected ${[...knownTypes].join(' or ')}, came "${type}"`);
  const parsed = parseEmailTask(body);
  if (!parsed.ok) return no('invalid-payload', parsed.reason);
  const itsType = emailTasks[parsed.task.template].type;
  if (itsType !== type)
    return no('invalid-payload', `template: expected that of ${type}, came that of ${itsType}`);
  return parsed;
}

const deadLetter = (reason: string, error: string): HandlerResult => ({
  status: 'dead-letter',
  reason,
  error,
});

function counted(deps: EmailConsumerDeps, result: HandlerResult, as?: 'duplicate'): HandlerResult {
  countHandled(deps.metrics, { queue: emailQueue, result, ...(as && { counted: as }) });
  return result;
}
