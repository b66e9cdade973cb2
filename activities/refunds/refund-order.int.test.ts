import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectSqliteStore } from '../../adapters/sqlite/sqlite-store.ts';
import type { OrderId } from '../../domain/ids.ts';
import type { Store } from '../../ports/store.ts';
import { createModelledOrder, attemptTimeoutMs, type Scene } from '../../test/support/modelled-order.ts';
import { holdsInStorms, isRefused, reached } from '../../test/support/random-failures.ts';

const HOUR = 3_600_000;
const charge = 149_900;

describe('a refund that an operator asked for', () => {
  let folder: string;
  let store: Store;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'order-saga-refunds-'));
    store = await connectSqliteStore({ path: join(folder, 'orders.sqlite') });
  });
  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  const wanted = (orderId: OrderId, refundId: string, amountMinor: number) => ({
    orderId,
    refundId,
    amount: { amountMinor, currency: 'INR' as const },
    reason: 'one key was stuck',
    actor: 'help-desk',
    fingerprint: 'f',
  });

  async function given(scene: Omit<Scene, 'store'> = {}) {
    const order = await createModelledOrder({ store, ...scene });
    const { orderId, once } = order;
    await once((a) => a.processPayment({ orderId, n: 1, paymentMethodId: 'pm_1', attemptTimeoutMs }));
    return {
      ...order,
      ask: (refundId: string, amountMinor: number, confirm: { confirmSameAmount?: true } = {}) =>
        once((a) => a.requestRefund({ ...wanted(orderId, refundId, amountMinor), ...confirm })),
      give: (refundId: string) => once((a) => a.refundPart({ orderId, refundId, attemptTimeoutMs })),
      requests: () => order.stripe.sent.filter((request) => request.startsWith('refund ')),
      back: () => [...order.stripe.intents.values()].flatMap(({ refunds }) => refunds),
    };
  }

  test('whose reply got lost is found after its key was forgotten, and not sent again', async () => {
    const order = await given();
    await order.ask('a', 50_000);
    order.stripe.breakNext('refund', 'reply-lost');
    await expect(order.give('a')).resolves.toMatchObject({ error: { type: 'OutcomeUnknown' } });
    order.world.pass(25 * HOUR);
    await expect(order.give('a')).resolves.toMatchObject({ value: { state: 'refunded' } });
    expect(order.requests()).toHaveLength(1);
    expect(order.back()).toMatchObject([{ amount: { amountMinor: 50_000 } }]);
    expect((await order.ledger()).payments).toMatchObject([{ state: 'charged' }]);
  });

  test('of an amount that went back within 24 hours must be confirmed, whoever asks under whichever key', async () => {
    const order = await given();
    expect(await order.ask('a', 50_000)).toMatchObject({ value: { status: 'taken' } });
    /* Also while the first one is still to be sent, and after it. */
    expect(await order.ask('b', 50_000)).toMatchObject({ value: { code: 'same_amount' } });
    await order.give('a');
    expect(await order.ask('b', 50_000)).toMatchObject({ value: { code: 'same_amount' } });
    expect(await order.ask('a', 50_000)).toMatchObject({ value: { status: 'taken' } });
    expect(await order.ask('c', 30_000)).toMatchObject({ value: { status: 'taken' } });
    expect(await order.ask('b', 50_000, { confirmSameAmount: true })).toMatchObject({
      value: { status: 'taken', refund: { refundId: 'b' } },
    });
    expect((await order.ledger()).refunds).toHaveLength(3);
  });

  test('of an amount that failed, or went back a day ago, needs no confirmation', async () => {
    const order = await given();
    await order.ask('a', 50_000);
    order.world.pass(23 * HOUR);
    expect(await order.ask('b', 50_000)).toMatchObject({ value: { code: 'same_amount' } });
    order.world.pass(HOUR);
    expect(await order.ask('b', 50_000)).toMatchObject({ value: { status: 'taken' } });
    const [intent] = order.stripe.charged();
    if (intent) intent.amount = { ...intent.amount, amountMinor: 100 };
    expect(await order.give('b')).toMatchObject({ value: { state: 'failed' } });
    expect(await order.ask('c', 49_000)).toMatchObject({ value: { status: 'taken' } });
  });

  test('is answered once and for good, without another request', async () => {
    const order = await given();
    await order.ask('a', 50_000);
    const first = await order.give('a');
    order.world.pass(1_000 * HOUR);
    expect(await order.give('a')).toMatchObject({ value: (first as { value: object }).value });
    expect(order.requests()).toHaveLength(1);
  });

  test('goes through after any number of failures that the provider has stored, once', async () => {
    const order = await given();
    await order.ask('a', 50_000);
    for (let round = 0; round < 5; round += 1) {
      order.stripe.breakNext('refund', 'spent');
      await order.give('a');
      await order.give('a').catch(() => {});
    }
    order.stripe.breakNext('refund', 'spent-with-effect');
    for (let round = 0; round < 3; round += 1) await order.give('a');
    expect(order.back()).toHaveLength(1);
    expect((await order.ledger()).refunds).toMatchObject([{ state: 'refunded' }]);
  });

  test('that has been refused by the provider for good has failed, and its amount is free again', async () => {
    const order = await given();
    await order.ask('a', charge - 1);
    const [intent] = order.stripe.charged();
    if (intent) intent.amount = { ...intent.amount, amountMinor: 100 };
    await expect(order.give('a')).resolves.toMatchObject({
      value: { state: 'failed', failure: 'more than is left' },
    });
    expect(await order.ask('b', 100)).toMatchObject({ value: { status: 'taken' } });
    expect(await order.ledger()).toMatchObject({
      refunds: [{ state: 'failed' }, { state: 'requested' }],
      eventTypes: ['payment.processed.v1', 'refund.failed.v1'],
    });
  });

  test('of all of an order whose label is being bought waits for that; cancel would be refused as well', async () => {
    const order = await given();
    const { orderId, carrier, once } = order;
    await store.transaction((tx) =>
      tx.orders.update({
        orderId,
        status: 'fulfillment_created',
        sagaState: 'running',
        updatedAtUtc: order.world.clock.nowUtc(),
      }),
    );
    expect(await order.ask('a', charge)).toMatchObject({ value: { code: 'cancel_instead' } });
    carrier.breakNext('buy', 'reply-lost');
    const address = { name: 'A', street1: '1 Road', city: 'Pune', postalCode: '411001', country: 'IN' };
    await once((a) => a.generateShipment({ orderId, n: 1, address, attemptTimeoutMs }));
    expect(await order.ask('a', charge)).toMatchObject({ value: { code: 'being_shipped' } });
    expect(await order.ask('b', 100)).toMatchObject({ value: { status: 'taken' } });
    const stop = () => once((a) => a.stopShipping({ orderId }));
    expect(await stop()).toMatchObject({ value: { stopped: false } });
    order.world.pass(3 * attemptTimeoutMs);
    expect(await order.ask('a', charge - 100)).toMatchObject({ value: { code: 'cancel_instead' } });
    await store.transaction((tx) =>
      tx.orders.update({ orderId, sagaState: 'parked', updatedAtUtc: order.world.clock.nowUtc() }),
    );
    expect(await order.ask('a', charge - 100)).toMatchObject({ value: { code: 'cancel_instead' } });
    expect(await stop()).toMatchObject({ value: { stopped: true } });
    expect(await order.ask('a', charge - 100)).toMatchObject({ value: { code: 'compensating' } });
  });

  test('that comes after the compensation has refunded everything is not told as money that is missing', async () => {
    const owedIn = async (orderId: OrderId) => {
      const events = await store.read.events({ orderId, afterSequence: 0 });
      return events.filter(({ eventType }) => eventType === 'refund.failed.v1').map(({ payload }) => payload);
    };
    const overtaken = await given();
    await overtaken.ask('a', 50_000);
    await overtaken.once((a) => a.refundPayment({ orderId: overtaken.orderId, attemptTimeoutMs }));
    await expect(overtaken.give('a')).resolves.toMatchObject({ value: { state: 'failed' } });
    expect(await owedIn(overtaken.orderId)).toMatchObject([{ amount: 500, owed: 0 }]);

    const kept = await given();
    await kept.ask('a', 50_000);
    const [intent] = kept.stripe.charged();
    if (intent) intent.amount = { ...intent.amount, amountMinor: 100 };
    await expect(kept.give('a')).resolves.toMatchObject({ value: { state: 'failed' } });
    expect(await owedIn(kept.orderId)).toMatchObject([{ amount: 500, owed: 500 }]);
  });

  test('is refused while the order is taken back, which refunds what is left', async () => {
    const order = await given();
    const { orderId } = order;
    await order.ask('a', 50_000);
    await order.give('a');
    await order.once((a) => a.refundPayment({ orderId, attemptTimeoutMs }));
    expect(await order.ask('b', 1)).toMatchObject({ value: { status: 'refused', code: 'compensating' } });
    expect(order.back().map(({ amount }) => amount.amountMinor)).toEqual([99_900, 50_000]);
    expect((await order.ledger()).payments).toMatchObject([{ state: 'refunded' }]);
  });

  test('happens once under any interleaving with another refund and with the compensation, and all of it within the charge', async () => {
    await holdsInStorms(async (storm) => {
      const order = await createModelledOrder({ store, ...storm });
      const { orderId, world, stripe } = order;
      await order.charged({ amountMinor: charge, currency: 'INR' });
      const taken = new Set<string>();
      const refund = (refundId: string, amountMinor: number) => ({
        name: refundId,
        wanted: () => true,
        reached,
        attempt: (actor: Parameters<typeof order.act>[0]) =>
          order.act(actor, async (a) => {
            const answer = await a.requestRefund(wanted(orderId, refundId, amountMinor));
            if (answer.status === 'refused') return answer;
            taken.add(refundId);
            return a.refundPart({ orderId, refundId, attemptTimeoutMs });
          }),
      });
      const answers = await world.run([
        refund('a', 40_000),
        refund('b', 70_000),
        {
          name: 'compensation',
          wanted: (step) => step > storm.from,
          reached,
          attempt: (actor) => order.act(actor, (a) => a.refundPayment({ orderId, attemptTimeoutMs })),
        },
      ]);
      const ledger = await order.ledger();
      const explain = `${world.log.join('\n')}\n${JSON.stringify(ledger)}`;
      expect(answers.filter(isRefused), explain).toEqual([]);
      const back = [...(stripe.intents.get('pi_1')?.refunds ?? [])];
      const keys = back.map(({ operationKey }) => operationKey);
      expect(new Set(keys).size, explain).toBe(keys.length);
      const total = back.reduce((sum, { amount }) => sum + amount.amountMinor, 0);
      expect(total, explain).toBe(charge);
      const standing = ledger.refunds.filter(({ state }) => state === 'refunded');
      expect(new Set(standing.map(({ providerRefundId }) => providerRefundId)), explain).toEqual(
        new Set(back.map(({ refundId }) => refundId)),
      );
      for (const refundId of taken) {
        const state = ledger.refunds.find((row) => row.refundId === refundId)?.state;
        expect(['refunded', 'failed'], explain).toContain(state);
      }
      const told = ledger.eventTypes.filter((type) => type === 'payment.refunded.v1');
      expect(told, explain).toHaveLength(back.length);
      expect(ledger.payments, explain).toMatchObject([{ state: 'refunded' }]);
    }, 120);
  });
});
