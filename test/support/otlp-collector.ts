import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

/** OTLP's trace request in JSON (opentelemetry-proto 1.x), as far as the product sends it. */
const value = z.union([
  z.strictObject({ stringValue: z.string() }).transform((one) => one.stringValue),
  z.strictObject({ intValue: z.union([z.number(), z.string()]) }).transform((one) => Number(one.intValue)),
  z.strictObject({ boolValue: z.boolean() }).transform((one) => one.boolValue),
]);
const attributes = z
  .array(z.object({ key: z.string(), value }))
  .default([])
  .transform((list) => Object.fromEntries(list.map((one) => [one.key, one.value])));
const id = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
const spanSchema = z.object({
  traceId: id(32),
  spanId: id(16),
  parentSpanId: id(16).optional(),
  name: z.string(),
  kind: z.int().transform((number) => kinds[number] ?? 'unknown'),
  startTimeUnixNano: z.string(),
  endTimeUnixNano: z.string(),
  attributes,
  links: z.array(z.object({ traceId: id(32), spanId: id(16) })).default([]),
  events: z.array(z.object({ name: z.string(), attributes })).default([]),
  status: z.object({ code: z.int().default(0), message: z.string().optional() }),
});
const requestSchema = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes }),
      scopeSpans: z.array(z.object({ spans: z.array(spanSchema) })),
    }),
  ),
});
const kinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];

export type CollectedSpan = z.output<typeof spanSchema> & { service: string };

/** A collector that keeps what it is sent: OTLP over HTTP in JSON. Anything else is an error of the test. */
export async function startOtlpCollector() {
  const spans: CollectedSpan[] = [];
  const errors: unknown[] = [];
  const server = createServer((request, response) => {
    text(request)
      .then((body) => {
        if (request.url !== '/v1/traces') throw new Error(`Nothing is collected at ${request.url}`);
        spans.push(...read(body));
      })
      .catch((error: unknown) => errors.push(error))
      .finally(() => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Everything that came; throws when something came that is no OTLP. */
    spans(): readonly CollectedSpan[] {
      if (errors.length > 0) throw errors[0];
      return spans;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const read = (body: string): CollectedSpan[] =>
  requestSchema
    .parse(JSON.parse(body))
    .resourceSpans.flatMap(({ resource, scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) =>
        spans.map((span) => ({ ...span, service: String(resource.attributes['service.name']) })),
      ),
    );

/** The spans whose parent is not among them: one where they are one tree. */
export function rootsOf(spans: readonly CollectedSpan[]): CollectedSpan[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  return spans.filter(({ parentSpanId }) => parentSpanId === undefined || !ids.has(parentSpanId));
}

/** Names of the spans above one, up to the root. */
export function ancestorsOf(span: CollectedSpan | undefined, spans: readonly CollectedSpan[]): string[] {
  const parent = spans.find(({ spanId }) => spanId === span?.parentSpanId);
  return parent === undefined ? [] : [parent.name, ...ancestorsOf(parent, spans)];
}
