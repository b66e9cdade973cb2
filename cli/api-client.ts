import { readFileSync } from 'node:fs';
import type { DomainEvent } from '../domain/events.ts';
import { parseEvents } from './server-sent-events.ts';

const TIMEOUT_MS = 30_000;

/** An answer of the API that is no success: its problem document (RFC 9457) in words. */
class ApiRefusal extends Error {
  readonly status: number;
  /** Machine-readable reason of a refused act. */
  readonly code: string | undefined;
  constructor(status: number, message: string, code?: string) {
    super(message);
    this.name = 'ApiRefusal';
    this.status = status;
    this.code = code;
  }
}

/** The API says that something behind it does not answer now. */
export const isAway = (error: unknown): boolean => error instanceof ApiRefusal && error.status === 503;

/** The API has said no, for this reason. */
export const isRefusedFor = (error: unknown, code: string): boolean =>
  error instanceof ApiRefusal && error.code === code;

export interface ApiClient {
  /** JSON in, JSON out. Rejects with ApiRefusal for anything but 2xx, and with what to start when nobody answers. */
  send<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T>;
  /** Server-sent events as they happen, until the stream ends or `signal` aborts; none when it cannot be had. */
  events(path: string, signal: AbortSignal): AsyncGenerator<DomainEvent>;
}

/** The API at `address`; the key goes along as a bearer token where there is one. */
export function createApiClient(address: string, key: string | undefined): ApiClient {
  const authorization: Record<string, string> = key ? { authorization: `Bearer ${key}` } : {};
  return {
    async send<T>(
      method: string,
      path: string,
      body?: unknown,
      headers: Record<string, string> = {},
    ): Promise<T> {
      const response = await fetch(new URL(path, address), {
        method,
        headers: {
          accept: 'application/json',
          ...authorization,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      }).catch((cause: unknown) => {
        throw new Error(`The API does not answer at ${address}: start it (npm start) or give --api`, {
          cause,
        });
      });
      const text = await response.text();
      if (response.ok) return JSON.parse(text) as T;
      throw refusalOf(response.status, text);
    },
    async *events(path, signal) {
      const response = await fetch(new URL(path, address), { headers: authorization, signal });
      if (!response.ok || !response.body) return;
      yield* parseEvents(response.body.pipeThrough(new TextDecoderStream()));
    },
  };
}

function refusalOf(status: number, text: string): ApiRefusal {
  try {
    const problem = JSON.parse(text) as {
      title?: string;
      detail?: string;
      code?: string;
      errors?: { field: string; reason: string }[];
      legalActs?: string[];
    };
    const fields = (problem.errors ?? []).map(({ field, reason }) => `\n  ${field}: ${reason}`).join('');
    const legal = problem.legalActs ? `\nAllowed actions: ${problem.legalActs.join(', ') || 'nothing'}.` : '';
    const act = status === 401 || status === 403 ? '\nGive an operator key by ORDER_SAGA_API_KEY.' : '';
    return new ApiRefusal(
      status,
      `${status} ${problem.title}: ${problem.detail}${fields}${legal}${act}`,
      problem.code,
    );
  } catch {
    return new ApiRefusal(status, `The API answered ${status}: ${text.slice(0, 300)}`);
  }
}

/** `--api`, else ORDER_SAGA_API, else what the running product wrote into its file of addresses. */
export function apiAddress(given: string | undefined, env: NodeJS.ProcessEnv): string {
  const address = given ?? env['ORDER_SAGA_API'];
  if (address) return address;
  return productAddresses(env).api;
}

/** What the running product wrote into its file. */
export function productAddresses(env: NodeJS.ProcessEnv) {
  const file = env['ORDER_SAGA_ADDRESSES'] ?? '.runtime/addresses.json';
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<
      'api' | 'sandbox' | 'inbox' | 'temporal' | 'temporalUi',
      string
    >;
  } catch (cause) {
    throw new Error(`${file} cannot be read: start the product (npm start), or give --api`, { cause });
  }
}

/** ORDER_SAGA_API_KEY, else the first operator's key in API_CALLERS; undefined where neither is set. */
export function apiKey(env: NodeJS.ProcessEnv): string | undefined {
  if (env['ORDER_SAGA_API_KEY']) return env['ORDER_SAGA_API_KEY'];
  if (!env['API_CALLERS']) return undefined;
  const callers = JSON.parse(env['API_CALLERS']) as { key: string; role: string }[];
  return callers.find(({ role }) => role === 'operator')?.key;
}
