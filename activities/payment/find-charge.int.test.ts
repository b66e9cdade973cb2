import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectSqliteStore } from '../../adapters/sqlite/sqlite-store.ts';
import { orderSubject } from '../../domain/audit.ts';
import { operationKeys } from '../../domain/ids.ts';
import type { Money } from '../../domain/money.ts';
import type { Store } from '../../ports/store.ts';
import { attemptTimeoutMs, createModelledOrder } from '../../test/support/modelled-order.ts';

const total: Money = { amountMinor: 149_900, currency: 'INR' };
const found = { error: { type: 'FoundAtProvider', nonRetryable: true } };
const told = (why: RegExp) => ({ error: { message: expect.stringMatching(why) as string } });

const missing = (): never => {
  throw new Error('the order has no payment');
};

describe('a charge that a person has made at the payment provider', () => {
  let folder: string;
  let store: Store;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'order-saga-charges-'));
    store = await connectSqliteStore({ path: join(folder, 'orders.sqlite') });
  });
  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function given(fateOf: () => 'succeeds' | 'declines' = () => 'succeeds') {
    const order = await createModelledOrder({ store, fateOf });
    const { orderId, once } = order;
    const pay = (more: { n?: number; asked?: true } = {}) => {
      const { n = 1 } = more;
      return once((a) =>
        a.processPayment({ orderId, n, paymentMethodId: `pm_${n}`, attemptTimeoutMs, ...more }),
      );
    };
    return {
      ...order,
      pay: () => pay(),
      payAsked: (n = 1) => pay({ n, asked: true }),
      mark: (reference: string) =>
        once((a) =>
          a.markPaymentDone({ orderId, n: 1, reference, actor: 'ada', reason: 'seen', attemptTimeoutMs }),
        ),
      takeBack: () => once((a) => a.refundPayment({ orderId, attemptTimeoutMs })),
      seek: () => once((a) => a.seekCharges({ orderId, attemptTimeoutMs })),
      seekLabels: () => once((a) => a.seekLabels({ orderId, attemptTimeoutMs })),
      effects: () => order.stripe.sent.filter((what) => /^(create|confirm|refund) /.test(what)),
    };
  }

  describe('before a retry', () => {
    test('is the order’s, and no other is made', async () => {
      const order = await given();
      order.stripe.chargeByHand(order.orderId, total);
      const paid = { value: { intentId: 'pi_by_hand', amount: total } };
      await expect(order.payAsked()).resolves.toEqual(expect.objectContaining(paid));
      await expect(order.pay()).resolves.toEqual(expect.objectContaining(paid));
      expect(order.effects()).toEqual([]);
      const { payments, eventTypes } = await order.ledger();
      expect(payments).toMatchObject([{ n: 1, state: 'charged', intentId: 'pi_by_hand' }]);
      expect(eventTypes).toEqual(['payment.processed.v1']);
      const trail = await store.read.audit(orderSubject(order.orderId));
      expect(trail.at(-1)?.reason).toBe('a charge that somebody had made at the payment provider');
    });

    test('is not asked for in the first attempt of a fresh order', async () => {
      const order = await given();
      await order.pay();
      expect(order.stripe.sent.filter((what) => what.startsWith('list'))).toEqual([]);
    });

    test('is found on a later page, and what was declined before is closed', async () => {
      const order = await given(() => 'declines');
      await order.pay();
      order.stripe.chargeByHand(order.orderId, total);
      for (let n = 1; n <= 4; n += 1)
        order.stripe.chargeByHand(
          order.neighbours.values().next().value ?? order.orderId,
          total,
          `pi_n_${n}`,
          'canceled',
        );
      await expect(order.payAsked(2)).resolves.toMatchObject({ value: { intentId: 'pi_by_hand' } });
      expect(order.stripe.intents.get('pi_1')?.status).toBe('canceled');
      expect((await order.ledger()).payments).toMatchObject([
        { n: 1, state: 'canceled' },
        { n: 2, state: 'charged', intentId: 'pi_by_hand' },
      ]);
    });

    test('for another order is none of this one’s: ours is made', async () => {
      const order = await given();
      const other = await given();
      order.neighbours.add(other.orderId);
      order.stripe.chargeByHand(other.orderId, total, 'pi_of_other');
      await expect(order.mark('pi_of_other')).resolves.toMatchObject(told(/says about its order: /));
      await expect(order.payAsked()).resolves.toMatchObject({ value: { intentId: 'pi_2' } });
    });

    test('that was given back in full, declined or never confirmed is none: ours is made', async () => {
      const order = await given();
      order.stripe.refundByHand(order.stripe.chargeByHand(order.orderId, total));
      for (const status of ['declined', 'unconfirmed', 'canceled'] as const)
        order.stripe.chargeByHand(order.orderId, total, `pi_${status}`, status);
      await expect(order.payAsked()).resolves.toMatchObject({ value: { intentId: 'pi_5' } });
    });

    test.each<[string, (order: Awaited<ReturnType<typeof given>>) => unknown, RegExp]>([
      [
        'has another amount',
        ({ stripe, orderId }) => stripe.chargeByHand(orderId, { ...total, amountMinor: 1 }),
        /charged 0.01 INR; expected 1499.00 INR/,
      ],
      [
        'has another currency',
        ({ stripe, orderId }) => stripe.chargeByHand(orderId, { ...total, currency: 'USD' }),
        /USD; expected 1499.00 INR/,
      ],
      [
        'was refunded in part',
        ({ stripe, orderId }) => stripe.refundByHand(stripe.chargeByHand(orderId, total), 100),
        /was refunded \(re_by_hand/,
      ],
      [
        'waits for the bank',
        ({ stripe, orderId }) => stripe.chargeByHand(orderId, total, 'pi_later', 'processing'),
        /pi_later is action_required at the provider/,
      ],
      [
        'is disputed',
        ({ stripe, orderId }) => stripe.dispute(stripe.chargeByHand(orderId, total), 'open'),
        /is disputed \(dp_1_pi_by_hand, open\)/,
      ],
      [
        'was lost to a bank',
        ({ stripe, orderId }) =>
          stripe.decide(stripe.dispute(stripe.chargeByHand(orderId, total), 'open'), 'lost'),
        /disputed .*, lost\): the bank has given the money back/,
      ],
      [
        'is one of two',
        ({ stripe, orderId }) => [
          stripe.chargeByHand(orderId, total),
          stripe.chargeByHand(orderId, total, 'pi_again'),
        ],
        /2 payments that nobody here made carry its id: pi_again, pi_by_hand/,
      ],
      [
        'stands beside one of ours that was charged unheard',
        async ({ stripe, orderId, pay }) => {
          stripe.breakNext('confirm', 'reply-lost');
          await pay();
          stripe.chargeByHand(orderId, total);
        },
        /Payment pi_1 of the order is charged, and so is pi_by_hand/,
      ],
    ])('and that %s is left to a person, and nothing is charged', async (_case, happens, why) => {
      const order = await given();
      await happens(order);
      const before = order.effects();
      const answer = await order.payAsked();
      expect(answer).toMatchObject(found);
      expect(answer).toMatchObject(told(why));
      expect(answer).toMatchObject(
        told(/Nothing was charged: mark .* as done, refund .* or cancel the order/),
      );
      expect(order.effects()).toEqual(before);
      expect((await order.ledger()).eventTypes).toEqual([]);
    });

    test('is not another order’s, whatever it says by now; nor does mark-done take it', async () => {
      const first = await given();
      first.stripe.chargeByHand(first.orderId, total);
      await first.payAsked();
      const order = await given();
      order.neighbours.add(first.orderId);
      order.stripe.chargeByHand(order.orderId, total);
      const why = new RegExp(`Payment pi_by_hand is that of order ${first.orderId}`);
      const answer = await order.payAsked();
      expect(answer).toMatchObject(found);
      expect(answer).toMatchObject(told(why));
      await expect(order.mark('pi_by_hand')).resolves.toMatchObject(told(why));
    });

    test('whose list takes too long, or cannot be had, charges nothing', async () => {
      const order = await given();
      for (let n = 1; n <= 9; n += 1)
        order.stripe.chargeByHand(order.orderId, total, `pi_${n}_x`, 'canceled');
      order.stripe.slowLists(attemptTimeoutMs / 4);
      const answer = await order.payAsked();
      expect(answer).toMatchObject({ error: { type: 'ProviderUnavailable' } });
      expect(answer).toMatchObject(told(/could not be read to their end .*nothing was sent/));
      order.stripe.slowLists(0);
      order.stripe.breakNext('list', 'refused');
      await expect(order.payAsked()).resolves.toMatchObject({ error: { type: 'ProviderUnavailable' } });
      expect(order.effects()).toEqual([]);
      await expect(order.payAsked()).resolves.toMatchObject({ value: { intentId: 'pi_10' } });
    });

    test('is not even looked for once the walk back has begun', async () => {
      const order = await given();
      order.stripe.chargeByHand(order.orderId, total);
      await order.takeBack();
      await expect(order.payAsked()).resolves.toMatchObject({ error: { type: 'OperationCompensated' } });
      expect(order.effects()).toEqual([]);
    });

    test('is not taken by mark-done while a bank holds it', async () => {
      const order = await given();
      order.stripe.dispute(order.stripe.chargeByHand(order.orderId, total), 'open');
      await expect(order.mark('pi_by_hand')).resolves.toMatchObject({
        error: { type: 'ReferenceNotConfirmed', message: expect.stringMatching(/is disputed/) as string },
      });
    });
  });

  describe('of an order that is taken back', () => {
    test('waits for a person, is refunded by nobody here, and is settled once it was refunded', async () => {
      const order = await given();
      order.stripe.chargeByHand(order.orderId, total);
      await order.takeBack();
      const answer = await order.seek();
      expect(answer).toMatchObject(found);
      expect(answer).toMatchObject(told(/pi_by_hand.*not refunded by itself/));
      expect(order.effects()).toEqual([]);
      order.stripe.refundByHand('pi_by_hand');
      await expect(order.seek()).resolves.toMatchObject({ value: null });
    });

    test('goes back like ours where it carries the key of a payment whose intent was lost', async () => {
      const order = await given();
      await order.pay();
      const [row] = (await order.ledger()).payments;
      const { intentId = '', ...lost } = row ?? missing();
      await store.transaction((tx) => tx.payments.put({ ...lost, state: 'creating' }));
      expect(order.stripe.intents.get(intentId)?.operationKey).toBe(
        operationKeys.processPayment(order.orderId, 1),
      );
      await order.takeBack();
      await expect(order.seek()).resolves.toMatchObject({ value: null });
      expect(order.stripe.kept()).toEqual([]);
      expect((await order.ledger()).payments).toMatchObject([{ state: 'refunded', intentId }]);
    });

    test('and a label as well: it is not sent back by itself', async () => {
      const order = await given();
      const shipmentId = order.carrier.buyByHand(`shipment-${order.orderId}-1`);
      const answer = await order.seekLabels();
      expect(answer).toMatchObject(found);
      expect(answer).toMatchObject(told(/shp_by_hand.*not sent back by itself/));
      const shipment = order.carrier.shipments.get(shipmentId);
      expect(shipment?.refund).toBe('none');
      if (shipment) shipment.refund = 'submitted';
      await expect(order.seekLabels()).resolves.toMatchObject({ value: null });
    });
  });
});
