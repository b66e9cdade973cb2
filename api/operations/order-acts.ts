import { createHash } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { orderId } from '../../domain/ids.ts';
import {
  defaultActsPerSecond,
  refuseInBulk,
  type BulkOrderAct,
  type BulkOrderProgress,
  type OrderAct,
  type OrderActRefusal,
} from '../../domain/order-acts.ts';
import { updateOf } from '../../workflows/order-act-messages.ts';
import type { AppDeps } from '../app-deps.ts';
import { invalidFields, readJson } from '../http/body.ts';
import { actorOf, requireOperator } from '../http/callers.ts';
import { readIdempotencyKey, withoutUndefined } from '../orders/checkout-request.ts';
import { deadlineOf, reasonWith } from '../http/fields.ts';
import { bulkBody, bulkDryRunBody, bulkProgressBody, type BulkBody } from './order-act-bodies.ts';
import { runLost } from './lost-bulk-runs.ts';
import { fromSummary } from '../orders/order-body.ts';
import { actIdFor, isOrderId } from '../orders/order-identity.ts';
import { amongstOf, filterOf } from '../orders/order-where.ts';
import { type OrderSummary, NoWorker, RunClosed } from '../../ports/temporal.ts';
import { ApiProblem } from '../http/problems.ts';
import { addRoute, type App, type AppContext } from '../http/route.ts';

/** Orders of a dry run that are shown and asked. */
const DRY_RUN_ORDERS = 20;

const noStore = { 'cache-control': 'no-store' };
const json = (schema: z.ZodType) => ({ content: { 'application/json': { schema } } });
const actIdParameter = z.object({ actId: z.string().openapi({ format: 'uuid' }) });
const common = { tag: 'Orders', produces: 'application/json' } as const;
const progressProblems = [
  'forbidden',
  'unknown-order-act',
  'act-run-lost',
  'temporal-unavailable',
  'no-worker',
] as const;

/** /order-acts: one act on many orders, by a workflow. Operators only. */
export function addOrderActs(app: App, deps: AppDeps): void {
  addRoute(
    app,
    {
      ...common,
      method: 'post',
      path: '/order-acts',
      operationId: 'actOnOrders',
      summary: 'Acts on many orders, or says what that would do',
      description:
        'Open orders placed until now for which all conditions hold, at most `ratePerSecond` a second, by a workflow ' +
        'that survives restarts. Every order decides by its own rules; the report says which refused and ' +
        'why. The same Idempotency-Key and body again: the same act.',
      request: {
        headers: z.object({
          'Idempotency-Key': z.string().min(1).max(255).optional().openapi({
            pattern: '^[ -~]+$',
            description: 'Printable ASCII, scoped to the caller; without it every request is an act.',
          }),
        }),
        body: { required: true, ...json(bulkBody) },
      },
      responses: {
        200: { description: 'What a dry run found.', ...json(bulkDryRunBody) },
        202: { description: 'Accepted; `links.self` tells how far it is.', ...json(bulkProgressBody) },
      },
      problems: [
        'malformed-request',
        'idempotency-key',
        'forbidden',
        'body-too-large',
        'unsupported-media-type',
        'invalid-fields',
        'idempotency-key-reused',
        'temporal-unavailable',
      ],
    },
    async (c) => {
      requireOperator(c.get('caller'));
      const body = await readJson(c, bulkBody);
      const bulk = await bulkOf(c, deps, body);
      const refusal = refuseInBulk(bulk.act);
      if (refusal) throw invalidFields([{ field: `/act/${refusal.field}`, reason: refusal.reason }]);
      return body.dryRun ? c.json(await dryRun(deps, bulk), 200, noStore) : begin(c, deps, bulk, body);
    },
  );
  addRoute(
    app,
    {
      ...common,
      method: 'get',
      path: '/order-acts/{actId}',
      operationId: 'getOrderAct',
      summary: 'How far an act on many orders has come, and its report',
      description: 'Counts by result, and each order that refused with its reason.',
      request: { params: actIdParameter },
      responses: { 200: { description: 'Its progress.', ...json(bulkProgressBody) } },
      problems: progressProblems,
    },
    async (c) => {
      requireOperator(c.get('caller'));
      return c.json(withLinks(await progress(deps, c.req.param('actId') ?? '')), 200, noStore);
    },
  );
  addRoute(
    app,
    {
      ...common,
      method: 'post',
      path: '/order-acts/{actId}/cancel',
      operationId: 'cancelOrderAct',
      summary: 'Stops an act on many orders after those at hand',
      description: 'What was done stays done; no further order is acted on.',
      request: { params: actIdParameter },
      responses: { 202: { description: 'Accepted.', ...json(bulkProgressBody) } },
      problems: progressProblems,
    },
    async (c) => {
      requireOperator(c.get('caller'));
      const actId = c.req.param('actId') ?? '';
      await deps.orderActs.cancel(actId);
      return c.json(withLinks(await progress(deps, actId)), 202, noStore);
    },
  );
}

async function bulkOf(c: AppContext, deps: AppDeps, body: BulkBody): Promise<BulkOrderAct> {
  const caller = c.get('caller');
  const key = c.req.header('idempotency-key');
  return {
    actId:
      key === undefined
        ? crypto.randomUUID()
        : actIdFor({ callerId: caller.callerId, idempotencyKey: readIdempotencyKey(key) }),
    act: actOf(body, deps.clock.nowUtc()),
    choice: await choiceOf(deps, body),
    ratePerSecond: body.ratePerSecond ?? defaultActsPerSecond,
    actor: actorOf(caller, body.actor),
    reason: reasonWith(body.reason, body.customerMessage),
  };
}

function actOf({ act }: BulkBody, nowUtc: string): OrderAct {
  switch (act.kind) {
    case 'resolve':
      return {
        kind: 'resolve',
        action: act.action,
        ...(act.input ? { input: withoutUndefined(act.input) } : {}),
      };
    case 'extend':
      return { kind: 'extend', untilUtc: deadlineOf(act, nowUtc, '/act') };
    case 'cancel':
    case 'approve':
      return { kind: act.kind };
  }
}

/** The cutoff is now: what is placed later is never taken. */
async function choiceOf(deps: AppDeps, { where }: BulkBody): Promise<BulkOrderAct['choice']> {
  const { orderIds, ...conditions } = where;
  const narrowed = Object.keys(conditions).length > 0;
  if (narrowed === (orderIds !== undefined)) {
    const reason = 'expected either conditions (at least one) or orderIds';
    throw invalidFields([{ field: '/where', reason }]);
  }
  if (orderIds) return { orderIds: [...new Set(orderIds)].map(orderId) };
  const nowUtc = deps.clock.nowUtc();
  const filter = filterOf(conditions, { nowUtc, keys: deps.settings });
  return { filter: { startedBeforeUtc: nowUtc, ...filter, ...(await amongstOf(deps, conditions)) } };
}

async function begin(c: AppContext, deps: AppDeps, bulk: BulkOrderAct, body: BulkBody): Promise<Response> {
  const fingerprint = createHash('sha256').update(JSON.stringify(body)).digest('hex');
  const started = await deps.orderActs.start(bulk, fingerprint);
  if (started === 'conflict') {
    throw new ApiProblem('idempotency-key-reused', {
      detail: `This Idempotency-Key belongs to act ${bulk.actId}, which was asked for with another body.`,
    });
  }
  const begun = {
    actId: bulk.actId,
    act: bulk.act.kind,
    status: 'running' as const,
    accepted: 0,
    refused: 0,
    gone: 0,
    unanswered: 0,
    refusals: [],
  };
  const answer = withLinks(begun);
  return c.json(answer, 202, { ...noStore, location: answer.links.self });
}

/** Asks the newest orders by their own validator; those that do not answer are left out of `checked`. */
async function dryRun(deps: AppDeps, bulk: BulkOrderAct) {
  const { choice } = bulk;
  const scope = { ...('filter' in choice ? choice.filter : choice), open: true };
  const [count, { orders }] = await Promise.all([
    deps.workflows.count(scope),
    deps.workflows.list({ ...scope, pageSize: DRY_RUN_ORDERS }),
  ]);
  const answers = await Promise.all(orders.map((order) => mayAct(deps, bulk, order)));
  return {
    dryRun: true,
    count,
    orders: orders.map(fromSummary),
    checked: answers.filter((answer) => answer !== 'unanswered').length,
    refused: answers.filter((answer) => typeof answer === 'object'),
  };
}

async function mayAct(
  deps: AppDeps,
  bulk: BulkOrderAct,
  { orderId: id }: OrderSummary,
): Promise<OrderActRefusal | 'accepted' | 'unanswered'> {
  const { definition, input } = updateOf(bulk.act, bulk);
  const reason = await deps.workflows.refusal(id, { name: definition.name, input });
  if (reason === undefined) return 'unanswered';
  return reason === null ? 'accepted' : { orderId: id, reason };
}

async function progress(deps: AppDeps, actId: string): Promise<BulkOrderProgress> {
  const unknown = () => new ApiProblem('unknown-order-act', { detail: `There is no act ${shown(actId)}.` });
  if (!isOrderId(actId)) throw unknown();
  try {
    const found = await deps.orderActs.progress(actId);
    if (found) return found;
  } catch (error) {
    if (error instanceof RunClosed) throw runLost(error);
    if (!(error instanceof NoWorker)) throw error;
    throw new ApiProblem('no-worker', { detail: `No worker answered for act ${actId}.` });
  }
  throw unknown();
}

const shown = (id: string): string => id.slice(0, 64).replaceAll(/[^\w.-]/g, '?');

const withLinks = <Progress extends { actId: string }>(facts: Progress) => ({
  ...facts,
  links: { self: `/order-acts/${facts.actId}` },
});
