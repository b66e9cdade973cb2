import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Sandbox } from '../start-sandbox.ts';
import { api, easypostFor, quickSandbox, stripeFor } from '../testing.ts';

const ORDER = '5d8f0f4e-6f0e-5b8a-9c61-3f0f6e2b7a10';
const OTHER = '0b9d2a53-52cf-5f0a-8a44-8d8f1f6f9d02';
const ADDRESS = { name: 'A', street1: '1 Road', city: 'Pune', zip: '411001', country: 'IN' };

describe('the ledger', () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await quickSandbox();
  });
  afterAll(() => sandbox.close());

  const pay = (orderId: string, payment_method = 'pm_card_visa') =>
    stripeFor(sandbox).paymentIntents.create({
      amount: 10_000,
      currency: 'inr',
      confirm: true,
      payment_method,
      metadata: { orderId },
      automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
    });

  const ship = async (orderId: string) => {
    const easypost = easypostFor(sandbox);
    const shipment = await easypost.Shipment.create({
      reference: `shipment-${orderId}-1`,
      to_address: ADDRESS,
      from_address: ADDRESS,
      parcel: { weight: 5 },
    });
    return easypost.Shipment.buy(shipment.id, shipment.lowestRate());
  };

  test('says for one order what was charged, refunded and shipped, however often', async () => {
    await pay(ORDER, 'pm_card_chargeDeclined').catch(() => undefined);
    const paid = await pay(ORDER);
    await pay(OTHER);
    await stripeFor(sandbox).refunds.create({ payment_intent: paid.id, amount: 4_000 });
    const bought = await ship(ORDER);
    await ship(ORDER);
    await easypostFor(sandbox).Shipment.refund(bought.id);
    await vi.waitFor(async () => {
      const { body } = await api(sandbox, 'GET', `/sandbox/ledger?orderId=${ORDER}`);
      expect(body).toMatchObject({
        orderId: ORDER,
        charged: [{ intent: paid.id, amount: 10_000, currency: 'inr' }],
        refunded: [{ intent: paid.id, amount: 4_000, status: 'succeeded' }],
        labels: [{ trackingCode: bought.tracking_code, refundStatus: 'refunded' }, { refundStatus: null }],
        shipmentsWithoutLabel: [],
        intents: [{ status: 'requires_payment_method' }, { status: 'succeeded' }],
      });
    }, 2_000);
  });

  test('sums up all orders for a check after a run', async () => {
    const { body } = await api<{ orders: unknown[] }>(sandbox, 'GET', '/sandbox/ledger');
    expect(body.orders).toContainEqual({
      orderId: ORDER,
      charges: 1,
      chargedMinor: 10_000,
      refundedMinor: 4_000,
      currency: 'inr',
      labels: 2,
      labelsRefunded: 1,
    });
    expect(body.orders).toHaveLength(2);
  });

  test('agrees with the counts', async () => {
    await vi.waitFor(async () => {
      const { body } = await api<{ business: object }>(sandbox, 'GET', '/sandbox/counts');
      expect(body.business).toMatchObject({
        charges_succeeded: 2,
        charged_minor_inr: 20_000,
        refunded_minor_inr: 4_000,
        payments_failed: 1,
        labels_bought: 2,
        labels_refunded: 1,
      });
    }, 2_000);
    const metrics = await (await fetch(`${sandbox.url}/metrics`)).text();
    expect(metrics).toContain('sandbox_business_total{fact="charges_succeeded"} 2');
  });

  test('is empty for an order nobody has seen, and after a reset', async () => {
    const empty = { charged: [], refunded: [], labels: [], intents: [] };
    expect((await api(sandbox, 'GET', '/sandbox/ledger?orderId=none')).body).toMatchObject(empty);
    await api(sandbox, 'POST', '/sandbox/reset');
    expect((await api(sandbox, 'GET', `/sandbox/ledger?orderId=${ORDER}`)).body).toMatchObject(empty);
    expect((await api(sandbox, 'GET', '/sandbox/counts')).body).toEqual({ operations: {}, business: {} });
  });

  test('pages for people name what happened', async () => {
    const paid = await pay(OTHER, 'pm_card_authenticationRequired');
    const page = await (await fetch(`${sandbox.url}/payments`)).text();
    expect(page).toContain(OTHER);
    const approve = await fetch(`${sandbox.url}/sandbox/payment_intents/${paid.id}/authenticate`, {
      method: 'POST',
      body: new URLSearchParams({ outcome: 'succeed' }),
      redirect: 'manual',
    });
    expect(approve.status).toBe(303);
    expect((await stripeFor(sandbox).paymentIntents.retrieve(paid.id)).status).toBe('succeeded');
    for (const path of ['/', '/inbox', '/labels', '/healthz', '/readyz']) {
      expect((await fetch(`${sandbox.url}${path}`)).status).toBe(200);
    }
    expect((await fetch(`${sandbox.url}/nothing`)).status).toBe(404);
  });
});
