import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import type { ApiCaller, AppDeps } from '../app-deps.ts';
import { invalidFields } from '../http/body.ts';
import { maySee } from '../http/callers.ts';
import { fromSummary, fromView, orderBody } from './order-body.ts';
import { amongstOf, filterOf, whereFields } from './order-where.ts';
import { shownTo } from './outside-order.ts';
import type { OrderSummary } from '../../ports/temporal.ts';
import { owedBodies } from '../refunds/owed-body.ts';
import { ApiProblem } from '../http/problems.ts';
import { readStore } from '../http/read-store.ts';
import { withNotedRetries } from './noted-retries.ts';
import { addRoute, type App, type AppContext } from '../http/route.ts';

const DEFAULT_LIMIT = 20;
/**
 * Pages of Temporal that one request looks through for a shop's own orders. Those of earlier versions are told apart by
 * their memo alone.
 */
const MAX_PAGES = 10;

const listQuery = z.strictObject({
  ...whereFields,
  idPrefix: z
    .string()
    .regex(/^[0-9a-f-]{4,36}$/, 'expected 4 to 36 of 0-9 a-f -')
    .optional()
    .openapi({ description: 'Whose id begins so.', example: '0b9d1f6e' }),
  owed: z
    .literal('true', 'expected true')
    .optional()
    .openapi({
      description:
        'Orders that were taken back and owe their customer until a dispute is over, oldest debt first, of any age, from the ' +
        'store; with `limit` only.',
    }),
  limit: z
    .string()
    .regex(/^([1-9]\d?|100)$/, 'expected a whole number from 1 to 100')
    .optional()
    .openapi({ type: 'integer', minimum: 1, maximum: 100, default: DEFAULT_LIMIT, example: 20 }),
  cursor: z.string().max(4_000).optional().openapi({ description: 'nextCursor of the page before.' }),
});

type ListQuery = z.output<typeof listQuery>;

const listBody = z
  .object({
    orders: z.array(orderBody),
    nextCursor: z.string().optional().openapi({ description: 'Absent on the last page.' }),
  })
  .openapi('OrderList', { example: { orders: [] } });

/** GET /orders: by search attributes, as Temporal knows them. */
export function addListOrders(app: App, deps: AppDeps): void {
  addRoute(
    app,
    {
      method: 'get',
      path: '/orders',
      operationId: 'listOrders',
      tag: 'Orders',
      summary: 'Orders by status, saga state, parked step, failure, customer or age',
      description:
        'Newest first. Eventually consistent, usually within a second; orders of the last 7 days. A page may hold fewer orders than ' +
        '`limit`, even none: follow `nextCursor` until it is absent. Shops see their own orders.',
      produces: 'application/json',
      request: { query: listQuery },
      responses: { 200: { description: 'One page.', content: { 'application/json': { schema: listBody } } } },
      problems: ['invalid-cursor', 'invalid-fields', 'store-unavailable', 'temporal-unavailable'],
    },
    async (c) =>
      c.json(
        await (c.req.query('owed') === undefined ? listOrders : listOwing)(
          deps,
          c.get('caller'),
          readQuery(c),
        ),
        200,
        { 'cache-control': 'no-store' },
      ),
  );
}

function readQuery(c: AppContext): ListQuery {
  const all = c.req.queries();
  const repeated = Object.keys(all).filter((name) => (all[name]?.length ?? 0) > 1);
  if (repeated.length > 0)
    throw invalidFields(repeated.map((field) => ({ field, reason: 'given more than once' })));
  const parsed = listQuery.safeParse(c.req.query());
  if (parsed.success) return parsed.data;
  throw invalidFields(
    parsed.error.issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({ field: key.slice(0, 64).toWellFormed(), reason: 'unknown parameter' }))
        : [{ field: String(issue.path[0]), reason: issue.message }],
    ),
  );
}

async function listOrders(deps: AppDeps, caller: ApiCaller, query: ListQuery) {
  const { customerHashKey, formerCustomerHashKeys = [] } = deps.settings;
  const limit = Number(query.limit ?? DEFAULT_LIMIT);
  const { limit: _limit, cursor: _cursor, owed: _owed, ...where } = query;
  const { idPrefix } = where;
  const filters = {
    ...filterOf(where, { nowUtc: deps.clock.nowUtc(), keys: deps.settings }),
    ...(await amongstOf(deps, where)),
  };
  const scope = JSON.stringify([caller.callerId, caller.role, where]);
  let pageToken =
    query.cursor === undefined
      ? undefined
      : openCursor(query.cursor, scope, [customerHashKey, ...formerCustomerHashKeys]);
  const orders: OrderSummary[] = [];
  for (let page = 0; page < MAX_PAGES; page++) {
    const found = await deps.workflows.list({
      ...filters,
      ...(idPrefix ? { idPrefix } : {}),
      ...(caller.role === 'shop' ? { callerId: caller.callerId } : {}),
      pageSize: limit - orders.length,
      ...(pageToken ? { pageToken } : {}),
    });
    orders.push(...found.orders.filter((order) => maySee(caller, order.memo.callerId)));
    pageToken = found.nextPageToken;
    if (!pageToken || orders.length >= limit) break;
  }
  const nextCursor = pageToken ? { nextCursor: sealCursor(pageToken, scope, customerHashKey) } : {};
  const told = await withNotedRetries(deps, caller, orders.map(fromSummary));
  return { orders: told.map((order) => shownTo(caller, order)), ...nextCursor };
}

/** From SQL: debts outlive what Temporal keeps. */
async function listOwing(deps: AppDeps, caller: ApiCaller, { owed: _, limit, ...rest }: ListQuery) {
  const others = Object.keys(rest);
  if (others.length > 0)
    throw invalidFields(others.map((field) => ({ field, reason: 'not together with owed' })));
  const orders = await readStore(deps, async (read) => {
    const debts = await read.debts.list({ limit: 100 });
    const ids = [...new Set(debts.map(({ orderId }) => orderId))];
    return Promise.all(ids.map(async (id) => ({ view: await read.order(id), money: await read.money(id) })));
  });
  const own = orders.flatMap(({ view, money }) => {
    if (!view || !money || !maySee(caller, view.callerId)) return [];
    return [shownTo(caller, { ...fromView(view, 'store'), owed: owedBodies(view.status, money) })];
  });
  return { orders: own.slice(0, Number(limit ?? DEFAULT_LIMIT)) };
}

/** Binds the token to the list it belongs to, so that a cursor opens nothing else and cannot be made up. */
const sealOf = (token: string, scope: string, key: string): Buffer =>
  createHmac('sha256', key).update(`cursor:${token}:${scope}`).digest().subarray(0, 16);

function sealCursor(pageToken: Uint8Array, scope: string, key: string): string {
  const token = Buffer.from(pageToken).toString('base64url');
  return `${token}.${sealOf(token, scope, key).toString('base64url')}`;
}

function openCursor(cursor: string, scope: string, keys: readonly string[]): Uint8Array {
  const [token = '', seal = '', ...rest] = cursor.split('.');
  const given = Buffer.from(seal, 'base64url');
  const isSealedBy = (key: string) => {
    const expected = sealOf(token, scope, key);
    return given.length === expected.length && timingSafeEqual(given, expected);
  };
  if (rest.length > 0 || !keys.some(isSealedBy)) {
    throw new ApiProblem('invalid-cursor', { detail: 'The cursor does not belong to this list.' });
  }
  return Buffer.from(token, 'base64url');
}
