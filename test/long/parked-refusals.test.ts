import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operationKeys } from '../../domain/ids.ts';
import type { Parked } from '../../domain/order.ts';
import type { PolicyChanges } from '../../domain/policy.ts';
import type { FaultRuleInput } from '../../sandbox/faults/fault-rules.ts';
import { cancelOrder, resolveParked, resolveSignal, type ResolveParked } from '../../workflows/messages.ts';
import { goodAddress, startSagaEnvironment, until, type SagaEnvironment } from '../setup/saga-environment.ts';
import { endOf } from '../e2e/breakable-deps.ts';
import {
  act,
  auditedActs,
  detailsOf,
  expectEnd,
  newOrderId,
  refusalOf,
  type StartedOrder,
} from '../e2e/saga-suite.ts';

const small = { attemptTimeoutMs: 1_200, budgetMs: 2_000, initialIntervalMs: 50, maximumIntervalMs: 100 };
/** Small budgets only where the order is meant to park. */
const policyOf = ({ provider }: FaultRuleInput): PolicyChanges => ({
  steps: provider === 'stripe' ? { payment: small } : { shipping: small },
  checkReferenceMs: 20_000,
});
const outage = { kind: 'outage', mode: '503' } as const;
const charges: FaultRuleInput = { provider: 'stripe', operation: 'payment_intents.create', ...outage };
const labels: FaultRuleInput = { provider: 'easypost', operation: 'shipments.create', ...outage };
const timeoutMs = 2_000;

describe('a parked step', () => {
  /* Strangers' payments and labels are at the providers: only single orders are held against the invariants. */
  let environment: SagaEnvironment | undefined;
  beforeAll(async () => {
    environment = await startSagaEnvironment();
  });
  afterAll(() => environment?.close());
  const saga = () => environment as SagaEnvironment;

  async function park(fault: FaultRuleInput): Promise<StartedOrder> {
    const orderId = newOrderId();
    await saga().addFault({ ...fault, id: orderId, match: { orderId } });
    const order = await saga().start({ orderId }, policyOf(fault));
    await saga().until(orderId, ({ sagaState }) => sagaState === 'parked');
    await saga().removeFault(orderId);
    return order;
  }
  const noAttemptLeft = () => new Promise((done) => setTimeout(done, 2 * small.attemptTimeoutMs));
  const resolve = (order: StartedOrder, input: object) =>
    order.executeUpdate(resolveParked, { args: [{ ...act, ...input } as ResolveParked] });
  const mark = (order: StartedOrder, reference: string) => resolve(order, { action: 'mark-done', reference });

  async function chargeByHand(orderId: string, amountMinor: number, metadata = orderId) {
    const { payments } = saga().deps;
    const key = crypto.randomUUID();
    const created = await payments.create({
      idempotencyKey: key,
      operationKey: key,
      orderId: metadata as StartedOrder['orderId'],
      amount: { amountMinor, currency: 'INR' },
      paymentMethodId: 'pm_card_visa',
      timeoutMs,
    });
    const intentId = created.status === 'created' ? created.intentId : '';
    const confirm = () => payments.confirm({ idempotencyKey: `confirm-${key}`, intentId, timeoutMs });
    const refund = (amount: number) =>
      payments.refund({
        idempotencyKey: `refund-${key}`,
        operationKey: key,
        orderId: metadata as StartedOrder['orderId'],
        intentId,
        amount: { amountMinor: amount, currency: 'INR' },
        timeoutMs,
      });
    return { intentId, confirm, refund };
  }

  test.concurrent('takes no payment that the provider does not confirm as this order’s own', async () => {
    const order = await park(charges);
    const elsewhere = newOrderId();
    const open = await chargeByHand(order.orderId, 749_900);
    expect(await refusalOf(mark(order, open.intentId))).toMatch(
      /is unconfirmed at the provider; expected ch/,
    );
    expect(await refusalOf(mark(order, 'pi_unheard_of'))).toMatch(/Reference pi_unheard_of is not taken/);
    const cheap = await chargeByHand(elsewhere, 100_000, order.orderId);
    await cheap.confirm();
    expect(await refusalOf(mark(order, cheap.intentId))).toMatch(/charged 1000.00 INR; expected 7499.00 INR/);
    await cheap.refund(100_000);
    const foreign = await chargeByHand(elsewhere, 749_900);
    await foreign.confirm();
    expect(await refusalOf(mark(order, foreign.intentId))).toContain(`expected orderId ${order.orderId}`);
    await open.confirm();
    await open.refund(749_900);
    expect(await refusalOf(mark(order, open.intentId))).toMatch(/was refunded/);
    expect(await detailsOf(order)).toMatch(/Refused update resolve at .*was refunded/);
    const refused = await until(
      () => auditedActs(saga(), order.orderId, 'resolve'),
      (rows) => rows.length === 5,
    );
    expect(refused[0]).toMatch(/^refused: .*is unconfirmed/);
    await order.executeUpdate(cancelOrder, { args: [act] });
    await expect(order.result()).resolves.toMatchObject({ status: 'cancelled' });
  });

  test.concurrent('takes no label that the carrier does not confirm as this order’s own', async () => {
    const order = await park(labels);
    const { carrier } = saga().deps;
    const { items } = await saga().view(order.orderId);
    const byHand = async (reference: string) => {
      const made = await carrier.createShipment({ reference, address: goodAddress, items, timeoutMs });
      if (made.status !== 'created') throw new Error(made.reason);
      return made;
    };
    const own = operationKeys.generateShipment(order.orderId, 1);
    const [foreign, unbought] = [await byHand(`shipment-${newOrderId()}-1`), await byHand(own)];
    await carrier.buy({ ...foreign, rateId: foreign.rates[0]?.rateId ?? '', timeoutMs });
    /* Until then an attempt of ours may still buy a label. */
    await noAttemptLeft();
    expect(await refusalOf(mark(order, foreign.shipmentId))).toContain(`expected ${own}`);
    expect(await refusalOf(mark(order, unbought.shipmentId))).toMatch(/has no label at the carrier/);
    expect(await refusalOf(mark(order, 'shp_unheard_of'))).toMatch(/is not taken; the order stays/);
    await resolve(order, { action: 'retry' });
    await endOf(order);
    await expectEnd(saga(), order, { status: 'completed' });
  });

  test.concurrent('charges no second time beside a charge that a person has made meanwhile', async () => {
    const order = await park(charges);
    const byHand = await chargeByHand(order.orderId, 749_900);
    await byHand.confirm();
    await resolve(order, { action: 'retry' });
    await endOf(order);
    await expectEnd(saga(), order, { status: 'completed' });
    const [ledger] = await saga().deps.store.read.ledger(order.orderId);
    expect(ledger?.payments).toMatchObject([{ state: 'charged', intentId: byHand.intentId }]);
  });

  test.concurrent(
    'keeps no money that a person has taken: a cancel waits until it was given back',
    async () => {
      const order = await park(charges);
      const byHand = await chargeByHand(order.orderId, 749_900);
      await byHand.confirm();
      await order.executeUpdate(cancelOrder, { args: [act] });
      const { parked } = await saga().until(order.orderId, (view) => view.parked?.activity === 'seekCharges');
      expect(parked).toMatchObject({ failureType: 'FoundAtProvider', actions: ['retry', 'skip'] });
      expect(parked?.failure).toContain(byHand.intentId);
      await byHand.refund(749_900);
      await resolve(order, { action: 'retry' });
      await expect(order.result()).resolves.toMatchObject({ status: 'cancelled' });
      await saga().check(order.orderId);
    },
  );

  test.concurrent('buys no second label beside one that a person has bought meanwhile', async () => {
    const order = await park(labels);
    const { carrier } = saga().deps;
    const { items } = await saga().view(order.orderId);
    const reference = operationKeys.generateShipment(order.orderId, 1);
    const byHand = await carrier.createShipment({ reference, address: goodAddress, items, timeoutMs });
    if (byHand.status !== 'created') throw new Error(byHand.reason);
    const bought = await carrier.buy({ ...byHand, rateId: byHand.rates.at(-1)?.rateId ?? '', timeoutMs });
    if (bought.status !== 'bought') throw new Error(bought.status);
    await noAttemptLeft();
    await resolve(order, { action: 'retry' });
    await endOf(order);
    const { view } = await expectEnd(saga(), order, { status: 'completed' });
    expect(view.shipment?.trackingCode).toBe(bought.label.trackingCode);
  });

  test.concurrent('waits for a person where a label by hand differs, and shows him what', async () => {
    const order = await park(labels);
    const { carrier } = saga().deps;
    const { items } = await saga().view(order.orderId);
    const reference = operationKeys.generateShipment(order.orderId, 1);
    const address = { ...goodAddress, name: 'Somebody Else' };
    const byHand = await carrier.createShipment({ reference, address, items, timeoutMs });
    if (byHand.status !== 'created') throw new Error(byHand.reason);
    const { shipmentId } = byHand;
    await carrier.buy({ ...byHand, rateId: byHand.rates[0]?.rateId ?? '', timeoutMs });
    await noAttemptLeft();
    await resolve(order, { action: 'retry' });
    const { parked } = await saga().until(
      order.orderId,
      ({ parked: now, sagaState }) => sagaState === 'parked' && now?.budgets === 2,
    );
    expect(parked?.failure).toMatch(/FoundAtProvider: .*differs from the order's address in name/);
    expect(await refusalOf(resolve(order, { action: 'retry', confirmDifferences: true }))).toMatch(
      /takes no confirmDifferences/,
    );
    expect(await refusalOf(mark(order, shipmentId))).toMatch(/name "Somebody Else", expected/);
    const audited = await until(
      () => auditedActs(saga(), order.orderId, 'resolve'),
      (rows) => rows.some((row) => row.includes('in name')),
    );
    expect(audited.join('; ')).not.toContain('Somebody Else');
    await resolve(order, { action: 'mark-done', reference: shipmentId, confirmDifferences: true });
    await endOf(order);
    await expectEnd(saga(), order, { status: 'completed' });
  });

  /** On a busy machine the small budget may end before the carrier is asked; then once more. */
  async function tryPigeon(order: StartedOrder, budgets: number): Promise<Parked> {
    await resolve(order, { action: 'retry-with', input: { service: 'Pigeon' } });
    const { parked } = await saga().until(
      order.orderId,
      ({ parked: now, sagaState }) => sagaState === 'parked' && (now?.budgets ?? 0) > budgets,
      40_000,
    );
    if (parked?.failureType === 'TimeoutFailure') return tryPigeon(order, parked.budgets);
    return parked as Parked;
  }

  test.concurrent('is parked again at once for a service that the carrier does not offer', async () => {
    const order = await park(labels);
    const parked = await tryPigeon(order, 1);
    expect(parked).toMatchObject({ step: 'shipping', failureType: 'ServiceNotOffered' });
    expect(parked.failure).toMatch(/no service "Pigeon" .* it offers: GroundAdvantage, Priority, Ground/);
    await resolve(order, { action: 'retry' });
    await endOf(order);
    const { view } = await expectEnd(saga(), order, { status: 'completed' });
    expect(view.shipment?.service).toBe('GroundAdvantage');
  });

  const unreadable: [object, RegExp][] = [
    [{ action: 'retry', input: { service: 'Priority' } }, /"retry" takes no input; retry-with does/],
    [{ action: 'retry', reference: 'shp_1' }, /"retry" takes no reference; mark-done does/],
    [{ action: 'retry-with' }, /input: expected {"service":"…"} for shipping; came nothing/],
    [{ action: 'retry-with', input: { paymentMethodId: 'pm' } }, /for shipping; came paymentMethodId/],
    [{ action: 'retry-with', input: { service: '' } }, /input.service: expected a text/],
    [{ action: 'retry-with', input: { service: 'a', also: 'b' } }, /came service, also/],
    [{ action: 'retry-with', input: 'Priority' }, /came nothing/],
    [{ action: 'mark-done' }, /reference: expected the provider's id of the bought shipment/],
    [{ action: 'mark-done', reference: '../shp_1' }, /reference: expected the provider's id/],
    [{ action: 'mark-done', reference: 'shp_1', input: {} }, /"mark-done" takes no input/],
    [{}, /"undefined" is no action of resolve/],
  ];

  test.concurrent('refuses what it cannot read, by update and by signal alike', async () => {
    const order = await park(labels);
    for (const [input, reason] of unreadable) {
      expect(await refusalOf(resolve(order, input))).toMatch(reason);
      await order.signal(resolveSignal, { ...act, ...input });
    }
    const rows = await until(
      () => auditedActs(saga(), order.orderId, 'resolve'),
      (found) => found.length === unreadable.length,
    );
    for (const [index, [, reason]] of unreadable.entries()) expect(rows[index]).toMatch(reason);
    await resolve(order, { action: 'retry' });
    await endOf(order);
    await expectEnd(saga(), order, { status: 'completed' });
  });

  test.concurrent('is resolved by one of two operators, and the other is told who was faster', async () => {
    const order = await park(labels);
    const as = (actor: string, action: 'retry' | 'cancel') =>
      order.executeUpdate(resolveParked, { args: [{ actor, reason: 'my turn', action }] });
    const answers = await Promise.allSettled([
      as('grace', 'retry'),
      as('ada', 'retry'),
      as('alan', 'cancel'),
    ]);
    const won = answers.findIndex(({ status }) => status === 'fulfilled');
    const lost = answers.filter(({ status }) => status === 'rejected');
    expect(lost).toHaveLength(2);
    for (const answer of lost) {
      const { message } = (answer as { reason: { cause: Error } }).reason.cause;
      expect(message).toMatch(
        /Another operator, (grace|ada), has just resolved it|cancelled already, by alan|not parked/,
      );
    }
    const status = won === 2 ? 'cancelled' : 'completed';
    await endOf(order);
    await expectEnd(saga(), order, { status });
  });

  test.concurrent('whose reference is being checked is left to that operator', async () => {
    const order = await park(labels);
    await saga().addFault({
      id: `slow-${order.orderId}`,
      provider: 'easypost',
      operation: 'shipments.retrieve',
      kind: 'latency',
      ms: 500,
    });
    const shipment = await saga().deps.carrier.createShipment({
      reference: operationKeys.generateShipment(order.orderId, 1),
      address: goodAddress,
      items: (await saga().view(order.orderId)).items,
      timeoutMs,
    });
    const { shipmentId } = shipment as { shipmentId: string };
    await noAttemptLeft();
    const checking = refusalOf(mark(order, shipmentId));
    await until(
      () => detailsOf(order),
      (details) => details.includes('is being checked') || details.includes('parked'),
    );
    await new Promise((done) => setTimeout(done, 150));
    const second = await refusalOf(resolve(order, { action: 'retry' }));
    expect(second).toMatch(/Another operator, help-desk, has given reference shp_.*, which is being checked/);
    expect(await checking).toMatch(/has no label at the carrier/);
    await saga().removeFault(`slow-${order.orderId}`);
    await resolve(order, { action: 'retry' });
    await endOf(order);
    await expectEnd(saga(), order, { status: 'completed' });
  });
});
