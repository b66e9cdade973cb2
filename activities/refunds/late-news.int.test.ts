import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectSqliteStore } from '../../adapters/sqlite/sqlite-store.ts';
import { TechnicalFailure } from '../../domain/failures.ts';
import type { PaymentGateway, ProviderDispute, ProviderRefund } from '../../ports/payment-gateway.ts';
import type { Store } from '../../ports/store.ts';
import { givenOrder, newOrderId } from '../../test/contract/store-fixtures.ts';
import { quietDeps } from '../../test/support/modelled-deps.ts';
import { createPaymentActivities } from '../create-activities.ts';
import type { ActivityDeps } from '../deps.ts';

const subject = { kind: 'dispute', id: 'dp_late' } as const;
const HOUR = 3_600_000;

describe('a notice about an order or a payment that is not in the store', () => {
  let folder: string;
  let store: Store;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'order-saga-news-'));
    store = await connectSqliteStore({ path: join(folder, 'orders.sqlite') });
  });
  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  const lines: string[] = [];
  const follow = (findDispute: PaymentGateway['findDispute'], waitedMs = 0) =>
    asWorker({ findDispute }, (a) => a.recordDispute({ subject, attemptTimeoutMs: 1_000 }), waitedMs);
  const asWorker = <T>(
    payments: Partial<PaymentGateway>,
    work: (activities: ReturnType<typeof createPaymentActivities>) => Promise<T>,
    waitedMs = 0,
  ): Promise<T> => {
    const scheduledTimestampMs = Date.parse('2026-01-02T03:04:05.000Z');
    const logger = new DefaultLogger('WARN', ({ message }) => void lines.push(message));
    const deps = {
      ...quietDeps,
      store,
      payments,
      clock: { nowUtc: () => new Date(scheduledTimestampMs + waitedMs).toISOString() },
      helpDeskMailTo: 'desk@shop.example',
    } as unknown as ActivityDeps;
    return new MockActivityEnvironment({ scheduledTimestampMs }, { logger }).run(() =>
      work(createPaymentActivities(deps)),
    );
  };
  const mails = async (orderId: string) => {
    const owner = `news-${crypto.randomUUID()}`;
    const partitions = await store.outbox.lease({ owner, nowUtc: new Date().toISOString(), leaseMs: 60_000 });
    const pending = await store.outbox.pending({ owner, partitions, limit: 100 });
    await store.outbox.releaseLeases(owner);
    return pending
      .filter((message) => message.orderId === orderId)
      .map(({ payload }) => JSON.parse(payload) as { to: string; subject: string; lines: string[] });
  };

  test('is told to the help desk with all that it holds, once for each state', async () => {
    const orderId = newOrderId();
    const found: ProviderDispute = {
      disputeId: 'dp_late',
      intentId: 'pi_late',
      state: 'open',
      amount: { amountMinor: 149_900, currency: 'INR' },
      reason: 'fraudulent',
      createdAtUtc: '2026-01-01T00:00:00.000Z',
      dueByUtc: '2026-01-08T00:00:00.000Z',
      orderId,
    };
    expect(await follow(async () => found)).toBeNull();
    expect(await follow(async () => found)).toBeNull();
    expect(await mails(orderId)).toMatchObject([{ to: 'desk@shop.example' }]);
    const [mail] = await mails(orderId);
    expect(`${mail?.subject} ${mail?.lines.join(' ')}`).toMatch(
      new RegExp(`${orderId}.*open.*dp_late of 1499.00 INR.*fraudulent.*pi_late.*2026-01-08`),
    );
    await follow(async () => ({ ...found, state: 'lost' }));
    expect(await mails(orderId)).toHaveLength(2);
    const { orderId: _, ...foreign } = found;
    await follow(async () => foreign);
    expect(await mails(orderId)).toHaveLength(2);
  });

  const amount = { amountMinor: 149_900, currency: 'INR' } as const;

  test('of a payment that its order does not have is told as well, once for each state', async () => {
    const { orderId } = await givenOrder(store, { runId: 'run-1' });
    const createdAtUtc = '2026-01-01T00:00:00.000Z';
    const found = { orderId, intentId: 'pi_by_hand', amount, createdAtUtc };
    const dispute = { ...found, disputeId: 'dp_by_hand', state: 'open', reason: 'fraudulent' } as const;
    for (let times = 0; times < 2; times += 1) expect(await follow(async () => dispute)).toBeNull();
    const told = await mails(orderId);
    expect(told).toMatchObject([{ to: 'desk@shop.example' }]);
    expect(`${told[0]?.subject} ${told[0]?.lines.join(' ')}`).toMatch(
      /that is not in the store: open.*dp_by_hand of 1499.00 INR.*pi_by_hand.*order is in the store and this payment of it is not/,
    );
    const refund: ProviderRefund = { ...found, refundId: 're_late', status: 'succeeded' };
    const work = { subject: { kind: 'refund', id: 're_late' }, attemptTimeoutMs: 1_000 } as const;
    expect(await asWorker({ findRefund: async () => refund }, (a) => a.recordRefund(work))).toBeNull();
    expect(await mails(orderId)).toHaveLength(2);
  });

  const charged = (orderId: ProviderDispute['orderId'], refunds: ProviderRefund[] = []) => {
    const intentId = `pi_${orderId}`;
    const answer = { status: 'charged', intentId, amount, ...(orderId ? { orderId } : {}) } as const;
    const refund = () => Promise.reject(new TechnicalFailure('ProviderUnavailable', '429'));
    const gateway = { retrieve: async () => answer, refunds: async () => refunds, refund };
    return asWorker(gateway, (a) =>
      a.recordCharge({ subject: { kind: 'payment', id: intentId }, attemptTimeoutMs: 1_000 }),
    );
  };

  test('of a charge is told once, whether its order or only its payment is not in the store', async () => {
    const gone = newOrderId();
    for (let times = 0; times < 2; times += 1) expect(await charged(gone)).toEqual({ result: 'told' });
    const [mail, ...more] = await mails(gone);
    expect(more).toEqual([]);
    expect(mail?.lines.join(' ')).toMatch(
      new RegExp(`charged 1499.00 INR with payment pi_${gone}.*order ${gone}.*not in the store.*Refund it`),
    );
    const { orderId } = await givenOrder(store, { runId: 'run-1' });
    expect(await charged(orderId)).toEqual({ result: 'told' });
    expect((await mails(orderId))[0]?.lines.join(' ')).toMatch(
      /this payment of it is not.*mark that step as done with pi_/,
    );
    expect(await charged(undefined)).toEqual({ result: 'nothing' });
  });

  test('of a late charge that goes back is told once, with why', async () => {
    const { orderId } = await givenOrder(store, { runId: 'run-1' });
    const intentId = `pi_${orderId}`;
    const row = { orderId, n: 1, state: 'declined', amount, intentId } as const;
    const numbers = { createKeyNumber: 1, confirmKeyNumber: 1, cancelKeyNumber: 1, refundKeyNumber: 1 };
    const atUtc = '2026-01-01T00:00:00.000Z';
    await store.transaction((tx) => tx.payments.put({ ...row, ...numbers, createRequestedAtUtc: atUtc }));
    const back = { refundId: 're_desk', intentId, status: 'succeeded', amount, createdAtUtc: atUtc } as const;
    await expect(charged(orderId)).rejects.toThrow(/429/);
    expect(await charged(orderId, [back])).toEqual({ result: 'refunded' });
    expect(await charged(orderId, [back])).toEqual({ result: 'known' });
    const told = (await mails(orderId)).filter(({ to }) => to === 'desk@shop.example');
    expect(told).toMatchObject([{ subject: `Order ${orderId} was charged late: 1499.00 INR` }]);
    expect(told[0]?.lines.join(' ')).toMatch(/was charged when the order was .*refunded in full/);
  });

  test('of what the provider does not know is tried for a day, then given up with a line', async () => {
    const missing = Object.assign(new TechnicalFailure('ProviderMisconfigured', 'No such dispute'), {
      unknownThere: true,
    });
    const ask = () => Promise.reject(missing);
    lines.length = 0;
    await expect(follow(ask, 23 * HOUR)).rejects.toThrow(/No such dispute/);
    const given = () => lines.filter((line) => line.includes('given up'));
    expect(given()).toEqual([]);
    expect(await follow(ask, 24 * HOUR)).toBeNull();
    expect(given()).toEqual([expect.stringMatching(/does not know; it is given up/)]);
    const away = new TechnicalFailure('ProviderUnavailable', '429');
    await expect(follow(() => Promise.reject(away), 99 * HOUR)).rejects.toThrow(/429/);
    const charge = { subject: { kind: 'payment', id: 'pi_gone' }, attemptTimeoutMs: 1_000 } as const;
    expect(await asWorker({ retrieve: ask }, (a) => a.recordCharge(charge), 24 * HOUR)).toEqual({
      result: 'nothing',
    });
  });
});
