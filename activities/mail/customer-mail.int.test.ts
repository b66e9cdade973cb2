import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectSqliteStore } from '../../adapters/sqlite/sqlite-store.ts';
import { parseEmailTask } from '../../domain/email-task.ts';
import type { OrderId } from '../../domain/ids.ts';
import type { Store } from '../../ports/store.ts';
import { attemptTimeoutMs, createModelledOrder } from '../../test/support/modelled-order.ts';

const money = (amountMinor: number) => ({ amountMinor, currency: 'INR' as const });
const charge = money(149_900);

describe('mails about the customer’s money', () => {
  let folder: string;
  let store: Store;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'order-saga-mails-'));
    store = await connectSqliteStore({ path: join(folder, 'orders.sqlite') });
  });
  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function mailsOf(orderId: OrderId): Promise<Record<string, unknown>[]> {
    const lease = { owner: 'test', nowUtc: new Date().toISOString(), leaseMs: 600_000 };
    const partitions = await store.outbox.lease(lease);
    const messages = await store.outbox.pending({ owner: 'test', partitions, limit: 1_000 });
    const tasks = messages.filter(
      (one) => one.orderId === orderId && one.destination === 'queue:email-queue',
    );
    return tasks.map(({ payload }) => {
      const parsed = parseEmailTask(JSON.parse(payload));
      expect(parsed).toMatchObject({ ok: true });
      return (parsed as unknown as { task: Record<string, unknown> }).task;
    });
  }

  async function given({ paid = true } = {}) {
    const order = await createModelledOrder({ store });
    const { orderId, once } = order;
    if (paid)
      await once((a) => a.processPayment({ orderId, n: 1, paymentMethodId: 'pm_1', attemptTimeoutMs }));
    const refundAll = () => once((a) => a.refundPayment({ orderId, attemptTimeoutMs }));
    const end = async (ending: 'cancelled' | 'failed') => {
      await once((a) => a.voidShipment({ orderId, attemptTimeoutMs }));
      await once((a) => a.cancelFulfillment({ orderId }));
      await refundAll();
      await once((a) => a.releaseInventory({ orderId }));
      const failure = { type: 'AddressUndeliverable', reason: 'No such city.' } as const;
      const cancelled = { status: ending, actor: 'shop-a', reason: 'she called' } as const;
      const close = () =>
        once((a) =>
          a.closeOrder({
            orderId,
            step: 'shipping',
            ending:
              ending === 'failed' ? { status: 'failed', failure } : { ...cancelled, status: 'cancelled' },
          }),
        );
      await close();
      await close();
    };
    return { ...order, end, refundAll };
  }

  test('a canceled order’s customer is told once what goes back', async () => {
    const order = await given();
    await order.end('cancelled');
    expect(await mailsOf(order.orderId)).toMatchObject([
      { template: 'order-ended', canceled: true, back: charge, to: 'customer@example.com' },
    ]);
  });

  test('and that nothing was charged, where nothing was; a failed order’s customer is told why', async () => {
    const [canceled, failed] = [await given({ paid: false }), await given({ paid: false })];
    await canceled.end('cancelled');
    await failed.end('failed');
    const [mail, ...more] = await mailsOf(canceled.orderId);
    expect([mail, more]).toMatchObject([{ template: 'order-ended', canceled: true }, []]);
    expect(mail).not.toHaveProperty('back');
    expect(mail).not.toHaveProperty('failureType');
    const told = await mailsOf(failed.orderId);
    expect(told).toMatchObject([
      { template: 'order-ended', canceled: false, failureType: 'AddressUndeliverable' },
    ]);
    expect(told[0]).not.toHaveProperty('back');
  });

  test('a failed order that was charged tells of its money, and of what a bank holds', async () => {
    const order = await given();
    const [intent] = order.stripe.charged();
    order.stripe.dispute(intent?.intentId ?? '', 'open');
    await order.end('failed');
    expect(await mailsOf(order.orderId)).toMatchObject([
      { template: 'order-ended', canceled: false, heldByBank: charge },
    ]);
  });

  test('a refund that staff make is told when the provider has taken it, once', async () => {
    const order = await given();
    const { orderId } = order;
    const refund = { orderId, refundId: 'a', amount: money(50_000), reason: 'late', actor: 'ada' };
    await order.once((a) => a.requestRefund({ ...refund, fingerprint: 'f' }));
    expect(await mailsOf(orderId)).toEqual([]);
    for (let round = 0; round < 2; round += 1)
      await order.once((a) => a.refundPart({ orderId, refundId: 'a', attemptTimeoutMs }));
    expect(await mailsOf(orderId)).toMatchObject([{ template: 'money-refunded', amount: money(50_000) }]);
  });
});
