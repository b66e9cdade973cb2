import { operationKeys, type OrderId } from '../../domain/ids.ts';
import type { PolicyChanges } from '../../domain/policy.ts';
import type { FaultRuleInput } from '../../sandbox/faults/fault-rules.ts';
import { cancelOrder, resolveParked, resolveSignal, type ResolveParked } from '../../workflows/messages.ts';
import { act, refusalOf, type StartedOrder } from '../e2e/saga-suite.ts';
import { goodAddress, type SagaEnvironment } from '../setup/saga-environment.ts';
import { breaking, isParked, mend, small, startUntil, type Fate } from './lead-order.ts';

const outage = { kind: 'outage' } as const;
const noLabel: FaultRuleInput = { provider: 'easypost', operation: 'shipments.create', ...outage };
const noCharge: FaultRuleInput = { provider: 'stripe', operation: 'payment_intents.create', ...outage };
const noRefund: FaultRuleInput = { provider: 'stripe', operation: 'refunds.create', ...outage };
const noVerification: FaultRuleInput = { provider: 'easypost', operation: 'addresses.verify', ...outage };
const policy: PolicyChanges = { steps: { shipping: small, payment: small, address: small } };
const timeoutMs = 2_000;

const resolve = (order: StartedOrder, input: Omit<ResolveParked, 'actor' | 'reason'>) =>
  order.executeUpdate(resolveParked, { args: [{ ...act, ...input }] });

const park = async (saga: SagaEnvironment, fault: FaultRuleInput): Promise<StartedOrder> => {
  const orderId = await breaking(saga, fault);
  const order = await startUntil(saga, isParked, { orderId }, policy);
  await mend(saga, order);
  return order;
};

/** A person buys the order's label at the carrier. */
async function buyLabel({ deps, view }: SagaEnvironment, orderId: OrderId): Promise<string> {
  const created = await deps.carrier.createShipment({
    reference: operationKeys.generateShipment(orderId, 1),
    address: goodAddress,
    items: (await view(orderId)).items,
    timeoutMs,
  });
  if (created.status !== 'created') throw new Error(created.reason);
  await deps.carrier.buy({ ...created, rateId: created.rates[0]?.rateId ?? '', timeoutMs });
  return created.shipmentId;
}

/** A person charges the order at the payment provider's own desk; answers how it is given back there. */
async function chargeByHand(
  { deps, view }: SagaEnvironment,
  orderId: OrderId,
): Promise<() => Promise<unknown>> {
  const { total: amount } = await view(orderId);
  if (!amount) throw new Error(`order ${orderId} has no total`);
  const key = `by-hand-${orderId}`;
  const keys = { idempotencyKey: key, operationKey: key, timeoutMs };
  const made = await deps.payments.create({ ...keys, orderId, amount, paymentMethodId: 'pm_card_visa' });
  if (made.status !== 'created') throw new Error(made.reason);
  const { intentId } = made;
  await deps.payments.confirm({ ...keys, idempotencyKey: `${key}-confirm`, intentId });
  return () => deps.payments.refund({ ...keys, idempotencyKey: `${key}-refund`, orderId, intentId, amount });
}

/** A person refunds the order's charge at the payment provider. */
async function refundCharge({ deps }: SagaEnvironment, orderId: OrderId): Promise<string> {
  const [ledger] = await deps.store.read.ledger(orderId);
  const { intentId = '', amount } = ledger?.payments[0] ?? {};
  if (!amount) throw new Error(`order ${orderId} has no payment`);
  const key = `by-hand-${orderId}`;
  const request = { idempotencyKey: key, operationKey: key, orderId, intentId, amount, timeoutMs };
  const answer = await deps.payments.refund(request);
  if (answer.status !== 'taken') throw new Error(answer.reason);
  return answer.refund.refundId;
}

const parkRefund = async (saga: SagaEnvironment, budgetMs: number): Promise<StartedOrder> => {
  const orderId = await breaking(saga, noRefund);
  const shippingAddress = { ...goodAddress, street1: 'LABEL-REFUSED 1' };
  const overrides = { orderId, shippingAddress };
  const order = await startUntil(saga, ({ hold }) => hold !== undefined, overrides, {
    compensation: { budgetMs },
  });
  await order.executeUpdate(cancelOrder, { args: [act] });
  await saga.until(orderId, isParked);
  return order;
};

/** Every way out of a parked step besides another try. */
export const parkedFates: Record<string, Fate> = {
  'completed-parked-another-service': async (saga) => {
    const order = await park(saga, noLabel);
    await resolve(order, { action: 'retry-with', input: { service: 'Pigeon' } });
    await saga.until(order.orderId, ({ parked }) => parked?.failureType === 'ServiceNotOffered');
    await resolve(order, { action: 'retry-with', input: { service: 'Priority' } });
    return order;
  },
  'completed-parked-another-card': async (saga) => {
    const order = await park(saga, noCharge);
    await resolve(order, { action: 'retry-with', input: { paymentMethodId: 'pm_card_mastercard' } });
    return order;
  },
  'completed-parked-label-marked-done': async (saga) => {
    const order = await park(saga, noLabel);
    await refusalOf(resolve(order, { action: 'mark-done', reference: 'shp_unheard_of' }));
    const reference = await buyLabel(saga, order.orderId);
    await new Promise((done) => setTimeout(done, 2 * small.attemptTimeoutMs));
    await order.signal(resolveSignal, { ...act, action: 'mark-done', reference });
    return order;
  },
  'completed-parked-label-found': async (saga) => {
    const order = await park(saga, noLabel);
    await buyLabel(saga, order.orderId);
    await new Promise((done) => setTimeout(done, 2 * small.attemptTimeoutMs));
    await resolve(order, { action: 'retry' });
    return order;
  },
  'completed-parked-charge-found': async (saga) => {
    const order = await park(saga, noCharge);
    await chargeByHand(saga, order.orderId);
    await resolve(order, { action: 'retry' });
    return order;
  },
  'cancelled-parked-charge-by-hand-refunded': async (saga) => {
    const order = await park(saga, noCharge);
    const refund = await chargeByHand(saga, order.orderId);
    await resolve(order, { action: 'cancel' });
    await saga.until(order.orderId, ({ parked }) => parked?.activity === 'seekCharges');
    await refund();
    await resolve(order, { action: 'retry' });
    return order;
  },
  'cancelled-parked-label-by-hand-sent-back': async (saga) => {
    const order = await park(saga, noLabel);
    const shipmentId = await buyLabel(saga, order.orderId);
    await new Promise((done) => setTimeout(done, 2 * small.attemptTimeoutMs));
    await resolve(order, { action: 'cancel' });
    await saga.until(order.orderId, ({ parked }) => parked?.activity === 'seekLabels');
    await saga.deps.carrier.refundLabel({ shipmentId, timeoutMs });
    await resolve(order, { action: 'retry' });
    return order;
  },
  'completed-parked-address-skipped': async (saga) => {
    await saga.addFault({ ...noVerification, id: 'no-verification' });
    const order = await startUntil(saga, isParked, {}, { ...policy, addressVerification: 'required' });
    await saga.removeFault('no-verification');
    await resolve(order, { action: 'skip' });
    return order;
  },
  'cancelled-parked-payment-resolved': async (saga) => {
    const order = await park(saga, noCharge);
    await resolve(order, { action: 'cancel' });
    return order;
  },
  'cancelled-parked-refund-marked-done': async (saga) => {
    const order = await parkRefund(saga, 2_000);
    await mend(saga, order);
    await resolve(order, { action: 'mark-done', reference: await refundCharge(saga, order.orderId) });
    return order;
  },
  'cancelled-parked-refund-by-itself': async (saga) => {
    const order = await parkRefund(saga, 500);
    await mend(saga, order);
    return order;
  },
};
