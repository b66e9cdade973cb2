import http from 'node:http';
import type { AddressInfo } from 'node:net';
import easypost from '@easypost/api';
import Stripe from 'stripe';
import type { FaultRuleInput } from './faults/fault-rules.ts';
import { DEFAULT_KEYS, type SandboxOptions, type Settings } from './sandbox-options.ts';
import { type Sandbox, startSandbox } from './start-sandbox.ts';

/** The package's types describe its CommonJS build; its ES module exports the class itself. */
const EasyPostClient = easypost as unknown as typeof easypost.default;

/** The real SDK, pointed at a sandbox the way the payment adapter points it. */
export const stripeFor = (
  { url }: { url: string },
  apiKey: string = DEFAULT_KEYS.stripeSecretKey,
): Stripe => {
  const { hostname, port } = new URL(url);
  return new Stripe(apiKey, {
    host: hostname,
    port: Number(port),
    protocol: 'http',
    telemetry: false,
    maxNetworkRetries: 0,
    timeout: 2_000,
  });
};

export const easypostFor = ({ url }: { url: string }, apiKey: string = DEFAULT_KEYS.easypostApiKey) =>
  new EasyPostClient(apiKey, { baseUrl: `${url}/v2/`, timeout: 2_000 });

/** Calls the sandbox's own API. */
export const api = async <T = Record<string, unknown>>(
  { url }: { url: string },
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: T }> => {
  const response = await fetch(`${url}${path}`, {
    method,
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
  });
  return { status: response.status, body: (await response.json()) as T };
};

export const putFaults = (sandbox: Sandbox, ...rules: FaultRuleInput[]) =>
  api(sandbox, 'PUT', '/sandbox/faults', rules);

export const advanceClock = (sandbox: Sandbox, advanceSeconds: number) =>
  api(sandbox, 'POST', '/sandbox/clock', { advanceSeconds });

/** A sandbox whose own delays are short, for tests. */
export const quickSandbox = (
  settings: Partial<Settings> = {},
  options: SandboxOptions = {},
): Promise<Sandbox> =>
  startSandbox({
    ...options,
    settings: {
      searchDelayMs: 150,
      processingMs: 100,
      labelRefundMs: 150,
      webhookMinDelayMs: 0,
      webhookMaxDelayMs: 20,
      webhookDuplicateEvery: 0,
      webhookHoldBackEvery: 0,
      webhookRetryMs: [50, 50, 50],
      ...settings,
    },
  });

interface ReceivedWebhook {
  body: string;
  signature: string;
  atMs: number;
}

/** A webhook endpoint that keeps what it gets and answers by `answer`. */
export const startReceiver = async (answer: (count: number) => number = () => 200) => {
  const received: ReceivedWebhook[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const signature = String(request.headers['stripe-signature']);
      received.push({ body: Buffer.concat(chunks).toString(), signature, atMs: Date.now() });
      response.writeHead(answer(received.length)).end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/stripe`,
    received,
    types: () => received.map(({ body }) => (JSON.parse(body) as { type: string }).type),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
