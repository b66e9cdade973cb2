import type { AppDeps } from '../app-deps.ts';
import { orderBody } from './order-body.ts';
import { moneyNowBodyOf, moneyNowOf } from '../refunds/money-now-body.ts';
import { shownTo } from './outside-order.ts';
import { moneyAtOnce, owedBodies } from '../refunds/owed-body.ts';
import type { ProviderReadings } from '../operations/provider-status.ts';
import { readOrder, readOrderId } from './read-order.ts';
import { retryingOf } from './retrying-body.ts';
import { addRoute, orderIdParameter, type App } from '../http/route.ts';

/** GET /orders/{orderId}. */
export function addReadOrder(app: App, deps: AppDeps, providers: ProviderReadings): void {
  addRoute(
    app,
    {
      method: 'get',
      path: '/orders/{orderId}',
      operationId: 'getOrder',
      tag: 'Orders',
      summary: 'The order as it is now',
      description:
        'From its workflow, else from the store, else from Temporal alone; `source` says which. Once it has ended: from ' +
        'the store first, which erasure reaches.',
      produces: 'application/json',
      request: { params: orderIdParameter },
      responses: {
        200: { description: 'The order.', content: { 'application/json': { schema: orderBody } } },
      },
      problems: ['unknown-order', 'temporal-unavailable'],
    },
    async (c) => {
      const id = readOrderId(c.req.param('orderId'));
      const [order, money] = await Promise.all([readOrder(deps, c.get('caller'), id), moneyAtOnce(deps, id)]);
      const owed = money ? owedBodies(order.status, money) : [];
      const now = money && moneyNowOf(id, order, { money, nowUtc: deps.clock.nowUtc() });
      const retrying = await retryingOf(deps, c.get('caller'), order);
      const shown = {
        ...order,
        ...(retrying ? { retrying } : {}),
        ...(owed.length > 0 ? { owed } : {}),
        ...(now ? { money: moneyNowBodyOf(now) } : {}),
      };
      const waiting = await providers.withWait(shown);
      return c.json(shownTo(c.get('caller'), waiting), 200, { 'cache-control': 'no-store' });
    },
  );
}
