import type Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Sandbox } from '../start-sandbox.ts';
import { api, quickSandbox, stripeFor } from '../testing.ts';

describe('refunds and disputes', () => {
  let sandbox: Sandbox;
  let stripe: Stripe;

  beforeAll(async () => {
    sandbox = await quickSandbox();
    stripe = stripeFor(sandbox);
  });
  afterAll(() => sandbox.close());

  const pay = (payment_method = 'pm_card_visa', orderId = 'some-order') =>
    stripe.paymentIntents.create({
      amount: 10_000,
      currency: 'inr',
      confirm: true,
      payment_method,
      automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
      metadata: { orderId },
    });

  const refund = (payment_intent: string, amount?: number) =>
    stripe.refunds.create({ payment_intent, ...(amount !== undefined && { amount }) });

  test('gives back everything by default, and then nothing more', async () => {
    const paid = await pay();
    expect(await refund(paid.id)).toMatchObject({
      amount: 10_000,
      status: 'succeeded',
      payment_intent: paid.id,
    });
    await expect(refund(paid.id)).rejects.toMatchObject({ code: 'charge_already_refunded', statusCode: 400 });
    const charge = await stripe.charges.retrieve(paid.latest_charge as string);
    expect(charge).toMatchObject({ refunded: true, amount_refunded: 10_000 });
  });

  test('parts add up to at most what was charged', async () => {
    const paid = await pay();
    await refund(paid.id, 6_000);
    await expect(refund(paid.id, 4_001)).rejects.toThrow(/greater than unrefunded amount/);
    await expect(refund(paid.id, 0)).rejects.toMatchObject({ code: 'parameter_invalid_integer' });
    await refund(paid.id, 4_000);
    const listed = await stripe.refunds.list({ payment_intent: paid.id });
    expect(listed.data.map(({ amount }) => amount)).toEqual([4_000, 6_000]);
    const one = await stripe.refunds.retrieve(String(listed.data[0]?.id), { expand: ['charge'] });
    expect(one.charge).toMatchObject({ object: 'charge', amount_refunded: 10_000 });
  });

  test('what was never paid cannot be refunded', async () => {
    const intent = await stripe.paymentIntents.create({ amount: 10_000, currency: 'inr' });
    await expect(refund(intent.id)).rejects.toThrow(/does not have a successful charge/);
    expect((await stripe.refunds.list({ payment_intent: intent.id })).data).toEqual([]);
    await expect(refund('pi_none')).rejects.toMatchObject({ code: 'resource_missing' });
  });

  test('a refund can stay pending for a while', async () => {
    const paid = await pay('pm_card_pendingRefund');
    const pending = await refund(paid.id);
    expect(pending.status).toBe('pending');
    await vi.waitFor(
      async () => expect((await stripe.refunds.retrieve(pending.id)).status).toBe('succeeded'),
      2_000,
    );
  });

  test('a refund can fail after it had succeeded, and the money can be refunded again', async () => {
    const paid = await pay('pm_card_refundFail');
    const first = await refund(paid.id);
    expect(first.status).toBe('succeeded');
    await vi.waitFor(
      async () => expect((await stripe.refunds.retrieve(first.id)).status).toBe('failed'),
      2_000,
    );
    expect((await refund(paid.id)).amount).toBe(10_000);
  });

  test('a disputed charge cannot be refunded', async () => {
    const paid = await pay();
    const dispute = await api<{ id: string }>(sandbox, 'POST', '/sandbox/disputes', {
      payment_intent: paid.id,
    });
    expect(dispute).toMatchObject({ status: 201, body: { object: 'dispute', amount: 10_000 } });
    await expect(refund(paid.id)).rejects.toMatchObject({ code: 'charge_disputed' });
    const open = await stripe.disputes.retrieve(dispute.body.id, { expand: ['payment_intent'] });
    expect(open).toMatchObject({
      status: 'needs_response',
      is_charge_refundable: false,
      payment_intent: { object: 'payment_intent', id: paid.id },
    });
  });

  const dispute = async (payment_intent: string, inquiry = false): Promise<string> => {
    const made = await api<{ id: string }>(sandbox, 'POST', '/sandbox/disputes', { payment_intent, inquiry });
    return made.body.id;
  };
  const decide = (id: string, status: string) =>
    api<{ status: string }>(sandbox, 'POST', `/sandbox/disputes/${id}/decide`, { status });

  test('a won dispute lets the charge be refunded, a lost one does not, and each is decided once', async () => {
    const won = await pay();
    const lost = await pay();
    const [first, second] = [await dispute(won.id), await dispute(lost.id)];
    expect(await decide(first, 'won')).toMatchObject({ status: 200, body: { status: 'won' } });
    expect((await decide(second, 'lost')).status).toBe(200);
    expect((await decide(second, 'won')).status).toBe(409);
    expect((await refund(won.id)).status).toBe('succeeded');
    await expect(refund(lost.id)).rejects.toMatchObject({ code: 'charge_disputed' });
  });

  test('an inquiry leaves the charge refundable; a full refund ends it, the bank may make it a dispute', async () => {
    const asked = await pay('pm_card_createDisputeInquiry', 'asked');
    const other = await pay();
    const escalated = await dispute(other.id, true);
    expect((await decide(escalated, 'lost')).status).toBe(409);
    expect((await decide(escalated, 'needs_response')).status).toBe(200);
    await expect(refund(other.id)).rejects.toMatchObject({ code: 'charge_disputed' });
    await refund(asked.id, 1_000);
    await refund(asked.id);
    const { body } = await api<{ disputes: object[] }>(sandbox, 'GET', '/sandbox/ledger?orderId=asked');
    expect(body.disputes).toMatchObject([{ intent: asked.id, amount: 10_000, status: 'warning_closed' }]);
  });

  test('any refund can come back, once, and the money is on the charge again', async () => {
    const paid = await pay();
    const { id } = await refund(paid.id, 4_000);
    const failed = await api<{ status: string }>(sandbox, 'POST', `/sandbox/refunds/${id}/fail`, {});
    expect(failed).toMatchObject({
      status: 200,
      body: { status: 'failed', failure_reason: 'lost_or_stolen_card' },
    });
    expect((await api(sandbox, 'POST', `/sandbox/refunds/${id}/fail`, {})).status).toBe(409);
    expect((await refund(paid.id)).amount).toBe(10_000);
  });
});
