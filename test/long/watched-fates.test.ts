import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMetrics } from '../../telemetry/metrics.ts';
import { uniqueName } from '../setup/isolation.ts';
import { goodAddress, until } from '../setup/saga-environment.ts';
import { fates, type Fate } from '../replay/order-fates.ts';
import { panelExpressions, ruleExpressions, type Expression } from '../support/expressions.ts';
import { startWatchedProduct, type WatchedProduct } from '../support/watched-product.ts';

/** Expressions that a healthy run with every fate of an order has no data for, and why. */
const without: Readonly<Record<string, string>> = {
  'alert NonDeterminism':
    'the SDK shows this counter from the first failure on, and code that fits never fails',
  'alert WorkflowFailed': 'the SDK shows this counter from the first failed run on, and every fate completes',
  'alert CertificateEnds': 'nothing in this run speaks TLS; unit tests feed the alert and the gauge',
  'alert CertificateEndsSoon': 'nothing in this run speaks TLS; unit tests feed the alert and the gauge',
};

/** For one fate; most of them take a second. */
const patienceMs = 30_000;

let watched: WatchedProduct;

beforeAll(async () => {
  watched = await startWatchedProduct();
  await runEveryFate(watched);
}, 900_000);
afterAll(async () => watched.close());

/* Every way an order can go, checkouts of every kind, mails that are refused, and a partner who listens. */
async function runEveryFate({ saga, product }: WatchedProduct): Promise<void> {
  const partner = {
    url: `${saga.sandbox.url}/partner/acme`,
    events: ['order.created.v1', 'order.completed.v1'],
  };
  const registered = await post(`${product.api}/webhook-endpoints`, partner);
  expect(registered.status).toBe(201);
  await saga.addFault({
    id: 'mail',
    provider: 'smtp',
    operation: 'deliver',
    kind: 'error',
    status: 550,
    message: '5.1.1 user unknown',
    times: 1,
  });
  const missed: string[] = [];
  for (const [name, lead] of Object.entries(fates)) if (!(await hasEnded(saga, lead))) missed.push(name);
  if (missed.length > Object.keys(fates).length / 5)
    throw new Error(`Too many have not ended: ${missed.join()}`);
  if (missed.length > 0) console.log(`Not ended in time: ${missed.join()}`);
  const key = uniqueName('key');
  const bodies = [checkout(), checkout(), checkout({ customerId: 'another' }), { items: [] }];
  for (const [index, status] of [202, 202, 422, 422].entries())
    expect((await post(`${product.api}/checkout`, bodies[index], key)).status).toBe(status);
  await fetch(`${product.api}/products`);
}

/** Whether the fate's order ended in time: some hang on a moment that a busy machine misses. */
async function hasEnded(saga: WatchedProduct['saga'], lead: Fate): Promise<boolean> {
  const led = lead(saga).then(async (order) => {
    await order.result().catch(() => {});
    return true;
  });
  const late = sleep(patienceMs, false, { ref: false });
  return Promise.race([led, late]).catch(() => false);
}

const checkout = (changes: object = {}) => ({
  customerId: 'customer-1',
  customerEmail: 'asha@customers.example',
  items: [{ productId: 'keyboard-mx', quantity: 1 }],
  paymentMethodId: 'pm_card_visa',
  shippingAddress: goodAddress,
  ...changes,
});

const post = (url: string, body: unknown, key = uniqueName('key')) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
  });

async function answerless(expressions: readonly Expression[]): Promise<string[]> {
  const found: string[] = [];
  for (const { where, expr } of expressions) {
    const samples = await watched.query(expr);
    if (!samples.some(({ value }) => !Number.isNaN(value))) found.push(where);
  }
  return [...new Set(found)];
}

/** Rules of objectives are evaluated every half minute, and a rate needs two looks. */
const answeredMs = 90_000;

/** Asks again until only the listed ones have no data. */
async function expectAnswers(expressions: readonly Expression[]): Promise<void> {
  const expected = new Set(expressions.map(({ where }) => where).filter((where) => where in without));
  const silent = await until(
    () => answerless(expressions),
    (found) => found.length <= expected.size,
    answeredMs,
  ).catch(() => answerless(expressions));
  expect(new Set(silent)).toEqual(expected);
}

test('every expression of every rule has data, but for those listed with a reason', async () => {
  await expectAnswers(ruleExpressions());
  expect(await watched.ruleErrors()).toEqual([]);
}, 200_000);

test('every query of every panel has data, but for those listed with a reason', async () => {
  const expressions = panelExpressions();
  expect(expressions.length).toBeGreaterThan(40);
  await expectAnswers(expressions);
}, 200_000);

test('no label names an order, a customer or an address, and each has the values that its documentation lists', async () => {
  const specs = new Map(createMetrics().specs.map((spec) => [spec.name, spec]));
  for (const name of ['api', 'worker', 'relay'] as const) {
    const lines = (await watched.metricsOf(name)).split('\n').filter((line) => /^[a-z]/.test(line));
    expect(lines.filter((line) => /[0-9a-f]{8}-[0-9a-f]{4}|@|customer-1|Residency/.test(line))).toEqual([]);
    expect(lines.length, `series of the ${name}`).toBeLessThan(4_000);
    for (const line of lines) {
      const [, metric = '', labels = ''] =
        /^(\w+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})? \S+$/.exec(line) ?? [];
      for (const [, label = '', value = ''] of labels.matchAll(/(\w+)="([^"]*)"/g)) {
        const allowed = specs.get(metric)?.labels[label];
        if (Array.isArray(allowed)) expect(allowed, `${metric}{${label}}`).toContain(value);
      }
    }
  }
});

test('counts money, stock and orders as the books have them', async () => {
  await sleep(3_000);
  const ledger = await watched.saga.deps.store.read.ledger();
  const sum = async (expression: string) => (await watched.query(`sum(${expression})`))[0]?.value ?? 0;
  const money = (states: readonly string[]) =>
    ledger
      .flatMap(({ payments }) => payments)
      .filter(({ state }) => states.includes(state))
      .reduce((total, { amount }) => total + amount.amountMinor, 0) / 100;
  expect(await sum('payments_charged_major_units_total')).toBeCloseTo(money(['charged', 'refunded']), 2);
  expect(await sum('payments_refunded_major_units_total')).toBeCloseTo(money(['refunded']), 2);
  expect(await sum('orders_ended_total')).toBe(
    ledger.filter(({ sagaState }) => sagaState === 'ended').length,
  );
  expect(await sum('stock_oversold_units')).toBe(0);
});
