import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workflowIdOf } from '../../domain/ids.ts';
import type { PolicyChanges } from '../../domain/policy.ts';
import { newOrderId } from '../e2e/saga-suite.ts';
import { startSagaEnvironment, type SagaEnvironment } from '../setup/saga-environment.ts';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.ts';
import { createStalledAttempts } from './stalled-attempts.ts';

const ORDERS = 6;

/** An attempt that stands still is given up by Temporal after this; its lock lasts one second longer. */
const attemptTimeoutMs = 800;
const policy: PolicyChanges = {
  steps: { payment: { attemptTimeoutMs }, shipping: { attemptTimeoutMs } },
};

describe('locks and SQL that go away in the middle of orders', () => {
  const stalled = createStalledAttempts();
  let redis: PrivateRedis;
  let saga: SagaEnvironment;
  beforeAll(async () => {
    redis = await startPrivateRedis();
    saga = await startSagaEnvironment({ env: { REDIS_URL: redis.url }, wrap: stalled.wrap });
  });
  afterAll(async () => {
    await saga?.close();
    await redis?.remove();
  });

  /** Orders whose first attempt at each costly request is overtaken by a second one. */
  const startSuperseded = () =>
    Promise.all(
      Array.from({ length: ORDERS }, () => {
        const orderId = newOrderId();
        stalled.stall(workflowIdOf(orderId), attemptTimeoutMs + 400);
        return saga.start({ orderId }, policy);
      }),
    );

  /** Waits for the orders' ends and for attempts that still stand still, and counts what there is of them. */
  async function countsOf(started: readonly Awaited<ReturnType<SagaEnvironment['start']>>[]) {
    await Promise.all(started.map((order) => order.result()));
    await stalled.over();
    await sleep(300);
    return saga.check(...started.map(({ orderId }) => orderId));
  }

  const once = (orders: number) => ({
    completed: orders,
    charges: orders,
    labels: orders,
    refunds: 0,
    lost: 0,
    duplicated: 0,
  });

  test('an attempt that is overtaken by its retry charges and buys nothing a second time', async () => {
    const before = stalled.count();
    expect(await countsOf(await startSuperseded())).toMatchObject(once(ORDERS));
    expect(stalled.count() - before).toBe(2 * ORDERS);
  });

  test('nor when Redis forgets its lock meanwhile, so that both run at the same time', async () => {
    const before = stalled.count();
    const started = await startSuperseded();
    const forgetting = new AbortController();
    const forget = (async () => {
      while (!forgetting.signal.aborted) {
        await redis.loseData();
        await sleep(50);
      }
    })();
    expect(await countsOf(started)).toMatchObject(once(ORDERS));
    forgetting.abort();
    await forget;
    expect(stalled.count() - before).toBe(2 * ORDERS);
  });

  test('nor when Redis is killed in the middle, and it is used again once it is back', async () => {
    const before = stalled.count();
    const started = await startSuperseded();
    await saga.until(started[0]?.orderId ?? newOrderId(), ({ step }) => step === 'payment');
    await redis.kill();
    expect(await countsOf(started)).toMatchObject(once(ORDERS));
    expect(stalled.count() - before).toBe(2 * ORDERS);
    await redis.start();
    const order = await saga.start();
    await order.result();
    await saga.check(order.orderId);
    await expect
      .poll(() =>
        saga.deps.ping.redis().then(
          () => 'up',
          () => 'down',
        ),
      )
      .toBe('up');
  });

  test('SQL that stays locked for three seconds delays orders and loses nothing of them', async () => {
    const started = await Promise.all(Array.from({ length: ORDERS }, () => saga.start()));
    await saga.until(started[0]?.orderId ?? newOrderId(), ({ status }) => status !== 'received');
    const other = new DatabaseSync(saga.config.SQL_URL.replace('sqlite:', ''));
    other.exec('BEGIN IMMEDIATE');
    await sleep(3_000);
    other.exec('ROLLBACK');
    other.close();
    expect(await countsOf(started)).toMatchObject(once(ORDERS));
  });

  test('answers of 503 and 429 at random from both providers delay orders and double nothing', async () => {
    const storm = { kind: 'error', forMs: 3_000, rate: 0.4 } as const;
    await saga.faults([
      { ...storm, provider: 'stripe', status: 503 },
      { ...storm, provider: 'easypost', status: 503 },
      { ...storm, provider: 'stripe', status: 500, rate: 0.2, effect: true },
      { ...storm, provider: 'easypost', status: 500, rate: 0.2, effect: true },
      { ...storm, provider: 'easypost', status: 429, rate: 0.2 },
    ]);
    const started = await Promise.all(Array.from({ length: 2 * ORDERS }, () => saga.start()));
    expect(await countsOf(started)).toMatchObject(once(2 * ORDERS));
    await saga.faults([]);
  });
});
