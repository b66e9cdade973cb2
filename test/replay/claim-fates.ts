import type { OrderView } from '../../domain/order.ts';
import {
  cancelOrder,
  paymentSignal,
  resolveParked,
  updatePayment,
  type ResolveParked,
} from '../../workflows/messages.ts';
import { act, booksOf, type StartedOrder } from '../e2e/saga-suite.ts';
import type { SagaEnvironment } from '../setup/saga-environment.ts';
import { breaking, isParked, mend, small, startUntil, type Fate } from './lead-order.ts';

const outage = { kind: 'outage' } as const;
const timeoutMs = 2_000;
const asksCustomer = { paymentMethodId: 'pm_card_authenticationRequired' };
const isHeld = ({ hold }: OrderView): boolean => hold !== undefined;

const resolve = (order: StartedOrder, input: Omit<ResolveParked, 'actor' | 'reason'>) =>
  order.executeUpdate(resolveParked, { args: [{ ...act, ...input }] });

/** A person charges the order at the payment provider. */
async function chargeByHand({ deps }: SagaEnvironment, { orderId }: StartedOrder): Promise<string> {
  const created = await deps.payments.create({
    idempotencyKey: `by-hand-${orderId}`,
    operationKey: `by-hand-${orderId}`,
    orderId,
    amount: { amountMinor: 749_900, currency: 'INR' },
    paymentMethodId: 'pm_card_visa',
    timeoutMs,
  });
  if (created.status !== 'created') throw new Error(JSON.stringify(created));
  const { intentId } = created;
  await deps.payments.confirm({ idempotencyKey: `confirm-by-hand-${orderId}`, intentId, timeoutMs });
  return intentId;
}

/** Held for the customer, and parked there since his payment cannot be looked up. */
async function parkedInHold(saga: SagaEnvironment): Promise<StartedOrder> {
  const orderId = await breaking(saga);
  const steps = { payment: { attemptTimeoutMs: 400, budgetMs: 1_000, maximumIntervalMs: 100 } };
  const order = await startUntil(saga, isHeld, { ...asksCustomer, orderId }, { steps });
  const lookup = { provider: 'stripe', operation: 'payment_intents.retrieve', ...outage } as const;
  await saga.addFault({ ...lookup, id: `${orderId}-0`, match: { orderId } });
  await saga.until(orderId, isParked);
  await mend(saga, order);
  return order;
}

/** What a person did at a provider, and an order that is parked inside a hold. */
export const claimFates: Record<string, Fate> = {
  'completed-parked-payment-marked-done': async (saga) => {
    const orderId = await breaking(saga, {
      provider: 'stripe',
      operation: 'payment_intents.create',
      ...outage,
    });
    const order = await startUntil(saga, isParked, { orderId }, { steps: { payment: small } });
    await mend(saga, order);
    await resolve(order, { action: 'mark-done', reference: await chargeByHand(saga, order) });
    return order;
  },
  'cancelled-parked-void-marked-done': async (saga) => {
    const orderId = await breaking(
      saga,
      { provider: 'easypost', operation: 'shipments.retrieve', ...outage },
      { provider: 'easypost', operation: 'shipments.buy', kind: 'hang-after' },
    );
    const compensation = { attemptTimeoutMs: 1_500, budgetMs: 3_000 };
    const order = await startUntil(saga, isParked, { orderId }, { steps: { shipping: small }, compensation });
    await order.executeUpdate(cancelOrder, { args: [act] });
    await saga.until(orderId, ({ parked }) => parked?.activity === 'voidShipment');
    await mend(saga, order);
    const { ledger } = await booksOf(saga, orderId);
    const shipmentId = ledger.shipments[0]?.providerShipmentId ?? '';
    await saga.deps.carrier.refundLabel({ shipmentId, timeoutMs });
    await resolve(order, { action: 'mark-done', reference: shipmentId });
    return order;
  },
  'completed-parked-while-customer-awaited': async (saga) => {
    const order = await parkedInHold(saga);
    await resolve(order, { action: 'retry' });
    await saga.until(order.orderId, ({ sagaState }) => sagaState === 'held');
    await order.executeUpdate(updatePayment, { args: [{ ...act, paymentMethodId: 'pm_card_visa' }] });
    return order;
  },
  'completed-another-card-while-customer-awaited': async (saga) => {
    const order = await parkedInHold(saga);
    await resolve(order, { action: 'retry-with', input: { paymentMethodId: 'pm_card_mastercard' } });
    return order;
  },
  'completed-card-refused-while-parked-in-hold': async (saga) => {
    const order = await parkedInHold(saga);
    await order.signal(paymentSignal, { ...act, paymentMethodId: 'pm_card_visa' });
    await resolve(order, { action: 'retry-with', input: { paymentMethodId: 'pm_card_mastercard' } });
    return order;
  },
  'cancelled-parked-while-customer-awaited': async (saga) => {
    const order = await parkedInHold(saga);
    await order.executeUpdate(cancelOrder, { args: [act] });
    return order;
  },
};
