import type { OrderView } from '../../domain/order.ts';
import type { PolicyChanges } from '../../domain/policy.ts';
import { setShippingAddress } from '../../workflows/messages.ts';
import { act, type StartedOrder } from '../e2e/saga-suite.ts';
import { goodAddress, type SagaEnvironment } from '../setup/saga-environment.ts';
import { bankOf } from '../support/customer-bank.ts';
import { startUntil, type Fate } from './lead-order.ts';

const refusedAtLabel = { shippingAddress: { ...goodAddress, street1: 'LABEL-REFUSED 1' } };
const isHeld = ({ hold }: OrderView): boolean => hold !== undefined;

/** Charged, and disputed before its label. */
async function disputed(
  saga: SagaEnvironment,
  policy: PolicyChanges = {},
): Promise<{ order: StartedOrder; id: string }> {
  const order = await startUntil(saga, isHeld, refusedAtLabel, policy);
  const id = await bankOf(saga).dispute(order.orderId);
  await order.executeUpdate(setShippingAddress, { args: [{ ...act, address: goodAddress }] });
  await saga.until(order.orderId, ({ hold }) => hold?.status === 'payment_disputed');
  return { order, id };
}

/** The charge is disputed before the label is bought. */
export const disputeFates: Record<string, Fate> = {
  'completed-dispute-won': async (saga) => {
    const { order, id } = await disputed(saga);
    await bankOf(saga).decide(id, 'won');
    await bankOf(saga).notice({ kind: 'dispute', id });
    return order;
  },
  'completed-dispute-polled': async (saga) => {
    const { order, id } = await disputed(saga, { actionPollMs: 100 });
    await bankOf(saga).decide(id, 'won');
    return order;
  },
  'failed-dispute-lost': async (saga) => {
    const { order, id } = await disputed(saga);
    await bankOf(saga).decide(id, 'lost');
    await bankOf(saga).notice({ kind: 'dispute', id });
    return order;
  },
  'failed-dispute-deadline': async (saga) => (await disputed(saga, { holdDisputeMs: 1_500 })).order,
};
