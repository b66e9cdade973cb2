import { describe, expect, it } from 'vitest';
import type { Dispute, Refund, RefundAnswer } from '../../domain/refunds.ts';
import type { PaymentRow, StoredMoney } from '../../ports/store/money.ts';
import { createApp } from '../app.ts';
import { TemporalUnavailable } from '../../ports/temporal.ts';
import {
  fakeDeps,
  fakeRefunds,
  fakeStore,
  operatorKey,
  otherShopKey,
  send,
  shopKey,
  someOrder,
  viewOf,
} from '../testing/fake-deps.ts';

const path = `/orders/${someOrder}/refunds`;
const amount = { amountMinor: 50_000, currency: 'INR' } as const;
const at = '2026-01-02T03:04:05.678Z';

const refundOf = (change: Partial<Refund> = {}): Refund => ({
  orderId: someOrder,
  refundId: 'r-1',
  n: 1,
  state: 'refunded',
  amount,
  reason: 'one key was stuck',
  actor: 'help-desk',
  requestedAtUtc: at,
  settledAtUtc: at,
  providerRefundId: 're_1',
  ...change,
});

const charged: PaymentRow = {
  orderId: someOrder,
  n: 1,
  state: 'charged',
  amount: { amountMinor: 149_900, currency: 'INR' },
  intentId: 'pi_1',
  createRequestedAtUtc: at,
  createKeyNumber: 1,
  confirmKeyNumber: 1,
  cancelKeyNumber: 1,
  refundKeyNumber: 1,
};

function build(options: { answer?: RefundAnswer | undefined; money?: Partial<StoredMoney> } = {}) {
  const refunds = fakeRefunds(() => options.answer);
  const money = async () => ({ payments: [charged], refunds: [], disputes: [], ...options.money });
  const { store } = fakeStore({ reads: { order: async () => viewOf(), money } });
  const app = createApp(fakeDeps({ refunds: refunds.workflows, store }));
  const post = (
    body: unknown,
    headers: Record<string, string> = { 'idempotency-key': 'k-1' },
    key = operatorKey,
  ) => send(app, 'POST', path, { body, headers, key });
  return { app, post, ...refunds };
}

const body = { amount: { amount: '500.00', currency: 'INR' }, reason: 'one key was stuck' };

describe('POST /orders/{orderId}/refunds', () => {
  it('answers with the refund that the provider has taken', async () => {
    const { post, started } = build({ answer: { status: 'taken', refund: refundOf() } });
    const response = await post(body);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      orderId: someOrder,
      refundId: 'r-1',
      state: 'refunded',
      amount: { amount: '500.00', currency: 'INR' },
      providerRefundId: 're_1',
      links: { refunds: path },
    });
    expect([...started.values()]).toMatchObject([{ orderId: someOrder, amount, actor: 'help-desk' }]);
  });

  it('answers 202 while the provider has not answered, and goes on by itself', async () => {
    const { post, started } = build();
    const response = await post({ reason: 'all of it', actor: 'asha' });
    expect(response.status).toBe(202);
    expect(response.headers.get('location')).toBe(path);
    expect(await response.json()).toMatchObject({ state: 'requested', actor: 'asha (help-desk)' });
    expect([...started.values()][0]).not.toHaveProperty('amount');
  });

  it('starts a refund once for one key of the order, whoever repeats it, and refuses another body with 422', async () => {
    const { post, started } = build({ answer: { status: 'taken', refund: refundOf() } });
    await post(body);
    expect((await post({ ...body, actor: 'asha' })).status).toBe(200);
    expect(started.size).toBe(1);
    const other = await post({ ...body, reason: 'another' });
    expect([other.status, ((await other.json()) as { type: string }).type]).toEqual([
      422,
      '/docs/problems#idempotency-key-reused',
    ]);
    await post(body, { 'idempotency-key': 'k-2' });
    expect(started.size).toBe(2);
  });

  it('shows what has become of the refund since: one that came back is failed', async () => {
    const failed = { ...refundOf({ state: 'failed', failure: 'lost card' }), fingerprint: '', keyNumber: 1 };
    const answer = { status: 'taken', refund: refundOf() } as const;
    const { post, started } = build({ answer });
    await post(body);
    const [asked] = started.keys();
    const { post: again } = build({ answer, money: { refunds: [{ ...failed, refundId: asked ?? '' }] } });
    expect(await (await again(body)).json()).toMatchObject({ state: 'failed', failure: 'lost card' });
  });

  it('is refused with 409 and the reason’s code', async () => {
    const answer = { status: 'refused', code: 'disputed', reason: 'Dispute dp_1 is open.' } as const;
    const response = await build({ answer }).post(body);
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ code: 'disputed', detail: 'Dispute dp_1 is open.' });
  });

  it('refuses the amount of the last 24 hours with a problem of its own, and tells the run what was confirmed', async () => {
    const answer = {
      status: 'refused',
      code: 'same_amount',
      reason: '500.00 INR went back already.',
    } as const;
    const { post, started } = build({ answer });
    const response = await post(body);
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({
      type: '/docs/problems#same-amount-refunded',
      code: 'same_amount',
    });
    const { fingerprint } = [...started.values()][0] ?? {};
    const confirmed = build({ answer: { status: 'taken', refund: refundOf() } });
    expect((await confirmed.post({ ...body, confirmSameAmount: true })).status).toBe(200);
    expect([...confirmed.started.values()]).toMatchObject([{ confirmSameAmount: true, fingerprint }]);
  });

  it('says by dryRun what would go back or why not, and starts nothing', async () => {
    const now = new Date().toISOString();
    const refunds = [{ ...refundOf({ requestedAtUtc: now }), fingerprint: '', keyNumber: 1 }];
    const { post, started } = build({ money: { refunds } });
    const again = await post({ ...body, dryRun: true });
    expect([again.status, ((await again.json()) as { code: string }).code]).toEqual([409, 'same_amount']);
    const confirmed = await post({ ...body, dryRun: true, confirmSameAmount: true });
    expect(await confirmed.json()).toMatchObject({ dryRun: true, amount: { amount: '500.00' } });
    const rest = await post({ reason: 'all of it', dryRun: true });
    expect(await rest.json()).toMatchObject({ code: 'cancel_instead' });
    expect(started.size).toBe(0);
  });

  it.each([
    ['without a reason', {}, 422],
    ['of nothing', { ...body, amount: { amount: '0.00', currency: 'INR' } }, 422],
    ['of less than nothing', { ...body, amount: { amount: '-1.00', currency: 'INR' } }, 422],
    ['with too many decimals', { ...body, amount: { amount: '1.005', currency: 'INR' } }, 422],
    ['with fields nobody knows', { ...body, payment: 1 }, 422],
  ])('refuses one %s', async (_what, wrong, status) => {
    const { post, started } = build();
    expect((await post(wrong)).status).toBe(status);
    expect(started.size).toBe(0);
  });

  it('needs an operator, a key for the refund and an order that exists', async () => {
    const { app, post, started } = build();
    expect((await post(body, { 'idempotency-key': 'k-1' }, shopKey)).status).toBe(403);
    expect((await post(body, {})).status).toBe(400);
    const nowhere = '/orders/11111111-1111-5111-8111-111111111111/refunds';
    const unknown = createApp(fakeDeps());
    const options = { body, headers: { 'idempotency-key': 'k' }, key: operatorKey };
    expect((await send(unknown, 'POST', nowhere, options)).status).toBe(404);
    expect((await send(app, 'POST', '/orders/x/refunds', options)).status).toBe(404);
    expect(started.size).toBe(0);
  });

  it('answers 503 while Temporal is away', async () => {
    const { workflows } = fakeRefunds();
    const start = () => Promise.reject(new TemporalUnavailable('start', undefined));
    const { store } = fakeStore({ reads: { order: async () => viewOf() } });
    const app = createApp(fakeDeps({ refunds: { ...workflows, start }, store }));
    const options = { body, headers: { 'idempotency-key': 'k' }, key: operatorKey };
    expect((await send(app, 'POST', path, options)).status).toBe(503);
  });
});

describe('GET /orders/{orderId}/refunds', () => {
  const dispute: Dispute = {
    orderId: someOrder,
    disputeId: 'dp_1',
    n: 1,
    state: 'won',
    amount,
    reason: 'fraudulent',
    openedAtUtc: at,
    updatedAtUtc: at,
  };
  const row = { ...refundOf(), fingerprint: 'secret', keyNumber: 1 };

  it('shows what was charged, refunded and disputed, and what is left', async () => {
    const { app } = build({ money: { refunds: [row], disputes: [dispute] } });
    const response = await send(app, 'GET', path);
    expect(response.status).toBe(200);
    const answer = await response.json();
    expect(answer).toMatchObject({
      orderId: someOrder,
      charged: { amount: '1499.00', currency: 'INR' },
      left: { amount: '999.00', currency: 'INR' },
      refunds: [{ refundId: 'r-1', state: 'refunded' }],
      disputes: [{ disputeId: 'dp_1', state: 'won' }],
    });
    expect(JSON.stringify(answer)).not.toContain('secret');
  });

  it('says what is still owed, why, and what is to be done about it', async () => {
    const failed = { ...row, state: 'failed' as const, failure: 'lost card' };
    const { app } = build({ money: { refunds: [failed] } });
    const entry = {
      payment: 1,
      amount: { amount: '500.00', currency: 'INR' },
      why: 'refund_failed',
      act: 'refund',
    };
    const owed = [{ ...entry, failure: 'lost card' }];
    const order = `/orders/${someOrder}`;
    for (const at of [path, order]) {
      expect(await (await send(app, 'GET', at, { key: operatorKey })).json()).toMatchObject({ owed });
      /* The provider's words are not for shops. */
      const ofShop = (await (await send(app, 'GET', at)).json()) as { owed: object[] };
      expect(ofShop.owed).toMatchObject([entry]);
      expect(ofShop.owed[0]).not.toHaveProperty('failure');
    }
    const waits = build({
      money: {
        refunds: [{ ...row, state: 'owed' }],
        disputes: [{ ...dispute, state: 'open', dueByUtc: '2026-01-09T03:04:05.000Z' }],
      },
    }).app;
    const debt = {
      why: 'disputed',
      act: 'wait',
      disputeId: 'dp_1',
      respondByUtc: '2026-01-09T03:04:05.000Z',
    };
    expect(await (await send(waits, 'GET', `/orders/${someOrder}`)).json()).toMatchObject({ owed: [debt] });
    const paid = build({ money: { refunds: [failed, { ...row, refundId: 'r-2' }] } }).app;
    expect(await (await send(paid, 'GET', `/orders/${someOrder}`)).json()).not.toHaveProperty('owed');
  });

  it('takes an operator’s word that what was owed was paid otherwise, under a key of its own', async () => {
    const answer = { status: 'taken', refund: refundOf({ state: 'paid_otherwise' }) } as const;
    const { post, started } = build({ answer });
    const response = await post({ reason: 'bank transfer 4711', paidOtherwise: true });
    expect(await response.json()).toMatchObject({ state: 'paid_otherwise' });
    expect([...started.values()]).toMatchObject([{ paidOtherwise: true }]);
    expect((await post({ reason: 'bank transfer 4711' })).status).toBe(422);
    expect((await post({ reason: 'x', paidOtherwise: false }, { 'idempotency-key': 'k-2' })).status).toBe(
      422,
    );
  });

  it('lists the orders that owe, oldest debt first, each caller’s own', async () => {
    const debts = { list: async () => [{ orderId: someOrder, n: 1, amount, sinceUtc: at }] };
    const money = async () => ({
      payments: [charged],
      refunds: [{ ...row, state: 'owed' as const, amount: charged.amount }],
      disputes: [],
    });
    const { store } = fakeStore({
      reads: {
        order: async () => viewOf({ status: 'cancelled', sagaState: 'ended' }),
        money,
        debts: { ...debts, undecided: async () => [] },
      },
    });
    const app = createApp(fakeDeps({ store }));
    const list = async (key: string, more = '') => send(app, 'GET', `/orders?owed=true${more}`, { key });
    const orders = [{ orderId: someOrder, status: 'cancelled', owed: [{ why: 'settling', act: 'wait' }] }];
    expect(await (await list(operatorKey)).json()).toMatchObject({ orders });
    expect(await (await list(otherShopKey)).json()).toEqual({ orders: [] });
    expect((await list(operatorKey, '&status=cancelled')).status).toBe(422);
  });

  it('says null where nothing was charged, and shows nobody another shop’s order', async () => {
    const { app } = build({ money: { payments: [] } });
    expect(await (await send(app, 'GET', path)).json()).toMatchObject({ charged: null, left: null });
    expect((await send(app, 'GET', path, { key: otherShopKey })).status).toBe(404);
  });
});
