import { Hono } from 'hono';
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { Counts } from '../counts.ts';
import { OPERATIONS, PROVIDERS, faultRuleSchema, faultsBodySchema } from '../faults/fault-rules.ts';
import type { Faults } from '../faults/faults.ts';
import { invalid, jsonBody, problem } from '../problem.ts';
import { replyOf } from '../refusal.ts';
import { type Settings, settingsPatchSchema } from '../sandbox-options.ts';
import type { Store } from '../store.ts';
import { authenticateIntent } from '../stripe/confirm-intent.ts';
import { createDispute, decideDispute } from '../stripe/disputes.ts';
import { intentById } from '../stripe/payment-intents.ts';
import { failRefund, refundById } from '../stripe/refunds.ts';
import { BY_ITSELF, type StripeDeps } from '../stripe/stripe-deps.ts';
import { disputeObject, intentObject, refundObject } from '../stripe/stripe-objects.ts';
import { ledgerSummary, orderLedger } from './ledger.ts';

export interface AdminDeps extends StripeDeps {
  store: Store;
  clock: Clock;
  counts: Counts;
  faults: Faults;
  changeSettings: (patch: Partial<Settings>) => Settings;
  /** Opens or closes ports at once when an outage begins or ends. */
  followOutages: () => void;
}

const outageSchema = z.strictObject({
  provider: z.enum(PROVIDERS),
  seconds: z.number().positive().max(86_400),
  mode: z.enum(['refuse', 'hang', '503']).default('503'),
});

const clockSchema = z.strictObject({ advanceSeconds: z.number().positive() });
const authenticateSchema = z.strictObject({ outcome: z.enum(['succeed', 'fail']) });
const disputeSchema = z
  .strictObject({
    payment_intent: z.string().optional(),
    charge: z.string().optional(),
    reason: z.string().default('fraudulent'),
    inquiry: z.boolean().default(false),
  })
  .refine((body) => body.payment_intent ?? body.charge, 'expected payment_intent or charge');

const decideSchema = z.strictObject({
  status: z.enum(['won', 'lost', 'warning_closed', 'needs_response']),
});
const failSchema = z.strictObject({ reason: z.string().default('lost_or_stolen_card') });

/** The sandbox's own API: faults, counts, ledger, clock, the customer's side. Bound to loopback, so without keys. */
export const createAdminApp = (deps: AdminDeps) => {
  const { store, clock, counts, faults } = deps;
  const app = new Hono().basePath('/sandbox');

  app.get('/faults', (c) => c.json({ rules: faults.list(), operations: OPERATIONS }));
  app.put('/faults', async (c) => {
    const parsed = faultsBodySchema.safeParse(await jsonBody(c));
    if (!parsed.success) return invalid(c, parsed.error);
    const rules = faults.replace(parsed.data);
    deps.followOutages();
    return c.json({ rules });
  });
  app.post('/faults', async (c) => {
    const parsed = faultRuleSchema.safeParse(await jsonBody(c));
    if (!parsed.success) return invalid(c, parsed.error);
    const rule = faults.add(parsed.data);
    deps.followOutages();
    return c.json(rule, 201);
  });
  app.delete('/faults', (c) => {
    faults.clear();
    deps.followOutages();
    return c.json({ rules: [] });
  });
  app.delete('/faults/:id', (c) => {
    const id = c.req.param('id');
    if (!faults.remove(id)) return problem(c, 404, `No fault rule '${id}'`);
    deps.followOutages();
    return c.json({ rules: faults.list() });
  });
  app.post('/outage', async (c) => {
    const parsed = outageSchema.safeParse(await jsonBody(c));
    if (!parsed.success) return invalid(c, parsed.error);
    const { provider, seconds, mode } = parsed.data;
    const forMs = Math.round(seconds * 1_000);
    const rule = faults.add({
      id: `outage-${provider}`,
      provider,
      operation: '*',
      kind: 'outage',
      mode,
      forMs,
    });
    deps.followOutages();
    return c.json(rule, 201);
  });

  app.get('/counts', (c) => c.json(counts.read()));
  app.get('/ledger', (c) => {
    const orderId = c.req.query('orderId');
    if (orderId === undefined) return c.json({ orders: ledgerSummary(store, clock.nowMs()) });
    return c.json(orderLedger(store, orderId, clock.nowMs()));
  });
  app.get('/webhooks', (c) =>
    c.json({ webhooks: store.list('webhook', { limit: 100 }).map(({ body: _body, ...rest }) => rest) }),
  );

  app.get('/settings', (c) => c.json(deps.settings()));
  app.patch('/settings', async (c) => {
    const parsed = settingsPatchSchema.safeParse(await jsonBody(c));
    if (!parsed.success) return invalid(c, parsed.error);
    const patch = Object.fromEntries(Object.entries(parsed.data).filter(([, value]) => value !== undefined));
    return c.json(deps.changeSettings(patch));
  });

  app.get('/clock', (c) => c.json({ now: new Date(clock.nowMs()).toISOString() }));
  app.post('/clock', async (c) => {
    const parsed = clockSchema.safeParse(await jsonBody(c));
    if (!parsed.success) return invalid(c, parsed.error);
    clock.advance(parsed.data.advanceSeconds * 1_000);
    return c.json({ now: new Date(clock.nowMs()).toISOString() });
  });

  app.post('/payment_intents/:id/authenticate', async (c) => {
    const fromForm = c.req.header('content-type')?.startsWith('application/x-www-form-urlencoded') ?? false;
    const parsed = authenticateSchema.safeParse(fromForm ? await c.req.parseBody() : await jsonBody(c));
    if (!parsed.success) return invalid(c, parsed.error);
    const intent = store.transaction(() =>
      authenticateIntent(deps, c.req.param('id'), parsed.data.outcome, BY_ITSELF),
    );
    return fromForm ? c.redirect('/payments', 303) : c.json(intentObject(intent, deps.baseUrl()));
  });
  app.post('/disputes', async (c) => {
    const parsed = disputeSchema.safeParse(await jsonBody(c));
    if (!parsed.success) return invalid(c, parsed.error);
    const { payment_intent: intentId, charge, reason, inquiry } = parsed.data;
    const chargeId = charge ?? intentById(deps, intentId ?? '').latestCharge ?? '';
    const dispute = store.transaction(() => createDispute(deps, chargeId, { reason, inquiry }));
    return c.json(disputeObject(dispute), 201);
  });
  app.post('/disputes/:id/decide', async (c) => {
    const parsed = decideSchema.safeParse(await jsonBody(c));
    if (!parsed.success) return invalid(c, parsed.error);
    const decided = store.transaction(() => decideDispute(deps, c.req.param('id'), parsed.data.status));
    return c.json(disputeObject(decided));
  });
  app.post('/refunds/:id/fail', async (c) => {
    const parsed = failSchema.safeParse(await jsonBody(c));
    if (!parsed.success) return invalid(c, parsed.error);
    const failed = store.transaction(() =>
      failRefund(deps, refundById(deps, c.req.param('id')), parsed.data.reason),
    );
    return c.json(refundObject(failed));
  });

  app.post('/reset', (c) => {
    store.clear();
    clock.reset();
    counts.reset();
    faults.clear();
    deps.followOutages();
    return c.json({ reset: true });
  });

  app.onError((error, c) => {
    const reply = replyOf(error);
    if (!reply) throw error;
    return problem(c, reply.status === 404 ? 404 : 409, error.message);
  });
  return app;
};
