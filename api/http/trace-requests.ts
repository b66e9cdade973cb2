import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import { errorTypeOf, isTracing, traced, type ActiveSpan } from '../../telemetry/tracing.ts';
import type { AppEnv } from '../app-deps.ts';
import type { AppContext } from './route.ts';

/** What probes and scrapers ask for all the time. */
const untraced: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/**
 * A span for each request, which goes on the caller's trace (`traceparent`); without a collector nothing. Neither path
 * nor query are told, since they may hold what people typed: the route and the order's id are enough.
 */
export const traceRequests = (): MiddlewareHandler<AppEnv> => (c, next) =>
  !isTracing() || untraced.has(c.req.path)
    ? next()
    : traced(
        {
          name: c.req.method,
          kind: 'server',
          parent: c.req.header('traceparent'),
          attributes: { 'http.request.method': c.req.method, 'order.id': orderIdIn(c.req.path) },
        },
        async (span) => {
          await next();
          describe(span, c);
        },
      );

function describe(span: ActiveSpan, c: AppContext): void {
  const { method } = c.req;
  const route = routePath(c, -1);
  const { status } = c.res;
  if (!route.endsWith('*')) {
    span.rename(`${method} ${route}`);
    span.set({ 'http.route': route });
  }
  span.set({ 'http.response.status_code': status });
  if (status >= 500) span.fail(c.error ? errorTypeOf(c.error) : String(status));
}

/** The order that a path names. */
export const orderIdIn = (path: string): string | undefined =>
  /^\/orders\/([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})(?:\/|$)/.exec(path)?.[1];
