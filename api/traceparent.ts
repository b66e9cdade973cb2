import { randomBytes } from 'node:crypto';

/** W3C Trace Context level 1; a later version is read by its first four fields. */
const pattern = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** The caller's trace when its `traceparent` is valid, a new one otherwise; always in version 00. */
export function continueTrace(header: string | undefined): string {
  const [, version, traceId, spanId, flags, rest] = pattern.exec(header?.trim() ?? '') ?? [];
  const valid = traceId !== undefined && (version !== '00' || rest === undefined);
  return valid
    ? `00-${traceId}-${spanId}-${flags}`
    : `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
}
