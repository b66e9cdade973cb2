import { describe, expect, test } from 'vitest';
import { operationKeys, type OrderId } from '../../domain/ids.ts';
import { resolveActions, type ResolveAction } from '../../domain/order.ts';
import type { PolicyChanges } from '../../domain/policy.ts';
import type { FaultRuleInput } from '../../sandbox/faults/fault-rules.ts';
import { cancelOrder, resolveParked, type ResolveParked } from '../../workflows/messages.ts';
import { goodAddress } from '../setup/saga-environment.ts';
import { createBreakableDeps, endOf } from './breakable-deps.ts';
import { act, expectEnd, newOrderId, refusalOf, sagaSuite, type StartedOrder } from './saga-suite.ts';

const small = { attemptTimeoutMs: 800, budgetMs: 900, initialIntervalMs: 50, maximumIntervalMs: 100 };

/** Small budgets only where the order is meant to park: an innocent step has to get through on a busy machine. */
const policyOf = ({ activity, cancelledAt }: Parking): PolicyChanges => ({
  steps: {
    ...(cancelledAt ? {} : { [activity]: small }),
    ...(cancelledAt === 'label' ? { shipping: small } : {}),
    ...(activity === 'closeOrder' ? { completion: small } : {}),
  },
  compensation: { ...small, attemptTimeoutMs: 1_500, budgetMs: 2_000 },
  localActivityMs: 200,
  addressVerification: 'required',
  checkReferenceMs: 20_000,
});

const outage = { kind: 'outage', mode: '503' } as const;
const charges: FaultRuleInput = { provider: 'stripe', operation: 'payment_intents.create', ...outage };
const labels: FaultRuleInput = { provider: 'easypost', operation: 'shipments.create', ...outage };
const refunds: FaultRuleInput = { provider: 'stripe', operation: 'refunds.create', ...outage };
const lostLabel: FaultRuleInput[] = [
  { provider: 'easypost', operation: 'shipments.retrieve', ...outage },
  { provider: 'easypost', operation: 'shipments.buy', kind: 'hang-after' },
];

/** How an order comes to be parked at an activity. */
interface Parking {
  activity: string;
  faults?: FaultRuleInput[];
  key?: (id: OrderId) => string;
  street?: string;
  /** Held after payment for its address, and canceled there; or canceled while its label is parked. */
  cancelledAt?: 'held' | 'label';
}

type Case = Parking & { legal: Partial<Record<ResolveAction, 'completed' | 'cancelled'>> };

const parkings: Case[] = [
  {
    activity: 'receive',
    key: operationKeys.recordOrder,
    legal: { retry: 'completed', cancel: 'cancelled' },
  },
  {
    activity: 'inventory',
    key: operationKeys.reserveInventory,
    legal: { retry: 'completed', cancel: 'cancelled' },
  },
  {
    activity: 'address',
    street: 'UNVERIFIED',
    legal: { retry: 'completed', skip: 'completed', cancel: 'cancelled' },
  },
  {
    activity: 'payment',
    faults: [charges],
    legal: { retry: 'completed', 'retry-with': 'completed', 'mark-done': 'completed', cancel: 'cancelled' },
  },
  {
    activity: 'fulfillment',
    key: operationKeys.createFulfillment,
    legal: { retry: 'completed', cancel: 'cancelled' },
  },
  {
    activity: 'shipping',
    faults: [labels],
    legal: { retry: 'completed', 'retry-with': 'completed', 'mark-done': 'completed', cancel: 'cancelled' },
  },
  { activity: 'completion', key: operationKeys.completeOrder, legal: { retry: 'completed' } },
  {
    activity: 'closeOrder',
    key: operationKeys.closeOrder,
    cancelledAt: 'held',
    legal: { retry: 'cancelled' },
  },
  {
    activity: 'releaseInventory',
    key: operationKeys.releaseInventory,
    cancelledAt: 'held',
    legal: { retry: 'cancelled' },
  },
  {
    activity: 'cancelFulfillment',
    key: operationKeys.cancelFulfillment,
    cancelledAt: 'held',
    legal: { retry: 'cancelled' },
  },
  {
    activity: 'refundPayment',
    faults: [refunds],
    cancelledAt: 'held',
    legal: { retry: 'cancelled', 'mark-done': 'cancelled' },
  },
  {
    activity: 'voidShipment',
    faults: lostLabel,
    cancelledAt: 'label',
    legal: { retry: 'cancelled', 'mark-done': 'cancelled' },
  },
];

describe('an order that is parked', () => {
  const broken = createBreakableDeps();
  const saga = sagaSuite({ wrap: broken.wrap });
  const timeoutMs = 2_000;

  async function park(parking: Parking): Promise<StartedOrder> {
    const orderId = newOrderId();
    for (const [index, fault] of (parking.faults ?? []).entries()) {
      await saga().addFault({ ...fault, id: `${orderId}-${index}`, match: { orderId } });
    }
    if (parking.key) broken.keys.add(parking.key(orderId));
    if (parking.street) broken.streets.add(`${parking.street} ${orderId}`);
    const street1 = parking.street ? `${parking.street} ${orderId}` : '12 Road';
    const shippingAddress = {
      ...goodAddress,
      street1: parking.cancelledAt === 'held' ? 'LABEL-REFUSED' : street1,
    };
    const order = await saga().start({ orderId, shippingAddress }, policyOf(parking));
    if (parking.cancelledAt === 'held') await saga().until(orderId, ({ hold }) => hold !== undefined, 40_000);
    if (parking.cancelledAt === 'label') await parkedAt(order, 'shipping');
    if (parking.cancelledAt) await order.executeUpdate(cancelOrder, { args: [act] });
    await parkedAt(order, parking.activity);
    return order;
  }

  const parkedAt = (order: StartedOrder, activity: string) =>
    saga().until(order.orderId, ({ parked }) => parked?.activity === activity, 40_000);

  async function mend({ orderId }: StartedOrder, { faults = [], key, street }: Parking): Promise<void> {
    for (const index of faults.keys()) await saga().removeFault(`${orderId}-${index}`);
    if (key) broken.keys.delete(key(orderId));
    if (street) broken.streets.delete(`${street} ${orderId}`);
  }

  const resolve = (order: StartedOrder, input: Partial<ResolveParked>) =>
    order.executeUpdate(resolveParked, { args: [{ ...act, ...input } as ResolveParked] });

  /** A person does at the provider what the step could not, and says what to look for. */
  const byHand: Record<string, (order: StartedOrder) => Promise<string>> = {
    async payment({ orderId }) {
      const { payments } = saga().deps;
      const amount = { amountMinor: 749_900, currency: 'INR' as const };
      const request = { operationKey: `by-hand-${orderId}`, orderId, amount, timeoutMs };
      const created = await payments.create({
        ...request,
        idempotencyKey: `by-hand-${orderId}`,
        paymentMethodId: 'pm_card_visa',
      });
      const intentId = created.status === 'created' ? created.intentId : '';
      await payments.confirm({ idempotencyKey: `confirm-by-hand-${orderId}`, intentId, timeoutMs });
      return intentId;
    },
    async shipping({ orderId }) {
      const { carrier } = saga().deps;
      const reference = operationKeys.generateShipment(orderId, 1);
      const items = (await saga().view(orderId)).items;
      const created = await carrier.createShipment({ reference, address: goodAddress, items, timeoutMs });
      if (created.status !== 'created') throw new Error(created.reason);
      const { shipmentId, rates } = created;
      await carrier.buy({ shipmentId, rateId: rates[0]?.rateId ?? '', timeoutMs });
      return shipmentId;
    },
    async refundPayment({ orderId }) {
      const [ledger] = await saga().deps.store.read.ledger(orderId);
      const payment = ledger?.payments[0];
      if (!payment?.intentId) throw new Error('nothing was charged');
      const key = `refund-by-hand-${orderId}`;
      const { intentId, amount } = payment;
      const request = { idempotencyKey: key, operationKey: key, orderId, intentId, amount, timeoutMs };
      const answer = await saga().deps.payments.refund(request);
      if (answer.status !== 'taken') throw new Error(answer.reason);
      return answer.refund.refundId;
    },
    async voidShipment({ orderId }) {
      const [ledger] = await saga().deps.store.read.ledger(orderId);
      const shipmentId = ledger?.shipments[0]?.providerShipmentId ?? '';
      await saga().deps.carrier.refundLabel({ shipmentId, timeoutMs });
      return shipmentId;
    },
  };

  async function actOf(order: StartedOrder, activity: string, action: ResolveAction) {
    if (action === 'mark-done') {
      const reference = await byHand[activity]?.(order);
      /* Until then an attempt of ours may still buy a label. */
      if (activity === 'shipping') await new Promise((done) => setTimeout(done, 2 * small.attemptTimeoutMs));
      /* The person's label goes to another street of the same postal code. */
      return { action, reference, ...(activity === 'shipping' ? { confirmDifferences: true } : {}) };
    }
    if (action !== 'retry-with') return { action };
    const input =
      activity === 'payment' ? { paymentMethodId: 'pm_card_mastercard' } : { service: 'Priority' };
    return { action, input };
  }

  async function take(parking: Case, action: ResolveAction, status: 'completed' | 'cancelled') {
    const { activity, cancelledAt } = parking;
    const order = await park(parking);
    if (action === 'retry') await refuseOthers(order, parking);
    /* What is skipped or canceled is so while the provider is still away. */
    const early = action === 'skip' || action === 'cancel';
    if (!early) await mend(order, parking);
    const input = (await actOf(order, activity, action)) as Partial<ResolveParked>;
    const byItself = await resolve(order, input).then(
      () => false,
      /* A compensation may have gone on by itself meanwhile. */
      (error: unknown) => {
        if (!cancelledAt || activity === 'closeOrder') throw error;
        return true;
      },
    );
    if (early && activity === 'receive') await mend(order, parking);
    await endOf(order);
    const { provider, view, audit } = await expectEnd(saga(), order, { status });
    expect(byItself || audit.some(({ reason }) => reason.includes(act.reason))).toBe(true);
    if (action === 'retry-with' && activity === 'shipping') expect(view.shipment?.service).toBe('Priority');
    if (action === 'mark-done' && status === 'completed') expect(provider.charged).toHaveLength(1);
  }

  async function refuseOthers(order: StartedOrder, parking: Case) {
    const legal = Object.keys(parking.legal);
    expect((await saga().view(order.orderId)).parked?.actions).toEqual(legal);
    for (const action of resolveActions.filter((one) => !legal.includes(one))) {
      const refusal = await refusalOf(resolve(order, { action }));
      expect(refusal).toContain(`"${action}" is not possible for ${parking.activity}: `);
      expect(refusal).toContain(`possible now: ${legal.join(', ')}.`);
    }
  }

  test.concurrent.for(parkings)(
    'at $activity takes each legal act, and refuses the others with what it takes',
    async (parking) => {
      const legal = Object.entries(parking.legal) as [ResolveAction, 'completed' | 'cancelled'][];
      expect(legal.length).toBeGreaterThan(0);
      await Promise.all(legal.map(([action, status]) => take(parking, action, status)));
    },
  );
});
