import { randomBytes } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import type { OrderId } from '../../domain/ids.ts';
import { isEnded, orderStatuses, stepNames, type Checkout, type OrderView } from '../../domain/order.ts';
import { isSameRequest } from '../../domain/placed-request.ts';
import { isStoreBehind, lackingIn, storeBehind } from '../../domain/recovery.ts';
import type { UnrecordedOrder } from '../../ports/store/upkeep.ts';
import type { FulfillOrder } from '../../domain/order-run.ts';
import type { AppDeps } from '../app-deps.ts';
import { readJson } from '../http/body.ts';
import { actorOf, requireOperator } from '../http/callers.ts';
import { refusedCase as refused, takeNote } from './case-notes.ts';
import { memoOf } from '../orders/checkout.ts';
import { actorField, customerMessageField, dryRunField, reasonField, reasonWith } from '../http/fields.ts';
import { isLost, mayStartAgain, unrecordedText } from '../../domain/lost-run.ts';
import { linksBody, linksOf } from '../orders/order-body.ts';
import { customerHashOf, fingerprintOf } from '../orders/order-identity.ts';
import { ApiProblem } from '../http/problems.ts';
import { readOrderId, unknownOrder } from '../orders/read-order.ts';
import { readStore, storeUnavailable } from '../http/read-store.ts';
import { addRoute, orderIdParameter, type App, type AppContext } from '../http/route.ts';
import type { OrderActRow, OrderRow } from '../../ports/store/orders.ts';

const MOST_CASES = 500;
const acts = ['restart', 'compensate'] as const;
const allActs = [...acts, 'take-note'] as const;
type CaseAct = (typeof acts)[number];

const json = (schema: z.ZodType) => ({ content: { 'application/json': { schema } } });
const noStore = { 'cache-control': 'no-store' };

const exampleId = '0b9d1f6e-2a43-5c1c-8e7f-6f1f1d6f0a11' as OrderId;

const casesBody = z
  .object({
    cases: z.array(
      z.object({
        orderId: z.string(),
        status: z.enum(orderStatuses),
        step: z.enum(stepNames),
        sinceUtc: z.string().openapi({ format: 'date-time', description: 'When it was found.' }),
        failure: z.string().openapi({ description: 'How Temporal closed the run.' }),
        acts: z.array(z.enum(allActs)).openapi({
          description:
            'A label that is bought has no way back: then only `restart`. Where SQL is behind: only `take-note`.',
        }),
        links: linksBody,
      }),
    ),
  })
  .openapi('Cases', {
    example: {
      cases: [
        {
          orderId: exampleId,
          status: 'payment_processed',
          step: 'fulfillment',
          sinceUtc: '2026-01-02T03:04:05.678Z',
          failure: 'Temporal closed run 0193 (TERMINATED) while the order was open; nothing was taken back',
          acts: [...acts],
          links: linksOf(exampleId),
        },
      ],
    },
  });

/** The house's own: nobody outside is told of these acts. */
const actBody = z
  .strictObject({ dryRun: dryRunField, reason: reasonField, actor: actorField })
  .openapi('CaseAct', { example: { reason: 'Terminated by mistake' } });

/** Of the acts on a case the customer is told of this one alone. */
const compensateBody = z
  .strictObject({
    dryRun: dryRunField,
    reason: reasonField,
    customerMessage: customerMessageField,
    actor: actorField,
  })
  .openapi('CaseCompensation', { example: { reason: 'Terminated by mistake; the customer gave up' } });

const bodies = { restart: actBody, compensate: compensateBody };

const startedBody = z
  .object({
    orderId: z.string(),
    act: z.enum(allActs),
    dryRun: z.literal(true).optional().openapi({ description: 'Nothing was done; it would be.' }),
    links: linksBody,
  })
  .openapi('CaseStarted', {
    example: { orderId: exampleId, act: 'restart', links: linksOf(exampleId) },
  });

/** /cases: orders that are open while Temporal has closed their run, and the two safe acts on one. Operators only. */
export function addCases(app: App, deps: AppDeps): void {
  addRoute(
    app,
    {
      method: 'get',
      path: '/cases',
      operationId: 'listCases',
      tag: 'Orders',
      summary: 'Orders that are open while Temporal has closed their run',
      description:
        'A run that is terminated, times out or fails compensates nothing. A sweep finds such orders; they are told as ' +
        `parked (order.parked.v1, activity \`run\`). At most ${MOST_CASES}, oldest order first; then as many that Temporal ` +
        'knows and SQL does not, by id.',
      produces: 'application/json',
      responses: { 200: { description: 'The cases.', ...json(casesBody) } },
      problems: ['forbidden', 'store-unavailable'],
    },
    async (c) => {
      requireOperator(c.get('caller'));
      const [found, unrecorded] = await readStore(deps, ({ cases, unrecordedOrders }) =>
        Promise.all([cases({ limit: MOST_CASES }), unrecordedOrders({ after: '', limit: MOST_CASES })]),
      );
      return c.json({ cases: [...found.map(caseOf), ...unrecorded.map(unrecordedCaseOf)] }, 200, noStore);
    },
  );
  addAct(app, deps, {
    act: 'restart',
    summary: 'Starts the saga of an order again that has lost its run',
    description:
      'It goes through the same steps under the same operation keys: what was done answers with what is stored, ' +
      'nothing is charged or shipped twice, and the order goes on from where it was. An order that was being taken ' +
      'back goes on with that.',
  });
  addTakeNote(app, deps);
  addAct(app, deps, {
    act: 'compensate',
    summary: 'Takes an order back that has lost its run',
    description:
      'Every compensation runs, a no-op where nothing had happened; the order ends as cancelled. 409 once the label is ' +
      'bought: then only `restart`.',
  });
}

const caseOf = ({ orderId, status, step, parked, shipment, updatedAtUtc }: OrderView) => ({
  orderId,
  status,
  step,
  sinceUtc: parked?.sinceUtc ?? updatedAtUtc,
  failure: parked?.failure ?? '',
  acts: parked?.failureType === storeBehind ? onlyNote : shipment ? (['restart'] as const) : acts,
  links: linksOf(orderId),
});

const onlyNote = ['take-note'] as const;

const unrecordedCaseOf = (order: UnrecordedOrder) => ({
  orderId: order.orderId,
  status: order.status,
  step: 'receive',
  sinceUtc: order.foundAtUtc,
  failure: unrecordedText(order),
  acts: mayStartAgain(order) ? acts : order.closedAs ? onlyNote : [],
  links: linksOf(order.orderId),
});

function addAct(
  app: App,
  deps: AppDeps,
  { act, summary, description }: { act: CaseAct; summary: string; description: string },
): void {
  addRoute(
    app,
    {
      method: 'post',
      path: `/cases/{orderId}/${act}`,
      operationId: `${act}Case`,
      tag: 'Orders',
      summary,
      description: `${description} Of several at once one wins; the others get 409.`,
      produces: 'application/json',
      request: { params: orderIdParameter, body: { required: true, ...json(bodies[act]) } },
      responses: {
        200: { description: 'What a dry run found: it would start.', ...json(startedBody) },
        202: { description: 'The saga has started.', ...json(startedBody) },
      },
      problems: [
        'malformed-request',
        'forbidden',
        'unknown-order',
        'act-refused',
        'order-closed',
        'body-too-large',
        'unsupported-media-type',
        'invalid-fields',
        'store-unavailable',
        'temporal-unavailable',
      ],
    },
    async (c) => {
      const caller = c.get('caller');
      requireOperator(caller);
      const id = readOrderId(c.req.param('orderId'));
      const body = await readJson(c, bodies[act]);
      const { actor, dryRun } = body;
      const reason = reasonWith(body.reason, 'customerMessage' in body ? body.customerMessage : undefined);
      return startAgain(c, deps, { id, act, dryRun, reason, actor: actorOf(caller, actor) });
    },
  );
}

function addTakeNote(app: App, deps: AppDeps): void {
  addRoute(
    app,
    {
      method: 'post',
      path: '/cases/{orderId}/take-note',
      operationId: 'takeNoteOfCase',
      tag: 'Orders',
      summary: 'Takes note of a case on which no other act is safe',
      description:
        'SQL knows less of the order than its closed run did, as after a backup was put back. The case leaves the list and ' +
        'the alert; an audit row says who looked. Nothing else is changed. 409 where a case has other acts, or there is none.',
      produces: 'application/json',
      request: { params: orderIdParameter, body: { required: true, ...json(actBody) } },
      responses: { 200: { description: 'It is noted.', ...json(startedBody) } },
      problems: [
        'malformed-request',
        'forbidden',
        'unknown-order',
        'act-refused',
        'body-too-large',
        'unsupported-media-type',
        'invalid-fields',
        'store-unavailable',
      ],
    },
    async (c) => {
      const caller = c.get('caller');
      requireOperator(caller);
      const orderId = readOrderId(c.req.param('orderId'));
      const { reason, actor, dryRun } = await readJson(c, actBody);
      await takeNote(deps, { orderId, dryRun, reason, actor: actorOf(caller, actor) });
      const body = { orderId, act: 'take-note', ...(dryRun ? { dryRun } : {}), links: linksOf(orderId) };
      return c.json(body, 200, noStore);
    },
  );
}

interface Asked {
  id: OrderId;
  act: CaseAct;
  dryRun: true | undefined;
  actor: string;
  reason: string;
}

async function startAgain(
  c: AppContext,
  deps: AppDeps,
  { id, act, dryRun, ...who }: Asked,
): Promise<Response> {
  const { runs, settings } = deps;
  const { order, acts = [] } = (await readRow(deps, id)) ?? {};
  if (order) refuse(order, act);
  const run = await runs.last(id);
  if (run && !run.closedAs) throw refused(id, 'its run is open: act on the order itself');
  if (order && run && isStoreBehind(order.status, run)) {
    throw refused(id, `SQL is behind: its run had come to ${run.orderStatus}, SQL only to ${order.status}`);
  }
  const lacking = order && run && (await lackingOf(deps, id, run.runId));
  if (lacking) throw refused(id, `SQL is behind: its run ${lacking}, of which SQL knows nothing`);
  const last = await runs.input(id);
  const input = last && isInputOf(last, order, acts) ? last : order && inputOf(order, deps);
  if (!input || (!order && !isLost(run ?? {}))) throw unknownOrder(id);
  const described = { closedAs: run?.closedAs, status: run?.orderStatus };
  if (!order && !mayStartAgain(described)) throw refused(id, unrecordedText(described));
  const { checkout, fingerprint = fingerprintOf(checkout) } = input;
  if (dryRun) return c.json({ orderId: id, act, dryRun, links: linksOf(id) }, 200, noStore);
  const accepted = await acceptedBy(deps, id, run && input === last ? run.runId : undefined);
  const started = await runs.startAgain({
    input: {
      ...input,
      recovered: { ...who, ...accepted, ...(act === 'compensate' ? { takeBack: true } : {}) },
    },
    memo: memoOf(checkout, order?.fingerprint || fingerprint),
    customerHash: customerHashOf(checkout.customerId, settings.customerHashKey),
  });
  if (started === 'running') throw refused(id, 'somebody else has just started it again');
  return c.json({ orderId: id, act, links: linksOf(id) }, 202, noStore);
}

function refuse({ orderId, status, detail }: OrderRow, act: CaseAct): void {
  if (isEnded(status)) {
    throw new ApiProblem('order-closed', {
      detail: `Order ${orderId} has ended: ${status}.`,
      code: 'order_closed',
    });
  }
  if (act === 'compensate' && detail.shipment) {
    throw refused(orderId, 'its label is bought, so it only goes forward: restart it');
  }
}

/** The last run may have been started for another request under the order's key; then SQL says what the order is. */
const isInputOf = (
  { checkout, fingerprint = fingerprintOf(checkout) }: FulfillOrder,
  order: OrderRow | undefined,
  acts: readonly OrderActRow[],
): boolean =>
  !order ||
  isSameRequest(
    order,
    acts.map(({ kind }) => kind),
    { checkout, fingerprint },
  );

/** A run that was started for another request has accepted nothing for the order; the history of its own is gone. */
async function acceptedBy(
  { runs }: AppDeps,
  id: OrderId,
  runId: string | undefined,
): Promise<Pick<NonNullable<FulfillOrder['recovered']>, 'acts' | 'historyGone'>> {
  const acts = runId === undefined ? undefined : await runs.acts(id, runId);
  return acts ? { acts } : { acts: [], historyGone: true };
}

async function readRow(
  deps: AppDeps,
  id: OrderId,
): Promise<{ order: OrderRow; acts: OrderActRow[] } | undefined> {
  try {
    return await deps.store.transaction(async (tx) => {
      const order = await tx.orders.find(id);
      return order && { order, acts: await tx.orderActs.list(id) };
    });
  } catch (error) {
    throw storeUnavailable(deps, error);
  }
}

/** What the closed run had done that SQL knows nothing of. */
async function lackingOf(deps: AppDeps, id: OrderId, runId: string): Promise<string | undefined> {
  const effects = await deps.runs.effects(id, runId);
  if (!effects.charged && !effects.labelBought) return undefined;
  try {
    return await deps.store.transaction(async (tx) =>
      lackingIn({ payments: await tx.payments.list(id), shipments: await tx.shipments.list(id) }, effects),
    );
  } catch (error) {
    throw storeUnavailable(deps, error);
  }
}

/** What the order was started with, as far as SQL has it; enough, since the order is recorded and priced. */
function inputOf(order: OrderRow, { settings }: AppDeps): FulfillOrder {
  const { orderId, callerId, customerId, customerEmail, items, paymentMethodId, shippingAddress } = order;
  const { riskMark } = order.detail.decided ?? {};
  const checkout: Checkout = {
    orderId,
    callerId,
    customerId,
    customerEmail,
    items,
    paymentMethodId,
    shippingAddress,
    currency: order.currency,
    ...(riskMark === undefined ? {} : { riskMark }),
  };
  const traceparent = `00-${order.traceId}-${randomBytes(8).toString('hex')}-01`;
  return {
    checkout,
    policy: settings.policy,
    taskQueues: settings.taskQueues,
    traceparent,
    ...(order.fingerprint ? { fingerprint: order.fingerprint } : {}),
  };
}
