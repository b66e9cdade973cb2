import { emailDestination } from '../domain/destinations.ts';
import { emailTasks, type HelpDeskTask } from '../domain/email-task.ts';
import type { OrderId } from '../domain/ids.ts';
import type { StoreTransaction } from '../ports/store.ts';
import type { ActivityDeps } from './deps.ts';

/**
 * Tells the help desk what no event of an order says, by a mail in the caller's transaction; nothing where no help desk
 * is configured. Once per transaction that commits: the caller knows whether it was told before.
 */
export async function writeHelpDeskMail(
  { helpDeskMailTo: to, clock }: ActivityDeps,
  tx: StoreTransaction,
  mail: { orderId: OrderId; subject: string; lines: string[] },
): Promise<void> {
  if (to === undefined) return;
  const { type, priority } = emailTasks['help-desk'];
  const task: HelpDeskTask = { taskId: crypto.randomUUID(), template: 'help-desk', to, ...mail };
  await tx.messages.add({
    id: task.taskId,
    occurredAtUtc: clock.nowUtc(),
    type,
    payload: JSON.stringify(task),
    destination: emailDestination,
    orderId: mail.orderId,
    sequence: 0,
    traceparent: '',
    priority,
  });
}
