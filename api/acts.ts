import type { UpdateDefinition } from '@temporalio/common';
import { z } from '@hono/zod-openapi';
import type { OrderId } from '../domain/ids.ts';
import type { OrderView } from '../domain/order.ts';
import {
  cancelOrder,
  resolveParked,
  setShippingAddress,
  updatePayment,
  type Act,
} from '../workflows/messages.ts';
import type { AppDeps } from './app-deps.ts';
import { readJson } from './body.ts';
import { maySee, requireOperator } from './callers.ts';
import { withoutUndefined } from './checkout-request.ts';
import { addressChangeField, paymentMethodField, reasonField } from './fields.ts';
import { fromView, orderBody } from './order-body.ts';
import { ApiProblem } from './problems.ts';
import { readOrder, readOrderId, unknownOrder } from './read-order.ts';
import { addRoute, orderIdParameter, type App, type AppContext, type RouteDefinition } from './route.ts';

const reason = reasonField.optional().openapi({ description: 'Ends up in the audit trail.' });

const cancelBody = z.strictObject({ reason }).openapi('Cancel', { example: { reason: 'Ordered twice' } });
const paymentBody = z
  .strictObject({ paymentMethodId: paymentMethodField, reason })
  .openapi('PaymentUpdate', { example: { paymentMethodId: 'pm_card_visa' } });
const resolveBody = z
  .strictObject({ action: z.enum(['retry']), reason })
  .openapi('Resolve', { example: { action: 'retry', reason: 'The carrier is back' } });

/** The acts a person can do on an order, each an update of its workflow. */
export function addActs(app: App, deps: AppDeps): void {
  addRoute(
    app,
    act({
      method: 'post',
      path: '/orders/{orderId}/cancel',
      operationId: 'cancelOrder',
      summary: 'Cancels the order',
      description:
        'Before shipping starts everything is taken back in reverse order; after it 409. No body is needed.',
      schema: cancelBody,
      bodyRequired: false,
    }),
    (c) =>
      handleAct(c, deps, {
        definition: cancelOrder,
        read: () => readJson(c, cancelBody, { optional: true }),
        toAct: (body, who) => ({ ...who, reason: body.reason ?? 'Canceled through the API' }),
      }),
  );
  addRoute(
    app,
    act({
      method: 'post',
      path: '/orders/{orderId}/payment',
      operationId: 'updatePayment',
      summary: 'Gives an order that waits for payment another payment method',
      description: 'Resumes an order held as payment_failed or payment_action_required; otherwise 409.',
      schema: paymentBody,
    }),
    (c) =>
      handleAct(c, deps, {
        definition: updatePayment,
        read: () => readJson(c, paymentBody),
        toAct: (body, who) => ({
          ...who,
          reason: body.reason ?? 'New payment method through the API',
          paymentMethodId: body.paymentMethodId,
        }),
      }),
  );
  addRoute(
    app,
    act({
      method: 'put',
      path: '/orders/{orderId}/shipping-address',
      operationId: 'setShippingAddress',
      summary: 'Replaces the shipping address',
      description: 'Accepted in any state before shipping starts; resumes an order held as address_rejected.',
      schema: addressChangeField,
    }),
    (c) =>
      handleAct(c, deps, {
        definition: setShippingAddress,
        read: () => readJson(c, addressChangeField),
        toAct: ({ reason: why, ...address }, who) => ({
          ...who,
          reason: why ?? 'New shipping address through the API',
          address: withoutUndefined(address),
        }),
      }),
  );
  addRoute(
    app,
    act({
      method: 'post',
      path: '/orders/{orderId}/resolve',
      operationId: 'resolveParked',
      summary: 'Moves a parked order on',
      description: 'Operators only. `retry` tries the parked step again.',
      schema: resolveBody,
      operatorOnly: true,
    }),
    (c) => {
      requireOperator(c.get('caller'));
      return handleAct(c, deps, {
        definition: resolveParked,
        read: () => readJson(c, resolveBody),
        toAct: (body, who) => ({
          ...who,
          reason: body.reason ?? 'Resolved through the API',
          action: body.action,
        }),
      });
    },
  );
}

function act(input: {
  method: 'post' | 'put';
  path: string;
  operationId: string;
  summary: string;
  description: string;
  schema: z.ZodType;
  bodyRequired?: boolean;
  operatorOnly?: boolean;
}): RouteDefinition {
  const { schema, bodyRequired = true, operatorOnly = false, ...rest } = input;
  return {
    ...rest,
    tag: 'Orders',
    produces: 'application/json',
    request: {
      params: orderIdParameter,
      body: { required: bodyRequired, content: { 'application/json': { schema } } },
    },
    responses: {
      200: {
        description: 'Accepted: the order right after it.',
        content: { 'application/json': { schema: orderBody } },
      },
    },
    problems: [
      'malformed-request',
      ...(operatorOnly ? (['forbidden'] as const) : []),
      'unknown-order',
      'act-refused',
      'order-closed',
      'body-too-large',
      'unsupported-media-type',
      'invalid-fields',
      'too-many-updates',
      'temporal-unavailable',
      'no-worker',
    ],
  };
}

/** One kind of act: how its body is read and turned into the update's argument. The actor is the caller, always. */
interface ActKind<Body, Input extends Act> {
  definition: UpdateDefinition<OrderView, [Input]>;
  read(): Promise<Body>;
  toAct(body: Body, who: { actor: string }): Input;
}

async function handleAct<Body, Input extends Act>(
  c: AppContext,
  deps: AppDeps,
  kind: ActKind<Body, Input>,
): Promise<Response> {
  const id = readOrderId(c.req.param('orderId'));
  const body = await kind.read();
  await requireOpen(c, deps, id);
  const input = kind.toAct(body, { actor: c.get('caller').callerId });
  const answer = await deps.workflows.update(id, kind.definition, input);
  switch (answer.status) {
    case 'accepted':
      return c.json(fromView(answer.view, 'workflow'), 200, { 'cache-control': 'no-store' });
    case 'refused':
      throw new ApiProblem('act-refused', {
        detail: answer.reason,
        code: answer.code ?? 'act_refused',
      });
    case 'gone':
      throw await closedOrUnknown(c, deps, id);
    case 'limited':
      throw new ApiProblem('too-many-updates', {
        detail: `Temporal refused the update of order ${id}: ${answer.reason}`,
      });
    case 'unanswered':
      throw new ApiProblem('no-worker', {
        detail: `No worker answered for order ${id} in time. The act may still take effect; read the order first.`,
      });
  }
}

/** Temporal's description says whose order it is and whether it is still open, without a worker. */
async function requireOpen(c: AppContext, deps: AppDeps, id: OrderId): Promise<void> {
  const summary = await deps.workflows.describe(id);
  if (!summary) throw await closedOrUnknown(c, deps, id);
  if (!maySee(c.get('caller'), summary.memo.callerId)) throw unknownOrder(id);
  if (!summary.running) throw orderClosed(id, summary.status);
}

/** An order that Temporal has forgotten may still be in the store; then it has ended. */
async function closedOrUnknown(c: AppContext, deps: AppDeps, id: OrderId): Promise<ApiProblem> {
  const order = await readOrder(deps, c.get('caller'), id);
  return orderClosed(id, order.status);
}

const orderClosed = (id: OrderId, status: string): ApiProblem =>
  new ApiProblem('order-closed', { detail: `Order ${id} has ended: ${status}.`, code: 'order_closed' });
