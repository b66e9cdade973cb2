import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workflowIdOf, type OrderId } from '../../domain/ids.ts';
import { createVhost, uniqueName, type Vhost } from '../setup/isolation.ts';
import { startSagaEnvironment, until, type SagaEnvironment } from '../setup/saga-environment.ts';
import { ancestorsOf, rootsOf, startOtlpCollector, type CollectedSpan } from '../support/otlp-collector.ts';
import { secretsIn } from '../support/personal-data.ts';
import { startProduct } from '../support/product-processes.ts';

/* One order whose card is declined at first; while it waits, another worker takes over and replays it. */
const caller = { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex') };
const paying = { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex') };
const traceparentOf = ({ traceId, spanId }: typeof caller) => `00-${traceId}-${spanId}-01`;
const customer = {
  customerId: 'customer-7',
  customerEmail: 'tracy.tracer@customers.example',
  shippingAddress: {
    name: 'Tracy Tracer',
    street1: '77 Lonely Lane',
    city: 'Bengaluru',
    state: 'KA',
    postalCode: '560025',
    country: 'IN',
  },
};

describe('the trace of an order', () => {
  let vhost: Vhost;
  let saga: SagaEnvironment;
  let orderId: OrderId;
  let all: readonly CollectedSpan[];
  let lines: readonly string[];
  let spans: readonly CollectedSpan[];

  beforeAll(async () => {
    vhost = await createVhost('traces');
    const collector = await startOtlpCollector();
    saga = await startSagaEnvironment({
      workers: false,
      env: {
        AMQP_URL: vhost.amqpUrl,
        WEBHOOK_ALLOW_PRIVATE: '127.0.0.1/32',
        LOG_LEVEL: 'debug',
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      },
    });
    const product = await startProduct(saga.env);
    try {
      orderId = await liveThrough(saga, product);
    } finally {
      await product.stop();
    }
    lines = product.lines();
    all = collector.spans();
    spans = all.filter(({ traceId }) => traceId === caller.traceId);
    await collector.close();
  });
  afterAll(async () => {
    await saga.close();
    await vhost.remove();
  });

  const named = (name: string) => spans.filter((span) => span.name === name);

  test('is one connected tree below the request of the checkout', () => {
    expect(rootsOf(spans)).toMatchObject([
      { name: 'POST /checkout', kind: 'server', parentSpanId: caller.spanId },
    ]);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
  });

  test.each([
    ['order-saga-api', 'server', 'POST /checkout'],
    ['order-saga-api', 'client', 'temporal start'],
    ['order-saga-worker', 'internal', 'fulfillOrder'],
    ['order-saga-worker', 'internal', 'recordOrder'],
    ['order-saga-worker', 'internal', 'processPayment'],
    ['order-saga-worker', 'internal', 'generateShipment'],
    ['order-saga-worker', 'internal', 'completeOrder'],
    ['order-saga-worker', 'internal', 'update payment'],
    ['order-saga-worker', 'client', 'sql transaction'],
    ['order-saga-worker', 'client', 'payments payment_intents.confirm'],
    ['order-saga-worker', 'client', 'carrier shipments.buy'],
    ['order-saga-relay', 'producer', 'publish orders.exchange'],
    ['order-saga-relay', 'producer', 'publish email-queue'],
    ['order-saga-relay', 'producer', 'publish webhook-queue'],
    ['order-saga-relay', 'consumer', 'process email-queue'],
    ['order-saga-relay', 'consumer', 'process webhook-queue'],
    ['order-saga-relay', 'consumer', 'process order-saga.help-desk-mail.q'],
    ['order-saga-relay', 'client', 'send mail'],
    ['order-saga-relay', 'client', 'POST'],
  ])('has in %s the %s span "%s"', (service, kind, name) => {
    expect(named(name).map((span) => [span.service, span.kind])).toContainEqual([service, kind]);
  });

  test('leads from each step through its transaction, its message and the broker to the webhook', () => {
    const webhook = named('POST').find(({ status }) => status.code === 0);
    expect(ancestorsOf(webhook, spans)).toEqual([
      'process webhook-queue',
      'publish webhook-queue',
      'process webhook-queue',
      'publish orders.exchange',
      'sql transaction',
      'completeOrder',
      'POST /checkout',
    ]);
    expect(ancestorsOf(named('send mail')[0], spans).slice(0, 3)).toEqual([
      'process email-queue',
      'publish email-queue',
      'sql transaction',
    ]);
  });

  test('tells the run once, though a second worker has replayed it', () => {
    const runs = named('fulfillOrder');
    expect(runs.map(({ attributes }) => attributes)).toMatchObject([
      { 'order.id': orderId, 'temporal.workflow.id': workflowIdOf(orderId), 'order.outcome': 'completed' },
    ]);
    const attempts = spans.filter((span) => span.attributes['temporal.activity.local'] !== undefined);
    const keys = attempts.map(({ name, startTimeUnixNano }) => `${name} ${startTimeUnixNano}`);
    expect(new Set(keys).size).toBe(attempts.length);
    expect(named('processPayment').map(({ attributes }) => attributes['order.outcome'])).toEqual([
      'refused',
      'done',
    ]);
    expect(named('recordOrder').length).toBe(1);
  });

  test('links to the request that moved the order on, which is a trace of its own', () => {
    const [update] = named('update payment');
    const request = all.filter(({ traceId }) => traceId === paying.traceId);
    expect(request.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['POST /orders/:orderId/payment', 'temporal update']),
    );
    expect(update?.links).toEqual([
      { traceId: paying.traceId, spanId: request.find(({ name }) => name === 'temporal update')?.spanId },
    ]);
  });

  test('is linked to by the batches in which analytics takes the events of many orders', () => {
    const published = new Set(named('publish orders.exchange').map(({ spanId }) => spanId));
    const batches = all.filter(({ name }) => name === 'process analytics-queue');
    const linked = batches.flatMap(({ links }) => links.filter(({ spanId }) => published.has(spanId)));
    expect(linked.length).toBe(published.size);
  });

  test('says of each attempt which order, step and attempt it was', () => {
    expect(named('processPayment')[0]?.attributes).toMatchObject({
      'order.id': orderId,
      'order.step': 'payment',
      'order.attempt': 1,
      'order.failure_type': 'CardDeclined',
      'temporal.workflow.id': workflowIdOf(orderId),
      'temporal.run.id': expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
  });

  test('says of a note which step it is about', () => {
    expect(named('holdOrder').map(({ attributes }) => attributes['order.step'])).toEqual(['payment']);
  });

  test('goes on at the subscribers: the webhook carried it', async () => {
    const [delivery] = await deliveriesTo(saga);
    const [, traceId, spanId] = delivery?.headers['traceparent']?.split('-') ?? [];
    expect(traceId).toBe(caller.traceId);
    expect(named('POST').map((span) => span.spanId)).toContain(spanId);
  });

  test('holds no personal data, no payment method and no key', () => {
    expect(all.length).toBeGreaterThan(60);
    expect(secretsIn([JSON.stringify(all)], customer)).toEqual([]);
  });

  test('is named in the log lines, which hold no personal data either', () => {
    const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const ofOrder = parsed.filter((line) => line['orderId'] === orderId);
    expect(
      ofOrder.find(({ msg, activity }) => msg === 'Activity completed' && activity === 'processPayment'),
    ).toMatchObject({
      process: 'worker',
      orderId,
      workflowId: workflowIdOf(orderId),
      runId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      step: 'payment',
      attempt: 1,
      traceId: caller.traceId,
    });
    expect(ofOrder.find(({ msg }) => msg === 'mail sent')).toMatchObject({ traceId: caller.traceId });
    expect(secretsIn(lines, customer)).toEqual([]);
  });

  test('warns of nothing at the start of a worker', () => {
    expect(lines.filter((line) => /"level":"warn".*No workflows registered/.test(line))).toEqual([]);
    expect(lines.filter((line) => line.includes('unregistered external sink'))).toEqual([]);
  });
});

/** The order's whole life, from its checkout to webhook and mail; returns its id. */
async function liveThrough(
  saga: SagaEnvironment,
  product: Awaited<ReturnType<typeof startProduct>>,
): Promise<OrderId> {
  const send = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${product.api}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': uniqueName('key'), ...headers },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as { orderId: OrderId };
  };
  const url = `${saga.sandbox.url}/partner/acme`;
  await send('/webhook-endpoints', { url, events: ['order.completed.v1'] });
  const checkout = {
    ...customer,
    items: [{ productId: 'keyboard-mx', quantity: 1 }],
    paymentMethodId: 'pm_card_chargeDeclined',
  };
  const { orderId } = await send('/checkout', checkout, { traceparent: traceparentOf(caller) });
  await saga.until(orderId, ({ hold }) => hold !== undefined);
  await product.replace('worker', 'ended');
  /* The new worker has the order once it answers for it; the act is not sent into the old one's queue. */
  await saga.until(orderId, ({ hold }) => hold !== undefined);
  await send(
    `/orders/${orderId}/payment`,
    { paymentMethodId: 'pm_card_visa' },
    { traceparent: traceparentOf(paying) },
  );
  await saga.until(orderId, ({ sagaState }) => sagaState === 'ended');
  await until(
    () => deliveriesTo(saga),
    (deliveries) => deliveries.length > 0,
  );
  await until(
    async () => {
      const to = encodeURIComponent(customer.customerEmail);
      const response = await fetch(`${saga.sandbox.url}/inbox.json?to=${to}`);
      return ((await response.json()) as { mails: unknown[] }).mails;
    },
    (mails) => mails.length >= 2,
  );
  return orderId;
}

async function deliveriesTo(saga: SagaEnvironment) {
  const response = await fetch(`${saga.sandbox.url}/partner/acme/deliveries`);
  const { deliveries } = (await response.json()) as { deliveries: { headers: Record<string, string> }[] };
  return deliveries;
}
