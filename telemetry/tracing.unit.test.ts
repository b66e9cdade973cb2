import { execFileSync } from 'node:child_process';
import { SpanStatusCode } from '@opentelemetry/api';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { rememberSpans } from '../test/support/span-memory.ts';
import { activeTrace, activeTraceparent, recordSpan, spanContextOf, traced } from './tracing.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parent = `00-${traceId}-00f067aa0ba902b7-01`;

describe('tracing', () => {
  let memory: ReturnType<typeof rememberSpans>;
  const spans = () => memory.spans();
  beforeAll(() => {
    memory = rememberSpans();
  });
  beforeEach(() => memory.forget());
  afterAll(() => memory.close());

  it('goes on the trace of a traceparent, and hands its own on to what it leads to', async () => {
    await traced({ name: 'outer', kind: 'server', parent }, async () => {
      expect(activeTrace()?.traceId).toBe(traceId);
      const handedOn = activeTraceparent();
      await traced({ name: 'inner', attributes: { 'order.id': 'o-1' } }, async () => {});
      await traced({ name: 'elsewhere', parent: handedOn }, async () => {});
    });
    const [inner, elsewhere, outer] = spans();
    expect([outer, inner, elsewhere].map((span) => span?.spanContext().traceId)).toEqual([
      traceId,
      traceId,
      traceId,
    ]);
    expect(outer?.parentSpanContext?.spanId).toBe('00f067aa0ba902b7');
    expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
    expect(elsewhere?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
    expect(inner?.attributes).toEqual({ 'order.id': 'o-1' });
  });

  it('follows a caller who does not want to be recorded, and says so to the next', async () => {
    await traced({ name: 'quiet', parent: `00-${traceId}-00f067aa0ba902b7-00` }, async () => {
      expect(activeTraceparent()).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
    });
    expect(spans()).toEqual([]);
  });

  it('records what is thrown, without what it says of people, and throws it on', async () => {
    const failing = traced({ name: 'failing' }, () =>
      Promise.reject(new TypeError('no asha@customers.example')),
    );
    await expect(failing).rejects.toThrow('asha@customers.example');
    const [span] = spans();
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'TypeError' });
    expect(span?.attributes).toEqual({ 'error.type': 'TypeError' });
    expect(span?.events[0]?.attributes).toEqual({
      'exception.type': 'TypeError',
      'exception.message': 'no [email]',
    });
  });

  it('does not take an answer for an error', async () => {
    const refused = traced({ name: 'asked', isAnswer: () => true }, () =>
      Promise.reject(new Error('declined')),
    );
    await expect(refused).rejects.toThrow('declined');
    expect(spans()[0]?.status.code).toBe(SpanStatusCode.UNSET);
  });

  it('leaves out what is only worth seeing inside of something', async () => {
    expect(await traced({ name: 'alone', inside: true }, async () => activeTraceparent())).toBeUndefined();
    await traced({ name: 'without its parent', inside: true, parent: 'nonsense' }, async () => {});
    expect(spans()).toEqual([]);
  });

  it('links to other traces', async () => {
    await traced(
      { name: 'batch', parent: undefined, links: [parent, 'nonsense', undefined] },
      async () => {},
    );
    expect(spans()[0]?.links.map((link) => link.context.traceId)).toEqual([traceId]);
    expect(spans()[0]?.parentSpanContext).toBeUndefined();
  });

  it('gives what is told twice the same id', () => {
    const run = { name: 'run', parent, startedMs: 1_000_000, endedMs: 1_002_000, spanId: '00000000000000aa' };
    recordSpan(run);
    recordSpan({ ...run, errorType: 'Bug' });
    expect(spans().map((span) => span.spanContext().spanId)).toEqual([
      '00000000000000aa',
      '00000000000000aa',
    ]);
    expect(spans()[0]?.duration).toEqual([2, 0]);
    recordSpan({ ...run, name: 'other', spanId: '00000000000000ab' });
  });
});

it.each([
  ['', undefined],
  [`00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, undefined],
  [`ff-${traceId}-00f067aa0ba902b7-01`, undefined],
  [`00-${traceId}-00f067aa0ba902b7-01-more`, undefined],
  [`01-${traceId}-00f067aa0ba902b7-01-more`, traceId],
  [parent, traceId],
])('reads a traceparent by the standard: "%s"', (text, expected) => {
  expect(spanContextOf(text)?.traceId).toBe(expected);
});

it.each([
  { endpoint: undefined, loadsSdk: false },
  { endpoint: 'http://127.0.0.1:1', loadsSdk: true },
])('loads the SDK only for a collector: $endpoint', ({ endpoint, loadsSdk }) => {
  const program = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    const { connectTracing } = await import('./telemetry/connect-tracing.ts');
    const { isTracing, traced, activeTraceparent } = await import('./telemetry/tracing.ts');
    const logger = { warn() {} };
    const settings = { OTEL_EXPORTER_OTLP_ENDPOINT: ${JSON.stringify(endpoint)} };
    const tracing = await connectTracing({ settings, service: 's', logger });
    const inside = await traced({ name: 'x', parent: '${parent}' }, async () => activeTraceparent());
    const sdk = loaded.some((url) => /opentelemetry.(sdk-trace|exporter)/.test(url));
    console.log(JSON.stringify({ on: isTracing(), spans: inside !== undefined, sdk }));
    await tracing.close();`;
  const told = execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  });
  expect(JSON.parse(told)).toEqual({ on: loadsSdk, spans: loadsSdk, sdk: loadsSdk });
});
