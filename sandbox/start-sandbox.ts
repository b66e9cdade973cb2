import { mkdirSync } from 'node:fs';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type HttpBindings, serve } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { createAdminApp } from './admin/admin-app.ts';
import { createClock } from './clock.ts';
import { createCounts } from './counts.ts';
import { createEasypostApp } from './easypost/easypost-app.ts';
import { createFaults } from './faults/faults.ts';
import { createCustomerPages } from './pages/customer-page.ts';
import { createPagesApp } from './pages/pages-app.ts';
import { createPartnerApp } from './partner/partner-app.ts';
import { listeningOr } from './listening.ts';
import { problem } from './problem.ts';
import { DEFAULT_KEYS, type SandboxOptions, type Settings, defaultSettings } from './sandbox-options.ts';
import { startSmtpInbox } from './smtp/smtp-inbox.ts';
import { openStore } from './store.ts';
import { createStripeApp } from './stripe/stripe-app.ts';
import type { StripeDeps } from './stripe/stripe-deps.ts';
import { createWebhooks } from './stripe/webhooks.ts';
import { startTicker } from './ticker.ts';

const HOST = '127.0.0.1';
const MAX_BODY_BYTES = 1024 * 1024;

/** Longer than any client keeps an idle connection, so that the sandbox cuts one only when a fault says so. */
const KEEP_ALIVE_MS = 75_000;

export interface Sandbox {
  /** Base address of everything that is HTTP, without a slash at the end. */
  url: string;
  smtpPort: number;
  close(): Promise<void>;
}

/**
 * Starts the outside world on loopback: Stripe under `/v1`, EasyPost under `/v2`, partners, an SMTP inbox, and the
 * sandbox's own API under `/sandbox`. Ports are free ones unless given. With `dataDir` the state, undelivered webhooks
 * and faults in force included, survives a restart and SIGKILL.
 */
export const startSandbox = async (options: SandboxOptions = {}): Promise<Sandbox> => {
  if (options.dataDir) mkdirSync(options.dataDir, { recursive: true });
  const store = openStore(options.dataDir && join(options.dataDir, 'sandbox.sqlite'));
  let settings: Settings = { ...defaultSettings, ...options.settings };
  const keys = {
    stripe: options.stripeSecretKey ?? DEFAULT_KEYS.stripeSecretKey,
    webhook: options.stripeWebhookSecret ?? DEFAULT_KEYS.stripeWebhookSecret,
    easypost: options.easypostApiKey ?? DEFAULT_KEYS.easypostApiKey,
  };
  const clock = createClock(store);
  const counts = createCounts(store);
  const faults = createFaults(store);
  let url = '';
  const common = { store, clock, counts, settings: () => settings, baseUrl: () => url };
  const webhooks = createWebhooks({ ...common, secret: keys.webhook });
  const stripeDeps: StripeDeps = { ...common, emit: webhooks.emit };
  const smtp = await startSmtpInbox({ ...common, faults }, options.smtpPort ?? 0);
  const stripe = createStripeApp({ ...stripeDeps, faults, secretKey: keys.stripe });

  const app = new Hono<{ Bindings: HttpBindings }>();
  app.use(bodyLimit({ maxSize: MAX_BODY_BYTES }));
  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.get('/readyz', (c) => c.json({ status: 'ready', mails: store.count('mail') }));
  app.get('/metrics', async (c) => {
    const { text, contentType } = await counts.metrics();
    return c.text(text, 200, { 'content-type': contentType });
  });
  app.route('/', stripe.app);
  app.route('/', createEasypostApp({ ...common, faults, apiKey: keys.easypost }));
  app.route('/', createPartnerApp({ ...common, faults }));
  app.route(
    '/',
    createAdminApp({
      ...stripeDeps,
      faults,
      changeSettings: (patch) => (settings = { ...settings, ...patch }),
      followOutages: smtp.followOutage,
    }),
  );
  app.route('/', createCustomerPages(stripeDeps));
  app.route('/', createPagesApp({ ...common, faults, smtpPort: () => smtp.port }));
  app.notFound(
    (c) =>
      unknownUrl(c.req.method, c.req.path) ?? problem(c, 404, `Nothing at ${c.req.method} ${c.req.path}`),
  );

  const server = serve({ fetch: app.fetch, hostname: HOST, port: options.port ?? 0 }) as Server;
  if (!server.listening) {
    const address = { host: HOST, port: options.port ?? 0, setting: 'SANDBOX_PORT' };
    await listeningOr(once(server, 'listening'), address);
  }
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  url = `http://${HOST}:${(server.address() as AddressInfo).port}`;
  const ticker = startTicker({ ...stripeDeps, faults, webhooks, smtp, expireKeys: stripe.expireKeys });

  return {
    url,
    smtpPort: smtp.port,
    close: async () => {
      ticker.stop();
      webhooks.close();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await Promise.all([closed, smtp.close()]);
      counts.save();
      store.close();
    },
  };
};

/** Calls the sandbox does not know, in the provider's own words. */
const unknownUrl = (method: string, path: string): Response | undefined => {
  if (path.startsWith('/v1/')) {
    const message = `Unrecognized request URL (${method}: ${path}). The sandbox speaks a part of Stripe's API, see sandbox/README.md.`;
    return Response.json({ error: { type: 'invalid_request_error', message } }, { status: 404 });
  }
  if (path.startsWith('/v2/')) {
    const message = `The sandbox does not speak ${method} ${path}, see sandbox/README.md.`;
    return Response.json({ error: { code: 'NOT_FOUND', message, errors: [] } }, { status: 404 });
  }
  return undefined;
};
