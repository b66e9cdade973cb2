import type { StoreTransaction } from '../../ports/store.ts';
import type { OrderActRow } from '../../ports/store/orders.ts';

export interface NumberedAct {
  n: number;
  /** No later act of its kind is on record: what it gives is what the order goes on with. */
  newest: boolean;
}

/**
 * The number of the attempt that an act causes: the one it was given before, by whichever run, else the next after every
 * act and every attempt of the order on record. Called under the order's lock. `fresh`: whether the act may still be
 * numbered. Undefined for an act that is not known and may not.
 */
export async function numberAct(
  tx: StoreTransaction,
  act: Omit<OrderActRow, 'n'>,
  options: { fresh: true },
): Promise<NumberedAct>;
export async function numberAct(
  tx: StoreTransaction,
  act: Omit<OrderActRow, 'n'>,
  options: { fresh: boolean },
): Promise<NumberedAct | undefined>;
export async function numberAct(
  tx: StoreTransaction,
  { orderId, actId, kind, recordedAtUtc }: Omit<OrderActRow, 'n'>,
  { fresh }: { fresh: boolean },
): Promise<NumberedAct | undefined> {
  const acts = await tx.orderActs.list(orderId);
  const given = acts.filter((act) => act.kind === kind).map(({ n }) => n);
  const known = acts.find((act) => act.actId === actId);
  if (known) return { n: known.n, newest: known.n === Math.max(...given) };
  if (!fresh) return undefined;
  const attempts = kind === 'payment' ? await tx.payments.list(orderId) : await tx.shipments.list(orderId);
  const n = Math.max(1, ...given, ...attempts.map((attempt) => attempt.n)) + 1;
  await tx.orderActs.insert({ orderId, actId, kind, n, recordedAtUtc });
  return { n, newest: true };
}
