import { describe, expect, test } from 'vitest';
import { orderSubject } from '../../domain/audit.ts';
import { operationKeys, type OrderId } from '../../domain/ids.ts';
import type { OrderView } from '../../domain/order.ts';
import {
  approveOrder,
  cancelOrder,
  extendHold,
  resolveParked,
  setShippingAddress,
  updatePayment,
} from '../../workflows/messages.ts';
import { goodAddress, until } from '../setup/saga-environment.ts';
import { casesFixture } from '../support/cases-fixture.ts';
import { createBreakableDeps } from '../e2e/breakable-deps.ts';
import { act, booksOf, newOrderId, sagaSuite, type StartedOrder } from '../e2e/saga-suite.ts';
import { createStoreSwitch } from '../e2e/switchable-store.ts';

const breakable = createBreakableDeps();
const small = { attemptTimeoutMs: 1_000, budgetMs: 1_000, maximumIntervalMs: 100 };
const isHeld = ({ hold }: OrderView): boolean => hold !== undefined;
const isParked = ({ parked }: OrderView): boolean => parked !== undefined;
const refusedAtLabel = { ...goodAddress, street1: 'LABEL-REFUSED 1' };

describe('what was decided before an order lost its run', () => {
  const saga = sagaSuite({ wrap: breakable.wrap });

  /** Terminates the run and starts the order again, from SQL alone where `forgotten`. */
  async function again(order: StartedOrder, options: Parameters<typeof casesFixture>[1] = {}) {
    await order.terminate('by mistake');
    await new Promise((resolve) => setTimeout(resolve, 700));
    for (const key of breakable.keys) if (key.includes(order.orderId)) breakable.keys.delete(key);
    const cases = casesFixture(saga(), options);
    expect(await cases.act(order.orderId, 'restart')).toMatchObject({ status: 202 });
    return cases;
  }

  /** An act is decided for other runs as well once SQL has it. */
  const recorded = (orderId: OrderId, what: string) =>
    until(
      () => saga().deps.store.read.audit(orderSubject(orderId)),
      (rows) => rows.some(({ reason }) => reason.startsWith(what)),
    );

  async function breaking(orderId: OrderId, operation: string) {
    const [provider, kind, mode] = [
      operation.startsWith('s') ? 'easypost' : 'stripe',
      'outage',
      '503',
    ] as const;
    await saga().addFault({ provider, operation, kind, mode, id: orderId, match: { orderId } });
    return () => saga().removeFault(orderId);
  }

  test('another card for a parked payment is the only one that is charged', async () => {
    const orderId = newOrderId();
    const mend = await breaking(orderId, 'payment_intents.confirm');
    const first = { orderId, paymentMethodId: 'pm_card_mastercard' };
    const order = await saga().start(first, { steps: { payment: small } });
    await saga().until(orderId, isParked);
    breakable.keys.add(operationKeys.processPayment(orderId, 2));
    const input = { paymentMethodId: 'pm_card_visa' };
    await order.executeUpdate(resolveParked, { args: [{ ...act, action: 'retry-with', input }] });
    await recorded(orderId, 'retry-with');
    await mend();
    const cases = await again(order);
    expect(await cases.end(orderId)).toMatchObject({ status: 'completed' });
    await saga().check(orderId);
    const { ledger, provider } = await booksOf(saga(), orderId);
    const states = Object.fromEntries(provider.intents.map(({ intent, status }) => [intent, status]));
    expect(ledger.payments.map(({ n, intentId = '' }) => [n, states[intentId]])).toEqual([
      [1, 'canceled'],
      [2, 'succeeded'],
    ]);
  });

  test('a label that a person bought while the order was parked is the only one', async () => {
    const orderId = newOrderId();
    const mend = await breaking(orderId, 'shipments.create');
    const order = await saga().start({ orderId }, { steps: { shipping: small } });
    await saga().until(orderId, isParked);
    await mend();
    const { carrier } = saga().deps;
    const made = await carrier.createShipment({
      reference: operationKeys.generateShipment(orderId, 1),
      address: goodAddress,
      items: (await saga().view(orderId)).items,
      timeoutMs: 2_000,
    });
    if (made.status !== 'created') throw new Error(made.reason);
    await carrier.buy({ ...made, rateId: made.rates[0]?.rateId ?? '', timeoutMs: 2_000 });
    /* Until then an attempt of ours may still buy a label. */
    await new Promise((done) => setTimeout(done, 2 * small.attemptTimeoutMs));
    const cases = await again(order);
    expect(await cases.end(orderId)).toMatchObject({ status: 'completed' });
    await saga().check(orderId);
    const { ledger } = await booksOf(saga(), orderId);
    expect(ledger.shipments).toMatchObject([{ state: 'bought', providerShipmentId: made.shipmentId }]);
  });

  test.each([{}, { forgotten: true }])(
    'an address that was corrected while the order waited for its payment is the one that it goes to (%o)',
    async (options) => {
      const order = await saga().start({ paymentMethodId: 'pm_card_chargeDeclined' });
      const { orderId } = order;
      await saga().until(orderId, isHeld);
      for (const street1 of ['7 Other Road', '8 Other Road'])
        await order.executeUpdate(setShippingAddress, {
          args: [{ ...act, address: { ...goodAddress, street1 } }],
        });
      await until(
        () => saga().deps.store.transaction((tx) => tx.orders.find(orderId)),
        (row) => row?.shippingAddress.street1 === '8 Other Road',
      );
      const cases = await again(order, options);
      const run = saga().client.workflow.getHandle(order.workflowId);
      await saga().until(orderId, isHeld);
      await run.executeUpdate(updatePayment, { args: [{ ...act, paymentMethodId: 'pm_card_visa' }] });
      expect(await cases.end(orderId)).toMatchObject({ status: 'completed' });
      await saga().check(orderId);
      const { ledger, provider } = await booksOf(saga(), orderId);
      expect(ledger.shipments.map(({ n }) => n)).toEqual([3]);
      expect(provider.labels).toHaveLength(1);
      const stored = await saga().deps.store.transaction((tx) => tx.orders.find(orderId));
      expect(stored?.shippingAddress.street1).toBe('8 Other Road');
    },
  );

  test('another service for a parked label is the one that is bought', async () => {
    const orderId = newOrderId();
    const mend = await breaking(orderId, 'shipments.create');
    const order = await saga().start({ orderId }, { steps: { shipping: small } });
    await saga().until(orderId, isParked);
    const input = { service: 'Priority' };
    await order.executeUpdate(resolveParked, { args: [{ ...act, action: 'retry-with', input }] });
    await recorded(orderId, 'retry-with');
    const cases = await again(order);
    await mend();
    await cases.end(orderId);
    expect((await booksOf(saga(), orderId)).view.shipment?.service).toBe('Priority');
  });

  test('an approval is not asked for again, and one that is missing is, also from SQL alone', async () => {
    const policy = { approval: { riskMarked: true } };
    const marked = { riskMark: 'new-account' };
    const approved = newOrderId();
    breakable.keys.add(operationKeys.processPayment(approved, 1));
    const order = await saga().start({ ...marked, orderId: approved }, policy);
    await saga().until(approved, isHeld);
    await order.executeUpdate(approveOrder, { args: [act] });
    await recorded(approved, act.reason);
    const cases = await again(order, { forgotten: true, policy });
    expect(await cases.end(approved)).toMatchObject({ status: 'completed' });

    const unseen = newOrderId();
    breakable.keys.add(operationKeys.reserveInventory(unseen));
    const early = await saga().start({ ...marked, orderId: unseen }, policy);
    await saga().until(unseen, ({ step }) => step === 'inventory');
    await again(early, { forgotten: true, policy });
    await saga().until(unseen, ({ hold }) => hold?.status === 'awaiting_approval');
    await saga().client.workflow.getHandle(early.workflowId).terminate();
    const fixture = casesFixture(saga(), { forgotten: true });
    expect(await fixture.act(unseen, 'restart')).toMatchObject({ status: 202 });
    const { hold } = await saga().until(unseen, isHeld);
    expect(hold).toMatchObject({
      status: 'awaiting_approval',
      reason: expect.stringContaining('new-account'),
    });
    const run = saga().client.workflow.getHandle(early.workflowId);
    await run.executeUpdate(approveOrder, { args: [act] });
    expect(await fixture.end(unseen)).toMatchObject({ status: 'completed' });
  });

  test('a hold that was extended lasts as long in the next run', async () => {
    const order = await saga().start({ paymentMethodId: 'pm_card_chargeDeclined' });
    await saga().until(order.orderId, isHeld);
    const untilUtc = new Date(Date.now() + 5 * 60 * 60 * 1_000).toISOString();
    await order.executeUpdate(extendHold, { args: [{ ...act, untilUtc }] });
    await recorded(order.orderId, `until ${untilUtc}`);
    const cases = await again(order);
    expect((await saga().until(order.orderId, isHeld)).hold?.untilUtc).toBe(untilUtc);
    const run = saga().client.workflow.getHandle(order.workflowId);
    await run.executeUpdate(updatePayment, { args: [{ ...act, paymentMethodId: 'pm_card_visa' }] });
    expect(await cases.end(order.orderId)).toMatchObject({ status: 'completed' });
  });
});

describe('an act on an order that is started again while SQL is away', () => {
  const sql = createStoreSwitch();
  const saga = sagaSuite({ wrap: sql.wrap });

  test('is told as pending, numbered when SQL answers, and buys one label', async () => {
    const order = await saga().start({ shippingAddress: refusedAtLabel });
    const { orderId } = order;
    await saga().until(orderId, isHeld);
    await order.terminate('by mistake');
    await new Promise((resolve) => setTimeout(resolve, 500));
    sql.away = true;
    const cases = casesFixture(saga());
    expect(await cases.act(orderId, 'restart')).toMatchObject({ status: 202 });
    const run = saga().client.workflow.getHandle(order.workflowId);
    const answer = await run.executeUpdate(setShippingAddress, { args: [{ ...act, address: goodAddress }] });
    expect(answer).toMatchObject({ pending: ['shipping-address'] });
    const told = await cases.ask('PUT', `/orders/${orderId}/shipping-address`, goodAddress);
    expect(told).toMatchObject({ status: 202, body: { pending: ['shipping-address', 'shipping-address'] } });
    sql.away = false;
    expect(await cases.end(orderId)).toMatchObject({ status: 'completed' });
    await saga().check(orderId);
    const { ledger, provider, audit } = await booksOf(saga(), orderId);
    expect(provider.labels).toHaveLength(1);
    /* Both addresses have a number; the order goes to the newer one. */
    expect(ledger.shipments.map(({ n, state }) => [n, state])).toEqual([
      [1, 'refused'],
      [3, 'bought'],
    ]);
    expect(audit.filter(({ to }) => to === 'overtaken' || to === 'refused')).toHaveLength(1);
  });

  test('what is said before a first run is on record is pending as well, and has its effect', async () => {
    sql.away = true;
    const [order, cancelled] = [await saga().start(), await saga().start()];
    const taken = await cancelled.executeUpdate(cancelOrder, { args: [act] });
    expect(taken).toMatchObject({ cancelRequested: { actor: act.actor } });
    expect(taken.pending).toEqual(['cancel']);
    const answer = await order.executeUpdate(setShippingAddress, {
      args: [{ ...act, address: { ...goodAddress, street1: '7 Other Road' } }],
    });
    expect(answer.pending).toEqual(['shipping-address']);
    sql.away = false;
    expect(await order.result()).toMatchObject({ status: 'completed' });
    const { ledger } = await booksOf(saga(), order.orderId);
    expect(ledger.shipments.map(({ n }) => n)).toEqual([2]);
    expect(await cancelled.result()).toMatchObject({ status: 'cancelled' });
    await saga().check(order.orderId);
    await saga().check(cancelled.orderId);
  });
});
