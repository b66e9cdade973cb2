import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { Counts } from '../counts.ts';
import type { Faults } from '../faults/faults.ts';
import { stripeId } from '../ids.ts';
import { invalid, jsonBody, problem } from '../problem.ts';
import { answerCall, underError, wait } from '../provider-call.ts';
import type { PartnerSettings } from '../records.ts';
import type { Reply } from '../refusal.ts';
import type { Store } from '../store.ts';

const KEPT = 10_000;
const NAME = /^[A-Za-z0-9._-]{1,64}$/;

const settingsSchema = z.strictObject({
  /** What deliveries are answered with. */
  status: z.int().min(200).max(599).default(200),
  delayMs: z.int().min(0).max(600_000).default(0),
  /** Seconds or an HTTP date, sent as Retry-After. */
  retryAfter: z.union([z.string(), z.number()]).transform(String).nullable().default(null),
  /** Sent as Location, for redirects. */
  location: z.string().nullable().default(null),
  body: z.string().max(10_000).default('{"ok":true}'),
});

const DEFAULTS: PartnerSettings = settingsSchema.parse({});

interface PartnerDeps {
  store: Store;
  clock: Clock;
  counts: Counts;
  faults: Faults;
}

const errorReply = (rule: {
  status: number;
  message?: string | undefined;
  retryAfterSeconds?: number | undefined;
}): Reply => ({
  status: rule.status,
  body: { error: rule.message ?? 'sandbox fault' },
  ...(rule.retryAfterSeconds !== undefined && { headers: { 'retry-after': String(rule.retryAfterSeconds) } }),
});

/** Stand-ins for partners that receive webhooks: `POST /partner/{name}` takes anything and remembers it. */
export const createPartnerApp = ({ store, clock, counts, faults }: PartnerDeps) => {
  let received = 0;

  const keep = (partner: string, headers: Record<string, string>, body: string, status: number) => {
    const id = stripeId('dlv');
    store.put(
      'delivery',
      id,
      { id, partner, receivedMs: clock.nowMs(), headers, body, status },
      { parent: partner },
    );
    counts.business('partner_deliveries');
    counts.operation('partner', 'deliver', 'effects');
    received += 1;
    if (received % 500 === 0) store.prune('delivery', KEPT);
  };

  const replyOf = (settings: PartnerSettings): Reply => ({
    status: settings.status,
    body: settings.body,
    headers: {
      ...(settings.retryAfter !== null && { 'retry-after': settings.retryAfter }),
      ...(settings.location !== null && { location: settings.location }),
    },
  });

  const app = new Hono<{ Bindings: HttpBindings }>();
  app.use('/partner/:name/*', async (c, next) =>
    NAME.test(c.req.param('name')) ? next() : problem(c, 404, 'A partner name has 1-64 of A-Z a-z 0-9 . _ -'),
  );

  app.post('/partner/:name', async (c) => {
    const name = c.req.param('name');
    const body = await c.req.text();
    const settings = store.get('partner', name) ?? DEFAULTS;
    return answerCall({ faults, counts }, c, {
      provider: 'partner',
      operation: 'deliver',
      facts: () => ({ recipient: name }),
      unavailable: () => errorReply({ status: 503 }),
      rateLimited: (rule) => errorReply({ ...rule, status: 429 }),
      perform: async (plan) => {
        await wait(plan.delayBeforeMs + settings.delayMs);
        const work = () => {
          keep(name, c.req.header(), body, settings.status);
          return replyOf(settings);
        };
        return underError(plan, work, errorReply);
      },
    });
  });

  app.get('/partner/:name/deliveries', (c) => {
    const limit = Math.min(Number(c.req.query('limit') ?? 100) || 100, 1_000);
    const deliveries = store.list('delivery', { parent: c.req.param('name'), limit });
    return c.json({
      deliveries: deliveries.map((d) => ({ ...d, receivedAt: new Date(d.receivedMs).toISOString() })),
    });
  });

  app.get('/partner/:name/settings', (c) => c.json(store.get('partner', c.req.param('name')) ?? DEFAULTS));

  app.put('/partner/:name/settings', async (c) => {
    const parsed = settingsSchema.safeParse(await jsonBody(c));
    if (!parsed.success) return invalid(c, parsed.error);
    store.put('partner', c.req.param('name'), parsed.data);
    return c.json(parsed.data);
  });

  return app;
};
