import { emailQueue } from '../domain/destinations.ts';
import { emailTasks, parseEmailTask, type EmailTask } from '../domain/email-task.ts';
import type { Broker, Consumer, Delivery, HandlerResult } from '../ports/broker.ts';
import type { SeenFilter } from '../ports/locks.ts';
import type { Mailer } from '../ports/mailer.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { renderEmail } from './email-templates.ts';

export interface EmailConsumerDeps {
  broker: Pick<Broker, 'consume'>;
  mailer: Mailer;
  seen: SeenFilter;
  logger: Logger;
  metrics: Metrics;
  /** Pause while the mail server is away, milliseconds. Default 5,000. */
  pauseMs?: number;
}

/** Few at a time: what lies here already is not overtaken by a later message of higher priority. */
const prefetch = 5;
const scope = 'email';
/** Longer than a message can live in the queue (24 h). */
const rememberSeconds = 2 * 24 * 3_600;

/**
 * Sends the mails of the email queue, each once by message id while Redis remembers it; without Redis, or after a crash
 * between sending and remembering, a mail may go out twice, with the same Message-ID.
 * Mail server away: pauses and keeps the message. Mail refused for good, or a message that is no email task:
 * dead-lettered with the reason (`mail-refused`, `invalid-json`, `unknown-type`, `invalid-payload`, `missing-id`).
 */
export function startEmailConsumer(deps: EmailConsumerDeps): Promise<Consumer> {
  return deps.broker.consume({ queue: emailQueue, prefetch, handler: (delivery) => handle(deps, delivery) });
}

async function handle(deps: EmailConsumerDeps, delivery: Delivery): Promise<HandlerResult> {
  const read = readTask(delivery);
  if (!read.ok) return counted(deps, read.deadLetter);
  const id = { scope, id: delivery.messageId };
  if ((await deps.seen.seen(id)) === 'seen') {
    deps.metrics.messagesConsumed.inc({ queue: emailQueue, result: 'duplicate' });
    return { status: 'done' };
  }
  const result = await send(deps, read.task, delivery.messageId);
  if (result.status === 'done') await deps.seen.remember({ ...id, ttlSeconds: rememberSeconds });
  return counted(deps, result);
}

async function send(deps: EmailConsumerDeps, task: EmailTask, messageId: string): Promise<HandlerResult> {
  const answer = await deps.mailer.send({ messageId, to: task.to, ...renderEmail(task) });
  const about = { messageId, orderId: task.orderId, template: task.template };
  switch (answer.status) {
    case 'sent':
      deps.logger.info(about, 'mail sent');
      return { status: 'done' };
    case 'refused':
      deps.logger.warn({ ...about, reason: answer.reason }, 'mail refused for good');
      return deadLetter('mail-refused', answer.reason);
    case 'unavailable':
      return { status: 'pause', ms: deps.pauseMs ?? 5_000, reason: `mail server away: ${answer.reason}` };
  }
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

function counted(deps: EmailConsumerDeps, result: HandlerResult): HandlerResult {
  deps.metrics.messagesConsumed.inc({ queue: emailQueue, result: result.status });
  return result;
}
