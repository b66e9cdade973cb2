import { randomUUID } from 'node:crypto';
import { emailDestination } from '../domain/destinations.ts';
import { emailTasks, type HelpDeskTask } from '../domain/email-task.ts';
import { orderId } from '../domain/ids.ts';
import type { Chat } from '../ports/chat.ts';
import type { Clock } from '../ports/clock.ts';
import type { StoreReads, StoreTransaction } from '../ports/store.ts';
import { moneyEvents } from './help-desk-money.ts';
import { helpDeskText, type WaitingOrder } from './help-desk-text.ts';
import type { createSubscribe } from './subscribe.ts';
import type { EventContext, Subscription } from './subscription.ts';

export interface HelpDeskDeps {
  subscribe: ReturnType<typeof createSubscribe<StoreTransaction>>;
  /** Events as they were written, in the house's words. */
  read: Pick<StoreReads, 'events'>;
  /** Address of the people. */
  mailTo: string;
  /** A channel that people read, beside the mail. */
  chat?: Chat | undefined;
  /** Begins links and commands. */
  apiUrl: string;
  clock: Clock;
}

const events = [
  'order.held.v1',
  'order.approval_requested.v1',
  'order.shipping_suspended.v1',
  'order.hold_reminded.v1',
  'order.parked.v1',
  ...moneyEvents,
] as const;

/**
 * Tells people about every order that waits for one, once per hold or parking, and again when half of a hold's time is
 * gone: by mail, which goes through the email
 * queue like any other, and by chat where one is given. Mail and chat have a queue each, so that neither waits for the
 * other nor is told twice for its sake. Resolves when the queues stand, waiting for the broker.
 */
export async function startHelpDesk(deps: HelpDeskDeps): Promise<Subscription[]> {
  const { subscribe, chat } = deps;
  const mail = subscribe({
    service: 'order-saga',
    subscription: 'help-desk-mail',
    events,
    handler: (event, context) => askForMail(deps, event, context),
  });
  if (chat === undefined) return [await mail];
  const posts = subscribe({
    service: 'order-saga',
    subscription: 'help-desk-chat',
    events,
    async handler(event, context) {
      const { subject, lines } = helpDeskText(await insideWords(deps, event, context), deps.apiUrl);
      const answer = await chat.post([`*${subject}*`, ...lines].join('\n'));
      return answer.status === 'posted' ? undefined : { reject: 'chat-refused', error: answer.reason };
    },
  });
  return Promise.all([mail, posts]);
}

/** Idempotent by eventId: the mark and the mail's row are one transaction. */
async function askForMail(
  deps: HelpDeskDeps,
  event: WaitingOrder,
  context: EventContext<StoreTransaction>,
): Promise<void> {
  const { type, priority } = emailTasks['help-desk'];
  const told = await insideWords(deps, event, context);
  const task: HelpDeskTask = {
    taskId: randomUUID(),
    template: 'help-desk',
    to: deps.mailTo,
    orderId: event.payload.orderId,
    ...helpDeskText(told, deps.apiUrl),
  };
  await context.once((tx) =>
    tx.messages.add({
      id: task.taskId,
      occurredAtUtc: deps.clock.nowUtc(),
      type,
      payload: JSON.stringify(task),
      destination: emailDestination,
      orderId: orderId(task.orderId),
      sequence: 0,
      traceparent: context.traceparent ?? '',
      priority,
    }),
  );
}

/**
 * The event as SQL has it: on the broker it says what outsiders may read. Where SQL does not answer or has it no more, people
 * are told what the broker has, rather than nothing.
 */
async function insideWords<Event extends WaitingOrder>(
  { read }: HelpDeskDeps,
  event: Event,
  { logger }: Pick<EventContext<StoreTransaction>, 'logger'>,
): Promise<Event> {
  const { eventId, payload, metadata } = event;
  try {
    const found = await read.events({
      orderId: orderId(payload.orderId),
      afterSequence: metadata.sequence - 1,
    });
    return (found.find((written) => written.eventId === eventId) as Event | undefined) ?? event;
  } catch (error) {
    logger.warn({ err: error }, 'the help desk is told in outside words: SQL did not answer');
    return event;
  }
}
