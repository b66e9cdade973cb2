import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { send, shopKey } from '../../api/testing/fake-deps.ts';
import { startOpsFixture, type OpsFixture } from '../support/ops-fixture.ts';
import { runbookOf } from '../support/runbook.ts';
import { until } from '../setup/saga-environment.ts';
import { apiFixture } from './api-fixture.ts';
import { providerEnv } from './provider-suite.ts';
import { eventsOf, newOrderId, sagaSuite } from './saga-suite.ts';

/** As the API answers, as far as it is looked at here. */
interface Shown {
  orderId: string;
  sagaState: string;
  retrying?: { step: string; failures: number; attempt: number; reason: string; lastFailure?: string };
  waitingFor?: { state: string };
  orders: Shown[];
  next: string;
}

const often = {
  attemptTimeoutMs: 2_000,
  budgetMs: 60_000,
  initialIntervalMs: 300,
  backoffCoefficient: 1,
  maximumIntervalMs: 300,
};
const quickAddress = { address: { budgetMs: 300, attemptTimeoutMs: 250 } };

describe('a step that keeps failing', () => {
  const saga = sagaSuite({ env: providerEnv({ circuit: { minimumCalls: 10_000 } }) });
  const httpApi = apiFixture(saga);
  let fixture: OpsFixture;
  beforeAll(async () => {
    fixture = await startOpsFixture(saga());
  });
  afterAll(() => fixture?.close());
  const read = async (path: string): Promise<Shown> =>
    (await (await fixture.http('GET', path)).json()) as Shown;

  test('is told of wherever the order is looked at, and no longer once it has succeeded', async () => {
    const orderId = newOrderId();
    const fault = {
      provider: 'easypost',
      operation: 'shipments.create',
      kind: 'outage',
      mode: '503',
    } as const;
    await saga().addFault({ ...fault, id: orderId, match: { orderId } });
    const order = await saga().start(
      { orderId, callerId: 'shop-a' },
      { steps: { shipping: often, ...quickAddress } },
    );
    const healthy = await saga().start({ callerId: 'shop-a' });
    const shown = await until(
      () => read(`/orders/${orderId}`),
      ({ retrying }) => (retrying?.failures ?? 0) > 3,
    );
    const { failures = 0 } = shown.retrying ?? {};
    expect(shown).toMatchObject({
      sagaState: 'running',
      retrying: {
        step: 'shipping',
        attempt: failures + 1,
        failureType: 'OutcomeUnknown',
        lastFailure: expect.stringMatching(/EasyPost shipments.create .*503/),
        waitsFor: 'carrier',
      },
    });

    const shop = await send(httpApi().app, 'GET', `/orders/${orderId}`, { key: shopKey });
    const forShop = (await shop.json()) as Shown;
    expect(forShop.retrying).toMatchObject({
      step: 'shipping',
      reason: expect.stringContaining('the carrier'),
    });
    expect(JSON.stringify(forShop.retrying)).not.toMatch(/EasyPost|lastFailure/);
    const why = await read(`/orders/${orderId}/why`);
    expect(why.next).toMatch(/This has failed \d+ times, since the carrier .*; it is tried again by itself/);
    expect((await fixture.ops(['show', orderId])).out).toMatch(/shipping failed \d+ times[\s\S]*EasyPost/);

    const ids = async (where: string) => (await read(`/orders?${where}`)).orders.map((one) => one.orderId);
    await until(
      () => ids('retryingMoreThan=2'),
      (found) => found.includes(orderId),
    );
    expect(await ids('retryingMoreThan=100000')).toEqual([]);
    expect(await ids('waitingFor=carrier&retryingMoreThan=1')).toEqual([orderId]);
    expect(await ids('waitingFor=payments')).not.toContain(orderId);
    const listed = await fixture.ops(['list', '--where', 'retrying>2 waiting=carrier']);
    expect(listed.out).toMatch(/shipping \d+×, carrier/);
    expect(listed.out).not.toContain(healthy.orderId);

    const stream = await fixture.http('GET', `/orders/${orderId}/events`);
    const told = await firstRetrying(stream);
    expect(told).toMatchObject({ eventType: 'order.retrying', payload: { retrying: { step: 'shipping' } } });
    expect(JSON.stringify(told)).not.toMatch(/EasyPost|lastFailure/);

    await saga().removeFault(orderId);
    await order.result();
    await healthy.result();
    expect((await read(`/orders/${orderId}`)).retrying).toBeUndefined();
    expect(await ids('retryingMoreThan=0')).not.toContain(orderId);
    const nowUtc = new Date().toISOString();
    expect(await saga().deps.store.read.retriesOf({ orderId, nowUtc })).toEqual([]);
    await saga().check(orderId, healthy.orderId);
  });
});

async function firstRetrying(stream: Response): Promise<unknown> {
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = ''; ;) {
    const { value, done } = (await reader?.read()) ?? { done: true };
    if (done) throw new Error(`The stream ended without a word of it: ${text}`);
    text += value;
    const data = /event: order\.retrying\ndata: (.*)\n\n/.exec(text)?.[1];
    if (data === undefined) continue;
    await reader?.cancel();
    return JSON.parse(data);
  }
}

describe('a provider that refuses our key', () => {
  const saga = sagaSuite({
    env: {
      ...providerEnv({ circuit: { minimumCalls: 1_000, probeAfterMs: 500 } }),
      EASYPOST_API_KEY: 'EZTK_revoked',
    },
  });

  test('is held up: orders wait for it beyond their budgets, and are not parked', async () => {
    expect(runbookOf('ProviderKeyRefused')).toContain(
      'its steps wait without using up their retry windows; nothing is parked or lost, and checkouts go on.',
    );
    const shipping = { ...often, budgetMs: 1_000, attemptTimeoutMs: 800 };
    const order = await saga().start({}, { steps: { shipping, ...quickAddress } });
    const waiting = await saga().until(order.orderId, ({ waitingFor }) => waitingFor !== undefined);
    expect(waiting).toMatchObject({
      sagaState: 'running',
      waitingFor: {
        provider: 'carrier',
        state: 'key-refused',
        reason: expect.stringMatching(/EASYPOST_API_KEY/),
      },
    });
    expect(saga().deps.providers.status('carrier')).toMatchObject({ state: 'key-refused' });
    const { circuits } = await saga().deps.store.read.providers();
    expect(circuits).toContainEqual(expect.objectContaining({ provider: 'carrier', keyRefused: true }));
    expect(await eventsOf(saga(), order.orderId)).not.toContain('order.parked');
    await order.cancel();
    await order.result().catch(() => {});
  });
});
