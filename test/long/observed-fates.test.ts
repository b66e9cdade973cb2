import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { updatePayment } from '../../workflows/messages.ts';
import { act } from '../e2e/saga-suite.ts';
import { fates } from '../replay/order-fates.ts';
import { createVhost, uniqueName, type Vhost } from '../setup/isolation.ts';
import { goodAddress, startSagaEnvironment, type SagaEnvironment } from '../setup/saga-environment.ts';
import { rootsOf, startOtlpCollector } from '../support/otlp-collector.ts';
import { secretsIn } from '../support/personal-data.ts';
import { startProduct } from '../support/product-processes.ts';

/** Spans wait at most a second in a process before they are exported; what is killed before loses them. */
const exportedMs = 1_500;

/** Most of them take a second. */
const fateMs = 30_000;

/* Every fate of an order, and workers killed under orders, with everything that all processes say and trace. */
describe('what the product tells of itself', () => {
  let vhost: Vhost;
  let saga: SagaEnvironment;
  let collector: Awaited<ReturnType<typeof startOtlpCollector>>;
  let product: Awaited<ReturnType<typeof startProduct>>;

  beforeAll(async () => {
    vhost = await createVhost('observed');
    collector = await startOtlpCollector();
    saga = await startSagaEnvironment({
      workers: false,
      env: {
        AMQP_URL: vhost.amqpUrl,
        WEBHOOK_ALLOW_PRIVATE: '127.0.0.1/32',
        LOG_LEVEL: 'debug',
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      },
    });
    product = await startProduct(saga.env);
  });
  afterAll(async () => {
    await product.stop();
    await collector.close();
    await saga.close();
    await vhost.remove();
  });

  async function checkout(paymentMethodId = 'pm_card_visa') {
    const traceId = randomBytes(16).toString('hex');
    const response = await fetch(`${product.api}/checkout`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': uniqueName('key'),
        traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
      },
      body: JSON.stringify({
        customerId: 'customer-1',
        customerEmail: 'asha@customers.example',
        items: [{ productId: 'keyboard-mx', quantity: 1 }],
        paymentMethodId,
        shippingAddress: goodAddress,
      }),
    });
    const { orderId } = (await response.json()) as { orderId: Parameters<typeof saga.view>[0] };
    return { traceId, orderId };
  }
  const ended = (id: Parameters<typeof saga.view>[0]) =>
    saga.until(id, ({ sagaState }) => sagaState === 'ended', 180_000);
  const spansOf = (traceId: string) => collector.spans().filter((span) => span.traceId === traceId);
  const runsIn = (traceId: string) => spansOf(traceId).filter(({ name }) => name === 'fulfillOrder');

  test('keeps an order one tree when its worker is killed while it waits', async () => {
    const { orderId, traceId } = await checkout('pm_card_chargeDeclined');
    await saga.until(orderId, ({ hold }) => hold !== undefined);
    await sleep(exportedMs);
    await product.replace('worker', 'killed');
    const order = saga.client.workflow.getHandle(`order-${orderId}`);
    await expect
      .poll(
        () =>
          order
            .executeUpdate(updatePayment, { args: [{ ...act, paymentMethodId: 'pm_card_visa' }] })
            .then(() => 'taken'),
        { timeout: 60_000 },
      )
      .toBe('taken');
    await ended(orderId);
    await sleep(2 * exportedMs);
    expect(rootsOf(spansOf(traceId)).map(({ name }) => name)).toEqual(['POST /checkout']);
    expect(runsIn(traceId).length).toBe(1);
  });

  test('tells each run once when workers are killed under orders', async () => {
    const orders = await Promise.all(Array.from({ length: 20 }, () => checkout()));
    await product.replace('worker', 'killed');
    for (const { orderId } of orders) await ended(orderId);
    await sleep(exportedMs);
    for (const { traceId } of orders) {
      expect(new Set(runsIn(traceId).map(({ spanId }) => spanId)).size).toBe(1);
    }
  });

  test('says nothing of people, payment methods and keys, whatever becomes of the orders', async () => {
    await saga.addFault({
      id: 'mail',
      provider: 'smtp',
      operation: 'deliver',
      kind: 'error',
      status: 550,
      message: '5.1.1 <asha@customers.example>: user unknown',
      times: 3,
    });
    // Some fates hang on a moment that a busy machine misses; what their orders say all the same is looked at.
    const missed: string[] = [];
    for (const [name, lead] of Object.entries(fates)) {
      const led = lead(saga).then((order) => order.result().catch((error: unknown) => error));
      const late = sleep(fateMs, undefined, { ref: false }).then(() => Promise.reject(new Error('late')));
      await Promise.race([led, late]).catch(() => missed.push(name));
      led.catch(() => {});
      late.catch(() => {});
      for (const person of people) {
        expect.soft(secretsIn(product.lines(), person), `lines by the end of ${name}`).toEqual([]);
      }
    }
    expect(missed.length).toBeLessThan(Object.keys(fates).length / 5);
    await sleep(exportedMs);
    await product.stop();
    const lines = product.lines();
    const spans = collector.spans().map((span) => JSON.stringify(span));
    expect(lines.length).toBeGreaterThan(500);
    expect(spans.length).toBeGreaterThan(500);
    for (const person of people) {
      expect(secretsIn(lines, person)).toEqual([]);
      expect(secretsIn(spans, person)).toEqual([]);
    }
  });
});

/** The customer of every fate, and the addresses that fates are led by. */
const people = ['12 Residency Road', 'UNDELIVERABLE 1', 'LABEL-REFUSED 1'].map((street1) => ({
  customerEmail: 'asha@customers.example',
  shippingAddress: { ...goodAddress, street1 },
}));
