import { randomUUID } from 'node:crypto';
import { context, diag, DiagLogLevel, trace, type DiagLogger } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  RandomIdGenerator,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Logger } from './logger.ts';
import { givenOr } from './span-ids.ts';
import { setTracing } from './tracing.ts';
import { version } from './version.ts';

/** A collector that is slow or away costs memory for so many spans, then spans, never orders. */
const queue = { maxQueueSize: 8_192, maxExportBatchSize: 512, scheduledDelayMillis: 1_000 };
const flushTimeoutMs = 3_000;
/** The same trouble is not logged at every export. */
const repeatedAfterMs = 60_000;

/** Installs the SDK and begins to export over OTLP/HTTP, in JSON. For the process once: the installation is global. */
export function startOtlpTracing(input: {
  endpoint: string;
  sampleRatio: number;
  service: string;
  logger: Logger;
}): {
  close(): Promise<void>;
} {
  diag.setLogger(warnOnce(input.logger), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const provider = new TracerProvider({
    resource: resourceOf(input.service),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(input.sampleRatio) }),
    idGenerator: givenOr(new RandomIdGenerator()),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({ url: tracesUrl(input.endpoint), timeoutMillis: flushTimeoutMs }),
        ...queue,
      }),
    ],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  setTracing(true);
  return {
    async close() {
      setTracing(false);
      await provider.shutdown().catch((error: unknown) => {
        input.logger.warn({ err: error }, 'the last spans could not be exported');
      });
      trace.disable();
      context.disable();
      diag.disable();
    },
  };
}

const tracesUrl = (endpoint: string): string => `${endpoint.replace(/\/+$/, '')}/v1/traces`;

/** What OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME say wins. */
const resourceOf = (service: string) =>
  resourceFromAttributes({
    'service.namespace': 'order-saga',
    'service.name': service,
    'service.version': version,
    'service.instance.id': randomUUID(),
    'process.pid': process.pid,
  }).merge(detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] }));

function warnOnce(logger: Logger): DiagLogger {
  const said = new Map<string, number>();
  const say = (message: string): void => {
    const reason = reasonIn(message);
    const kind = reason.replaceAll(/\d+/g, '#');
    const now = Date.now();
    if (now - (said.get(kind) ?? 0) < repeatedAfterMs) return;
    if (said.size > 100) said.clear();
    said.set(kind, now);
    logger.warn({ reason }, 'tracing has trouble; orders do not notice');
  };
  return { error: say, warn: say, info() {}, debug() {}, verbose() {} };
}

/** The SDK tells errors as JSON of all that hangs on them. */
function reasonIn(message: string): string {
  try {
    const { name, message: text } = JSON.parse(message) as { name?: string; message?: string };
    return `${name ?? 'Error'}: ${text ?? ''}`.slice(0, 500);
  } catch {
    return message.slice(0, 500);
  }
}
