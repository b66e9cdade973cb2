import { z, type OpenAPIHono } from '@hono/zod-openapi';
import type { Context, Handler } from 'hono';
import { accepts } from './accept.ts';
import type { AppEnv } from '../app-deps.ts';
import { ApiProblem, problems, problemTypeUri, type ProblemType } from './problems.ts';

export type App = OpenAPIHono<AppEnv>;
export type AppContext = Context<AppEnv>;
type RouteConfig = Parameters<App['openAPIRegistry']['registerPath']>[0];

export interface RouteDefinition extends Pick<RouteConfig, 'request' | 'responses'> {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** In OpenAPI's form: `/orders/{orderId}`. */
  path: string;
  operationId: string;
  tag: 'Orders' | 'Catalog' | 'Webhooks' | 'Dead letters' | 'Operations';
  summary: string;
  description: string;
  /** What this operation can refuse with, besides what every operation can. */
  problems: readonly ProblemType[];
  /** Media type of the answer; any other Accept is refused with 406. */
  produces: string;
  /** Whether an API key is needed; default true. */
  secured?: boolean;
}

const problemBody = z
  .object({
    type: z.string().openapi({ description: 'Stable URI of the problem, see the documentation page.' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().openapi({ description: 'What was expected and what came.' }),
    instance: z
      .string()
      .openapi({ description: 'Names this one answer; the log repeats it for our own errors.' }),
    code: z.string().optional().openapi({ description: 'Reason of a refused act.' }),
    legalActs: z
      .array(z.string())
      .optional()
      .openapi({ description: 'What the order takes now instead of a refused act.' }),
    errors: z
      .array(
        z.object({
          field: z
            .string()
            .openapi({ description: 'JSON Pointer into the body, or name of a query parameter.' }),
          reason: z.string(),
        }),
      )
      .optional(),
  })
  .openapi('Problem');

/**
 * Adds one operation: to the OpenAPI document, with all its problems, and to the router. Bodies are read by `readJson`
 * in the handler: the router's own validators take other media types and repair invalid UTF-8.
 */
export function addRoute(app: App, definition: RouteDefinition, handler: Handler<AppEnv>): void {
  const { method, path, produces, secured = true, tag, problems: own, responses, ...rest } = definition;
  const types = new Set<ProblemType>([
    'not-acceptable',
    ...(secured ? (['unauthenticated', 'forbidden'] as const) : []),
    ...own,
    ...(method !== 'get' && own.includes('store-unavailable') ? (['write-refused'] as const) : []),
  ]);
  app.openAPIRegistry.registerPath({
    ...rest,
    method,
    path,
    tags: [tag],
    security: secured ? [{ apiKey: [] }] : [],
    responses: { ...responses, ...problemResponses(types) },
  });
  app.on(method.toUpperCase(), path.replaceAll(/\{(\w+)\}/g, ':$1'), async (c, next) => {
    if (!accepts(c.req.header('accept'), produces)) {
      throw new ApiProblem('not-acceptable', { detail: `This operation answers with ${produces}.` });
    }
    return handler(c, next);
  });
}

/** One response per status, with an example for each problem that has it. */
function problemResponses(types: ReadonlySet<ProblemType>): RouteConfig['responses'] {
  const byStatus = Map.groupBy(types, (type) => problems[type].status);
  return Object.fromEntries(
    [...byStatus].map(([status, sameStatus]) => [
      status,
      {
        description: sameStatus.map((type) => problems[type].title).join('; or: '),
        content: {
          'application/problem+json': {
            schema: problemBody,
            examples: Object.fromEntries(sameStatus.map((type) => [type, { value: problemExample(type) }])),
          },
        },
        ...(status === 429 || status === 503 ? { headers: retryAfterHeader } : {}),
      },
    ]),
  );
}

const retryAfterHeader = {
  'Retry-After': { description: 'Seconds after which to come back.', schema: { type: 'integer' as const } },
};

const problemExample = (type: ProblemType) => ({
  type: problemTypeUri(type),
  title: problems[type].title,
  status: problems[type].status,
  detail: problems[type].act,
  instance: 'urn:uuid:3f2f0a56-4f0e-4b3c-9f39-0d5e6a1c2b7d',
  ...(type === 'invalid-fields'
    ? { errors: [{ field: '/items/0/quantity', reason: 'expected number, received string' }] }
    : {}),
});

export const orderIdParameter = z.object({
  orderId: z.string().openapi({ format: 'uuid', example: '0b9d1f6e-2a43-5c1c-8e7f-6f1f1d6f0a11' }),
});
