import { recordSpan } from '../telemetry/tracing.ts';

/**
 * Takes each finished request to a provider into the trace of the attempt that made it. Nothing goes to the provider:
 * it would have no use for our trace.
 */
export const providerSpans =
  (provider: 'payments' | 'carrier', apiBase: string | undefined) =>
  ({ operation, result, seconds }: { operation: string; result: string; seconds: number }): void => {
    const endedMs = performance.timeOrigin + performance.now();
    const answered = result === 'ok' || result === 'refused';
    recordSpan({
      name: `${provider} ${operation}`,
      kind: 'client',
      inside: true,
      startedMs: endedMs - seconds * 1_000,
      endedMs,
      ...(answered ? {} : { errorType: result }),
      attributes: { 'rpc.method': operation, 'order.outcome': result, 'server.address': hostOf(apiBase) },
    });
  };

const hostOf = (url: string | undefined): string | undefined =>
  url !== undefined && URL.canParse(url) ? new URL(url).hostname : undefined;
