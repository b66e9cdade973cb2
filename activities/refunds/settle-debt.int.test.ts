import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectSqliteStore } from '../../adapters/sqlite/sqlite-store.ts';
import { operationKeys } from '../../domain/ids.ts';
import { owedOf } from '../../domain/owed.ts';
import type { Store } from '../../ports/store.ts';
import { attemptTimeoutMs, createModelledOrder, type Scene } from '../../test/support/modelled-order.ts';
import { holdsInStorms, isRefused, reached } from '../../test/support/random-failures.ts';

const charge = 149_900;
const inr = (amountMinor: number) => ({ amountMinor, currency: 'INR' as const });

describe('a debt of an order whose charge the bank holds', () => {
  let folder: string;
  let store: Store;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'order-saga-debts-'));
    store = await connectSqliteStore({ path: join(folder, 'orders.sqlite') });
  });
  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function given(scene: Omit<Scene, 'store'> = {}) {
    const order = await createModelledOrder({ store, ...scene });
    const { orderId, once, stripe } = order;
    const opened = new Map<string, string>();
    return {
      ...order,
      pay: () => once((a) => a.processPayment({ orderId, n: 1, paymentMethodId: 'pm_1', attemptTimeoutMs })),
      takeBack: () => once((a) => a.refundPayment({ orderId, attemptTimeoutMs })),
      /** A refusal that is kept under the key costs one attempt. */
      settle: async () => {
        const attempt = () => once((a) => a.settleDebt({ orderId, n: 1, attemptTimeoutMs }));
        const first = await attempt();
        return 'error' in first ? attempt() : first;
      },
      bank: (dispute: 'open' | 'won' | 'lost') => {
        for (const { intentId } of stripe.charged()) {
          const id = opened.get(intentId) ?? stripe.dispute(intentId, 'open');
          opened.set(intentId, id);
          stripe.decide(id, dispute);
        }
      },
      back: () => [...stripe.intents.values()].flatMap(({ refunds }) => refunds),
      requests: () => stripe.sent.filter((request) => request.startsWith('refund ')),
    };
  }

  test('is the compensation’s stored answer, whoever asks again, and the dispute is on record', async () => {
    const order = await given();
    await order.pay();
    order.bank('open');
    const owed = { owed: [{ n: 1, amount: inr(charge) }] };
    expect(await order.takeBack()).toMatchObject({ value: owed });
    const requests = order.requests().length;
    order.bank('won');
    expect(await order.takeBack()).toMatchObject({ value: owed });
    expect(order.requests()).toHaveLength(requests);
    const ledger = await order.ledger();
    expect(ledger).toMatchObject({
      payments: [{ state: 'charged' }],
      refunds: [{ refundId: 'compensation-1', state: 'owed', actor: 'saga' }],
      disputes: [{ state: 'open', n: 1 }],
    });
    expect(ledger.eventTypes.slice(-2)).toEqual(['payment.disputed.v1', 'refund.owed.v1']);
    const stored = await store.transaction((tx) =>
      tx.operations.find(operationKeys.refundPayment(order.orderId)),
    );
    expect(stored?.outcome).toEqual({ done: owed });
  });

  test('is nothing where the dispute is lost already, and the rest where a part went back before', async () => {
    const lost = await given();
    await lost.pay();
    lost.bank('lost');
    expect(await lost.takeBack()).toMatchObject({ value: null });
    expect(owedOf(await lost.ledger())).toEqual([]);
    const part = await given();
    const { orderId } = part;
    await part.pay();
    const wanted = {
      orderId,
      refundId: 'a',
      amount: inr(40_000),
      reason: 'r',
      actor: 'desk',
      fingerprint: 'f',
    };
    await part.once((a) => a.requestRefund(wanted));
    await part.once((a) => a.refundPart({ orderId, refundId: 'a', attemptTimeoutMs }));
    part.bank('open');
    expect(await part.takeBack()).toMatchObject({ value: { owed: [{ amount: inr(charge - 40_000) }] } });
    part.bank('won');
    expect(await part.settle()).toMatchObject({ value: { state: 'refunded' } });
    expect(part.back().map(({ amount }) => amount.amountMinor)).toEqual([charge - 40_000, 40_000]);
  });

  test('sends nothing while the dispute is open, whatever it has asked before', async () => {
    const order = await given();
    await order.pay();
    order.bank('open');
    await order.takeBack();
    const requests = order.requests().length;
    const waits = { state: 'owed', dispute: { disputeId: 'dp_1_pi_1' } };
    expect(await order.settle()).toMatchObject({ value: waits });
    expect(await order.settle()).toMatchObject({ value: waits });
    expect(order.requests()).toHaveLength(requests);
  });

  test('is not given twice where somebody refunds at the provider’s desk meanwhile', async () => {
    const order = await given();
    await order.pay();
    order.bank('open');
    await order.takeBack();
    order.bank('won');
    const [intent] = order.stripe.charged();
    intent?.refunds.unshift({
      refundId: 're_desk',
      intentId: intent.intentId,
      status: 'succeeded',
      amount: inr(charge),
      createdAtUtc: order.world.clock.nowUtc(),
    });
    expect(await order.settle()).toMatchObject({ value: { state: 'canceled' } });
    expect(order.back()).toHaveLength(1);
    expect((await order.ledger()).payments).toMatchObject([{ state: 'refunded' }]);
  });

  test('is owed by a charge that lands after its compensation as well', async () => {
    const order = await given();
    const { stripe, world } = order;
    order.stripe.breakNext('confirm', 'reply-lost');
    await order.pay();
    expect(stripe.charged()).toHaveLength(1);
    await store.transaction((tx) =>
      tx.operations.begin({
        key: operationKeys.refundPayment(order.orderId),
        orderId: order.orderId,
        step: 'payment',
      }),
    );
    order.bank('open');
    world.pass(60_000);
    expect(isRefused(await order.pay())).toBe(true);
    expect(await order.ledger()).toMatchObject({ refunds: [{ state: 'owed', amount: inr(charge) }] });
    order.bank('won');
    expect(await order.settle()).toMatchObject({ value: { state: 'refunded' } });
    expect(order.back()).toHaveLength(1);
  });

  test('is settled once under any interleaving of two runs, the compensation, the bank and what fails', async () => {
    await holdsInStorms(async (storm) => {
      const order = await given(storm);
      const { orderId, world, stripe } = order;
      const fate = storm.from % 2 === 0 ? 'won' : 'lost';
      await order.charged(inr(charge));
      order.bank('open');
      world.also({ label: `the dispute is ${fate}`, run: () => order.bank(fate) });
      const settle = (name: string) => ({
        name,
        wanted: () => true,
        reached,
        attempt: (actor: Parameters<typeof order.act>[0]) =>
          order.act(actor, async (a) => {
            const owes = (await store.read.money(orderId))?.refunds.length;
            return owes ? a.settleDebt({ orderId, n: 1, attemptTimeoutMs }) : null;
          }),
      });
      const answers = await world.run([
        {
          name: 'compensation',
          wanted: () => true,
          reached,
          attempt: (actor) => order.act(actor, (a) => a.refundPayment({ orderId, attemptTimeoutMs })),
        },
        settle('debt'),
        settle('again'),
      ]);
      const explain = () => `${world.log.join('\n')}\n${JSON.stringify(stripe.intents.get('pi_1'))}`;
      expect(answers.filter(isRefused), explain()).toEqual([]);
      order.bank(fate);
      /* Earlier answers that are kept under the key, and requests that are on their way, take some more tries. */
      for (let tries = 0; tries < 6 && owedOf(await order.ledger()).length > 0; tries += 1) {
        world.pass(60_000);
        await order.settle();
      }
      const ledger = await order.ledger();
      const back = order.back().reduce((sum, { amount }) => sum + amount.amountMinor, 0);
      const told = ledger.eventTypes.filter((type) => type === 'payment.refunded.v1');
      expect(owedOf(ledger), explain()).toEqual([]);
      expect(back, explain()).toBeLessThanOrEqual(charge);
      const states = ledger.refunds.map(({ state }) => state);
      if (fate === 'won') {
        expect(back, explain()).toBe(charge);
        expect(states, explain()).toEqual(['refunded']);
        expect(ledger.payments, explain()).toMatchObject([{ state: 'refunded' }]);
      } else expect(['', 'canceled'], explain()).toContain(states.join());
      expect(told, explain()).toHaveLength(order.back().length);
    }, 90);
  });
});
