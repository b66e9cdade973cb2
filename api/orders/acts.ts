import { randomUUID } from 'node:crypto';
import type { UpdateDefinition } from '@temporalio/common';
import { z } from '@hono/zod-openapi';
import type { OrderId } from '../../domain/ids.ts';
import { isEnded, type OrderStatus, type OrderView, type ActView } from '../../domain/order.ts';
import {
  approveOrder,
  cancelOrder,
  extendHold,
  resolveParked,
  setShippingAddress,
  updatePayment,
} from '../../workflows/messages.ts';
import { outsideRefusal } from '../../domain/outside-words.ts';
import type { ApiCaller, AppDeps } from '../app-deps.ts';
import { invalidFields, readJson } from '../http/body.ts';
import { actorOf, maySee, requireOperator } from '../http/callers.ts';
import { within } from '../../ports/bounded.ts';
import { readIdempotencyKey, withoutUndefined } from './checkout-request.ts';
import {
  actorField,
  addressChangeField,
  customerMessageField,
  deadlineFields,
  oneDeadline,
  deadlineOf,
  dryRunField,
  paymentMethodField,
  optionalReasonField,
  optionalTextField,
  reasonField,
  reasonWith,
  refusePhone,
  resolveFields,
} from '../http/fields.ts';
import { actFingerprintOf, isFingerprintOf } from './order-identity.ts';
import { actBody, fromView, orderBody, type OrderBody } from './order-body.ts';
import { shownTo } from './outside-order.ts';
import type { OrderSummary, UpdateAnswer } from '../../ports/temporal.ts';
import { ApiProblem } from '../http/problems.ts';
import { readOrder, readOrderId, unknownOrder } from './read-order.ts';
import {
  addRoute,
  orderIdParameter,
  type App,
  type AppContext,
  type RouteDefinition,
} from '../http/route.ts';
import type { Act } from '../../domain/order-run.ts';

const reason = optionalReasonField.openapi({ description: 'Ends up in the audit trail.' });
const actor = actorField;
const customerMessage = customerMessageField;

const cancelBody = z
  .strictObject({ dryRun: dryRunField, reason, customerMessage, actor })
  .openapi('Cancel', { example: { reason: 'Ordered twice' } });
const paymentBody = z
  .strictObject({ paymentMethodId: paymentMethodField, dryRun: dryRunField, reason, customerMessage, actor })
  .openapi('PaymentUpdate', { example: { paymentMethodId: 'pm_card_visa' } });
const resolveBody = z
  .strictObject({
    ...resolveFields,
    reference: optionalTextField(255).openapi({ description: 'The provider’s id, for `mark-done`.' }),
    confirmDifferences: z.boolean().optional().openapi({
      description:
        'For `mark-done` of a label whose name, street or city differ from the order’s: it is the order’s all the same.',
    }),
    dryRun: dryRunField,
    reason,
    customerMessage,
    actor,
  })
  .openapi('Resolve', { example: { action: 'retry', reason: 'The carrier is back' } });
const approveBody = z
  .strictObject({ dryRun: dryRunField, reason: reasonField, customerMessage, actor })
  .openapi('Approve', { example: { reason: 'Known customer, checked by phone' } });
const extendBody = z
  .strictObject({ ...deadlineFields, dryRun: dryRunField, reason: reasonField, customerMessage, actor })
  .openapi('Extend', { ...oneDeadline, example: { minutes: 120, reason: 'The customer calls the bank' } });

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
        'Before shipping starts everything is rolled back in reverse order; after it 409. No body is needed.',
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
        read: async () => {
          const body = await readJson(c, addressChangeField);
          const errors = refusePhone(deps.settings.shipFrom, withoutUndefined(body));
          if (errors.length > 0)
            throw invalidFields(errors.map(({ field, reason }) => ({ field: `/${field}`, reason })));
          return body;
        },
        toAct: (
          { reason: why, customerMessage: _message, actor: _actor, dryRun: _dryRun, ...address },
          who,
        ) => ({
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
      description:
        'Operators only. `parked.actions` of the order names the allowed actions, `parked.needs` what it takes: `retry` ' +
        'tries again at once, `retry-with` with the changed `input`, `mark-done` believes the provider’s `reference`, ' +
        '`skip` goes on without the step, `cancel` takes the order back.',
      schema: resolveBody,
      operatorOnly: true,
    }),
    (c) =>
      handleAct(c, deps, {
        definition: resolveParked,
        operatorOnly: true,
        read: () => readJson(c, resolveBody),
        toAct: ({ action, input, reference, confirmDifferences, reason: why }, who) => ({
          ...who,
          reason: why ?? 'Resolved through the API',
          action,
          ...(input ? { input: withoutUndefined(input) } : {}),
          ...(reference === undefined ? {} : { reference }),
          ...(confirmDifferences === undefined ? {} : { confirmDifferences }),
        }),
      }),
  );
  addRoute(
    app,
    act({
      method: 'post',
      path: '/orders/{orderId}/approve',
      operationId: 'approveOrder',
      summary: 'Lets an order pass that waits for approval',
      description: 'Operators only. Resumes an order held as awaiting_approval; otherwise 409.',
      schema: approveBody,
      operatorOnly: true,
    }),
    (c) =>
      handleAct(c, deps, {
        definition: approveOrder,
        operatorOnly: true,
        read: () => readJson(c, approveBody),
        toAct: (body, who) => ({ ...who, reason: body.reason }),
      }),
  );
  addRoute(
    app,
    act({
      method: 'post',
      path: '/orders/{orderId}/extend',
      operationId: 'extendHold',
      summary: 'Gives a held order a later deadline',
      description:
        'Operators only. Either `untilUtc` or `minutes` from now; later than the present deadline and within the longest ' +
        'hold the policy allows.',
      schema: extendBody,
      operatorOnly: true,
    }),
    (c) =>
      handleAct(c, deps, {
        definition: extendHold,
        operatorOnly: true,
        read: () => readJson(c, extendBody),
        toAct: (body, who) => ({
          ...who,
          reason: body.reason,
          untilUtc: deadlineOf(body, deps.clock.nowUtc()),
        }),
      }),
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
      headers: z.object({
        'Idempotency-Key': z
          .string()
          .min(1)
          .max(255)
          .optional()
          .openapi({
            pattern: '^[ -~]+$',
            description:
              'Printable ASCII: the id of the act, scoped to the order. Repeated, it answers what has come of the act ' +
              'until then. Without it one is made and answered.',
          }),
      }),
      body: { required: bodyRequired, content: { 'application/json': { schema } } },
    },
    responses: {
      200: {
        description: 'Accepted: the order right after it. With `dryRun`: it would be; the order as it is.',
        content: { 'application/json': { schema: orderBody } },
      },
      202: {
        description:
          'Pending: `pending` of the order names the act. SQL is away and says later whether it still comes in time; a ' +
          'refusal is in the audit trail.',
        content: { 'application/json': { schema: orderBody } },
      },
    },
    problems: [
      'malformed-request',
      'idempotency-key',
      'forbidden',
      'unknown-order',
      'act-refused',
      'order-closed',
      'body-too-large',
      'unsupported-media-type',
      'invalid-fields',
      'idempotency-key-reused',
      'too-many-updates',
      'temporal-unavailable',
      'no-worker',
    ],
  };
}

interface ActBody {
  actor?: string | undefined;
  customerMessage?: string | undefined;
  dryRun?: true | undefined;
}

/** One kind of act: how its body is read and turned into the update's argument. */
interface ActKind<Body extends ActBody, Input extends Act> {
  definition: UpdateDefinition<OrderView, [Input]>;
  operatorOnly?: boolean;
  read(): Promise<Body>;
  toAct(body: Body, who: { actor: string }): Input;
}

/** Whether a fingerprint is that of the request at hand. */
type IsSame = (fingerprint: string) => boolean;

async function handleAct<Body extends ActBody, Input extends Act>(
  c: AppContext,
  deps: AppDeps,
  kind: ActKind<Body, Input>,
): Promise<Response> {
  const caller = c.get('caller');
  if (kind.operatorOnly) requireOperator(caller);
  const id = readOrderId(c.req.param('orderId'));
  const body = await kind.read();
  const { name } = kind.definition;
  const key = c.req.header('idempotency-key');
  const actId = key === undefined ? randomUUID() : readIdempotencyKey(key);
  const wanted = { callerId: caller.callerId, name, body };
  const fingerprint = actFingerprintOf(wanted, deps.settings);
  const isSame: IsSame = (before) => isFingerprintOf(before, wanted, deps.settings);
  const input: Input = { ...kind.toAct(body, { actor: actorOf(caller, body.actor) }), fingerprint };
  input.reason = reasonWith(input.reason, body.customerMessage);
  const summary = await requireSeen(c, deps, id);
  if (key !== undefined && !body.dryRun) {
    const earlier = await earlierAct(deps, id, actId);
    if (earlier) return answerRepeated(c, deps, { id, act: earlier, isSame });
  }
  requireOpen(id, summary);
  if (body.dryRun) return dryRunOf(c, deps, { id, name, input });
  const answer = await deps.workflows.update(id, kind.definition, input, { updateId: actId });
  if (key !== undefined) {
    const present = await presentAct(deps, id, answer, { actId, name, isSame });
    if (present) return answerRepeated(c, deps, { id, act: present, isSame });
  }
  switch (answer.status) {
    case 'accepted':
      return answerAct(
        c,
        shownTo(caller, fromView(answer.view, 'workflow')),
        answer.view.act ?? { actId, name, state: 'accepted' },
      );
    case 'refused':
      throw new ApiProblem('act-refused', {
        detail: refusalFor(caller, answer.reason),
        code: answer.code ?? 'act_refused',
        ...(answer.legalActs ? { legalActs: answer.legalActs } : {}),
      });
    case 'gone':
      throw await closedOrUnknown(c, deps, id);
    case 'limited':
      throw new ApiProblem('too-many-updates', {
        detail: `Order ${id} takes no more updates now${caller.role === 'operator' ? `: ${answer.reason}` : '.'}`,
      });
    case 'unanswered':
      throw new ApiProblem('no-worker', {
        detail: `No worker answered for order ${id} in time. The act may still take effect; read the order first.`,
      });
  }
}

/** The order's own validator, asked by a query. */
async function dryRunOf(
  c: AppContext,
  deps: AppDeps,
  { id, ...act }: { id: OrderId; name: string; input: Act },
): Promise<Response> {
  const refusal = await deps.workflows.refusal(id, act);
  if (refusal === undefined) {
    throw new ApiProblem('no-worker', {
      detail: `No worker could say whether order ${id} would take it. Nothing was done.`,
    });
  }
  const caller = c.get('caller');
  if (refusal !== null)
    throw new ApiProblem('act-refused', { detail: refusalFor(caller, refusal), code: 'act_refused' });
  return c.json(shownTo(caller, await readOrder(deps, caller, id)), 200, { 'cache-control': 'no-store' });
}

/** Who acted before is for operators. */
const refusalFor = (caller: ApiCaller, reason: string): string =>
  caller.role === 'operator' ? reason : outsideRefusal(reason);

/** An act that SQL still has to answer may yet be refused, which a repeat and the audit trail say. */
const answerAct = (c: AppContext, order: OrderBody, act: ActView): Response =>
  c.json(
    { ...order, act: actBody({ ...act, ...reasonFor(c.get('caller'), act) }) },
    act.state === 'pending' ? 202 : 200,
    {
      'cache-control': 'no-store',
      'Idempotency-Key': act.actId,
    },
  );

const reasonFor = (caller: ApiCaller, { reason }: ActView): { reason?: string } =>
  reason === undefined ? {} : { reason: refusalFor(caller, reason) };

/**
 * What is known of a keyed act after its update. Temporal answers the id of an update that it knows with what it stored
 * for it, however long ago: so the act is read anew. One that was accepted and that neither its run nor SQL can tell of at
 * this moment is pending. Undefined for a refusal, which `answer` tells with what would be taken.
 */
async function presentAct(
  deps: AppDeps,
  id: OrderId,
  answer: UpdateAnswer,
  { isSame, ...named }: Pick<ActView, 'actId' | 'name'> & { isSame: IsSame },
): Promise<ActView | undefined> {
  const known = await earlierAct(deps, id, named.actId);
  const stored =
    answer.status === 'accepted' ? (answer.view.act ?? { ...named, state: 'pending' }) : undefined;
  const told = known ?? stored;
  if (told) requireSameRequest(told, isSame);
  if (!known) return stored && { ...named, state: 'pending' };
  return answer.status === 'refused' && known.state === 'refused' ? undefined : known;
}

/** What is known of an act: its run tells, and SQL once the run is gone. */
async function earlierAct(deps: AppDeps, id: OrderId, actId: string): Promise<ActView | undefined> {
  const told = await deps.workflows.act(id, actId);
  if (told?.state === 'pending' || told?.state === 'refused') return told;
  const kept = await storedAct(deps, id, actId);
  return kept ?? told;
}

/** Undefined as well while the store does not answer: the update's id keeps a repeat from being another act. */
async function storedAct(deps: AppDeps, id: OrderId, actId: string): Promise<ActView | undefined> {
  try {
    const acts = await within(500, 'store', () => deps.store.read.acts(id));
    return acts.find((act) => act.actId === actId);
  } catch (error) {
    deps.logger.warn({ err: error, orderId: id }, 'The store did not answer what has come of an act');
    return undefined;
  }
}

async function answerRepeated(
  c: AppContext,
  deps: AppDeps,
  { id, act, isSame }: { id: OrderId; act: ActView; isSame: IsSame },
): Promise<Response> {
  requireSameRequest(act, isSame);
  if (act.state === 'refused')
    throw new ApiProblem('act-refused', {
      detail: refusalFor(c.get('caller'), act.reason ?? 'The act was refused.'),
      code: 'act_refused',
    });
  const caller = c.get('caller');
  return answerAct(c, shownTo(caller, await readOrder(deps, caller, id)), act);
}

/** Signals and acts from before requests were told apart have no fingerprint. */
function requireSameRequest({ actId, fingerprint }: ActView, isSame: IsSame): void {
  if (fingerprint === undefined || isSame(fingerprint)) return;
  throw new ApiProblem('idempotency-key-reused', {
    detail: `This Idempotency-Key belongs to act ${actId} of the order, which was asked for with another body.`,
  });
}

/** Temporal's description says whose order it is and whether it is still open, without a worker. */
async function requireSeen(c: AppContext, deps: AppDeps, id: OrderId): Promise<OrderSummary> {
  const summary = await deps.workflows.describe(id);
  if (!summary) throw await closedOrUnknown(c, deps, id);
  if (!maySee(c.get('caller'), summary.memo.callerId)) throw unknownOrder(id);
  return summary;
}

function requireOpen(id: OrderId, { running, status }: OrderSummary): void {
  if (!running) throw orderClosed(id, status);
}

/** An order that Temporal has forgotten may still be in the store; then it has ended. */
async function closedOrUnknown(c: AppContext, deps: AppDeps, id: OrderId): Promise<ApiProblem> {
  const order = await readOrder(deps, c.get('caller'), id);
  return orderClosed(id, order.status);
}

const orderClosed = (id: OrderId, status: OrderStatus): ApiProblem =>
  isEnded(status)
    ? new ApiProblem('order-closed', { detail: `Order ${id} has ended: ${status}.`, code: 'order_closed' })
    : new ApiProblem('act-refused', {
        detail: `Order ${id} is ${status} and has lost its run: an operator restarts or compensates it first (/cases).`,
        code: 'run_lost',
      });
