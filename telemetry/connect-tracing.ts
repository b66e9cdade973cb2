import type { Logger } from './logger.ts';

export interface TracingInput {
  /** The process's settings, as `config/` has them. */
  settings: {
    /** Base address of an OTLP/HTTP collector; none: no SDK is loaded and no span made. */
    OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
    /** Share of the traces that begin here which are recorded; others follow their caller. Default 1. */
    OTEL_TRACES_SAMPLER_ARG?: number | undefined;
  };
  /** `service.name` of this process. */
  service: string;
  logger: Logger;
}

/**
 * Exports this process's spans from now on, where a collector is configured; `close` sends what is left, for at most
 * three seconds. To be awaited before anything is connected. The exporter reads its further settings (headers,
 * certificates) from OpenTelemetry's own environment variables.
 */
export async function connectTracing({
  settings,
  service,
  logger,
}: TracingInput): Promise<{ close(): Promise<void> }> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER_ARG: sampleRatio = 1 } = settings;
  if (endpoint === undefined) return { async close() {} };
  const { startOtlpTracing } = await import('./otlp-tracing.ts');
  return startOtlpTracing({ endpoint, sampleRatio, service, logger });
}
