import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFlatQuotes } from '../adapters/quotes/flat-quotes.ts';
import { connectSqliteStore } from '../adapters/sqlite/sqlite-store.ts';
import { readCarrierLimits } from '../config/config.ts';
import { customerId, orderId as asOrderId, productId, type OrderId } from '../domain/ids.ts';
import type { Money } from '../domain/money.ts';
import type { Checkout, Hold } from '../domain/order.ts';
import { parseEmailTask } from '../domain/email-task.ts';
import type { ShippingFees } from '../domain/shipping-fee.ts';
import { renderEmail } from '../messaging/email-templates.ts';
import type { Store } from '../ports/store.ts';
import { inActivity, quietDeps } from '../test/support/modelled-deps.ts';
import { createOrderActivities } from './create-activities.ts';
import type { ActivityDeps } from './deps.ts';
import type { ResumeOrder } from './order/record-notes.ts';

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const price = { amountMinor: 100_000, currency: 'INR' as const };

const checkoutOf = (changes: Partial<Checkout> = {}): Checkout => ({
  orderId: asOrderId(crypto.randomUUID()),
  callerId: 'shop-a',
  customerId: customerId('customer-1'),
  customerEmail: 'a@customers.example',
  items: [{ productId: productId('lamp'), quantity: 2 }],
  paymentMethodId: 'pm_card_visa',
  shippingAddress: { name: 'A', street1: '1 Road', city: 'Pune', postalCode: '411001', country: 'IN' },
  currency: 'INR',
  ...changes,
});

const hold: Hold = {
  status: 'payment_failed',
  failureType: 'CardDeclined',
  reason: 'No funds.',
  sinceUtc: '2026-01-02T03:04:05.000Z',
  untilUtc: '2026-01-02T03:34:05.000Z',
};

describe('the answers of the steps that only touch SQL', () => {
  let folder: string;
  let store: Store;
  let nowMs = Date.parse('2026-01-02T03:04:05.000Z');
  let shippingFees: ShippingFees = {};
  const activities = () =>
    createOrderActivities({
      ...quietDeps,
      store,
      quotes: createFlatQuotes({ shippingFees }),
      shipping: { ...quietDeps.shipping, limits: readCarrierLimits() },
      payments: {
        payable: ({ amountMinor }: Money) => (amountMinor < 1_000_000_000 ? { ok: true } : tooMuch),
      },
      clock: { nowUtc: () => new Date(nowMs).toISOString() },
    } as unknown as ActivityDeps);
  const tooMuch = { ok: false, reason: 'Too much for a card.' } as const;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'order-saga-answers-'));
    store = await connectSqliteStore({ path: join(folder, 'orders.sqlite') });
    const put = (name: string, onHand: number) =>
      store.transaction((tx) => tx.inventory.putProduct({ productId: productId(name), name, price, onHand }));
    await put('lamp', 1_000_000);
    await store.transaction((tx) =>
      tx.inventory.putProduct({ ...dear, name: 'dear', onHand: 1_000_000, productId: productId('dear') }),
    );
    await put('rare', 1);
    await put('gone', 1);
    await store.transaction((tx) =>
      tx.inventory.describeProduct({
        productId: productId('gone'),
        withdrawnAtUtc: '2026-01-01T00:00:00.000Z',
      }),
    );
  });
  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** A price from before prices had a limit. */
  const dear = { price: { amountMinor: Number.MAX_SAFE_INTEGER, currency: 'INR' } } as const;

  type Call = (a: ReturnType<typeof activities>) => Promise<unknown>;
  const run = (call: Call): Promise<unknown> => inActivity(() => call(activities()));
  const failure = (call: Call) =>
    run(call).then(
      (value) => ({ value }),
      (error: unknown) => error,
    );

  async function given(changes: Partial<Checkout> = {}): Promise<OrderId> {
    const checkout = checkoutOf(changes);
    await run((a) => a.recordOrder({ checkout, traceparent }));
    return checkout.orderId;
  }

  const everythingOf = async (id: OrderId) => ({
    ledger: await store.read.ledger(id),
    view: await store.read.order(id),
    audit: await store.read.audit(`order:${id}`),
    products: await store.read.products(),
  });

  /** Runs twice, years apart, and once more ten times at once: the same answer, and nothing more is written. */
  async function expectOnce(id: OrderId, call: Call): Promise<void> {
    const first = await failure(call);
    const written = await everythingOf(id);
    nowMs += 3 * 365 * 24 * 3_600_000;
    for (const again of await Promise.all(Array.from({ length: 10 }, () => failure(call)))) {
      expect(again).toMatchObject(first as object);
    }
    expect(await everythingOf(id)).toEqual(written);
  }

  test('an order that ended and was purged is never recorded again under its old keys', async () => {
    const checkout = checkoutOf({ items: [{ productId: productId('unheard-of'), quantity: 1 }] });
    const { orderId } = checkout;
    const ending = { status: 'failed', failure: { type: 'UnknownProduct', reason: 'none' } } as const;
    await failure((a) => a.recordOrder({ checkout, traceparent }));
    await run((a) => a.closeOrder({ orderId, step: 'receive', ending }));
    const { eventTypes = [] } = (await store.read.ledger(orderId))[0] ?? {};
    expect(eventTypes.at(-1)).toBe('order.failed.v1');
    await publishAll();
    const closedBeforeUtc = new Date(nowMs + 1_000).toISOString();
    const purged = await store.transaction((tx) =>
      tx.retention.purgeOrder({ orderId, closedBeforeUtc, nowUtc: closedBeforeUtc }),
    );
    expect(purged?.status).toBe('failed');
    const again = { ...checkout, items: [{ productId: productId('lamp'), quantity: 2 }] };
    expect(await failure((a) => a.recordOrder({ checkout: again, traceparent }))).toMatchObject({
      type: 'OrderClosed',
      message: expect.stringContaining('a new order needs a new Idempotency-Key'),
      details: [{ details: { status: 'failed' } }],
    });
    expect(await store.read.order(orderId)).toBeUndefined();
  });

  const unpublished = async () => {
    const owner = 'test';
    const partitions = await store.outbox.lease({ owner, nowUtc: new Date().toISOString(), leaseMs: 10_000 });
    return store.outbox.pending({ owner, partitions, limit: 1_000 });
  };
  const publishAll = async () => {
    const ids = (await unpublished()).map(({ id }) => id);
    await store.outbox.markPublished({ ids, publishedAtUtc: new Date().toISOString() });
  };

  test('the fee for shipping is in the order and in its mail, whose lines add up and name the products', async () => {
    shippingFees = { INR: 5_000, JPY: 700 };
    const expectedTotal = { amountMinor: 205_000, currency: 'INR' } as const;
    const checkout = checkoutOf({ expectedTotal });
    const { orderId } = checkout;
    const record = () => run((a) => a.recordOrder({ checkout, traceparent }));
    const recorded = await record();
    shippingFees = { INR: 9_900 };
    expect(await record()).toEqual(recorded);
    const shipping = { amountMinor: 5_000, currency: 'INR' };
    expect(await store.read.order(orderId)).toMatchObject({ total: expectedTotal, shipping });
    await store.transaction((tx) =>
      tx.inventory.putProduct({ productId: productId('lamp'), name: 'Desk\nlamp', price }),
    );
    await run((a) => a.requestEmail({ orderId, template: 'order-confirmation' }));
    const [mail] = (await unpublished()).filter(
      (row) => row.orderId === orderId && row.type.startsWith('email.'),
    );
    const parsed = parseEmailTask(JSON.parse(mail?.payload ?? ''));
    if (!parsed.ok) throw new Error(parsed.reason);
    const { text } = renderEmail(parsed.task);
    expect(text).toContain(
      '  - 2 x Desk lamp: 2000.00 INR\n  - Shipping: 50.00 INR\n\nTotal paid: 2050.00 INR',
    );
    expect(
      await failure((a) => a.recordOrder({ checkout: checkoutOf({ expectedTotal }), traceparent })),
    ).toMatchObject({
      type: 'PriceChanged',
      message: 'The order costs 2099.00 INR, not the expected 2050.00 INR.',
    });
    shippingFees = {};
  });

  test('an act that gives a card or an address is numbered once, in whichever run it comes', async () => {
    const orderId = await given();
    let n = 0;
    const resume = (input: { actId: string } & Partial<ResumeOrder>) =>
      run((a) =>
        a.resumeOrder({
          orderId,
          n: (n += 1),
          step: 'payment',
          actor: 'ana',
          reason: 'by phone',
          sagaState: 'running',
          ...input,
        }),
      );
    const card = (actId: string, more = {}) => resume({ actId, paymentMethodId: `pm_${actId}`, ...more });
    const { shippingAddress } = checkoutOf();
    expect(await card('a')).toEqual({ payment: 2 });
    expect(await card('b')).toEqual({ payment: 3 });
    expect(await resume({ actId: 'c', shippingAddress })).toEqual({ address: 2 });
    expect(await card('a', { run: 'second' })).toEqual({ payment: 2 });
    await store.transaction((tx) => tx.shipments.put({ orderId, n: 7, state: 'refused' }));
    expect(await resume({ actId: 'd', shippingAddress })).toEqual({ address: 8 });
    const standing = await run((a) => a.readStanding({ orderId }));
    expect(standing).toMatchObject({
      payment: { n: 3, paymentMethodId: 'pm_b' },
      address: { n: 8 },
      acts: ['a', 'b', 'c', 'd'],
    });
    await run((a) =>
      a.closeOrder({ orderId, step: 'payment', ending: { status: 'cancelled', actor: 'ana', reason: 'no' } }),
    );
    expect([await card('b'), await card('e')]).toEqual([{ payment: 3 }, null]);
  });

  test('each step of an order that ships writes once, however often it runs', async () => {
    const checkout = checkoutOf();
    const { orderId } = checkout;
    await expectOnce(orderId, (a) => a.recordOrder({ checkout, traceparent }));
    await expectOnce(orderId, (a) => a.reserveInventory({ orderId }));
    await expectOnce(orderId, (a) => a.holdOrder({ orderId, n: 1, step: 'payment', hold }));
    await expectOnce(orderId, (a) =>
      a.resumeOrder({
        orderId,
        n: 2,
        step: 'payment',
        actor: 'customer',
        reason: 'another card',
        status: 'inventory_reserved',
        sagaState: 'running',
        paymentMethodId: 'pm_card_mastercard',
      }),
    );
    await expectOnce(orderId, (a) => a.createFulfillment({ orderId }));
    await expectOnce(orderId, (a) => a.requestEmail({ orderId, template: 'order-confirmation' }));
    await expectOnce(orderId, (a) =>
      a.recordNote({
        orderId,
        n: 3,
        step: 'shipping',
        actor: 'temporal',
        act: 'cancel',
        result: 'refused',
        reason: 'x',
      }),
    );
    await expectOnce(orderId, (a) => a.completeOrder({ orderId }));
    const [ledger] = await store.read.ledger(orderId);
    expect(ledger).toMatchObject({ status: 'completed', reservedUnits: 0, consumedUnits: 2 });
    expect(ledger?.eventTypes).toEqual([
      'order.created.v1',
      'inventory.reserved.v1',
      'order.held.v1',
      'fulfillment.created.v1',
      'order.completed.v1',
    ]);
  });

  test('each step of an order that is taken back writes once, however often it runs', async () => {
    const orderId = await given();
    await run((a) => a.reserveInventory({ orderId }));
    await run((a) => a.createFulfillment({ orderId }));
    await expectOnce(orderId, (a) => a.cancelFulfillment({ orderId }));
    await expectOnce(orderId, (a) => a.releaseInventory({ orderId }));
    const ending = { status: 'cancelled', actor: 'customer', reason: 'changed his mind' } as const;
    await expectOnce(orderId, (a) => a.closeOrder({ orderId, step: 'fulfillment', ending }));
    const [ledger] = await store.read.ledger(orderId);
    expect(ledger).toMatchObject({ status: 'cancelled', reservedUnits: 0, fulfillment: 'cancelled' });
  });

  test('an act that had no effect by the end of a shipped order is overtaken', async () => {
    const orderId = await given();
    const actId = `late-${orderId}`;
    await run((a) => a.reserveInventory({ orderId }));
    await store.transaction((tx) =>
      tx.acts.insert({
        orderId,
        actId,
        name: 'approve',
        state: 'accepted',
        recordedAtUtc: '2026-01-01T00:00:00.000Z',
      }),
    );
    await run((a) => a.completeOrder({ orderId }));
    expect(await store.read.acts(orderId)).toMatchObject([
      { actId, state: 'overtaken', reason: 'the order completed' },
    ]);
  });

  test('a compensation of what never happened writes no event, and its step can not happen any more', async () => {
    const orderId = await given();
    await expectOnce(orderId, (a) => a.releaseInventory({ orderId }));
    await expectOnce(orderId, (a) => a.cancelFulfillment({ orderId }));
    for (const late of ['reserveInventory', 'createFulfillment'] as const) {
      await expect(run((a) => a[late]({ orderId }))).rejects.toMatchObject({ type: 'OperationCompensated' });
    }
    const [ledger] = await store.read.ledger(orderId);
    expect(ledger).toMatchObject({ reservedUnits: 0, fulfillment: 'none', eventTypes: ['order.created.v1'] });
  });

  test('the last unit goes to one of many orders that want it at once; the others are out of stock', async () => {
    const items = [{ productId: productId('rare'), quantity: 1 }];
    const ids = await Promise.all(Array.from({ length: 12 }, () => given({ items })));
    const answers = await Promise.all(ids.map((orderId) => failure((a) => a.reserveInventory({ orderId }))));
    expect(answers.filter((answer) => answer instanceof Error)).toHaveLength(11);
    expect(answers.find((answer) => answer instanceof Error)).toMatchObject({
      type: 'OutOfStock',
      nonRetryable: true,
    });
    const loser = ids[answers.findIndex((answer) => answer instanceof Error)] as OrderId;
    await expectOnce(loser, (a) => a.reserveInventory({ orderId: loser }));
  });

  test('a refusal for want of stock names the customer’s own held order, and nobody else’s', async () => {
    const single = productId(`single-${crypto.randomUUID()}`);
    await store.transaction((tx) =>
      tx.inventory.putProduct({ productId: single, name: 'Single', price, onHand: 1 }),
    );
    const items = [{ productId: single, quantity: 1 }];
    const first = await given({ items });
    await run((a) => a.reserveInventory({ orderId: first }));
    await run((a) => a.holdOrder({ orderId: first, n: 1, step: 'payment', hold }));
    const refusalOf = async (changes: Partial<Checkout>) => {
      const orderId = await given({ items, ...changes });
      const error = (await failure((a) => a.reserveInventory({ orderId }))) as Error;
      return error.message;
    };
    const plain = `Not enough stock of ${single}.`;
    expect(await refusalOf({})).toBe(
      `${plain} Order ${first} of the same customer is held and has ${single} reserved.`,
    );
    expect(await refusalOf({ customerId: customerId('customer-2') })).toBe(plain);
    expect(await refusalOf({ callerId: 'shop-b' })).toBe(plain);
  });

  test.each([
    ['UnknownProduct', { items: [{ productId: productId('no-such'), quantity: 1 }] }],
    ['ProductWithdrawn', { items: [{ productId: productId('gone'), quantity: 1 }] }],
    ['ParcelTooLarge', { items: [{ productId: productId('lamp'), quantity: 1_000 }] }],
    ['CustomsIncomplete', { shippingAddress: { ...checkoutOf().shippingAddress, country: 'DE' } }],
    ['PriceChanged', { expectedTotal: { amountMinor: 1, currency: 'INR' } }],
    ['AmountNotPayable', { items: [{ productId: productId('lamp'), quantity: 999_999 }] }],
    ['AmountNotPayable', { items: [{ productId: productId('dear'), quantity: 2 }] }],
    [
      'AmountNotPayable',
      {
        items: [
          { productId: productId('dear'), quantity: 1 },
          { productId: productId('lamp'), quantity: 1 },
        ],
      },
    ],
  ] as const)('%s is answered for good, and the order is on record', async (type, changes) => {
    const checkout = checkoutOf(changes as Partial<Checkout>);
    await expectOnce(checkout.orderId, (a) => a.recordOrder({ checkout, traceparent }));
    await expect(run((a) => a.recordOrder({ checkout, traceparent }))).rejects.toMatchObject({
      type,
      nonRetryable: true,
    });
    const [ledger] = await store.read.ledger(checkout.orderId);
    expect(ledger).toMatchObject({ status: 'received', eventTypes: ['order.created.v1'] });
  });

  test('an order keeps what its parcel holds, and goes on when its product is withdrawn or changed', async () => {
    const id = productId('described');
    const facts = {
      weightGrams: 500,
      hsCode: '940520',
      originCountry: 'IN',
      customsDescription: 'Desk lamp',
    };
    await store.transaction(async (tx) => {
      await tx.inventory.putProduct({ productId: id, name: 'Described', price, onHand: 5 });
      await tx.inventory.describeProduct({ productId: id, ...facts });
    });
    const checkout = checkoutOf({ items: [{ productId: id, quantity: 2 }] });
    const { orderId } = checkout;
    await run((a) => a.recordOrder({ checkout, traceparent }));
    await store.transaction((tx) =>
      tx.inventory.describeProduct({ productId: id, withdrawnAtUtc: '2026-01-02T03:04:05.000Z' }),
    );
    await expect(run((a) => a.recordOrder({ checkout, traceparent }))).resolves.toMatchObject({});
    await expect(run((a) => a.reserveInventory({ orderId }))).resolves.toBeNull();
    const order = await store.transaction((tx) => tx.orders.find(orderId));
    expect(order?.parcel).toEqual([{ productId: id, quantity: 2, valueMinor: 200_000, ...facts }]);
    const next = checkoutOf({ items: [{ productId: id, quantity: 1 }] });
    expect(await failure((a) => a.recordOrder({ checkout: next, traceparent }))).toMatchObject({
      type: 'ProductWithdrawn',
      message: 'described was withdrawn from sale.',
    });
  });

  test('an order that has ended is never begun again under its id', async () => {
    const checkout = checkoutOf();
    const { orderId } = checkout;
    await run((a) => a.recordOrder({ checkout, traceparent }));
    await run((a) => a.completeOrder({ orderId }));
    await expect(run((a) => a.recordOrder({ checkout, traceparent }))).rejects.toMatchObject({
      type: 'OrderClosed',
      details: [{ details: { status: 'completed' } }],
    });
  });

  test('a hold that lands after its order has ended moves nothing; only the audit trail keeps it', async () => {
    const orderId = await given();
    const ending = { status: 'cancelled', actor: 'customer', reason: 'changed his mind' } as const;
    await run((a) => a.closeOrder({ orderId, step: 'payment', ending }));
    const before = await everythingOf(orderId);
    await run((a) => a.holdOrder({ orderId, n: 1, step: 'payment', hold }));
    const { ledger, view, audit } = await everythingOf(orderId);
    expect(view).toMatchObject({ status: 'cancelled', sagaState: 'ended' });
    expect(view?.hold).toBeUndefined();
    expect(ledger[0]?.eventTypes).toEqual(before.ledger[0]?.eventTypes);
    expect(audit).toHaveLength(before.audit.length + 1);
    expect(audit.at(-1)).toMatchObject({
      from: 'cancelled',
      to: 'cancelled',
      reason: expect.stringMatching(/^too late/),
    });
  });

  test('an order that is taken back is neither held nor parked any more', async () => {
    const orderId = await given();
    await run((a) => a.holdOrder({ orderId, n: 1, step: 'payment', hold }));
    expect((await store.read.order(orderId))?.hold).toMatchObject({ untilUtc: hold.untilUtc });
    const failure = { type: 'CardDeclined', reason: 'Your card was declined.' } as const;
    const fail = { act: 'fail', result: 'compensating', sagaState: 'compensating', failure } as const;
    await run((a) =>
      a.recordNote({ orderId, n: 2, step: 'payment', actor: 'saga', reason: failure.reason, ...fail }),
    );
    const view = await store.read.order(orderId);
    expect(view).toMatchObject({ sagaState: 'compensating', failure });
    expect(view).not.toHaveProperty('hold');
    expect(view).not.toHaveProperty('parked');
  });

  test('a hold that lands after the note that followed it moves nothing', async () => {
    const orderId = await given();
    const note = { orderId, step: 'payment', actor: 'customer', reason: 'changed his mind' } as const;
    const cancel = {
      ...note,
      n: 2,
      act: 'cancel',
      result: 'compensating',
      sagaState: 'compensating',
    } as const;
    await run((a) => a.recordNote(cancel));
    await run((a) => a.holdOrder({ orderId, n: 1, step: 'payment', hold }));
    expect(await store.read.order(orderId)).toMatchObject({ status: 'received', sagaState: 'compensating' });
  });

  test('a hold that lands after a remark made meanwhile holds the order, and tells of it', async () => {
    const orderId = await given();
    const note = { orderId, step: 'payment', actor: 'customer', reason: 'too late' } as const;
    await run((a) => a.recordNote({ ...note, n: 2, act: 'cancel', result: 'refused' }));
    await run((a) => a.recordNote({ ...note, n: 3, act: 'extend', result: 'refused' }));
    await run((a) => a.holdOrder({ orderId, n: 1, step: 'payment', hold }));
    const { ledger, view } = await everythingOf(orderId);
    expect(view).toMatchObject({ sagaState: 'held', hold: { untilUtc: hold.untilUtc } });
    expect(ledger[0]?.eventTypes.at(-1)).toBe('order.held.v1');
  });

  test('a hold that lands after a remark and what followed that moves nothing', async () => {
    const orderId = await given();
    const note = { orderId, step: 'payment', actor: 'customer', reason: 'changed his mind' } as const;
    await run((a) => a.recordNote({ ...note, n: 2, act: 'extend', result: 'refused' }));
    const goesOn = { ...note, n: 3, status: 'inventory_reserved', sagaState: 'running' } as const;
    await run((a) => a.resumeOrder(goesOn));
    await run((a) => a.holdOrder({ orderId, n: 1, step: 'payment', hold }));
    expect(await store.read.order(orderId)).toMatchObject({ sagaState: 'running' });
  });
});
