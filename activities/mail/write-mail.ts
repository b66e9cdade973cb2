import { emailDestination } from '../../domain/destinations.ts';
import { emailTasks, type EmailTask } from '../../domain/email-task.ts';
import type { OrderId } from '../../domain/ids.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import { traceparentOf } from '../transition.ts';

/** A task without its id, which is that of its message. */
type Unsent = EmailTask extends infer Task ? (Task extends EmailTask ? Omit<Task, 'taskId'> : never) : never;

/**
 * Puts one mail on its way, in the caller's transaction, through the outbox to the email queue. Every call is a mail: the
 * caller's operation, or row, makes it once. Without a trace where the order's is not known.
 */
export async function writeMail(
  tx: StoreTransaction,
  { mail, orderId, traceId, nowUtc }: { mail: Unsent; orderId: OrderId; traceId?: string; nowUtc: string },
): Promise<void> {
  const taskId = crypto.randomUUID();
  const { type, priority } = emailTasks[mail.template];
  await tx.messages.add({
    id: taskId,
    occurredAtUtc: nowUtc,
    type,
    payload: JSON.stringify({ taskId, ...mail }),
    destination: emailDestination,
    orderId,
    sequence: 0,
    traceparent: traceId === undefined ? '' : traceparentOf(traceId, taskId),
    priority,
  });
}
