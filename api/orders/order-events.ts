import { z } from '@hono/zod-openapi';
import type { OrderId } from '../../domain/ids.ts';
import { isEnded } from '../../domain/order.ts';
import { outsideEvent } from '../../domain/outside-words.ts';
import type { AppDeps } from '../app-deps.ts';
import { within } from '../../ports/bounded.ts';
import { createOrderFeed } from './order-feed.ts';
import { ApiProblem } from '../http/problems.ts';
import { readOrderId, requireOrder, STORE_TIMEOUT_MS } from './read-order.ts';
import { addRoute, orderIdParameter, type App } from '../http/route.ts';

/** GET /orders/{orderId}/events: server-sent events. */
export function addOrderEvents(app: App, deps: AppDeps): void {
  const feed = createOrderFeed(deps);
  addRoute(
    app,
    {
      method: 'get',
      path: '/orders/{orderId}/events',
      operationId: 'streamOrderEvents',
      tag: 'Orders',
      summary: 'The order’s progress as server-sent events',
      description:
        '`id` is the event’s sequence, `event` its type, `data` the event as published; for shops without operators’ names and reasons and providers’ errors. Reconnecting with ' +
        'Last-Event-ID continues after it. The stream ends once the order has ended and all events were sent; ' +
        'reconnecting then gets 204, or what has come since: refunds and disputes. While a step keeps failing, ' +
        '`order.retrying` comes with each further failure, without an `id` since it is no event of the order; its ' +
        '`payload.retrying` is as in GET /orders/{orderId}, and null once that is over.',
      produces: 'text/event-stream',
      request: {
        params: orderIdParameter,
        headers: z.object({
          'Last-Event-ID': z.string().optional().openapi({ description: 'A sequence number.', example: '3' }),
        }),
      },
      responses: {
        200: {
          description: 'The stream, with a comment every 15 seconds while nothing happens.',
          content: { 'text/event-stream': { schema: z.string() } },
        },
        204: {
          description: 'The order has ended and there is nothing after Last-Event-ID: do not reconnect.',
        },
      },
      problems: ['malformed-request', 'unknown-order', 'too-many-streams', 'temporal-unavailable'],
    },
    async (c) => {
      const orderId = readOrderId(c.req.param('orderId'));
      const after = readLastEventId(c.req.header('last-event-id'));
      await requireOrder(deps, c.get('caller'), orderId);
      if (await isFinished(deps, orderId, after)) return c.body(null, 204);
      const headers = {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      };
      if (c.req.method === 'HEAD') return c.body(null, 200, headers);
      const caller = c.get('caller');
      const stream = feed.stream(
        orderId,
        after,
        caller.role === 'operator' ? undefined : (event) => outsideEvent(event, caller.callerId),
      );
      if (stream) return c.body(stream, 200, headers);
      throw new ApiProblem('too-many-streams', {
        detail: `At most ${deps.settings.maxEventStreams} event streams are open at the same time.`,
      });
    },
  );
}

function readLastEventId(header: string | undefined): number {
  if (header === undefined || header === '') return 0;
  if (/^\d{1,9}$/.test(header)) return Number(header);
  throw new ApiProblem('malformed-request', {
    detail: 'Last-Event-ID: expected the sequence number of an event.',
  });
}

/** Whether the order has ended with no event after `afterSequence`; false when the store cannot say. */
async function isFinished(deps: AppDeps, orderId: OrderId, afterSequence: number): Promise<boolean> {
  const { read } = deps.store;
  try {
    return await within(STORE_TIMEOUT_MS, 'store', async () => {
      const order = await read.order(orderId);
      return (
        order !== undefined &&
        isEnded(order.status) &&
        (await read.events({ orderId, afterSequence })).length === 0
      );
    });
  } catch {
    return false;
  }
}
