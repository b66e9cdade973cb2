import type { AppDeps } from './app-deps.ts';
import { orderBody } from './order-body.ts';
import type { ProviderReadings } from './provider-status.ts';
import { readOrder, readOrderId } from './read-order.ts';
import { addRoute, orderIdParameter, type App } from './route.ts';

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
      description: 'From its workflow, else from the store, else from Temporal alone; `source` says which.',
      produces: 'application/json',
      request: { params: orderIdParameter },
      responses: {
        200: { description: 'The order.', content: { 'application/json': { schema: orderBody } } },
      },
      problems: ['unknown-order', 'temporal-unavailable'],
    },
    async (c) => {
      const order = await readOrder(deps, c.get('caller'), readOrderId(c.req.param('orderId')));
      return c.json(await providers.withWait(order), 200, { 'cache-control': 'no-store' });
    },
  );
}
