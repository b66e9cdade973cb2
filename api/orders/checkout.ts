import { z } from '@hono/zod-openapi';
import { isCurrency, type Currency } from '../../domain/money.ts';
import type { Checkout } from '../../domain/order.ts';
import { isCurrencyAsked, isSameFingerprint, type AskedRequest } from '../../domain/placed-request.ts';
import type { OrderMemo } from '../../domain/search-attributes.ts';
import type { CheckoutResult } from '../../telemetry/metrics/http-metrics.ts';
import { annotate } from '../../telemetry/tracing.ts';
import type { AppDeps, ApiCaller } from '../app-deps.ts';
import { readJson } from '../http/body.ts';
import {
  checkoutBody,
  currencyByDefault,
  readIdempotencyKey,
  toCheckout,
  type CheckoutBody,
} from './checkout-request.ts';
import { refuseUsedUp } from './lost-run.ts';
import { linksBody, linksOf, orderBody } from './order-body.ts';
import { customerHashOf, fingerprintOf, firstFingerprintOf, orderIdFor } from './order-identity.ts';
import { TemporalUnavailable, type OrderSummary, type StartOrder } from '../../ports/temporal.ts';
import { hasEnded, isKnown, keyReused, placedOrder, refuseAnothers, type Placed } from './placed-order.ts';
import { parseWait } from '../http/prefer.ts';
import { ApiProblem } from '../http/problems.ts';
import { addRoute, type App, type AppContext } from '../http/route.ts';
import { continueTrace } from '../http/traceparent.ts';
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
            pattern: '^[ -~]+$',
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
  const { asked, compared } = await accept(c, deps);
  const { checkout } = asked;
  const wait = parseWait(c.req.header('prefer'));
  const headers = { location: `/orders/${checkout.orderId}`, 'cache-control': 'no-store' };
  if (wait) {
    const client = c.req.raw.signal;
    const order = await waitForDecision(deps, { caller: c.get('caller'), checkout, seconds: wait, client });
    const placed = compared || !order ? undefined : await placedOrder(deps, checkout.orderId);
    if (order && placed !== 'unanswered') {
      refuseAnothers(placed, asked);
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

interface Accepted {
  asked: AskedRequest;
  /** SQL has said that no other request has this order. */
  compared: boolean;
}

/** From the request to an order that is known to be started, counted and timed by how that went. */
async function accept(c: AppContext, { metrics, ...deps }: AppDeps): Promise<Accepted> {
  const arrivedAtMs = performance.now();
  const end = (result: CheckoutResult) => {
    metrics.checkouts.inc({ result });
    metrics.checkoutDuration.observe({ result }, (performance.now() - arrivedAtMs) / 1_000);
  };
  let asked: AskedRequest | undefined;
  try {
    asked = await readCheckout(c, deps);
    const { orderId } = asked.checkout;
    annotate({ 'order.id': orderId });
    const placed = await placedOrder(deps, orderId);
    end(await startOnce(deps, { asked, placed, traceparent: continueTrace(c.req.header('traceparent')) }));
    return { asked, compared: placed !== 'unanswered' };
  } catch (error) {
    if (error instanceof ApiProblem) end(asked === undefined ? 'refused' : 'conflict');
    else end(error instanceof TemporalUnavailable ? 'unavailable' : 'error');
    throw error;
  }
}

type CheckoutDeps = Pick<AppDeps, 'settings' | 'payments' | 'workflows' | 'store' | 'runs'>;

async function readCheckout(c: AppContext, deps: CheckoutDeps): Promise<AskedRequest> {
  const { callerId }: ApiCaller = c.get('caller');
  const idempotencyKey = readIdempotencyKey(c.req.header('idempotency-key'));
  const body = await readJson(c, checkoutBody);
  const orderId = orderIdFor({ callerId, idempotencyKey });
  const checkout = toCheckout(body, {
    orderId,
    callerId,
    defaultCurrency: await defaultCurrencyFor(deps, body, orderId),
    shipFrom: deps.settings.shipFrom,
    payable: (amount) => deps.payments.payable(amount),
  });
  return { checkout, fingerprint: fingerprintOf(checkout, body.currency) };
}

/**
 * What a request without a currency means was fixed when it first came in. Only where it expects a total in another
 * currency than today's default it may be a repeated one from before that was changed.
 */
async function defaultCurrencyFor(
  deps: CheckoutDeps,
  body: CheckoutBody,
  id: Checkout['orderId'],
): Promise<Currency> {
  const { defaultCurrency } = deps.settings;
  if (!currencyByDefault(body, defaultCurrency)) return defaultCurrency;
  const placed = await placedOrder(deps, id);
  if (isKnown(placed)) return placed.order.currency;
  const existing = await deps.workflows.describe(id);
  return (existing && currencyOf(existing.memo)) ?? defaultCurrency;
}

interface Starting {
  asked: AskedRequest;
  placed: Placed;
  traceparent: string;
}

/**
 * Starts the workflow, or finds that this very request has started it before. SQL, where it answers at once, is asked
 * first: Temporal forgets runs, and then a key would begin a new one over the order that it belongs to.
 */
async function startOnce(
  deps: CheckoutDeps,
  { asked, placed, traceparent }: Starting,
): Promise<CheckoutResult> {
  const { settings, workflows } = deps;
  refuseAnothers(placed, asked);
  if (hasEnded(placed)) return 'replayed';
  const { fingerprint } = asked;
  const checkout = isKnown(placed) ? { ...asked.checkout, currency: placed.order.currency } : asked.checkout;
  const order = {
    input: { checkout, policy: settings.policy, taskQueues: settings.taskQueues, traceparent, fingerprint },
    memo: memoOf(checkout, fingerprint),
    customerHash: customerHashOf(checkout.customerId, settings.customerHashKey),
  };
  const started = await workflows.start(order);
  if (started === 'started') return 'started';
  const existing = await workflows.describe(checkout.orderId);
  if (!existing)
    throw new TemporalUnavailable('the order was started before, but its description is gone', undefined);
  if (existing.failureType === 'KeyReused') return startOverAnothers(deps, order, { existing, placed });
  const sqlHasSaid = isKnown(placed) && placed.order.fingerprint;
  if (!sqlHasSaid && !isPlacedAs(existing.memo, asked)) throw keyReused(checkout.orderId);
  await refuseUsedUp(deps, checkout.orderId, existing);
  return 'replayed';
}

/**
 * The last run under this key was started for another request and ended without effect; its memo says nothing about the
 * order. Where SQL says that the order is open and this request is its own, it goes on as if that run had never been.
 */
async function startOverAnothers(
  deps: CheckoutDeps,
  order: StartOrder,
  { existing, placed }: { existing: OrderSummary; placed: Placed },
): Promise<CheckoutResult> {
  const { orderId } = order.input.checkout;
  if (isKnown(placed)) {
    return (await deps.runs.startAgain(order)) === 'started' ? 'started' : 'replayed';
  }
  if (existing.memo.fingerprint === order.memo.fingerprint) throw keyReused(orderId);
  await refuseUsedUp(deps, orderId, existing);
  throw new ApiProblem('store-unavailable', {
    detail: `Whether this request is that of order ${orderId} can only be said once the store answers again.`,
  });
}

const isPlacedAs = (memo: OrderMemo, { checkout, fingerprint }: AskedRequest): boolean => {
  const currency = currencyOf(memo) ?? checkout.currency;
  const same = isSameFingerprint({ fingerprint: memo.fingerprint, currency }, { fingerprint, checkout });
  if (same !== undefined) return same;
  const asked = isCurrencyAsked(fingerprint) ? checkout : { ...checkout, currency };
  return memo.fingerprint === firstFingerprintOf(asked);
};

/** Of memos of the first version only the summary holds it. */
function currencyOf({ currency, summary }: OrderMemo): Currency | undefined {
  const last = summary.slice(-3);
  return currency ?? (isCurrency(last) ? last : undefined);
}

export function memoOf(checkout: Checkout, fingerprint: string): OrderMemo {
  const units = checkout.items.reduce((sum, item) => sum + item.quantity, 0);
  const lines = checkout.items.length;
  return {
    fingerprint,
    currency: checkout.currency,
    callerId: checkout.callerId,
    customerId: checkout.customerId,
    summary: `${lines} ${lines === 1 ? 'line' : 'lines'}, ${units} ${units === 1 ? 'unit' : 'units'}, ${checkout.currency}`,
  };
}
