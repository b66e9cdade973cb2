import { randomBytes } from 'node:crypto';
import { activeTraceparent, spanContextOf } from '../../telemetry/tracing.ts';

/**
 * The trace that a request's order goes on: the request's own span where it has one, else the caller's trace when its
 * `traceparent` is valid, else a new one; always in version 00.
 */
export function continueTrace(header: string | undefined): string {
  const active = activeTraceparent();
  if (active !== undefined) return active;
  const caller = spanContextOf(header);
  return caller
    ? `00-${caller.traceId}-${caller.spanId}-${caller.traceFlags.toString(16).padStart(2, '0')}`
    : `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
}
