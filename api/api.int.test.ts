import { Client } from '@temporalio/client';
import Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { connectRedis } from '../adapters/redis/connect-redis.ts';
import { taskQueues, workflowIdOf, type OrderId } from '../domain/ids.ts';
import { defaultPolicy, withPolicy } from '../domain/policy.ts';
import { uniqueName } from '../test/setup/isolation.ts';
import {
  quickPolicy,
  startSagaEnvironment,
  until,
  type SagaEnvironment,
} from '../test/setup/saga-environment.ts';
import { createApp } from './app.ts';
import { lazyTemporalConnection } from '../adapters/temporal/client.ts';
import { createOrderWorkflows } from '../adapters/temporal/orders.ts';
import {
  checkoutBody,
  fakeDeps,
  fakeStore,
  operatorKey,
  otherShopKey,
  send,
  settings,
  shopKey,
} from './testing/fake-deps.ts';

interface OrderJson {
  orderId: OrderId;
  status: string;
  sagaState: string;
  source: string;
  total?: { amount: string };
  hold?: { nextAction?: { type: string } };
  cancelRequested?: { actor: string };
}

const connection = lazyTemporalConnection({ address: inject('temporalAddress') });
afterAll(() => connection.close());

const workflowsOn = (prefix: string) =>
  createOrderWorkflows(new Client({ connection, namespace: 'default' }), taskQueues(prefix));

const json = async <T>(response: Response): Promise<T> => (await response.json()) as T;
const goodBody = (changes: object = {}) => ({
  ...checkoutBody(),
  items: [{ productId: 'keyboard-mx', quantity: 1 }],
  ...changes,
});

describe('orders through the API, with workers', () => {
  let saga: SagaEnvironment;
  let app: ReturnType<typeof createApp>;
  let closeRedis: () => Promise<void>;

  beforeAll(async () => {
    saga = await startSagaEnvironment();
    const prefix = saga.config.TASK_QUEUE_PREFIX;
    const redis = await connectRedis({ url: inject('redisUrl'), keyPrefix: `${prefix}:` });
    closeRedis = () => redis.close();
    app = createApp(
      fakeDeps({
        workflows: workflowsOn(prefix),
        store: saga.deps.store,
        payments: saga.deps.payments,
        seen: redis.seen,
        settings: settings({
          taskQueues: taskQueues(prefix),
          policy: withPolicy(withPolicy(defaultPolicy, quickPolicy), { actionPollMs: 600_000 }),
        }),
      }),
    );
  });
  afterAll(async () => {
    await closeRedis?.();
    await saga?.close();
  });

  const place = (changes: object = {}, prefer = 'wait=20') =>
    send(app, 'POST', '/checkout', {
      body: goodBody(changes),
      headers: { 'idempotency-key': uniqueName('key'), prefer },
    });
  const read = async (id: OrderId) => json<OrderJson>(await send(app, 'GET', `/orders/${id}`));
  const reaches = (id: OrderId, status: string) =>
    until(
      () => read(id),
      (order) => order.status === status,
    );

  test('a checkout that waits is answered when it is paid; its events, audit and answers are complete', async () => {
    const response = await place();
    expect(response.status).toBe(200);
    expect(response.headers.get('preference-applied')).toBe('wait=20');
    const order = await json<OrderJson>(response);
    expect(order).toMatchObject({ source: 'workflow', total: { amount: '7499.00', currency: 'INR' } });
    await reaches(order.orderId, 'completed');

    const stream = await (await send(app, 'GET', `/orders/${order.orderId}/events`)).text();
    const ids = [...stream.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
    expect(ids).toEqual(ids.map((_, index) => index + 1));
    expect([...stream.matchAll(/^event: (.+)$/gm)].map(([, type]) => type)).toEqual([
      'order.created.v1',
      'inventory.reserved.v1',
      'payment.processed.v1',
      'fulfillment.created.v1',
      'shipment.generated.v1',
      'order.completed.v1',
    ]);
    const after = { 'last-event-id': String(ids.length) };
    expect((await send(app, 'GET', `/orders/${order.orderId}/events`, { headers: after })).status).toBe(204);
    const audit = await json<{ rows: unknown[]; chain: object }>(
      await send(app, 'GET', `/orders/${order.orderId}/audit`),
    );
    expect(audit.chain).toEqual({ length: audit.rows.length, intact: true });
    expect(await json(await send(app, 'GET', `/orders/${order.orderId}/why`))).toMatchObject({
      whyEnded: null,
      lastSuccessfulStep: { step: 'completion', to: 'completed' },
    });
    const late = await send(app, 'POST', `/orders/${order.orderId}/cancel`);
    expect(late.status).toBe(409);
    expect(await json(late)).toMatchObject({ type: '/docs/problems#order-closed' });
  });

  test('a declined card holds the order, another payment method ships it', async () => {
    const response = await place({ paymentMethodId: 'pm_card_chargeDeclined' });
    expect(response.status).toBe(200);
    const { orderId, status } = await json<OrderJson>(response);
    expect(status).toBe('payment_failed');
    const body = { paymentMethodId: 'pm_card_visa' };
    const accepted = await send(app, 'POST', `/orders/${orderId}/payment`, { body });
    expect(accepted.status).toBe(200);
    await reaches(orderId, 'completed');
    expect((await send(app, 'POST', `/orders/${orderId}/payment`, { body })).status).toBe(409);
  });

  test('a held order is cancelled once: the second time 409 with the reason, and the why tells who', async () => {
    const { orderId } = await json<OrderJson>(await place({ paymentMethodId: 'pm_card_chargeDeclined' }));
    const path = `/orders/${orderId}/cancel`;
    const others = await send(app, 'POST', path, { key: otherShopKey });
    expect(others.status).toBe(404);
    const both = await Promise.all([
      send(app, 'POST', path, { body: { reason: 'Ordered twice' } }),
      send(app, 'POST', path, { body: { reason: 'Ordered twice' } }),
    ]);
    expect(new Set(both.map(({ status }) => status))).toEqual(new Set([200, 409]));
    const refused = both.find(({ status }) => status === 409);
    expect(refused?.headers.get('content-type')).toBe('application/problem+json');
    await reaches(orderId, 'cancelled');
    expect(await json(await send(app, 'GET', `/orders/${orderId}/why`))).toMatchObject({
      whyEnded: { actor: 'shop-a', reason: 'Ordered twice' },
    });
  });

  test('the validators’ own words reach the caller with 409', async () => {
    const { orderId } = await json<OrderJson>(await place({ paymentMethodId: 'pm_card_chargeDeclined' }));
    const body = { action: 'retry' };
    const refused = await send(app, 'POST', `/orders/${orderId}/resolve`, { body, key: operatorKey });
    expect(refused.status).toBe(409);
    expect(await json(refused)).toMatchObject({
      type: '/docs/problems#act-refused',
      detail: expect.stringContaining('not parked') as string,
    });
    expect((await send(app, 'POST', `/orders/${orderId}/cancel`)).status).toBe(200);
  });

  test('an act repeated under its key says what has come of it until then', async () => {
    const held = await place({ paymentMethodId: 'pm_card_chargeDeclined' });
    const { orderId } = await json<OrderJson>(held);
    await reaches(orderId, 'payment_failed');
    const key = uniqueName('act');
    const pay = (paymentMethodId: string, id?: string) =>
      send(app, 'POST', `/orders/${orderId}/payment`, {
        body: { paymentMethodId },
        headers: id === undefined ? {} : { 'idempotency-key': id },
      });
    const first = await pay('pm_card_visa', key);
    expect([first.status, first.headers.get('idempotency-key')]).toEqual([200, key]);
    expect(await first.json()).toMatchObject({ act: { id: key, name: 'payment' } });
    await reaches(orderId, 'completed');

    const again = await pay('pm_card_visa', key);
    expect(again.status).toBe(200);
    expect(await again.json()).toMatchObject({ status: 'completed', act: { id: key, state: 'done' } });
    const other = await pay('pm_card_mastercard', key);
    expect(other.status).toBe(422);
    expect(await other.json()).toMatchObject({ type: '/docs/problems#idempotency-key-reused' });
    expect((await pay('pm_card_visa')).status).toBe(409);
  });

  test('a refused address holds the order until a new one is put', async () => {
    const address = goodBody().shippingAddress;
    const bad = { ...address, street1: '1 UNDELIVERABLE Street' };
    const { orderId, status } = await json<OrderJson>(await place({ shippingAddress: bad }));
    expect(status).toBe('address_rejected');
    expect((await send(app, 'PUT', `/orders/${orderId}/shipping-address`, { body: address })).status).toBe(
      200,
    );
    await reaches(orderId, 'completed');
  });

  test('Stripe’s signed webhook resumes an order that waited for the customer; a forged one does not', async () => {
    const response = await place({ paymentMethodId: 'pm_card_authenticationRequired' });
    const { orderId, status, hold } = await json<OrderJson>(response);
    expect([status, hold?.nextAction?.type]).toEqual(['payment_action_required', expect.any(String)]);
    const [books] = await saga.deps.store.read.ledger(orderId);
    const intent = books?.payments[0]?.intentId;
    const approve = await fetch(`${saga.sandbox.url}/sandbox/payment_intents/${intent}/authenticate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ outcome: 'succeed' }),
    });
    expect(approve.status).toBeLessThan(300);
    const id = uniqueName('evt');
    const payload = JSON.stringify({
      id,
      object: 'event',
      type: 'payment_intent.succeeded',
      api_version: '2020-01-01',
      data: { object: { object: 'payment_intent', id: intent, metadata: { orderId } } },
    });
    const post = async (secret: string) => {
      const signature = await Stripe.webhooks.generateTestHeaderStringAsync({ payload, secret });
      const headers = { 'stripe-signature': signature, 'content-type': 'application/json' };
      return app.request('/webhooks/stripe', { method: 'POST', body: payload, headers });
    };
    expect((await post('whsec_forged')).status).toBe(400);
    expect((await read(orderId)).status).toBe('payment_action_required');
    expect(await json(await post(saga.config.STRIPE_WEBHOOK_SECRET))).toEqual({
      received: true,
      result: 'signalled',
    });
    await reaches(orderId, 'completed');
    expect(await json(await post(saga.config.STRIPE_WEBHOOK_SECRET))).toEqual({
      received: true,
      result: 'duplicate',
    });
  });

  test('expectedTotal fails an order whose price has changed', async () => {
    const response = await place({ expectedTotal: { amount: '1.00', currency: 'INR' } });
    expect(await json(response)).toMatchObject({ status: 'failed', failure: { type: 'PriceChanged' } });
  });

  test('the catalog sets what can be reserved, also while units are reserved', async () => {
    const held = { items: [{ productId: 'scarce', quantity: 3 }], paymentMethodId: 'pm_card_chargeDeclined' };
    const product = { productId: 'scarce', name: 'Scarce', price: { amount: '10.00', currency: 'INR' } };
    const put = (available: number) =>
      send(app, 'POST', '/products', { body: { products: [{ ...product, available }] }, key: operatorKey });
    expect((await put(5)).status).toBe(200);
    const { orderId } = await json<OrderJson>(await place(held));
    const listed = async () => {
      const { products } = await json<{ products: { productId: string; available: number }[] }>(
        await send(app, 'GET', '/products'),
      );
      return products.find(({ productId }) => productId === 'scarce')?.available;
    };
    await reaches(orderId, 'payment_failed');
    expect(await listed()).toBe(2);
    expect(await json(await put(7))).toMatchObject({ products: [{ available: 7 }] });
    await send(app, 'POST', `/orders/${orderId}/cancel`);
    await reaches(orderId, 'cancelled');
    expect(await listed()).toBe(10);
  });
});

describe('orders through the API, without any worker', () => {
  const prefix = uniqueName('idle');
  const workflows = workflowsOn(prefix);
  const down = fakeStore({ reads: { order: () => Promise.reject(new Error('SQL is down')) } });
  const app = createApp(
    fakeDeps({ workflows, store: down.store, settings: settings({ taskQueues: taskQueues(prefix) }) }),
  );
  const key = { 'idempotency-key': uniqueName('key') };
  const started: string[] = [];
  const place = async (changes: object = {}, headers: Record<string, string> = key, caller = shopKey) => {
    const response = await send(app, 'POST', '/checkout', { body: goodBody(changes), headers, key: caller });
    const text = await response.text();
    const { orderId } = JSON.parse(text) as { orderId?: string };
    if (orderId) started.push(orderId);
    return { status: response.status, text, orderId: orderId as OrderId };
  };
  afterAll(async () => {
    const client = new Client({ connection, namespace: 'default' });
    for (const id of new Set(started))
      await client.workflow.getHandle(workflowIdOf(id as OrderId)).terminate();
  });

  test('of racing requests with one key Temporal starts one run, and all get the same bytes', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => place()));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(202);
    expect((await place({ customerId: 'somebody-else' })).status).toBe(422);
  });

  test('the run is found by describe, with the memo, the search attributes and nothing personal in them', async () => {
    const { orderId } = await place();
    const client = new Client({ connection, namespace: 'default' });
    const run = await client.workflow.getHandle(workflowIdOf(orderId)).describe();
    expect(run.memo).toMatchObject({
      callerId: 'shop-a',
      customerId: 'customer-42',
      summary: '1 line, 1 unit, INR',
    });
    expect(await run.staticSummary()).toContain(orderId);
    const shown = JSON.stringify([
      run.memo,
      run.typedSearchAttributes.getAll(),
      await run.staticSummary(),
      await run.staticDetails(),
    ]);
    expect(shown).toContain('received');
    expect(shown).not.toMatch(/asha|MG Road|pm_card/i);
    const order = await json<OrderJson>(await send(app, 'GET', `/orders/${orderId}`));
    expect(order).toMatchObject({ status: 'received', sagaState: 'running', source: 'temporal' });
    expect((await send(app, 'GET', `/orders/${orderId}`, { key: otherShopKey })).status).toBe(404);
  });

  test('lists by customer and status, page by page, each caller its own', async () => {
    const customerId = uniqueName('customer');
    const mine: string[] = [];
    for (let i = 0; i < 3; i++) {
      mine.push((await place({ customerId }, { 'idempotency-key': uniqueName('key') })).orderId);
    }
    const theirs = await place({ customerId }, { 'idempotency-key': uniqueName('key') }, otherShopKey);
    type Page = { orders: OrderJson[]; nextCursor?: string };
    const list = async (caller: string) => {
      const found: string[] = [];
      let cursor = '';
      do {
        const query = `customerId=${customerId}&status=received&limit=2${cursor}`;
        const page = await json<Page>(await send(app, 'GET', `/orders?${query}`, { key: caller }));
        found.push(...page.orders.map(({ orderId }) => orderId));
        cursor = page.nextCursor ? `&cursor=${page.nextCursor}` : '';
      } while (cursor);
      return found.toSorted();
    };
    await until(
      () => list(operatorKey),
      (found) => found.length === 4,
    );
    expect(await list(shopKey)).toEqual(mine.toSorted());
    expect(await list(otherShopKey)).toEqual([theirs.orderId]);
    const none = await json<Page>(await send(app, 'GET', `/orders?customerId=${customerId}&status=failed`));
    expect(none).toEqual({ orders: [] });
  });

  test('acts are answered 503 with Retry-After within five seconds, more than ten at a time with 429', async () => {
    const { orderId } = await place({}, { 'idempotency-key': uniqueName('key') });
    const start = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 14 }, () => send(app, 'POST', `/orders/${orderId}/cancel`)),
    );
    expect(performance.now() - start).toBeLessThan(5_500);
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 429).length).toBe(4);
    expect(statuses.filter((status) => status === 503).length).toBe(10);
    expect(answers.every(({ headers }) => headers.get('retry-after') !== null)).toBe(true);
  });

  test('acts on unknown orders are 404 and their webhooks are ignored', async () => {
    const unknown = crypto.randomUUID() as OrderId;
    expect(await workflows.describe(unknown)).toBeUndefined();
    expect(await workflows.notifyPayment(unknown, 'evt_1')).toBe(false);
    const known = createApp(fakeDeps({ workflows }));
    expect((await send(known, 'POST', `/orders/${unknown}/cancel`)).status).toBe(404);
    expect((await send(known, 'GET', `/orders/${unknown}`)).status).toBe(404);
  });
});
