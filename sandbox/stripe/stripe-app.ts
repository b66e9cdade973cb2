import { Hono } from 'hono';
import type { HttpBindings } from '@hono/node-server';
import type { FaultPlan, Faults } from '../faults/faults.ts';
import { requestId as newRequestId } from '../ids.ts';
import { type HttpContext, answerCall, underError, wait } from '../provider-call.ts';
import { type Reply, answered, replyOf } from '../refusal.ts';
import { type KeyedRequest, createIdempotencyKeys, fingerprintOf } from './idempotency.ts';
import type { Origin, StripeDeps } from './stripe-deps.ts';
import { faultReply, invalidRequest, rateLimited, unauthorized, unavailable } from './stripe-errors.ts';
import { factsOfCall } from './stripe-facts.ts';
import { type FormBody, parseForm } from './stripe-params.ts';
import { STRIPE_ROUTES, type StripeRoute } from './stripe-routes.ts';

const DEFAULT_VERSION = '2026-10-28.endive';

export interface StripeAppDeps extends StripeDeps {
  faults: Faults;
  secretKey: string;
}

interface Request {
  route: StripeRoute;
  id: string;
  body: FormBody;
  keyed: KeyedRequest | undefined;
  origin: Origin;
}

const assertAuthorized = (header: string | undefined, secretKey: string): void => {
  if (!header) {
    throw unauthorized(
      "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
    );
  }
  const [scheme, value = ''] = header.split(' ');
  const key = scheme === 'Basic' ? (Buffer.from(value, 'base64').toString().split(':')[0] ?? '') : value;
  if (key === secretKey) return;
  throw unauthorized(`Invalid API Key provided: ${key.slice(0, 8)}${'*'.repeat(8)}${key.slice(-4)}`);
};

const bodyOf = async (c: HttpContext, method: string): Promise<FormBody> => {
  if (method === 'GET') return parseForm(new URL(c.req.url).search.slice(1));
  const text = await c.req.text();
  if (text.trimStart().startsWith('{')) {
    throw invalidRequest(
      'Invalid request: send parameters form-encoded (application/x-www-form-urlencoded), not as JSON.',
    );
  }
  return parseForm(text);
};

/** Stripe tells a client when trying again is in vain: a 5xx that is stored would only be replayed. */
const retryAdvice = (status: number): Record<string, string> =>
  status >= 500 ? { 'stripe-should-retry': 'false' } : {};

const headersOf = ({ origin }: Request, version: string): Record<string, string> => ({
  'request-id': origin.requestId ?? '',
  'stripe-version': version,
  ...(origin.idempotencyKey !== null && { 'idempotency-key': origin.idempotencyKey }),
});

/**
 * The Stripe part of the sandbox. A POST with an idempotency key runs at most once: its answer is stored in the
 * transaction of its effect, so not even a SIGKILL in between parts them.
 */
export const createStripeApp = (deps: StripeAppDeps) => {
  const { store, clock, counts } = deps;
  const keys = createIdempotencyKeys(store, clock);

  /** Runs the call and stores its answer; status 4xx from before execution never gets here. */
  const execute = (request: Request, run: (origin: Origin) => Reply, plan: FaultPlan): Reply =>
    store.transaction(() => {
      const reply = underError(plan, () => answered(() => run(request.origin)), faultReply);
      const body = JSON.stringify(reply.body);
      // A 4xx fault stands for what Stripe answers before execution; a 5xx is stored as Stripe stores it.
      const began = !plan.error || plan.error.effect || reply.status >= 500;
      if (request.keyed && began) keys.save(request.keyed, reply.status, body);
      return { ...reply, body, headers: request.keyed && began ? retryAdvice(reply.status) : {} };
    });

  const countEffect = (route: StripeRoute, reply: Reply) => {
    if (route.method === 'POST' && reply.status < 300) counts.operation('stripe', route.operation, 'effects');
  };

  const perform = async (request: Request, plan: FaultPlan): Promise<Reply> => {
    const { route, keyed } = request;
    const replay = keyed && keys.find(keyed);
    if (replay) {
      counts.operation('stripe', route.operation, 'replays');
      return { ...replay, headers: { ...replay.headers, ...retryAdvice(replay.status) } };
    }
    const run = route.prepare(deps, request.id, request.body);
    if (keyed) keys.begin(keyed);
    try {
      await wait(plan.delayBeforeMs);
      const reply = execute(request, run, plan);
      countEffect(route, reply);
      return reply;
    } finally {
      if (keyed) keys.end(keyed);
    }
  };

  const read = async (c: HttpContext, route: StripeRoute): Promise<Request> => {
    const body = await bodyOf(c, route.method);
    const key = route.method === 'POST' ? c.req.header('idempotency-key') : undefined;
    const endpoint = c.req.path;
    return {
      route,
      id: c.req.param('id') ?? '',
      body,
      keyed: key ? { key, endpoint, fingerprint: fingerprintOf(body) } : undefined,
      origin: { requestId: newRequestId(), idempotencyKey: key ?? null },
    };
  };

  const handle = async (c: HttpContext, route: StripeRoute): Promise<Response> => {
    assertAuthorized(c.req.header('authorization'), deps.secretKey);
    const request = await read(c, route);
    const version = c.req.header('stripe-version') ?? DEFAULT_VERSION;
    return answerCall(deps, c, {
      provider: 'stripe',
      operation: route.operation,
      facts: () => factsOfCall(deps, request.id, request.body),
      unavailable,
      rateLimited,
      perform: async (plan) => {
        const reply = await performed(request, plan);
        return { ...reply, headers: { ...headersOf(request, version), ...reply.headers } };
      },
    });
  };

  const performed = async (request: Request, plan: FaultPlan): Promise<Reply> => {
    try {
      return await perform(request, plan);
    } catch (error) {
      const reply = replyOf(error);
      if (!reply) throw error;
      return reply;
    }
  };

  const app = new Hono<{ Bindings: HttpBindings }>();
  for (const route of STRIPE_ROUTES) app.on(route.method, route.path, (c) => handle(c, route));
  app.onError((error, c) => {
    const reply = replyOf(error);
    if (!reply) throw error;
    return c.json(reply.body as object, reply.status as 400);
  });
  return { app, expireKeys: keys.expire };
};
