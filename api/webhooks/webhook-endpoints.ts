import { z } from '@hono/zod-openapi';
import type { Handler } from 'hono';
import {
  isWebhookEndpointId,
  signingSecrets,
  type WebhookEndpoint,
  type WebhookEndpointId,
} from '../../domain/webhooks.ts';
import type { AppDeps, AppEnv } from '../app-deps.ts';
import { invalidFields, readJson } from '../http/body.ts';
import { requireOperator } from '../http/callers.ts';
import { withoutUndefined } from '../orders/checkout-request.ts';
import type { ProblemType } from '../http/problems.ts';
import { readStore } from '../http/read-store.ts';
import { addRoute, type App, type AppContext, type RouteDefinition } from '../http/route.ts';
import {
  changeEndpoint,
  registerEndpoint,
  removeEndpoint,
  rotateSecret,
  testEndpoint,
  unknownEndpoint,
} from './webhook-acts.ts';
import {
  changeBody,
  DEFAULT_OVERLAP_SECONDS,
  deliveriesBody,
  endpointBody,
  endpointsBody,
  endpointWithSecretBody,
  registrationBody,
  rotationBody,
  testBody,
  toDeliveryBody,
  toEndpointBody,
} from './webhook-endpoint-body.ts';

const PAGE = 50;
const path = '/webhook-endpoints';
const onePath = `${path}/{endpointId}`;
const noStore = { 'cache-control': 'no-store' };

const endpointParameter = z.object({
  endpointId: z
    .string()
    .openapi({ pattern: '^we_[0-9a-f]{32}$', example: 'we_0b9d1f6e2a435c1c8e7f6f1f1d6f0a11' }),
});

const deliveriesQuery = z.strictObject({
  cursor: z
    .string()
    .regex(/^[1-9]\d{0,14}$/, 'expected nextCursor of the page before')
    .optional()
    .openapi({ description: 'nextCursor of the page before.' }),
});

const bodyProblems = [
  'malformed-request',
  'body-too-large',
  'unsupported-media-type',
  'invalid-fields',
] as const;

/** /webhook-endpoints: partners' addresses for events, for operators alone. */
export function addWebhookEndpoints(app: App, deps: AppDeps): void {
  const shown = (endpoint: WebhookEndpoint) =>
    toEndpointBody(endpoint, signingSecrets(endpoint.secrets, deps.clock.nowUtc()));

  addOperator(
    app,
    {
      ...operation('post', path, 'registerWebhookEndpoint', 'Registers an address for event types'),
      description:
        'Deliveries are signed as Standard Webhooks has it. The secret is in this answer and never shown again. ' +
        'Events from now on are delivered; see docs/webhooks.md for retries and dead letters.',
      ...json(201, 'Registered; the secret is shown here alone.', endpointWithSecretBody, registrationBody),
      problems: bodyProblems,
    },
    async (c) => {
      const { description = '', ...body } = await readJson(c, registrationBody);
      requireTarget(deps, body.url);
      const by = { actor: c.get('caller').callerId, reason: 'Registered through the API' };
      const { endpoint, secret } = await registerEndpoint(deps, { ...body, description }, by);
      const location = `${path}/${endpoint.endpointId}`;
      return c.json({ ...shown(endpoint), secret }, 201, { ...noStore, location });
    },
  );
  addOperator(
    app,
    {
      ...operation('get', path, 'listWebhookEndpoints', 'All endpoints, oldest first'),
      description: 'Without their secrets, which are shown once, when they are made.',
      ...json(200, 'The endpoints.', endpointsBody),
      problems: [],
    },
    async (c) => {
      const endpoints = await readStore(deps, (read) => read.webhooks.list());
      return c.json({ endpoints: endpoints.map(shown) }, 200, noStore);
    },
  );
  addOperator(
    app,
    {
      ...operation('get', onePath, 'readWebhookEndpoint', 'One endpoint'),
      description: 'Without its secrets; with why it was disabled, where it was.',
      ...json(200, 'The endpoint.', endpointBody),
      problems: ['unknown-endpoint'],
    },
    async (c) => c.json(shown(await findEndpoint(deps, idOf(c))), 200, noStore),
  );
  addOperator(
    app,
    {
      ...operation('patch', onePath, 'changeWebhookEndpoint', 'Changes, disables or enables an endpoint'),
      description:
        'What is on its way goes by the new values, retries and replays of dead letters included. A disabled endpoint ' +
        'gets no new deliveries; those on their way become dead letters, to be replayed when it is enabled again.',
      ...json(200, 'The endpoint as it is now.', endpointBody, changeBody),
      problems: [...bodyProblems, 'unknown-endpoint'],
    },
    async (c) => {
      const id = idOf(c);
      const { reason = 'Changed through the API', ...change } = await readJson(c, changeBody);
      if (change.url !== undefined) requireTarget(deps, change.url);
      const by = { actor: c.get('caller').callerId, reason };
      return c.json(shown(await changeEndpoint(deps, id, withoutUndefined(change), by)), 200, noStore);
    },
  );
  addOperator(
    app,
    {
      ...operation('delete', onePath, 'deleteWebhookEndpoint', 'Deletes an endpoint'),
      description: 'Deliveries that are on their way become dead letters.',
      request: { params: endpointParameter },
      responses: { 204: { description: 'Deleted.' } },
      problems: ['unknown-endpoint'],
    },
    async (c) => {
      const by = { actor: c.get('caller').callerId, reason: 'Deleted through the API' };
      await removeEndpoint(deps, idOf(c), by);
      return c.body(null, 204);
    },
  );
  addOperator(
    app,
    {
      ...operation('post', `${onePath}/rotate-secret`, 'rotateWebhookSecret', 'Makes a new signing secret'),
      description:
        'Until the overlap ends deliveries carry a signature of each secret, the newest first. No body is needed. ' +
        'Refused with 409 `too_many_secrets` while 3 sign: no secret ends before its overlap.',
      ...json(200, 'The new secret, shown here alone.', endpointWithSecretBody, rotationBody, false),
      problems: [...bodyProblems, 'unknown-endpoint', 'act-refused'],
    },
    async (c) => {
      const id = idOf(c);
      const { overlapSeconds = DEFAULT_OVERLAP_SECONDS, reason = 'Secret rotated through the API' } =
        await readJson(c, rotationBody, { optional: true });
      const by = { actor: c.get('caller').callerId, reason };
      const { endpoint, secret } = await rotateSecret(deps, id, overlapSeconds, by);
      return c.json({ ...shown(endpoint), secret }, 200, noStore);
    },
  );
  addOperator(
    app,
    {
      ...operation('post', `${onePath}/test`, 'testWebhookEndpoint', 'Sends a test delivery'),
      description: 'An event `webhook.test.v1`, signed and retried like any other; its attempts are listed.',
      ...json(202, 'On its way.', testBody),
      problems: ['unknown-endpoint', 'act-refused'],
    },
    async (c) => {
      const by = { actor: c.get('caller').callerId, reason: 'Test delivery' };
      return c.json({ webhookId: await testEndpoint(deps, idOf(c), by) }, 202, noStore);
    },
  );
  addOperator(
    app,
    {
      ...operation(
        'get',
        `${onePath}/deliveries`,
        'listWebhookDeliveries',
        'Attempts of the last 30 days, newest first',
      ),
      description: 'Each attempt with its time, duration, status and what was answered.',
      ...json(200, 'One page.', deliveriesBody),
      request: { params: endpointParameter, query: deliveriesQuery },
      problems: ['invalid-fields', 'unknown-endpoint'],
    },
    async (c) => {
      const id = idOf(c);
      const before = cursorOf(c);
      await findEndpoint(deps, id);
      const rows = await readStore(deps, (read) =>
        read.webhooks.attempts({ endpointId: id, limit: PAGE + 1, ...(before !== undefined && { before }) }),
      );
      const page = rows.slice(0, PAGE);
      const next = rows.length > PAGE ? { nextCursor: String(page.at(-1)?.position) } : {};
      return c.json({ deliveries: page.map(toDeliveryBody), ...next }, 200, noStore);
    },
  );
}

const operation = (method: RouteDefinition['method'], at: string, operationId: string, summary: string) => ({
  method,
  path: at,
  operationId,
  summary,
  tag: 'Webhooks' as const,
  produces: 'application/json',
});

/** Request and answer of an operation; the path parameter is added where the path has one. */
function json(
  status: number,
  description: string,
  answer: z.ZodType,
  body?: z.ZodType,
  bodyRequired = true,
): Pick<RouteDefinition, 'request' | 'responses'> {
  return {
    request: body
      ? { body: { required: bodyRequired, content: { 'application/json': { schema: body } } } }
      : {},
    responses: { [status]: { description, content: { 'application/json': { schema: answer } } } },
  };
}

/** Operators only, and no operation works without the store. */
function addOperator(app: App, definition: RouteDefinition, handler: Handler<AppEnv>): void {
  const problems: ProblemType[] = ['forbidden', 'store-unavailable', ...definition.problems];
  const parameters = definition.path.includes('{') ? { params: endpointParameter } : {};
  const request = { ...parameters, ...definition.request };
  addRoute(app, { ...definition, request, problems }, (c, next) => {
    requireOperator(c.get('caller'));
    return handler(c, next);
  });
}

function requireTarget(deps: AppDeps, url: string): void {
  const reason = deps.webhooks.targets.refusal(url);
  if (reason !== undefined) throw invalidFields([{ field: '/url', reason }]);
}

function idOf(c: AppContext): WebhookEndpointId {
  const id = c.req.param('endpointId') ?? '';
  if (!isWebhookEndpointId(id)) throw unknownEndpoint(id);
  return id;
}

async function findEndpoint(deps: AppDeps, id: WebhookEndpointId): Promise<WebhookEndpoint> {
  const endpoint = await readStore(deps, (read) => read.webhooks.find(id));
  if (!endpoint) throw unknownEndpoint(id);
  return endpoint;
}

function cursorOf(c: AppContext): number | undefined {
  const query = Object.entries(c.req.queries());
  const parsed = deliveriesQuery.safeParse(c.req.query());
  const repeated = query.find(([, values]) => values.length > 1);
  if (parsed.success && !repeated)
    return parsed.data.cursor === undefined ? undefined : Number(parsed.data.cursor);
  throw invalidFields(
    query.map(([name]) => ({
      field: name.slice(0, 64).toWellFormed(),
      reason: name === 'cursor' ? 'expected nextCursor of the page before, once' : 'unknown parameter',
    })),
  );
}
