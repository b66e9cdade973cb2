import { z } from '@hono/zod-openapi';
import type { Checkout } from '../domain/order.ts';
import type { OrderMemo } from '../domain/search-attributes.ts';
import type { CheckoutResult } from '../telemetry/metrics/http-metrics.ts';
import { annotate } from '../telemetry/tracing.ts';
import type { AppDeps, ApiCaller } from './app-deps.ts';
import { readJson } from './body.ts';
import { checkoutBody, readIdempotencyKey, toCheckout } from './checkout-request.ts';
import { refuseUsedUp } from './lost-run.ts';
import { linksBody, linksOf, orderBody } from './order-body.ts';
import { customerHashOf, fingerprintOf, orderIdFor } from './order-identity.ts';
import { TemporalUnavailable, type OrderSummary } from './order-workflows.ts';
import { parseWait } from './prefer.ts';
import { ApiProblem } from './problems.ts';
import { addRoute, type App, type AppContext } from './route.ts';
import { continueTrace } from './traceparent.ts';
import { waitForDecision } from './wait-for-decision.ts';

const acceptedBody = z
  .object({
    orderId: z.string().openapi({ format: 'uuid' }),
    status: z.literal('received'),
    links: linksBody,
  })
  .openapi('CheckoutAccepted', {
    example: {
      orderId: '0b9d1f6e-2a43-5c1c-8e7f-6f1f1d6f0a11',
      status: 'received',
      links: linksOf('0b9d1f6e-2a43-5c1c-8e7f-6f1f1d6f0a11' as Checkout['orderId']),
    },
  });

const location = { Location: { description: 'The order.', schema: { type: 'string' as const } } };

/** POST /checkout: starts the order's workflow; needs nothing but Temporal. */
export function addCheckout(app: App, deps: AppDeps): void {
  addRoute(
    app,
    {
      method: 'post',
      path: '/checkout',
      operationId: 'checkout',
      tag: 'Orders',
      summary: 'Places an order',
      description:
        'From the 202 on the order cannot get lost. The same Idempotency-Key with the same body gets the same answer, ' +
        'for at least 24 hours, and never a second order; with another body 422. 409 when its order was closed before it was ' +
        'recorded, or ended so long ago that only its key is known. Prices come from the catalog.',
      produces: 'application/json',
      request: {
        headers: z.object({
          'Idempotency-Key': z.string().min(1).max(255).openapi({
            description: 'Printable ASCII, scoped to the caller; published life 24 hours.',
            example: 'cart-8e03978e',
          }),
          Prefer: z
            .string()
            .optional()
            .openapi({
              description:
                '`wait=N` (RFC 7240), N at most 30: answers 200 with the order once payment is processed or the order ' +
                'is held or has ended, 202 when N seconds pass.',
              example: 'wait=10',
            }),
          traceparent: z
            .string()
            .optional()
            .openapi({ description: 'W3C Trace Context; the order continues it.' }),
        }),
        body: { required: true, content: { 'application/json': { schema: checkoutBody } } },
      },
      responses: {
        200: {
          description: 'Decided within the wait that was asked for.',
          headers: {
            ...location,
            'Preference-Applied': {
              description: 'The wait that was applied.',
              schema: { type: 'string' as const },
            },
          },
          content: { 'application/json': { schema: orderBody } },
        },
        202: {
          description: 'Taken; the order goes on by itself.',
          headers: location,
          content: { 'application/json': { schema: acceptedBody } },
        },
      },
      problems: [
        'malformed-request',
        'idempotency-key',
        'body-too-large',
        'unsupported-media-type',
        'invalid-fields',
        'idempotency-key-reused',
        'order-closed',
        'run-lost',
        'temporal-unavailable',
      ],
    },
    async (c) => handleCheckout(c, deps),
  );
}

async function handleCheckout(c: AppContext, deps: AppDeps): Promise<Response> {
  const checkout = await accept(c, deps);
  const wait = parseWait(c.req.header('prefer'));
  const headers = { location: `/orders/${checkout.orderId}`, 'cache-control': 'no-store' };
  if (wait) {
    const client = c.req.raw.signal;
    const order = await waitForDecision(deps, { caller: c.get('caller'), checkout, seconds: wait, client });
    if (order) {
      await refuseUsedUp(deps, checkout.orderId, { failureType: order.failure?.type });
      return c.json(order, 200, { ...headers, 'preference-applied': `wait=${wait}` });
    }
  }
  return c.json(
    { orderId: checkout.orderId, status: 'received', links: linksOf(checkout.orderId) },
    202,
    headers,
  );
}

/** From the request to an order that is known to be started, counted and timed by how that went. */
async function accept(c: AppContext, { metrics, ...deps }: AppDeps): Promise<Checkout> {
  const arrivedAtMs = performance.now();
  const end = (result: CheckoutResult) => {
    metrics.checkouts.inc({ result });
    metrics.checkoutDuration.observe({ result }, (performance.now() - arrivedAtMs) / 1_000);
  };
  let checkout: Checkout | undefined;
  try {
    checkout = await readCheckout(c, deps);
    annotate({ 'order.id': checkout.orderId });
    end(await startOnce(deps, checkout, continueTrace(c.req.header('traceparent'))));
    return checkout;
  } catch (error) {
    if (error instanceof ApiProblem) end(checkout === undefined ? 'refused' : 'conflict');
    else end(error instanceof TemporalUnavailable ? 'unavailable' : 'error');
    throw error;
  }
}

async function readCheckout(c: AppContext, deps: Pick<AppDeps, 'settings' | 'payments'>): Promise<Checkout> {
  const { callerId }: ApiCaller = c.get('caller');
  const idempotencyKey = readIdempotencyKey(c.req.header('idempotency-key'));
  const body = await readJson(c, checkoutBody);
  return toCheckout(body, {
    orderId: orderIdFor({ callerId, idempotencyKey }),
    callerId,
    defaultCurrency: deps.settings.defaultCurrency,
    shipFrom: deps.settings.shipFrom,
    payable: (amount) => deps.payments.payable(amount),
  });
}

/** Starts the workflow, or finds that this very request has started it before. */
async function startOnce(
  { settings, workflows, store }: Pick<AppDeps, 'settings' | 'workflows' | 'store'>,
  checkout: Checkout,
  traceparent: string,
): Promise<'started' | 'replayed'> {
  const memo = memoOf(checkout);
  const started = await workflows.start({
    input: { checkout, policy: settings.policy, taskQueues: settings.taskQueues, traceparent },
    memo,
    customerHash: customerHashOf(checkout.customerId, settings.customerHashKey),
  });
  if (started === 'started') return 'started';
  const existing = await requireSameRequest(workflows, checkout, memo);
  await refuseUsedUp({ store }, checkout.orderId, existing);
  return 'replayed';
}

async function requireSameRequest(
  workflows: AppDeps['workflows'],
  checkout: Checkout,
  memo: OrderMemo,
): Promise<OrderSummary> {
  const existing = await workflows.describe(checkout.orderId);
  if (!existing)
    throw new TemporalUnavailable('the order was started before, but its description is gone', undefined);
  if (existing.memo.fingerprint !== memo.fingerprint) {
    throw new ApiProblem('idempotency-key-reused', {
      detail: `This Idempotency-Key belongs to order ${checkout.orderId}, which was placed with another body.`,
    });
  }
  return existing;
}

export function memoOf(checkout: Checkout): OrderMemo {
  const units = checkout.items.reduce((sum, item) => sum + item.quantity, 0);
  const lines = checkout.items.length;
  return {
    fingerprint: fingerprintOf(checkout),
    callerId: checkout.callerId,
    customerId: checkout.customerId,
    summary: `${lines} ${lines === 1 ? 'line' : 'lines'}, ${units} ${units === 1 ? 'unit' : 'units'}, ${checkout.currency}`,
  };
}
