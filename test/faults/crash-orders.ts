import { expect } from 'vitest';
import type { FaultRuleInput } from '../../sandbox/faults/fault-rules.ts';
import { productId, type OrderId } from '../../domain/ids.ts';
import type { Money } from '../../domain/money.ts';
import type { HeldStatus, OrderView } from '../../domain/order.ts';
import type { PolicyChanges } from '../../domain/policy.ts';
import { cancelOrder, resolveParked, setShippingAddress, updatePayment } from '../../workflows/messages.ts';
import { booksOf, newOrderId } from '../e2e/saga-suite.ts';
import { goodAddress, type SagaEnvironment } from '../setup/saga-environment.ts';
import { providerDashboard } from '../support/provider-dashboard.ts';
import type { CrashingWorker } from './crashing-worker.ts';
import { crashPolicy, say } from './crash-plans.ts';
import type { KillPoint } from './kill-points.ts';

export interface CrashRun {
  saga: SagaEnvironment;
  worker: CrashingWorker;
  points: readonly KillPoint[];
  /** Faults at the providers for this order alone. */
  faults?: readonly FaultRuleInput[];
}

const timeoutMs = 5_000;
/** Two pages are read in half of an attempt, also on a busy machine. */
const listPolicy: PolicyChanges = {
  ...crashPolicy,
  allSteps: { ...crashPolicy.allSteps, attemptTimeoutMs: 8_000 },
};
/** What looks for strangers has as long as its budget; a killed attempt is noticed at its end. */
const seekPolicy: PolicyChanges = { ...crashPolicy, compensation: { budgetMs: 6_000 } };
const person = { actor: 'help-desk', reason: 'asked for by phone' };
const refusedAtLabel = { ...goodAddress, street1: 'LABEL-REFUSED 1' };

type Order = Awaited<ReturnType<CrashingWorker['start']>>;

/** One order whose worker dies at each of the points: it ships, with one charge and one label. */
export async function expectShippedOnce(run: CrashRun): Promise<void> {
  const orderId = newOrderId();
  await addFaults(run, orderId);
  const order = await run.worker.start(orderId, run.points, crashPolicy);
  await expect(order.result()).resolves.toMatchObject({ status: 'completed' });
  const { provider } = await settledBooks(run, order);
  expect(provider.charged).toHaveLength(1);
  expect(provider.refunded).toEqual([]);
  expect(provider.labels).toMatchObject([{ refundStatus: null }]);
}

/**
 * One paid order whose label was bought but nobody knows (the reply was lost, then the carrier went away), canceled
 * while it is parked; its worker dies at each of the points: charge, label and stock are taken back once.
 */
export async function expectTakenBackOnce(run: CrashRun): Promise<void> {
  const order = await boughtInTheDark(run);
  await addFaults(run, order.orderId);
  await order.executeUpdate(cancelOrder, { args: [person] });
  await expect(order.result()).resolves.toMatchObject({ status: 'cancelled' });
  const { provider } = await settledBooks(run, order);
  expect(provider.charged).toHaveLength(1);
  expect(provider.refunded).toHaveLength(1);
  expect(provider.labels).toHaveLength(1);
  expect(provider.labels).not.toMatchObject([{ refundStatus: null }]);
}

/**
 * One order whose card is declined and whose address is refused at the label: people charge and buy the label by hand
 * before they go on. Its worker dies at each of the points: what they have made is the order's, and there is no other.
 */
export async function expectHelpedOnce(run: CrashRun): Promise<void> {
  const { saga, worker, points } = run;
  const orderId = newOrderId();
  const overrides = { paymentMethodId: 'pm_card_chargeDeclined', shippingAddress: refusedAtLabel };
  const order = await worker.start(orderId, points, listPolicy, overrides);
  const desk = providerDashboard(saga, orderId);
  const intent = await desk.charge(await held(run, orderId, 'payment_failed'));
  await order.executeUpdate(updatePayment, { args: [{ ...person, paymentMethodId: 'pm_card_visa' }] });
  const shipment = await desk.label(await held(run, orderId, 'address_rejected'));
  await order.executeUpdate(setShippingAddress, { args: [{ ...person, address: goodAddress }] });
  await expect(order.result()).resolves.toMatchObject({ status: 'completed' });
  const { provider } = await settledBooks(run, order);
  expect(provider.charged).toMatchObject([{ intent }]);
  expect(provider.labels).toMatchObject([{ shipment, refundStatus: null }]);
}

/** One order that is canceled while it is held at its label: its worker dies while it asks for what people have left. */
export async function expectNothingLeft(run: CrashRun): Promise<void> {
  const orderId = newOrderId();
  const order = await run.worker.start(orderId, run.points, seekPolicy, { shippingAddress: refusedAtLabel });
  const desk = providerDashboard(run.saga, orderId);
  const shipmentId = await desk.label(await held(run, orderId, 'address_rejected'));
  await order.executeUpdate(cancelOrder, { args: [person] });
  await run.saga.until(
    orderId,
    ({ parked }) => parked?.failure.startsWith('FoundAtProvider') ?? false,
    120_000,
  );
  await desk.voidLabel(shipmentId);
  await order.executeUpdate(resolveParked, { args: [{ ...person, action: 'retry' }] });
  await expect(order.result()).resolves.toMatchObject({ status: 'cancelled' });
  const { provider } = await settledBooks(run, order);
  expect(provider).toMatchObject({ charged: [{}], refunded: [{}], labels: [{}] });
}

const held = ({ saga }: CrashRun, orderId: OrderId, status: HeldStatus): Promise<OrderView> =>
  saga.until(orderId, ({ hold }) => hold?.status === status, 120_000);

/** So many charges and labels of others that the providers' lists have a second page. */
export async function fillLists({ deps }: SagaEnvironment): Promise<void> {
  const { payments, carrier } = deps;
  const others = Array.from({ length: 101 }, () => newOrderId());
  const amount: Money = { amountMinor: 100_000, currency: 'INR' };
  for (const orderId of others) {
    const keys = { idempotencyKey: orderId, operationKey: orderId, timeoutMs };
    await payments.create({ ...keys, orderId, amount, paymentMethodId: 'pm_card_visa' });
    const made = await carrier.createShipment({
      reference: orderId,
      address: goodAddress,
      items: [{ productId: productId('keyboard-mx'), quantity: 1 }],
      timeoutMs,
    });
    if (made.status === 'created')
      await carrier.buy({ ...made, rateId: made.rates[0]?.rateId ?? '', timeoutMs });
  }
}

async function boughtInTheDark({ saga, worker, points }: CrashRun): Promise<Order> {
  const orderId = newOrderId();
  const carrier = { provider: 'easypost', match: { orderId } } as const;
  const away = `away-${orderId}`;
  await saga.addFault({ ...carrier, operation: 'shipments.buy', kind: 'reply-lost', times: 1 });
  await saga.addFault({ ...carrier, id: away, operation: 'shipments.retrieve', kind: 'error', status: 503 });
  const policy = { ...crashPolicy, steps: { shipping: { budgetMs: 1_500 } } };
  const order = await worker.start(orderId, points, policy);
  await saga.until(orderId, ({ sagaState }) => sagaState === 'parked', 60_000);
  await saga.removeFault(away);
  return order;
}

async function addFaults({ saga, faults = [] }: CrashRun, orderId: string): Promise<void> {
  for (const fault of faults) await saga.addFault({ ...fault, match: { orderId } });
}

/** The order's books, once it is certain that every kill happened and that the order fits together. */
async function settledBooks({ saga, worker, points }: CrashRun, { orderId }: Order) {
  const missed = worker.missed(orderId, points).map(say);
  expect(missed, `kill points that order ${orderId} never came to`).toEqual([]);
  await saga.check(orderId);
  return booksOf(saga, orderId);
}
