import { readFileSync } from 'node:fs';
import type { DomainEvent } from '../../domain/events.ts';
import type { HeldStatus, NextAction, OrderStatus, SagaState, StepName } from '../../domain/order.ts';
import { parseEvents } from '../server-sent-events.ts';

/** The addresses the demo needs, out of the file that ORDER_SAGA_ADDRESSES names. */
export interface DemoAddresses {
  api: string;
  sandbox: string;
  /** Empty for somebody else's Temporal. */
  temporalUi: string;
}

/** What the demo reads of an order; the API answers with more. */
export interface DemoOrder {
  status: OrderStatus;
  sagaState: SagaState;
  step?: StepName;
  hold?: { status: HeldStatus; reason: string; untilUtc: string; nextAction?: NextAction };
  parked?: { step: string; failure?: string };
  failure?: { type: string; reason?: string };
  updatedAtUtc?: string;
}

export interface DemoProduct {
  productId: string;
  name: string;
  price: { amount: string; currency: string };
  available: number;
}

const REQUEST_TIMEOUT_MS = 5_000;

/** Reads the addresses; throws with what to start first when nothing runs. */
export function readAddresses(file: string): DemoAddresses {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as DemoAddresses;
  } catch (cause) {
    throw new Error(
      `${file} cannot be read: start the product first (npm start), or both at once: npm start -- --demo`,
      {
        cause,
      },
    );
  }
}

/** The API and the sandbox over HTTP, nothing else. Every call rejects with method, path and the answer it did not expect. */
export function createDemoClient({ api, sandbox }: DemoAddresses, apiKey: string | undefined) {
  const authorization: Record<string, string> = apiKey ? { authorization: `Bearer ${apiKey}` } : {};

  async function send(
    method: string,
    url: string,
    options: { body?: unknown; headers?: Record<string, string> } = {},
  ) {
    const response = await fetch(url, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(url.startsWith(api) ? authorization : {}),
        ...options.headers,
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    const text = await response.text();
    if (response.ok) return JSON.parse(text) as unknown;
    const { pathname } = new URL(url);
    throw Object.assign(
      new Error(`${method} ${pathname} answered ${response.status}: ${text.slice(0, 300)}`),
      {
        status: response.status,
      },
    );
  }

  return {
    products: async () => ((await send('GET', `${api}/products`)) as { products: DemoProduct[] }).products,
    checkout: async (idempotencyKey: string, body: unknown) => {
      const headers = { 'idempotency-key': idempotencyKey };
      return ((await send('POST', `${api}/checkout`, { body, headers })) as { orderId: string }).orderId;
    },
    order: async (orderId: string) => (await send('GET', `${api}/orders/${orderId}`)) as DemoOrder,
    cancel: async (orderId: string, reason: string): Promise<void> => {
      await send('POST', `${api}/orders/${orderId}/cancel`, { body: { reason } });
    },
    addFault: async (rule: { id: string; [field: string]: unknown }): Promise<void> => {
      await send('POST', `${sandbox}/sandbox/faults`, { body: rule });
    },
    /** Ends a fault; one that has ended by itself is fine. */
    removeFault: async (id: string): Promise<void> => {
      await send('DELETE', `${sandbox}/sandbox/faults/${id}`).catch((error: { status?: number }) => {
        if (error.status !== 404) throw error;
      });
    },
    /** The order's events as they happen; ends after the final one, or with the signal. */
    async *events(orderId: string, signal: AbortSignal): AsyncGenerator<DomainEvent> {
      const response = await fetch(`${api}/orders/${orderId}/events`, { headers: authorization, signal });
      if (!response.ok || !response.body) return;
      yield* parseEvents(response.body.pipeThrough(new TextDecoderStream()));
    },
  };
}

export type DemoClient = ReturnType<typeof createDemoClient>;

/** The key of the first operator among the configured callers, else of the first caller; undefined without callers. */
export function apiKeyOf(callers: string | undefined): string | undefined {
  if (!callers) return undefined;
  const all = JSON.parse(callers) as { key: string; role: string }[];
  return (all.find(({ role }) => role === 'operator') ?? all[0])?.key;
}
