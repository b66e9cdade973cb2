import { createHash } from 'node:crypto';
import { canonicalJson } from '../../domain/placed-request.ts';
import type { StoreTransaction } from '../store.ts';

const consumer = 'stock-requests';

/**
 * Whether a change of stock is asked for the first time under its key. Marked in the transaction of the change, so that
 * both stand or neither: `repeated` when the same change was made before, `reused` when the key stands for another.
 * Marks are kept as long as those of handled events (`npm run db:purge`).
 */
export async function markStockRequest(
  tx: Pick<StoreTransaction, 'processedEvents'>,
  input: { callerId: string; idempotencyKey: string; change: unknown; nowUtc: string },
): Promise<'first' | 'repeated' | 'reused'> {
  const { callerId, idempotencyKey, change, nowUtc: processedAtUtc } = input;
  const key = digest([callerId, idempotencyKey]).slice(0, 40);
  const mark = (eventId: string) => tx.processedEvents.mark({ consumer, eventId, processedAtUtc });
  const first = await mark(key);
  const sameChange = !(await mark(`${key}-${digest(change).slice(0, 40)}`));
  if (first) return 'first';
  return sameChange ? 'repeated' : 'reused';
}

const digest = (value: unknown): string => createHash('sha256').update(canonicalJson(value)).digest('hex');
