import type { OrderActRow, StoreTransaction } from '../ports/store.ts';

/**
 * The number of the attempt that an act causes: the one it was given before, by whichever run, else the next after every
 * act and every attempt of the order on record. Called under the order's lock. `fresh`: whether the act may still be
 * numbered. Undefined for an act that is not known and may not.
 */
export async function numberAct(
  tx: StoreTransaction,
  { orderId, actId, kind, recordedAtUtc }: Omit<OrderActRow, 'n'>,
  { fresh }: { fresh: boolean },
): Promise<number | undefined> {
  const acts = await tx.orderActs.list(orderId);
  const known = acts.find((act) => act.actId === actId);
  if (known || !fresh) return known?.n;
  const attempts = kind === 'payment' ? await tx.payments.list(orderId) : await tx.shipments.list(orderId);
  const used = [...acts.filter((act) => act.kind === kind), ...attempts];
  const n = Math.max(1, ...used.map((one) => one.n)) + 1;
  await tx.orderActs.insert({ orderId, actId, kind, n, recordedAtUtc });
  return n;
}
