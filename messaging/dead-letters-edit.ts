import type { DeadLetter } from '../domain/dead-letters.ts';
import { emailTasks, parseEmailTask } from '../domain/email-task.ts';
import { mergePatch } from '../domain/merge-patch.ts';
import { webhookDeliveryType } from '../domain/webhooks.ts';
import { eventContracts } from './contracts/event-contracts.ts';
import { readEvent } from './contracts/read-event.ts';
import { parseWebhookDelivery } from './webhook-delivery.ts';

export type EditedContent = { ok: true; content: Uint8Array } | { ok: false; reason: string };

/**
 * The content that a replay delivers. With a patch the body must be JSON before, and afterwards what its type asks
 * for: an event fits its schema, an email task and a webhook delivery read as such, anything else is still an object. Its ids and its type
 * stay as they are: they are what duplicates are known by. Without a patch the bytes are those that came.
 */
export function editedContent(letter: Pick<DeadLetter, 'type' | 'message'>, patch: unknown): EditedContent {
  const { content } = letter.message;
  if (patch === undefined) return { ok: true, content };
  const before = parsed(content);
  if (before === undefined)
    return { ok: false, reason: 'only a JSON object can be patched; this body is none' };
  const after = mergePatch(before, patch);
  const reason = identityRefusal(before, after) ?? typeRefusal(letter.type, after);
  return reason === undefined
    ? { ok: true, content: Buffer.from(JSON.stringify(after)) }
    : { ok: false, reason };
}

const identities = ['eventId', 'eventType', 'taskId', 'template', 'endpointId'];

function identityRefusal(before: Record<string, unknown>, after: unknown): string | undefined {
  if (!isObject(after)) return 'the patched body: expected an object';
  const changed = identities.find((name) => before[name] !== after[name]);
  return changed === undefined ? undefined : `${changed}: expected it to stay as it is`;
}

const emailTypes: ReadonlySet<string> = new Set(Object.values(emailTasks).map(({ type }) => type));

function typeRefusal(type: string, body: unknown): string | undefined {
  if (emailTypes.has(type)) {
    const task = parseEmailTask(body);
    return task.ok ? undefined : task.reason;
  }
  if (type === webhookDeliveryType) {
    const delivery = parseWebhookDelivery(body);
    return delivery.ok
      ? undefined
      : `${delivery.reason}; where it goes is the endpoint's: correct that (PATCH /webhook-endpoints/{id}) and replay unedited`;
  }
  if (!Object.hasOwn(eventContracts, type)) return undefined;
  const read = readEvent(eventContracts, body);
  return read.status === 'event' ? undefined : read.error;
}

function parsed(content: Uint8Array): Record<string, unknown> | undefined {
  try {
    const body: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content));
    return isObject(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
