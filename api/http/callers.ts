import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import type { ApiCaller, ApiSettings, AppEnv } from '../app-deps.ts';
import { ApiProblem } from './problems.ts';

const digest = (key: string): Buffer => createHash('sha256').update(key).digest();

const localOperator: ApiCaller = { callerId: 'local', role: 'operator' };

const loopbackNames = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Finds out who calls, by `Authorization: Bearer <key>` (RFC 6750): 401 with WWW-Authenticate for a missing or unknown
 * key. Without configured callers everybody is the operator `local`, and only requests to a loopback name are taken,
 * so that no web page reaches the API through a name of its own (DNS rebinding).
 */
export function authenticate(callers: ApiSettings['callers']): MiddlewareHandler<AppEnv> {
  if (!callers) {
    return async (c, next) => {
      if (!loopbackNames.has(new URL(c.req.url).hostname)) {
        throw new ApiProblem('forbidden', {
          detail: 'Without API_CALLERS only loopback addresses are served.',
        });
      }
      c.set('caller', localOperator);
      await next();
    };
  }
  const known = callers.map(({ key, callerId, role }) => ({
    digest: digest(key),
    caller: { callerId, role },
  }));
  return async (c, next) => {
    const header = c.req.header('authorization');
    const caller = header === undefined ? undefined : findCaller(known, header);
    if (!caller) throw unauthenticated(header === undefined);
    c.set('caller', caller);
    await next();
  };
}

/** Compares digests in constant time and always all of them, so that timing tells nothing about the keys. */
function findCaller(
  known: readonly { digest: Buffer; caller: ApiCaller }[],
  header: string,
): ApiCaller | undefined {
  const token = /^bearer +([\x21-\x7e]+) *$/i.exec(header)?.[1];
  if (token === undefined) return undefined;
  const given = digest(token);
  let found: ApiCaller | undefined;
  for (const entry of known) if (timingSafeEqual(entry.digest, given)) found = entry.caller;
  return found;
}

const unauthenticated = (missing: boolean): ApiProblem =>
  new ApiProblem('unauthenticated', {
    detail: missing ? 'The request has no Authorization header.' : 'The API key is not known.',
    headers: {
      'www-authenticate': missing
        ? 'Bearer realm="order-saga"'
        : 'Bearer realm="order-saga", error="invalid_token"',
    },
  });

/** 403 for everybody else. */
export function requireOperator(caller: ApiCaller): void {
  if (caller.role !== 'operator') {
    throw new ApiProblem('forbidden', { detail: 'This needs an API key with the role operator.' });
  }
}

/**
 * Who acts, for the audit trail: the caller, and before it the person for whom an operator's key is used. 403 for
 * anybody else who names one.
 */
export function actorOf(caller: ApiCaller, person: string | undefined): string {
  if (person === undefined) return caller.callerId;
  requireOperator(caller);
  return `${person} (${caller.callerId})`;
}

/** Whether the caller may know of an order of `ownerId`. */
export const maySee = (caller: ApiCaller, ownerId: string): boolean =>
  caller.role === 'operator' || caller.callerId === ownerId;
