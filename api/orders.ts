import type { AppDeps } from './app-deps.ts';
import { orderBody } from './order-body.ts';
import { readOrder, readOrderId } from './read-order.ts';
import { addRoute, orderIdParameter, type App } from './route.ts';

/** GET /orders/{orderId}. */
export function addReadOrder(app: App, deps: AppDeps): void {
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
    async (c) =>
      c.json(await readOrder(deps, c.get('caller'), readOrderId(c.req.param('orderId'))), 200, {
        'cache-control': 'no-store',
      }),
  );
}
