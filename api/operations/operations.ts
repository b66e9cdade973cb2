import { z } from '@hono/zod-openapi';
import type { AppDeps } from '../app-deps.ts';
import { providerNames, providerStates } from '../../domain/providers.ts';
import { within } from '../../ports/bounded.ts';
import type { ProviderReadings } from './provider-status.ts';
import { addRoute, type App } from '../http/route.ts';

const CHECK_TIMEOUT_MS = 1_000;

const healthBody = z.object({ status: z.literal('ok') }).openapi('Health', { example: { status: 'ok' } });

const readyBody = z
  .object({
    status: z.enum(['ready', 'not ready', 'draining']),
    checks: z.object({ temporal: z.enum(['up', 'down']), store: z.enum(['up', 'down']) }),
    providers: z
      .record(z.enum(providerNames), z.object({ state: z.enum(providerStates) }))
      .optional()
      .openapi({ description: 'Does not count: orders wait, checkouts go on. Absent while nobody knows.' }),
  })
  .openapi('Readiness', {
    example: {
      status: 'ready',
      checks: { temporal: 'up', store: 'up' },
      providers: { payments: { state: 'available' }, carrier: { state: 'paused' } },
    },
  });

/** /healthz, /readyz and /metrics, without an API key. */
export function addOperations(app: App, deps: AppDeps, providers: ProviderReadings): void {
  const common = { method: 'get', tag: 'Operations', problems: [], secured: false } as const;
  addRoute(
    app,
    {
      ...common,
      path: '/healthz',
      operationId: 'health',
      summary: 'Whether the process answers',
      description: 'For liveness probes: asks nothing of any other part.',
      produces: 'application/json',
      responses: {
        200: { description: 'It does.', content: { 'application/json': { schema: healthBody } } },
      },
    },
    (c) => c.json({ status: 'ok' }, 200, { 'cache-control': 'no-store' }),
  );
  addRoute(
    app,
    {
      ...common,
      path: '/readyz',
      operationId: 'readiness',
      summary: 'Whether checkouts can be taken',
      description: 'Depends on Temporal alone; the store is reported, since reads are poorer without it.',
      produces: 'application/json',
      responses: {
        200: { description: 'Ready.', content: { 'application/json': { schema: readyBody } } },
        503: {
          description: 'Not ready, or draining.',
          content: {
            'application/json': {
              schema: readyBody,
              example: { status: 'not ready', checks: { temporal: 'down', store: 'up' } },
            },
          },
        },
      },
    },
    async (c) => {
      const [temporal, store, statuses] = await Promise.all([
        check(() => deps.workflows.ping()),
        check(() => deps.store.ping()),
        providers.statuses(),
      ]);
      const ready = temporal === 'up' && !deps.draining.aborted;
      const status = deps.draining.aborted ? 'draining' : ready ? 'ready' : 'not ready';
      /* Nobody needs a key here: reasons, an operator's or a provider's, are for `GET /providers`. */
      const states =
        statuses && Object.fromEntries(providerNames.map((name) => [name, { state: statuses[name].state }]));
      const body = { status, checks: { temporal, store }, ...(states ? { providers: states } : {}) };
      return c.json(body, ready ? 200 : 503, { 'cache-control': 'no-store' });
    },
  );
  addRoute(
    app,
    {
      ...common,
      path: '/metrics',
      operationId: 'metrics',
      summary: 'Metrics of this process for Prometheus',
      description: 'Names, units and labels are in docs/metrics.md.',
      produces: 'text/plain',
      responses: {
        200: { description: 'Prometheus text format.', content: { 'text/plain': { schema: z.string() } } },
      },
    },
    async (c) => {
      const { registry } = deps.metrics;
      return c.body(await registry.metrics(), 200, { 'content-type': registry.contentType });
    },
  );
}

async function check(ping: () => Promise<void>): Promise<'up' | 'down'> {
  try {
    await within(CHECK_TIMEOUT_MS, 'check', ping);
    return 'up';
  } catch {
    return 'down';
  }
}
