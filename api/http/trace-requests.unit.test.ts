import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { Hono } from 'hono';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { rememberSpans } from '../../test/support/span-memory.ts';
import type { AppEnv } from '../app-deps.ts';
import { traceRequests } from './trace-requests.ts';
import { continueTrace } from './traceparent.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
const orderId = '0b9d1f6e-2a43-5c1c-8e7f-6f1f1d6f0a11';

describe('a traced request', () => {
  let memory: ReturnType<typeof rememberSpans>;
  beforeAll(() => {
    memory = rememberSpans();
  });
  beforeEach(() => memory.forget());
  afterAll(() => memory.close());

  const app = new Hono<AppEnv>();
  app.use(traceRequests());
  app.get('/healthz', (c) => c.text('ok'));
  app.get('/orders/:orderId', (c) => c.text(continueTrace(c.req.header('traceparent'))));
  app.get('/broken', () => {
    throw new TypeError('asha@customers.example');
  });

  it('is a server span of the caller’s trace, named by its route, with its order', async () => {
    const response = await app.request(`/orders/${orderId}?customerId=c-1`, { headers: { traceparent } });
    const [span] = memory.spans();
    expect(span).toMatchObject({
      name: 'GET /orders/:orderId',
      kind: SpanKind.SERVER,
      attributes: {
        'http.request.method': 'GET',
        'http.route': '/orders/:orderId',
        'http.response.status_code': 200,
        'order.id': orderId,
      },
    });
    expect(JSON.stringify(span?.attributes)).not.toContain('c-1');
    expect(span?.parentSpanContext?.spanId).toBe('00f067aa0ba902b7');
    expect(await response.text()).toBe(`00-${traceId}-${span?.spanContext().spanId}-01`);
  });

  it('says what broke, and nothing of what was typed', async () => {
    await app.request('/broken');
    const [span] = memory.spans();
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'TypeError' });
    expect(span?.attributes['http.response.status_code']).toBe(500);
    await app.request('/customers/asha@customers.example');
    expect(memory.spans()[1]).toMatchObject({ name: 'GET', status: { code: SpanStatusCode.UNSET } });
    expect(JSON.stringify(memory.spans().map(({ name, attributes }) => [name, attributes]))).not.toContain(
      'asha',
    );
  });

  it('is no probe', async () => {
    await app.request('/healthz');
    expect(memory.spans()).toEqual([]);
  });
});
