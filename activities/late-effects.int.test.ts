import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectSqliteStore } from '../adapters/sqlite/sqlite-store.ts';
import { orderSubject } from '../domain/audit.ts';
import { TechnicalFailure } from '../domain/failures.ts';
import { operationKeys, type OrderId } from '../domain/ids.ts';
import type { Address } from '../domain/order.ts';
import type { Label, Recipient, ShipmentAnswer } from '../ports/carrier.ts';
import type { PaymentAnswer, ProviderRefund } from '../ports/payment-gateway.ts';
import type { Store } from '../ports/store.ts';
import { givenCharge, givenOrder } from '../test/contract/store-fixtures.ts';
import { inActivity, quietDeps } from '../test/support/modelled-deps.ts';
import { orderAddress } from '../test/support/provider-models.ts';
import { createCarrierActivities, createPaymentActivities } from './create-activities.ts';
import type { ActivityDeps } from './deps.ts';

const attemptTimeoutMs = 1_000;
const address: Address = { name: 'A', street1: '1 Road', city: 'Pune', postalCode: '411001', country: 'IN' };
const amount = { amountMinor: 149_900, currency: 'INR' as const };

const notAsked = (): never => {
  throw new Error('No test asks for it');
};

/** What happens while a request is on its way, as when the process was frozen before sending it. */
type Meanwhile = () => Promise<void>;

/** Providers without any fault of their own; what a test puts into `during` happens before the effect of a request. */
function createProviders() {
  const intents = new Map<string, { status: 'unconfirmed' | 'charged' | 'canceled'; refunds: number }>();
  const shipments = new Map<
    string,
    { bought: boolean; refunds: number; reference?: string; recipient?: Recipient; rejects?: true }
  >();
  const during = new Map<string, Meanwhile>();
  const refunds: ProviderRefund[] = [];
  const sent: string[] = [];
  const arrive = async (request: string): Promise<void> => {
    sent.push(request);
    const meanwhile = during.get(request);
    during.delete(request);
    await meanwhile?.();
  };
  const intentOf = (intentId: string) => intents.get(intentId) as NonNullable<ReturnType<typeof intents.get>>;
  const shipmentOf = (id: string) => shipments.get(id) as NonNullable<ReturnType<typeof shipments.get>>;
  const answer = (intentId: string): PaymentAnswer => {
    const { status } = intentOf(intentId);
    return status === 'charged' ? { status, intentId, amount } : { status, intentId };
  };
  const rates = [{ rateId: 'r', carrier: 'USPS', service: 'Ground', amount: '5.00', currency: 'USD' }];
  const label = (id: string): Label => ({
    carrier: 'USPS',
    service: 'Ground',
    trackingCode: `track-${id}`,
    labelUrl: `https://labels.example/${id}`,
    cost: { amount: '5.00', currency: 'USD' },
  });

  const payments: ActivityDeps['payments'] = {
    async create() {
      const intentId = `pi_${intents.size + 1}`;
      intents.set(intentId, { status: 'unconfirmed', refunds: 0 });
      await arrive('create');
      return { status: 'created', intentId };
    },
    async confirm({ intentId }) {
      await arrive('confirm');
      const intent = intentOf(intentId);
      if (intent.status === 'unconfirmed') intent.status = 'charged';
      return answer(intentId);
    },
    retrieve: async ({ intentId }) => answer(intentId),
    findByOperation: async () => [],
    async cancel({ intentId }) {
      await arrive('cancel');
      const intent = intentOf(intentId);
      if (intent.status === 'unconfirmed') intent.status = 'canceled';
      return answer(intentId);
    },
    async refund({ intentId, operationKey, orderId, amount: refunded }) {
      intentOf(intentId).refunds += 1;
      const refund: ProviderRefund = {
        refundId: `re_${intentId}`,
        intentId,
        orderId,
        operationKey,
        status: 'succeeded',
        amount: refunded,
        createdAtUtc: '2026-01-02T03:04:05.000Z',
      };
      refunds.unshift(refund);
      return { status: 'taken', refund };
    },
    refunds: async ({ intentId }) => refunds.filter((refund) => refund.intentId === intentId),
    findRefund: notAsked,
    listIntents: notAsked,
    disputes: async () => [],
    findDispute: notAsked,
    payable: () => ({ ok: true }),
    verifyWebhook: () => undefined,
  };
  const carrier: ActivityDeps['carrier'] = {
    verifyAddress: async () => ({ deliverable: true }),
    async createShipment() {
      const shipmentId = `shp_${shipments.size + 1}`;
      shipments.set(shipmentId, { bought: false, refunds: 0 });
      await arrive('create');
      return { status: 'created', shipmentId, rates };
    },
    rerate: notAsked,
    async buy({ shipmentId }) {
      await arrive('buy');
      if (shipmentOf(shipmentId).bought) return { status: 'already_bought' };
      shipmentOf(shipmentId).bought = true;
      return { status: 'bought', label: label(shipmentId) };
    },
    async retrieve({ shipmentId }): Promise<ShipmentAnswer> {
      const { bought, refunds, reference = '', recipient = {} } = shipmentOf(shipmentId);
      if (!bought) return { status: 'unbought', rates };
      const refund = refunds > 0 ? 'submitted' : 'none';
      return { status: 'bought', label: label(shipmentId), refund, reference, recipient };
    },
    listLabels: notAsked,
    async refundLabel({ shipmentId }) {
      const shipment = shipmentOf(shipmentId);
      if (shipment.rejects) return { status: 'rejected' };
      shipment.refunds += 1;
      return { status: 'submitted' };
    },
  };
  return { payments, carrier, intents, shipments, sent, during };
}

describe('an attempt that goes on after its compensation has begun or ended', () => {
  let folder: string;
  let store: Store;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'order-saga-late-'));
    store = await connectSqliteStore({ path: join(folder, 'orders.sqlite') });
  });
  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function given() {
    const { orderId } = await givenOrder(store);
    const providers = createProviders();
    const time = { nowMs: Date.parse('2026-01-02T03:04:05.000Z') };
    const hooks = { afterTransaction: new Map<number, Meanwhile>(), transactions: 0 };
    const deps: ActivityDeps = {
      ...quietDeps,
      payments: providers.payments,
      carrier: providers.carrier,
      /* Redis is away: nothing but SQL keeps attempts apart. */
      locks: { acquire: async () => ({ status: 'unavailable' }) },
      clock: { nowUtc: () => new Date(time.nowMs).toISOString() },
      store: {
        ...store,
        async transaction(work) {
          const result = await store.transaction(work);
          hooks.transactions += 1;
          await hooks.afterTransaction.get(hooks.transactions)?.();
          return result;
        },
      },
    };
    const { processPayment, refundPayment } = createPaymentActivities(deps);
    const { generateShipment, voidShipment, markShipmentDone } = createCarrierActivities(deps);
    const run = <T>(call: () => Promise<T>) => inActivity(call);
    return {
      ...providers,
      ...hooks,
      pass: (ms: number) => void (time.nowMs += ms),
      pay: () => run(() => processPayment({ orderId, n: 1, paymentMethodId: 'pm_1', attemptTimeoutMs })),
      refund: () => run(() => refundPayment({ orderId, attemptTimeoutMs })),
      ship: async () => {
        await givenCharge(store, orderId);
        return run(() => generateShipment({ orderId, n: 1, address, attemptTimeoutMs }));
      },
      void: () => run(() => voidShipment({ orderId, attemptTimeoutMs })),
      mark: (reference: string) =>
        run(() =>
          markShipmentDone({ orderId, n: 1, reference, actor: 'ada', reason: 'seen', attemptTimeoutMs }),
        ),
      /** A person buys a label at the carrier's own desk. */
      buyByHand: () => {
        const reference = operationKeys.generateShipment(orderId, 1);
        const recipient = { ...orderAddress, postalCode: '411 001' };
        providers.shipments.set('shp_by_hand', { bought: true, refunds: 0, reference, recipient });
      },
      dispute: () =>
        store.transaction((tx) =>
          tx.disputes.put({
            orderId,
            disputeId: 'dp_1',
            n: 1,
            state: 'open',
            amount,
            reason: 'fraudulent',
            openedAtUtc: '2026-01-02T03:04:05.000Z',
            updatedAtUtc: '2026-01-02T03:04:05.000Z',
          }),
        ),
      events: async () => (await ledgerOf(orderId)).eventTypes,
      ledger: () => ledgerOf(orderId),
      reasons: async () => (await store.read.audit(orderSubject(orderId))).map(({ reason }) => reason),
    };
  }

  async function ledgerOf(orderId: OrderId) {
    const [ledger] = await store.read.ledger(orderId);
    if (!ledger) throw new Error(`SQL does not know order ${orderId}`);
    return ledger;
  }

  const compensated = { type: 'OperationCompensated' };
  const inProgress = { type: 'OperationInProgress' };

  test('a charge cannot land any more once the refund has canceled its intent', async () => {
    const order = await given();
    order.during.set('confirm', async () => {
      order.pass(10 * attemptTimeoutMs);
      await order.refund();
    });
    await expect(order.pay()).rejects.toMatchObject(compensated);
    expect([...order.intents.values()]).toEqual([{ status: 'canceled', refunds: 0 }]);
    expect(await order.events()).toEqual([]);
  });

  test('a charge that landed while its refund was at work is refunded once, with one event', async () => {
    const order = await given();
    order.during.set('cancel', async () => {
      for (const intent of order.intents.values()) intent.status = 'charged';
    });
    order.during.set('confirm', async () => {
      order.pass(10 * attemptTimeoutMs);
      await order.refund();
    });
    await expect(order.pay()).rejects.toMatchObject(compensated);
    expect([...order.intents.values()].map(({ status }) => status)).toEqual(['charged']);
    expect(await order.events()).toEqual(['payment.refunded.v1']);
    expect((await order.ledger()).payments).toMatchObject([{ state: 'refunded' }]);
  });

  test('an intent created after its refund is canceled, and nothing is confirmed', async () => {
    const order = await given();
    order.during.set('create', async () => {
      order.pass(10 * attemptTimeoutMs);
      await order.refund();
    });
    await expect(order.pay()).rejects.toMatchObject(compensated);
    expect([...order.intents.values()]).toEqual([{ status: 'canceled', refunds: 0 }]);
    expect(order.sent).not.toContain('confirm');
  });

  test('a label that lands after the void has ended is sent back by the attempt that bought it', async () => {
    const order = await given();
    order.during.set('buy', async () => {
      order.pass(10 * attemptTimeoutMs);
      await order.void();
      expect((await order.ledger()).shipments).toMatchObject([{ state: 'refused' }]);
    });
    await expect(order.ship()).rejects.toMatchObject(compensated);
    expect([...order.shipments.values()]).toEqual([{ bought: true, refunds: 1 }]);
    expect(await order.events()).toEqual(['shipment.voided.v1']);
    expect((await order.ledger()).shipments).toMatchObject([{ state: 'void_requested' }]);
    await expect(order.ship()).rejects.toMatchObject(compensated);
    expect([...order.shipments.values()]).toEqual([{ bought: true, refunds: 1 }]);
  });

  test('a shipment created after the void has begun is not bought', async () => {
    const order = await given();
    order.during.set('create', () => expect(order.void()).rejects.toMatchObject(inProgress));
    await expect(order.ship()).rejects.toMatchObject(compensated);
    expect(order.sent).toEqual(['create']);
    await order.void();
    expect(await order.events()).toEqual([]);
  });

  test('the void finds the stored shipment, also when an overtaken attempt comes with another one', async () => {
    const order = await given();
    order.during.set('create', async () => {
      order.during.set('buy', async () => {
        for (const shipment of order.shipments.values()) shipment.bought = true;
        order.shipments.set('shp_1', { bought: false, refunds: 0 });
        throw new TechnicalFailure('OutcomeUnknown', 'no answer');
      });
      await expect(order.ship()).rejects.toMatchObject({ type: 'OutcomeUnknown' });
      await expect(order.void()).rejects.toMatchObject(inProgress);
    });
    await expect(order.ship()).rejects.toMatchObject(compensated);
    order.pass(10 * attemptTimeoutMs);
    await order.void();
    expect(order.shipments.get('shp_2')).toEqual({ bought: true, refunds: 1 });
    expect((await order.ledger()).shipments).toMatchObject([{ providerShipmentId: 'shp_2' }]);
  });

  test('an attempt that takes back its own effect leaves another one’s lease alone', async () => {
    const order = await given();
    /* The first attempt stands still in its create; the second begins beside it and finds the void's tombstone. */
    order.during.set('create', async () => {
      order.during.set('create', () => expect(order.void()).rejects.toMatchObject(inProgress));
      await expect(order.ship()).rejects.toMatchObject(compensated);
      await expect(order.void()).rejects.toMatchObject(inProgress);
    });
    await expect(order.ship()).rejects.toMatchObject(compensated);
    order.pass(10 * attemptTimeoutMs);
    await order.void();
    expect(order.sent).toEqual(['create', 'create']);
  });

  test('a label that the carrier does not take back ends the void all the same, and the trail says so', async () => {
    const order = await given();
    await order.ship();
    Object.assign(order.shipments.get('shp_1') ?? {}, { rejects: true });
    await order.void();
    expect(await order.reasons()).toContain(
      'compensation; the carrier rejects the refund of the unused label',
    );
    await order.void();
    expect(await order.events()).toEqual(['shipment.generated.v1', 'shipment.voided.v1']);
  });

  test('a dispute that is opened while the shipment is created stops its purchase', async () => {
    const order = await given();
    order.during.set('create', order.dispute);
    await expect(order.ship()).rejects.toMatchObject({ type: 'PaymentDisputed' });
    expect(order.sent).toEqual(['create']);
    expect((await order.ledger()).shipments).toMatchObject([{ providerShipmentId: 'shp_1' }]);
    await order.void();
    expect(await order.events()).toEqual([]);
  });

  test('a person’s label is not taken while an attempt may still buy another', async () => {
    const order = await given();
    order.buyByHand();
    order.during.set('buy', () =>
      expect(order.mark('shp_by_hand')).rejects.toMatchObject({
        type: 'ReferenceNotConfirmed',
        message: expect.stringMatching(/^Until .* an attempt of ours may still buy another label/) as string,
      }),
    );
    await expect(order.ship()).rejects.toMatchObject({ type: 'StaleAttempt' });
    order.pass(10 * attemptTimeoutMs);
    await expect(order.mark('shp_by_hand')).rejects.toMatchObject({
      message: 'Shipment shp_2 of the order has a label already; that is its reference.',
    });
    await expect(order.mark('shp_2')).resolves.toMatchObject({ trackingCode: 'track-shp_2' });
    expect(await order.events()).toEqual(['shipment.generated.v1']);
  });

  test('a label that lands after a person’s was taken is sent back by the attempt that bought it', async () => {
    const order = await given();
    order.buyByHand();
    order.during.set('buy', async () => {
      order.pass(10 * attemptTimeoutMs);
      await order.mark('shp_by_hand');
    });
    await expect(order.ship()).resolves.toMatchObject({ trackingCode: 'track-shp_by_hand' });
    expect(order.shipments.get('shp_2')).toEqual({ bought: true, refunds: 1 });
    expect(order.shipments.get('shp_by_hand')).toMatchObject({ bought: true, refunds: 0 });
    expect(await order.events()).toEqual(['shipment.generated.v1']);
    expect((await order.ledger()).shipments).toMatchObject([{ providerShipmentId: 'shp_by_hand' }]);
  });

  test('an attempt whose time ran out before its next request sends nothing more', async () => {
    const order = await given();
    order.afterTransaction.set(2, async () => order.pass(attemptTimeoutMs));
    await expect(order.ship()).rejects.toMatchObject({ type: 'StaleAttempt' });
    expect(order.sent).toEqual(['create']);
    await expect(order.ship()).resolves.toMatchObject({ trackingCode: 'track-shp_1' });
    expect(order.sent).toEqual(['create', 'buy']);
  });
});
