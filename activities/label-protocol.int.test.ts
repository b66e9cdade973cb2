import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectSqliteStore } from '../adapters/sqlite/sqlite-store.ts';
import type { Address } from '../domain/order.ts';
import type { Recipient } from '../ports/carrier.ts';
import type { Dispute, DisputeState } from '../domain/refunds.ts';
import type { RefundRow } from '../ports/refunds.ts';
import type { Store, StoreTransaction } from '../ports/store.ts';
import { givenCharge } from '../test/contract/store-fixtures.ts';
import { attemptTimeoutMs, createModelledOrder } from '../test/support/modelled-order.ts';

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
      mark: (reference: string, n = 1) =>
        order.once((a) =>
          a.markShipmentDone({ orderId, n, reference, actor: 'ada', reason: 'seen', attemptTimeoutMs }),
        ),
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
          message: expect.stringMatching(/shp_by_hand goes to .*; expected IN 411001/) as string,
        },
      });
      expect((await order.ledger()).eventTypes).toEqual([]);
    });

    test('to the order’s address is taken, however the carrier writes its postal code', async () => {
      const order = await given();
      const recipient = { country: 'in', postalCode: '411-001' };
      const byHand = order.carrier.buyByHand(`shipment-${order.orderId}-1`, recipient);
      await expect(order.mark(byHand)).resolves.toMatchObject(label('shp_by_hand'));
    });
  });

  describe('that has no rate', () => {
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
  });
});
