import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectSqliteStore } from '../../adapters/sqlite/sqlite-store.ts';
import { orderSubject } from '../../domain/audit.ts';
import type { Address } from '../../domain/order.ts';
import type { Recipient } from '../../ports/carrier.ts';
import type { Dispute, DisputeState } from '../../domain/refunds.ts';
import type { RefundRow } from '../../ports/refunds.ts';
import type { Store, StoreTransaction } from '../../ports/store.ts';
import { givenCharge } from '../../test/contract/store-fixtures.ts';
import { attemptTimeoutMs, createModelledOrder } from '../../test/support/modelled-order.ts';
import { orderAddress } from '../../test/support/provider-models.ts';

const address: Address = { name: 'A', street1: '1 Road', city: 'Pune', postalCode: '411001', country: 'IN' };
const corrected: Address = { ...address, street1: '2 Road' };
const amount = { amountMinor: 149_900, currency: 'INR' as const };
const atUtc = '2026-01-02T03:04:05.000Z';

describe('a label', () => {
  let folder: string;
  let store: Store;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'order-saga-labels-'));
    store = await connectSqliteStore({ path: join(folder, 'orders.sqlite') });
  });
  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function given({ charged = true }: { charged?: boolean } = {}) {
    const order = await createModelledOrder({ store });
    const { orderId } = order;
    if (charged) await givenCharge(store, orderId);
    const write = (work: (tx: StoreTransaction) => Promise<void>) => store.transaction(work);
    const dispute = (state: DisputeState): Dispute => ({
      orderId,
      disputeId: 'dp_1',
      n: 1,
      state,
      amount,
      reason: 'fraudulent',
      openedAtUtc: atUtc,
      updatedAtUtc: atUtc,
    });
    const refund = (refunded: Partial<RefundRow>): RefundRow => ({
      orderId,
      refundId: 'ticket-1',
      n: 1,
      state: 'requested',
      amount,
      reason: 'asked for',
      actor: 'grace',
      requestedAtUtc: atUtc,
      fingerprint: '',
      keyNumber: 1,
      ...refunded,
    });
    return {
      ...order,
      ship: (n = 1, to = address) =>
        order.once((a) => a.generateShipment({ orderId, n, address: to, attemptTimeoutMs })),
      shipAsked: (n = 1) =>
        order.once((a) => a.generateShipment({ orderId, n, address, asked: true, attemptTimeoutMs })),
      mark: (reference: string, n = 1, confirmed: { differencesConfirmed?: true } = {}) => {
        const claim = { orderId, n, reference, ...confirmed, actor: 'ada', reason: 'seen', attemptTimeoutMs };
        return order.once((a) => a.markShipmentDone(claim));
      },
      void: () => order.once((a) => a.voidShipment({ orderId, attemptTimeoutMs })),
      dispute: (state: DisputeState) => write((tx) => tx.disputes.put(dispute(state))),
      refund: (refunded: Partial<RefundRow>) => write((tx) => tx.refunds.put(refund(refunded))),
      landsLater: () => order.world.pass(3 * attemptTimeoutMs),
    };
  }

  const refused = (type: string) => ({ error: { type, nonRetryable: true } });
  const label = (shipmentId: string) => ({ value: { trackingCode: `track-${shipmentId}` } });

  describe('of an order whose money is not kept', () => {
    test.each<[string, (order: Awaited<ReturnType<typeof given>>) => Promise<void>, string]>([
      ['is disputed', (order) => order.dispute('open'), 'PaymentDisputed'],
      ['was lost to the bank', (order) => order.dispute('lost'), 'PaymentDisputed'],
      ['is being refunded', (order) => order.refund({ state: 'requested' }), 'PaymentRefunded'],
      ['was refunded', (order) => order.refund({ state: 'refunded' }), 'PaymentRefunded'],
    ])('is not bought when the charge %s, and nothing is asked or stored', async (_case, happens, type) => {
      const order = await given();
      await happens(order);
      const before = await order.ledger();
      await expect(order.ship()).resolves.toMatchObject(refused(type));
      await expect(order.ship()).resolves.toMatchObject(refused(type));
      expect(order.carrier.sent).toEqual([]);
      expect(await order.ledger()).toEqual(before);
    });

    test('is not bought when nothing was charged', async () => {
      const order = await given({ charged: false });
      await expect(order.ship()).resolves.toMatchObject(refused('PaymentRefunded'));
      expect(order.carrier.sent).toEqual([]);
    });

    test.each<[string, (order: Awaited<ReturnType<typeof given>>) => Promise<void>]>([
      ['the bank only inquires', (order) => order.dispute('inquiry')],
      ['a dispute was won', (order) => order.dispute('won')],
      ['a part was refunded', (order) => order.refund({ amount: { ...amount, amountMinor: 900 } })],
      ['a refund of all failed', (order) => order.refund({ state: 'failed' })],
    ])('is bought all the same when %s', async (_case, happens) => {
      const order = await given();
      await happens(order);
      await expect(order.ship()).resolves.toMatchObject(label('shp_1'));
    });

    test('is bought as soon as a dispute is won', async () => {
      const order = await given();
      await order.dispute('open');
      await expect(order.ship()).resolves.toMatchObject({
        error: { details: [{ details: { disputeId: 'dp_1', state: 'open' } }] },
      });
      await order.dispute('won');
      await expect(order.ship()).resolves.toMatchObject(label('shp_1'));
    });

    test('is not bought by a later attempt once the money has gone', async () => {
      const order = await given();
      order.carrier.breakNext('buy', 'refused');
      await order.ship();
      await order.dispute('open');
      await expect(order.ship()).resolves.toMatchObject(refused('PaymentDisputed'));
      expect(order.carrier.sent).toEqual(['create shipment', 'buy shp_1', 'retrieve shp_1']);
      await expect(order.void()).resolves.toMatchObject({ value: null });
    });

    test('stands when an earlier attempt had bought it', async () => {
      const order = await given();
      order.carrier.breakNext('buy', 'reply-lost');
      await order.ship();
      await order.dispute('open');
      await expect(order.ship()).resolves.toMatchObject(label('shp_1'));
      expect(order.carrier.kept()).toHaveLength(1);
    });

    test('is told to be none only when an earlier attempt can buy none any more', async () => {
      const order = await given();
      order.carrier.breakNext('buy', 'dropped');
      await order.ship();
      await order.dispute('open');
      order.world.pass(1.5 * attemptTimeoutMs);
      await expect(order.ship()).resolves.toMatchObject({ error: { type: 'OperationInProgress' } });
      /* Looking does not make the wait any longer. */
      order.world.pass(attemptTimeoutMs);
      await expect(order.ship()).resolves.toMatchObject(refused('PaymentDisputed'));
    });

    test('is not taken from a person either', async () => {
      const order = await given();
      await order.dispute('open');
      const byHand = order.carrier.buyByHand(`shipment-${order.orderId}-1`);
      await expect(order.mark(byHand)).resolves.toMatchObject({ error: { type: 'ReferenceNotConfirmed' } });
    });
  });

  describe('of several addresses', () => {
    test('that the order has is the answer of every number', async () => {
      const order = await given();
      await order.ship(2, corrected);
      const before = await order.ledger();
      await expect(order.ship(3, address)).resolves.toMatchObject(label('shp_1'));
      await expect(order.ship(1, address)).resolves.toMatchObject(label('shp_1'));
      expect(order.carrier.bought()).toHaveLength(1);
      expect(await order.ledger()).toMatchObject({
        eventTypes: before.eventTypes,
        shipments: before.shipments,
      });
    });

    test('that an earlier number bought unheard is sent back before another is bought', async () => {
      const order = await given();
      order.carrier.breakNext('buy', 'reply-lost');
      await order.ship(1);
      order.landsLater();
      await expect(order.ship(2, corrected)).resolves.toMatchObject(label('shp_2'));
      expect(order.carrier.kept()).toMatchObject([{ shipmentId: 'shp_2' }]);
      expect(await order.ledger()).toMatchObject({
        shipments: [
          { n: 1, state: 'void_requested' },
          { n: 2, state: 'bought' },
        ],
        eventTypes: ['shipment.voided.v1', 'shipment.generated.v1'],
      });
    });

    test('that another number may still buy is waited for', async () => {
      const order = await given();
      order.carrier.breakNext('buy', 'dropped');
      await order.ship(1);
      await expect(order.ship(2, corrected)).resolves.toMatchObject({
        error: { type: 'OperationInProgress' },
      });
      expect(order.carrier.shipments.size).toBe(1);
      order.landsLater();
      await expect(order.ship(2, corrected)).resolves.toMatchObject(label('shp_2'));
    });

    test('that a later number bought unheard is the order’s', async () => {
      const order = await given();
      order.carrier.breakNext('buy', 'reply-lost');
      await order.ship(2, corrected);
      order.landsLater();
      await expect(order.ship(1, address)).resolves.toMatchObject(label('shp_1'));
      expect(order.carrier.bought()).toHaveLength(1);
      expect((await order.ledger()).shipments).toContainEqual(
        expect.objectContaining({ n: 2, state: 'bought', providerShipmentId: 'shp_1' }),
      );
    });

    test('that was sent back is none: nothing ships with it, and a person decides', async () => {
      const order = await given();
      order.carrier.breakNext('buy', 'reply-lost');
      await order.ship();
      Object.assign(order.carrier.shipments.get('shp_1') ?? {}, { refund: 'submitted' });
      await expect(order.ship()).resolves.toMatchObject({
        error: { type: 'ProviderMisconfigured', message: expect.stringContaining('sent back') as string },
      });
      expect((await order.ledger()).eventTypes).toEqual([]);
    });

    test('is not taken from a person while another number has one', async () => {
      const order = await given();
      order.carrier.breakNext('buy', 'reply-lost');
      await order.ship(1);
      order.landsLater();
      const byHand = order.carrier.buyByHand(`shipment-${order.orderId}-2`);
      await expect(order.mark(byHand, 2)).resolves.toMatchObject({
        error: { type: 'ReferenceNotConfirmed', message: expect.stringContaining('shp_1') as string },
      });
    });
  });

  describe('that a person bought', () => {
    test.each<[string, Recipient]>([
      ['to another postal code', { country: 'IN', postalCode: '560025' }],
      ['to another country', { country: 'PK', postalCode: '411001' }],
      ['to nobody knows where', {}],
    ])('%s is not taken for the order’s', async (_case, recipient) => {
      const order = await given();
      const byHand = order.carrier.buyByHand(`shipment-${order.orderId}-1`, recipient);
      await expect(order.mark(byHand)).resolves.toMatchObject({
        error: {
          type: 'ReferenceNotConfirmed',
          message: expect.stringMatching(/goes to another country or postal code/) as string,
          details: [{ shown: expect.stringMatching(/shp_by_hand goes to .*; expected IN 411001/) as string }],
        },
      });
      expect((await order.ledger()).eventTypes).toEqual([]);
    });

    test('to the order’s address is taken, however the carrier writes its postal code', async () => {
      const order = await given();
      const recipient = { ...orderAddress, country: 'in', postalCode: '411-001' };
      const byHand = order.carrier.buyByHand(`shipment-${order.orderId}-1`, recipient);
      await expect(order.mark(byHand)).resolves.toMatchObject(label('shp_by_hand'));
    });
  });

  describe('to the order’s postal code, but to another name, street or city', () => {
    const elsewhere = { ...orderAddress, name: 'B. Neighbour', street1: '9 Other Lane', city: 'Poona' };

    test('is shown with what differs, and is audited without it', async () => {
      const order = await given();
      const byHand = order.carrier.buyByHand(`shipment-${order.orderId}-1`, elsewhere);
      const answer = await order.mark(byHand);
      expect(answer).toMatchObject({
        error: {
          type: 'ReferenceNotConfirmed',
          message: expect.stringMatching(/differs .* in name, street, city\. .*confirmDifferences/) as string,
          details: [
            {
              shown: expect.stringContaining(
                'name "B. Neighbour", expected "A. Customer"; street "9 Other Lane", expected "1 Main Road"; city "Poona", expected "Pune"',
              ) as string,
            },
          ],
        },
      });
      expect(('error' in answer && String(answer.error)) || '').not.toMatch(/Neighbour|Other Lane|Poona/);
      expect((await order.ledger()).eventTypes).toEqual([]);
    });

    test('is taken when a person confirms that, which is audited', async () => {
      const order = await given();
      const byHand = order.carrier.buyByHand(`shipment-${order.orderId}-1`, elsewhere);
      const answer = await order.mark(byHand, 1, { differencesConfirmed: true });
      expect(answer).toMatchObject(label('shp_by_hand'));
      const trail = await store.read.audit(orderSubject(order.orderId));
      expect(trail.at(-1)?.reason).toBe(
        'marked as done by shp_by_hand, which the provider confirms but for name, street, city, which ada confirms: seen',
      );
    });

    test('is never taken to another postal code, whoever confirms it', async () => {
      const order = await given();
      const away = { ...elsewhere, postalCode: '560025' };
      const byHand = order.carrier.buyByHand(`shipment-${order.orderId}-1`, away);
      const answer = await order.mark(byHand, 1, { differencesConfirmed: true });
      expect(answer).toMatchObject({ error: { type: 'ReferenceNotConfirmed' } });
    });
  });

  describe('that a person bought before a retry', () => {
    const found = { error: { type: 'FoundAtProvider', nonRetryable: true } };
    const nothing = (sent: readonly string[]) => sent.filter((what) => /create|buy/.test(what));

    test('is the order’s, and no other is bought', async () => {
      const order = await given();
      order.carrier.buyByHand(`shipment-${order.orderId}-1`);
      await expect(order.shipAsked()).resolves.toMatchObject(label('shp_by_hand'));
      await expect(order.ship()).resolves.toMatchObject(label('shp_by_hand'));
      expect(nothing(order.carrier.sent)).toEqual([]);
      expect((await order.ledger()).shipments).toMatchObject([
        { state: 'bought', providerShipmentId: 'shp_by_hand' },
      ]);
      const trail = await store.read.audit(orderSubject(order.orderId));
      expect(trail.at(-1)?.reason).toBe('a label that somebody had bought at the carrier');
    });

    test('is not asked for in the first attempt of a fresh order', async () => {
      const order = await given();
      await order.ship();
      expect(order.carrier.sent).toEqual(['create shipment', 'buy shp_1']);
    });

    test('is found behind the labels of other orders, on a later page', async () => {
      const order = await given();
      order.carrier.buyByHand(`shipment-${order.orderId}-1`);
      for (let n = 1; n <= 4; n += 1)
        order.carrier.buyByHand(`shipment-other-${n}`, orderAddress, `shp_other_${n}`);
      await expect(order.shipAsked()).resolves.toMatchObject(label('shp_by_hand'));
    });

    test('is the order’s under an earlier address’s number as well, where it goes to the present one', async () => {
      const order = await given();
      order.carrier.buyByHand(`shipment-${order.orderId}-1`);
      await expect(order.shipAsked(2)).resolves.toMatchObject(label('shp_by_hand'));
      expect((await order.ledger()).shipments).toMatchObject([
        { n: 2, state: 'bought', providerShipmentId: 'shp_by_hand' },
      ]);
    });

    test('for another order is none of this one’s: ours is bought', async () => {
      const order = await given();
      const other = await given();
      order.carrier.buyByHand(`shipment-${other.orderId}-1`);
      await expect(order.shipAsked()).resolves.toMatchObject(label('shp_2'));
    });

    test('is bought by us where there is none, and where the one there was is sent back', async () => {
      const order = await given();
      const byHand = order.carrier.buyByHand(`shipment-${order.orderId}-1`);
      const shipment = order.carrier.shipments.get(byHand);
      if (shipment) shipment.refund = 'submitted';
      order.carrier.buyByHand(`shipment-${order.orderId}-1-1`, orderAddress, 'shp_longer_order');
      await expect(order.shipAsked()).resolves.toMatchObject(label('shp_3'));
    });

    test.each<[string, (order: Awaited<ReturnType<typeof given>>) => unknown, RegExp]>([
      [
        'goes to another postal code',
        ({ orderId, carrier }) =>
          carrier.buyByHand(`shipment-${orderId}-1`, { ...orderAddress, postalCode: '560025' }),
        /shp_by_hand goes to another country or postal code/,
      ],
      [
        'goes to another country',
        ({ orderId, carrier }) =>
          carrier.buyByHand(`shipment-${orderId}-1`, { ...orderAddress, country: 'PK' }),
        /shp_by_hand goes to another country or postal code/,
      ],
      [
        'goes to another street',
        ({ orderId, carrier }) =>
          carrier.buyByHand(`shipment-${orderId}-1`, { ...orderAddress, street1: '2 Main Road' }),
        /shp_by_hand differs from the order's address in street/,
      ],
      [
        'carries another number',
        ({ orderId, carrier }) => carrier.buyByHand(`shipment-${orderId}-2`),
        /shp_by_hand carries the reference .*-2"; expected .*-1/,
      ],
      [
        'is one of two',
        ({ orderId, carrier }) => {
          carrier.buyByHand(`shipment-${orderId}-1`);
          carrier.buyByHand(`shipment-${orderId}-1`, orderAddress, 'shp_again');
        },
        /2 shipments of the order have a label: shp_again, shp_by_hand/,
      ],
      [
        'stands beside one that an earlier attempt bought',
        async ({ orderId, carrier, ship, landsLater }) => {
          carrier.breakNext('buy', 'reply-lost');
          await ship();
          landsLater();
          carrier.buyByHand(`shipment-${orderId}-1`);
        },
        /2 shipments of the order have a label: shp_1, shp_by_hand/,
      ],
    ])('and that %s is left to a person, and nothing is bought', async (_case, happens, why) => {
      const order = await given();
      await happens(order);
      const before = nothing(order.carrier.sent);
      const answer = await order.shipAsked();
      expect(answer).toMatchObject(found);
      expect(answer).toMatchObject({ error: { message: expect.stringMatching(why) as string } });
      expect(answer).toMatchObject({
        error: { message: expect.stringMatching(/mark .* as done, .* or cancel the order/) as string },
      });
      expect(nothing(order.carrier.sent)).toEqual(before);
      expect((await order.ledger()).eventTypes).toEqual([]);
    });

    test('is not the order’s while its money is not kept', async () => {
      const order = await given();
      order.carrier.breakNext('buy', 'refused');
      await order.ship();
      order.landsLater();
      await order.dispute('open');
      order.carrier.buyByHand(`shipment-${order.orderId}-1`);
      await expect(order.shipAsked()).resolves.toMatchObject(refused('PaymentDisputed'));
      await order.dispute('won');
      await expect(order.shipAsked()).resolves.toMatchObject(label('shp_by_hand'));
    });

    test('is not another order’s, whatever it says by now; nor does mark-done take it', async () => {
      const first = await given();
      first.carrier.buyByHand(`shipment-${first.orderId}-1`);
      await first.shipAsked();
      const order = await given();
      order.neighbours.add(first.orderId);
      const byHand = order.carrier.buyByHand(`shipment-${order.orderId}-1`);
      const why = { error: { message: `Shipment ${byHand} is that of order ${first.orderId}.` } };
      const answer = await order.shipAsked();
      expect(answer).toMatchObject(found);
      expect(answer).toMatchObject({
        error: { message: expect.stringContaining(why.error.message) as string },
      });
      await expect(order.mark(byHand)).resolves.toMatchObject(why);
    });

    test('is not looked for without end: a list that takes too long buys nothing, and says so', async () => {
      const order = await given();
      for (let n = 1; n <= 9; n += 1)
        order.carrier.buyByHand(`shipment-other-${n}`, orderAddress, `shp_other_${n}`);
      order.carrier.slowLists(attemptTimeoutMs / 4);
      await expect(order.shipAsked()).resolves.toMatchObject({
        error: {
          type: 'ProviderUnavailable',
          message: expect.stringMatching(/could not be read to their end .*nothing was sent/) as string,
        },
      });
      expect(nothing(order.carrier.sent)).toEqual([]);
    });

    test('is not known when the list cannot be had: nothing is bought', async () => {
      const order = await given();
      order.carrier.breakNext('list', 'refused');
      await expect(order.shipAsked()).resolves.toMatchObject({ error: { type: 'ProviderUnavailable' } });
      expect(nothing(order.carrier.sent)).toEqual([]);
      await expect(order.shipAsked()).resolves.toMatchObject(label('shp_1'));
    });
  });

  describe('that has no rate, or old ones', () => {
    test('is rated again by the next attempt, and bought', async () => {
      const order = await given();
      await expect(order.ship(1, { ...address, city: 'Unrated' })).resolves.toMatchObject(label('shp_1'));
      expect(order.carrier.sent).toEqual(['create shipment', 'rerate shp_1', 'buy shp_1']);
    });

    test('or only one that is gone is bought at a new rate', async () => {
      const order = await given();
      const stale = { ...address, city: 'Stale' };
      await expect(order.ship(1, stale)).resolves.toMatchObject({ error: { type: 'ProviderUnavailable' } });
      await expect(order.ship(1, stale)).resolves.toMatchObject(label('shp_1'));
      expect(order.carrier.shipments.size).toBe(1);
    });

    test.each([
      [13, ['rerate shp_1', 'buy shp_1']],
      [11, ['buy shp_1']],
    ])('whose rates are %i hours old is bought after %j', async (hours, sent) => {
      const order = await given();
      order.carrier.breakNext('buy', 'refused');
      await expect(order.ship()).resolves.toMatchObject({ error: { type: 'ProviderUnavailable' } });
      order.world.pass(hours * 60 * 60 * 1_000);
      await expect(order.ship()).resolves.toMatchObject(label('shp_1'));
      expect(order.carrier.sent.slice(order.carrier.sent.lastIndexOf('retrieve shp_1') + 1)).toEqual(sent);
    });
  });
});
