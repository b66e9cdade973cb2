import type { OrderId } from '../../domain/ids.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import type { ActivityDeps } from '../deps.ts';
import { writeMail } from './write-mail.ts';

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
  const { orderId } = mail;
  await writeMail(tx, { mail: { template: 'help-desk', to, ...mail }, orderId, nowUtc: clock.nowUtc() });
}
