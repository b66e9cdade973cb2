import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Reply } from '../refusal.ts';
import type { IdempotencyRecord } from '../records.ts';
import type { Store } from '../store.ts';
import { idempotencyError, invalidRequest, keyInUse } from './stripe-errors.ts';

const HOUR = 3_600_000;
const KEY_LIFE_MS = 24 * HOUR;

/** One POST under an idempotency key. */
export interface KeyedRequest {
  key: string;
  /** Path with ids, such as `/v1/payment_intents/pi_1/confirm`. */
  endpoint: string;
  fingerprint: string;
}

/** Sorted, so that the order of parameters makes no difference. */
const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, entry]) => [key, canonical(entry)]);
};

export const fingerprintOf = (params: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(canonical(params)))
    .digest('base64');

export interface IdempotencyKeys {
  /**
   * The stored answer to replay, or undefined when the request is the key's first. Throws Stripe's refusal when the
   * key is in use by a running request (409) or was first used for another endpoint or other parameters (400).
   */
  find(request: KeyedRequest): Reply | undefined;
  /** Marks the key as in use until `end`. */
  begin(request: KeyedRequest): void;
  end(request: KeyedRequest): void;
  /** Remembers an answer for 24 h; belongs into the transaction of what it answers. */
  save(request: KeyedRequest, status: number, body: string): void;
  /** Forgets keys past their life. */
  expire(): void;
}

const assertSame = (stored: IdempotencyRecord, { key, endpoint, fingerprint }: KeyedRequest): void => {
  if (stored.endpoint !== endpoint) {
    throw idempotencyError(
      `Keys for idempotent requests can only be used for the same endpoint they were first used for ('${endpoint}' vs '${stored.endpoint}'). Try using a key other than '${key}' if you meant to execute a different request.`,
    );
  }
  if (stored.fingerprint !== fingerprint) {
    throw idempotencyError(
      `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
    );
  }
};

/**
 * Stripe's idempotency keys (https://docs.stripe.com/api/idempotent_requests): the first answer after execution began
 * is kept, errors 500 included, and forgotten after 24 h; answers from before execution are not kept.
 */
export const createIdempotencyKeys = (store: Store, clock: Clock): IdempotencyKeys => {
  const inUse = new Set<string>();
  return {
    find: (request) => {
      if (request.key.length > 255) {
        throw invalidRequest('Idempotency keys may be at most 255 characters long.', {
          code: 'invalid_request_error',
        });
      }
      if (inUse.has(request.key)) throw keyInUse(request.key);
      const stored = store.get('idempotency', request.key);
      if (!stored || stored.expiresMs <= clock.nowMs()) return undefined;
      assertSame(stored, request);
      return { status: stored.status, body: stored.body, headers: { 'idempotent-replayed': 'true' } };
    },
    begin: ({ key }) => void inUse.add(key),
    end: ({ key }) => void inUse.delete(key),
    save: ({ key, endpoint, fingerprint }, status, body) => {
      const expiresMs = clock.nowMs() + KEY_LIFE_MS;
      store.put('idempotency', key, { endpoint, fingerprint, status, body, expiresMs }, { dueMs: expiresMs });
    },
    expire: () => store.expire('idempotency', clock.nowMs()),
  };
};
