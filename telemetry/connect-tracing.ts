import type { Logger } from './logger.ts';

export interface TracingInput {
  /** Base address of an OTLP/HTTP collector; none: no SDK is loaded and no span made. */
  endpoint: string | undefined;
  /** `service.name` of this process. */
  service: string;
  /** Share of the traces that begin here which are recorded; others follow their caller. Default 1. */
  sampleRatio?: number;
  logger: Logger;
}

/**
 * Exports this process's spans from now on, where a collector is configured; `close` sends what is left, for at most
 * three seconds. The exporter reads its further settings (headers, certificates, time-outs) from OpenTelemetry's own
 * environment variables.
 */
export async function connectTracing(input: TracingInput): Promise<{ close(): Promise<void> }> {
  const { endpoint, service, sampleRatio = 1, logger } = input;
  if (endpoint === undefined) return { async close() {} };
  const { startOtlpTracing } = await import('./otlp-tracing.ts');
  return startOtlpTracing({ endpoint, service, sampleRatio, logger });
}
