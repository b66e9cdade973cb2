import { OpenAPIHono } from '@hono/zod-openapi';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { routePath } from 'hono/route';
import type { MiddlewareHandler } from 'hono';
import { addActs } from './orders/acts.ts';
import type { AppDeps, AppEnv } from './app-deps.ts';
import { addAudit } from './orders/audit.ts';
import { authenticate } from './http/callers.ts';
import { addCases } from './operations/cases.ts';
import { addLostBulkRuns } from './operations/lost-bulk-runs.ts';
import { addCheckout } from './orders/checkout.ts';
import { addCustomers } from './operations/customers.ts';
import { addDeadLetters } from './operations/dead-letters.ts';
import { addDocs } from './http/docs.ts';
import { addListOrders } from './orders/list-orders.ts';
import { addOrderActs } from './operations/order-acts.ts';
import { addOperations } from './operations/operations.ts';
import { addOrderEvents } from './orders/order-events.ts';
import { TemporalUnavailable } from '../ports/temporal.ts';
import { addReadOrder } from './orders/orders.ts';
import { addRefunds } from './refunds/refunds.ts';
import { ApiProblem, problemResponse } from './http/problems.ts';
import { addProducts } from './catalog/products.ts';
import { createProviderReadings } from './operations/provider-status.ts';
import { addProviders } from './operations/providers.ts';
import type { App, AppContext } from './http/route.ts';
import { addStripeWebhook } from './webhooks/stripe-webhook.ts';
import { orderIdIn, traceRequests } from './http/trace-requests.ts';
import { addWebhookEndpoints } from './webhooks/webhook-endpoints.ts';

/**
 * The whole HTTP API. No I/O of its own and nothing is connected: what it needs comes in as `deps`, and each of those
 * but Temporal may be away without a checkout noticing.
 */
export function createApp(deps: AppDeps): App {
  const app: App = new OpenAPIHono<AppEnv>();
  app.use(traceRequests());
  app.use(measure(deps));
  app.use(methodNotAllowed({ app, onMethodNotAllowed }));
  const authenticated = authenticate(deps.settings.callers);
  for (const path of [
    '/checkout',
    '/orders',
    '/orders/*',
    '/order-acts',
    '/order-acts/*',
    '/products',
    '/providers',
    '/providers/*',
    '/cases',
    '/cases/*',
    '/customers/*',
    '/dead-letters',
    '/dead-letters/*',
    '/webhook-endpoints',
    '/webhook-endpoints/*',
  ])
    app.use(path, authenticated);
  addCheckout(app, deps);
  addListOrders(app, deps);
  const providers = createProviderReadings(deps);
  addReadOrder(app, deps, providers);
  addOrderEvents(app, deps);
  addAudit(app, deps);
  addActs(app, deps);
  addOrderActs(app, deps);
  addRefunds(app, deps);
  addCustomers(app, deps);
  addProducts(app, deps);
  addProviders(app, deps);
  addStripeWebhook(app, deps);
  addWebhookEndpoints(app, deps);
  addCases(app, deps);
  addLostBulkRuns(app, deps);
  addDeadLetters(app, deps);
  addOperations(app, deps, providers);
  addDocs(app, deps);
  app.notFound((c) =>
    problemResponse(c, new ApiProblem('not-found', { detail: 'There is nothing at this address.' })),
  );
  app.onError((error, c) => problemResponse(c, toProblem(deps, c, error)));
  return app;
}

/** Labels are route patterns, so their number is bounded whatever is asked for. */
const measure =
  ({ metrics }: AppDeps): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    const end = metrics.httpRequestDuration.startTimer();
    metrics.httpRequestsInFlight.inc();
    await next().finally(() => metrics.httpRequestsInFlight.dec());
    const route = c.res.status === 404 && routePath(c, -1) === '*' ? 'unknown' : routePath(c, -1);
    end({ method: c.req.method, route, status: String(c.res.status) });
    c.res.headers.set('x-content-type-options', 'nosniff');
  };

const onMethodNotAllowed = (c: AppContext, methods: string[]): Response => {
  const allow = [...methods, 'OPTIONS'].join(', ');
  if (c.req.method === 'OPTIONS') return c.body(null, 204, { allow });
  return problemResponse(
    c,
    new ApiProblem('method-not-allowed', { detail: `Allowed here: ${allow}.`, headers: { allow } }),
  );
};

function toProblem(deps: AppDeps, c: AppContext, error: Error): ApiProblem {
  if (error instanceof ApiProblem) return error;
  const about = { route: routePath(c, -1), orderId: orderIdIn(c.req.path) };
  if (error instanceof TemporalUnavailable) {
    deps.logger.warn({ err: error, ...about }, 'Temporal did not answer');
    return new ApiProblem('temporal-unavailable', { detail: 'Temporal did not answer in time.' });
  }
  deps.logger.error({ err: error, ...about }, 'A request failed with an error of ours');
  return new ApiProblem('internal-error', {
    detail: 'The request failed with an error of ours; it is in the log.',
  });
}
