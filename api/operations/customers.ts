import { z } from '@hono/zod-openapi';
import { customerId, type CustomerId } from '../../domain/ids.ts';
import type { AppDeps } from '../app-deps.ts';
import { readJson } from '../http/body.ts';
import { TookTooLong, within } from '../../ports/bounded.ts';
import { actorOf, requireOperator } from '../http/callers.ts';
import { customerOrders, eraseCustomer, refusalOf, type EraseAnswer } from './erase-customer.ts';
import { actorField, knownCustomerIdField, reasonField } from '../http/fields.ts';
import { customerHashesOf, customerHashOf } from '../orders/order-identity.ts';
import { TemporalUnavailable } from '../../ports/temporal.ts';
import { ApiProblem } from '../http/problems.ts';
import { storeUnavailable } from '../http/read-store.ts';
import { addRoute, type App, type AppContext } from '../http/route.ts';

/** What is done by then stays done; a repeated request goes on with the rest. */
const ERASE_TIMEOUT_MS = 20_000;

const SHOWN_ORDERS = 20;

const eraseFields = {
  reason: reasonField.openapi({
    description: 'Ends up in the audit trail, which is never erased: no personal data in it.',
  }),
  actor: actorField,
  dryRun: z.boolean().optional().openapi({ description: 'Only count what there is.' }),
};

const eraseBody = z
  .strictObject(eraseFields)
  .openapi('EraseCustomer', { example: { reason: 'Erasure requested, ticket 4711' } });

const eraseByBody = z
  .strictObject({ customerId: knownCustomerIdField, ...eraseFields })
  .openapi('EraseNamedCustomer', {
    example: { customerId: 'customer-42', reason: 'Erasure requested, ticket 4711' },
  });

const erasedBody = z
  .object({
    customerId: z.string(),
    dryRun: z.boolean(),
    orders: z.int().openapi({ description: 'All orders of the customer.' }),
    erasedOrders: z.int().openapi({ description: 'Orders whose personal data was removed now.' }),
    mails: z.int().openapi({ description: 'Mails whose content was removed now.' }),
    deadLetters: z.int().openapi({ description: 'Dead letters whose content was removed now.' }),
  })
  .openapi('ErasedCustomer', {
    example: {
      customerId: 'customer-42',
      dryRun: false,
      orders: 3,
      erasedOrders: 3,
      mails: 6,
      deadLetters: 0,
    },
  });

/** POST /customers/erase and /customers/{customerId}/erase. */
export function addCustomers(app: App, deps: AppDeps): void {
  const common = {
    method: 'post',
    tag: 'Orders',
    produces: 'application/json',
    responses: {
      200: { description: 'Erased.', content: { 'application/json': { schema: erasedBody } } },
    },
    problems: [
      'malformed-request',
      'forbidden',
      'not-found',
      'act-refused',
      'body-too-large',
      'unsupported-media-type',
      'invalid-fields',
      'store-unavailable',
      'temporal-unavailable',
    ],
  } as const;
  addRoute(
    app,
    {
      ...common,
      path: '/customers/{customerId}/erase',
      operationId: 'eraseCustomer',
      summary: 'Removes a customer’s personal data from SQL',
      description:
        'Operators only. Addresses, mail addresses and the content of mails; orders, money and audit trail stay. May be ' +
        'repeated. Refused with 409 while the customer has open orders. Other places that hold some for a while: ' +
        'docs/personal-data.md.',
      request: {
        params: z.object({ customerId: z.string().openapi({ example: 'customer-42' }) }),
        body: { required: true, content: { 'application/json': { schema: eraseBody } } },
      },
    },
    async (c) => {
      requireOperator(c.get('caller'));
      const id = readCustomerId(c.req.param('customerId') ?? '');
      return postErase(c, deps, id, await readJson(c, eraseBody));
    },
  );
  addRoute(
    app,
    {
      ...common,
      path: '/customers/erase',
      operationId: 'eraseNamedCustomer',
      summary: 'Removes a customer’s personal data from SQL, the customer named in the body',
      description: 'As the other way, also for ids that no address can name: `.` and `..`.',
      request: { body: { required: true, content: { 'application/json': { schema: eraseByBody } } } },
    },
    async (c) => {
      requireOperator(c.get('caller'));
      const { customerId: id, ...request } = await readJson(c, eraseByBody);
      return postErase(c, deps, customerId(id), request);
    },
  );
}

async function postErase(
  c: AppContext,
  deps: AppDeps,
  id: CustomerId,
  { reason, actor, dryRun = false }: z.output<typeof eraseBody>,
): Promise<Response> {
  const customerHash = customerHashOf(id, deps.settings.customerHashKey);
  const parts = {
    store: deps.store,
    nowUtc: () => deps.clock.nowUtc(),
    running: async () =>
      (
        await deps.workflows.list({ customerHash: customerHashesOf(id, deps.settings), pageSize: 100 })
      ).orders.filter(({ running }) => running),
  };
  const answer = await bounded(deps, async (): Promise<EraseAnswer> => {
    if (!dryRun) {
      const by = actorOf(c.get('caller'), actor);
      return eraseCustomer(parts, { customerId: id, customerHash, actor: by, reason });
    }
    const found = await customerOrders(parts, { customerId: id });
    const { all } = found;
    const kept = refusalOf(found);
    if (kept) return kept;
    return { status: 'erased', erased: { orders: all.length, erasedOrders: 0, mails: 0, deadLetters: 0 } };
  });
  if ('openOrders' in answer) throw openOrders(id, answer.openOrders);
  if ('owing' in answer) throw owingOrders(id, answer.owing);
  return c.json({ customerId: id, dryRun, ...answer.erased }, 200, { 'cache-control': 'no-store' });
}

function readCustomerId(text: string): CustomerId {
  if (knownCustomerIdField.safeParse(text).success) return customerId(text);
  throw new ApiProblem('not-found', { detail: 'Expected a customer id of 1 to 64 of A-Z a-z 0-9 . _ -' });
}

const openOrders = (id: CustomerId, orders: readonly string[]): ApiProblem => {
  const shown = orders.slice(0, SHOWN_ORDERS).join(', ');
  const more = orders.length > SHOWN_ORDERS ? `, and ${orders.length - SHOWN_ORDERS} more` : '';
  return new ApiProblem('act-refused', {
    detail: `Customer ${id} has open orders, which need their data: ${shown}${more}. Wait for them or cancel them first.`,
    code: 'open_orders',
  });
};

const owingOrders = (id: CustomerId, orders: readonly string[]): ApiProblem => {
  const shown = orders.slice(0, SHOWN_ORDERS).join(', ');
  const more = orders.length > SHOWN_ORDERS ? `, and ${orders.length - SHOWN_ORDERS} more` : '';
  return new ApiProblem('act-refused', {
    detail: `Customer ${id} still has to get money from these orders, and whoever pays it needs the data: ${shown}${more}. GET /orders/{orderId} says what is owed.`,
    code: 'money_owed',
  });
};

async function bounded<T>(deps: AppDeps, work: () => Promise<T>): Promise<T> {
  try {
    return await within(ERASE_TIMEOUT_MS, 'store', work);
  } catch (error) {
    if (error instanceof TemporalUnavailable) throw error;
    if (error instanceof TookTooLong) {
      throw new ApiProblem('store-unavailable', {
        detail: 'Not everything was erased in time. What is done stays done: repeat the request to go on.',
      });
    }
    throw storeUnavailable(deps, error);
  }
}
