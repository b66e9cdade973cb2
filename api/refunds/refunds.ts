import { z } from '@hono/zod-openapi';
import { parseAmount, type Money } from '../../domain/money.ts';
import type { OrderView } from '../../domain/order.ts';
import { checkPaidOtherwise, owedOf } from '../../domain/owed.ts';
import { outsideActor, outsideReason } from '../../domain/outside-words.ts';
import {
  chargedMoney,
  disputeStates,
  checkRefund,
  refundableMinor,
  refundStates,
  refuseSameAmount,
  type Dispute,
  type Refund,
  type RefundRefusal,
  type RequestRefund,
} from '../../domain/refunds.ts';
import type { StoredMoney } from '../../ports/store/money.ts';
import type { ApiCaller, AppDeps } from '../app-deps.ts';
import { invalidFields, readJson } from '../http/body.ts';
import { actorOf, requireOperator } from '../http/callers.ts';
import { readIdempotencyKey } from '../orders/checkout-request.ts';
import {
  actorField,
  customerMessageField,
  dryRunField,
  moneyBody,
  moneyField,
  nullable,
  reasonField,
  reasonWith,
  type MoneyBody,
} from '../http/fields.ts';
import { refundFingerprintOf, refundIdFor } from '../orders/order-identity.ts';
import { moneyNowBody, moneyNowBodyOf, moneyNowOf, shownPlace } from './money-now-body.ts';
import { owedBodies, owedBody } from './owed-body.ts';
import { ApiProblem } from '../http/problems.ts';
import { readOrderId, requireOrder, unknownOrder } from '../orders/read-order.ts';
import { readStore } from '../http/read-store.ts';
import { addRoute, orderIdParameter, type App, type AppContext } from '../http/route.ts';

/** A refund is waited for so long before it is answered with 202. */
const WAIT_MS = 3_000;

const utcTime = z.string().openapi({ format: 'date-time', example: '2026-01-02T03:04:05.678Z' });
const amount = moneyField;

const refundRequest = z
  .strictObject({
    amount: amount.optional().openapi({ description: 'Default: all that is left.' }),
    paidOtherwise: z
      .literal(true)
      .optional()
      .openapi({
        description:
          'Nothing is sent to the payment provider: the customer was paid past it, for example by bank transfer, which ' +
          '`reason` names. Only of what is owed and needs a person; default: all of that.',
      }),
    confirmSameAmount: z
      .literal(true)
      .optional()
      .openapi({
        description:
          'The same amount of this order was refunded within 24 hours, and is to go back once more. Without it: 409 ' +
          '`same-amount-refunded`.',
      }),
    dryRun: dryRunField,
    reason: reasonField,
    customerMessage: customerMessageField,
    actor: actorField,
  })
  .openapi('RefundRequest', {
    example: { amount: { amount: '500.00', currency: 'INR' }, reason: 'One key was stuck' },
  });

const exampleRefund = {
  orderId: '0b9d1f6e-2a43-5c1c-8e7f-6f1f1d6f0a11',
  refundId: '7c1e5a2b90d34f6f8a11c2d3e4f50617',
  state: 'refunded' as const,
  amount: { amount: '500.00', currency: 'INR' as const },
  reason: 'One key was stuck',
  actor: 'help-desk',
  requestedAtUtc: '2026-01-02T03:04:05.678Z',
  settledAtUtc: '2026-01-02T03:04:06.123Z',
  providerRefundId: 're_3PqExample',
  links: { refunds: '/orders/0b9d1f6e-2a43-5c1c-8e7f-6f1f1d6f0a11/refunds' },
};

const exampleDispute = {
  disputeId: 'du_1PqExample',
  state: 'won' as const,
  amount: { amount: '1499.00', currency: 'INR' as const },
  reason: 'fraudulent',
  openedAtUtc: '2026-01-02T03:04:05.000Z',
  updatedAtUtc: '2026-01-09T03:04:05.678Z',
};

const refundBody = z
  .object({
    orderId: z.string(),
    refundId: z.string(),
    state: z.enum(refundStates).openapi({
      description:
        '`owed`: of an order that was taken back, until the dispute about its charge is over. `requested`: reserved, the ' +
        'provider has not answered for it yet; it is tried without end. `pending`: on its way. `failed`: nothing of it ' +
        'went back; a new refund may be asked for. `canceled`: nothing of it was left to give back. `paid_otherwise`: ' +
        'an operator says so.',
    }),
    amount: amount.optional().openapi({ description: 'Absent only while nobody has counted what is left.' }),
    reason: z.string(),
    actor: z.string(),
    requestedAtUtc: utcTime.optional(),
    settledAtUtc: utcTime.optional(),
    providerRefundId: z.string().optional(),
    failure: z.string().optional(),
    dryRun: z.literal(true).optional().openapi({ description: 'Nothing was asked for; this would be.' }),
    links: z.object({ refunds: z.string() }),
  })
  .openapi('Refund', { example: exampleRefund });

const disputeBody = z
  .object({
    disputeId: z.string(),
    state: z.enum(disputeStates),
    amount,
    reason: z.string(),
    openedAtUtc: utcTime,
    updatedAtUtc: utcTime,
    respondByUtc: utcTime.optional().openapi({ description: 'Until then the bank can be answered.' }),
  })
  .openapi('Dispute', { example: exampleDispute });

const refundsBody = z
  .object({
    orderId: z.string(),
    charged: nullable(amount).openapi({ description: 'null when nothing was charged.' }),
    left: nullable(amount).openapi({
      description: 'What can be refunded now: nothing of a charge that a bank holds.',
    }),
    money: moneyNowBody,
    owed: z.array(owedBody),
    refunds: z.array(refundBody),
    disputes: z.array(disputeBody),
  })
  .openapi('Refunds', {
    example: {
      orderId: exampleRefund.orderId,
      charged: { amount: '1499.00', currency: 'INR' },
      left: { amount: '999.00', currency: 'INR' },
      money: {
        act: 'refund',
        text: '999.00 INR can be refunded.',
        refundable: { amount: '999.00', currency: 'INR' },
      },
      owed: [],
      refunds: [exampleRefund],
      disputes: [exampleDispute],
    },
  });

const json = (schema: z.ZodType) => ({ content: { 'application/json': { schema } } });
const noStore = { 'cache-control': 'no-store' };

/** POST and GET /orders/{orderId}/refunds. */
export function addRefunds(app: App, deps: AppDeps): void {
  addRoute(
    app,
    {
      method: 'post',
      path: '/orders/{orderId}/refunds',
      operationId: 'refundOrder',
      tag: 'Orders',
      summary: 'Gives back what the order was charged, or a part of it',
      description:
        'Operators only; also after the order has shipped. The same Idempotency-Key refunds an order once, for good; ' +
        'with another body 422. Refused with 409 and a `code`: `nothing_charged`, `nothing_left`, `amount_too_large`, ' +
        '`other_currency`, `compensating` (the order is being taken back), `cancel_instead` (all of an order that has ' +
        'not shipped), `being_shipped` (all of an order whose label is being bought), `run_lost` (all of an order ' +
        'whose run was closed), `disputed` (the customer’s bank has the money), `changed_since` (another refund was asked for since this ' +
        'key was refused). The amount of a refund within the last 24 hours is refused with a problem of its own, ' +
        '`same-amount-refunded`, until the request says `confirmSameAmount`. A refusal is not kept: repeated later, the ' +
        'request is judged anew.',
      produces: 'application/json',
      request: {
        params: orderIdParameter,
        headers: z.object({
          'Idempotency-Key': z.string().min(1).max(255).openapi({
            pattern: '^[ -~]+$',
            description: 'Printable ASCII; one for each refund of the order, whoever asks.',
            example: 'ticket-4711',
          }),
        }),
        body: { required: true, ...json(refundRequest) },
      },
      responses: {
        200: { description: 'The provider has answered; `state` says what came of it.', ...json(refundBody) },
        202: { description: 'Taken; it goes on by itself.', ...json(refundBody) },
      },
      problems: [
        'malformed-request',
        'idempotency-key',
        'forbidden',
        'unknown-order',
        'act-refused',
        'same-amount-refunded',
        'body-too-large',
        'unsupported-media-type',
        'invalid-fields',
        'idempotency-key-reused',
        'temporal-unavailable',
      ],
    },
    (c) => postRefund(c, deps),
  );
  addRoute(
    app,
    {
      method: 'get',
      path: '/orders/{orderId}/refunds',
      operationId: 'listRefunds',
      tag: 'Orders',
      summary: 'What was charged, refunded and disputed',
      description: 'From the store, as the provider has last told it.',
      produces: 'application/json',
      request: { params: orderIdParameter },
      responses: { 200: { description: 'The order’s money.', ...json(refundsBody) } },
      problems: ['unknown-order', 'store-unavailable', 'temporal-unavailable'],
    },
    async (c) => {
      const orderId = readOrderId(c.req.param('orderId'));
      await requireOrder(deps, c.get('caller'), orderId);
      const [money, order] = await readStore(deps, (read) =>
        Promise.all([read.money(orderId), read.order(orderId)]),
      );
      if (!money || !order) throw unknownOrder(orderId);
      const owed = owedBodies(order.status, money);
      const now = moneyNowOf(orderId, order, { money, nowUtc: deps.clock.nowUtc() });
      const answer = { orderId, ...moneyOf(money), money: moneyNowBodyOf(now), owed };
      return c.json(moneyShownTo(c.get('caller'), answer), 200, noStore);
    },
  );
}

async function postRefund(c: AppContext, deps: AppDeps): Promise<Response> {
  const caller = c.get('caller');
  requireOperator(caller);
  const orderId = readOrderId(c.req.param('orderId'));
  const key = readIdempotencyKey(c.req.header('idempotency-key'));
  const {
    reason: why,
    customerMessage,
    actor,
    dryRun,
    confirmSameAmount,
    ...body
  } = await readJson(c, refundRequest);
  const reason = reasonWith(why, customerMessage);
  await requireOrder(deps, caller, orderId);
  const wanted = body.amount && readAmount(body.amount);
  const what = {
    ...(wanted ? { amount: wanted } : {}),
    ...(body.paidOtherwise ? { paidOtherwise: true as const } : {}),
  };
  const refund: RequestRefund = {
    orderId,
    refundId: refundIdFor({ orderId, idempotencyKey: key }),
    ...what,
    ...(confirmSameAmount ? { confirmSameAmount } : {}),
    reason,
    actor: actorOf(caller, actor),
    /* Whoever confirms asks for the same refund: its key stays good. */
    fingerprint: refundFingerprintOf({ reason, ...what }),
  };
  if (dryRun) return c.json(await dryRunOf(deps, refund), 200, noStore);
  const started = await deps.refunds.start(refund);
  if (started.status === 'exists' && started.fingerprint !== refund.fingerprint) throw keyReused(key);
  const answer = await deps.refunds.end(refund, WAIT_MS);
  if (answer?.status === 'refused') {
    if (answer.code === 'key_reused') throw keyReused(key);
    throw refusedRefund(answer);
  }
  const known = (await storedRefund(deps, refund)) ?? answer?.refund;
  const location = { ...noStore, location: `/orders/${orderId}/refunds` };
  if (known && known.state !== 'requested') return c.json(bodyOf(known), 200, location);
  return c.json(bodyOf(known ?? { ...refund, state: 'requested' }), 202, location);
}

const keyReused = (key: string): ApiProblem =>
  new ApiProblem('idempotency-key-reused', {
    detail: `The Idempotency-Key ${JSON.stringify(key)} was used for another refund of this order.`,
  });

const refusedRefund = ({ code, reason }: { code: RefundRefusal; reason: string }): ApiProblem =>
  new ApiProblem(code === 'same_amount' ? 'same-amount-refunded' : 'act-refused', { detail: reason, code });

/** What the request would do by what SQL knows now. The request itself is judged anew, under the order's row lock. */
async function dryRunOf(deps: AppDeps, refund: RequestRefund): Promise<z.infer<typeof refundBody>> {
  const { orderId, refundId } = refund;
  const [money, order] = await readStore(deps, (read) =>
    Promise.all([read.money(orderId), read.order(orderId)]),
  );
  if (!money || !order) throw unknownOrder(orderId);
  const dryRun = { dryRun: true as const };
  const known = money.refunds.find((one) => one.refundId === refundId);
  if (known) return { ...bodyOf(known), ...dryRun };
  const judged = refundOrRefusal({ money, nowUtc: deps.clock.nowUtc() }, order, refund);
  if ('code' in judged) throw refusedRefund(judged);
  const { amount: judgedAmount } = judged;
  const nowUtc = deps.clock.nowUtc();
  const same = refuseSameAmount(money.refunds, { orderId, amount: judgedAmount, nowUtc });
  if (same && !refund.confirmSameAmount) throw refusedRefund(same);
  const state = refund.paidOtherwise ? 'paid_otherwise' : 'requested';
  return { ...bodyOf({ ...refund, amount: judgedAmount, state }), ...dryRun };
}

function refundOrRefusal(
  facts: { money: StoredMoney; nowUtc: string },
  order: OrderView,
  { amount: wanted, paidOtherwise }: RequestRefund,
) {
  const { orderId, status } = order;
  if (paidOtherwise) return checkPaidOtherwise(owedOf({ status, ...facts.money }), wanted);
  return checkRefund({ orderId, ...shownPlace(order, facts), ...chargedMoney(facts.money) }, wanted);
}

/** The refund as it is now; a refund that was done may have failed since. undefined while SQL does not answer. */
async function storedRefund(
  deps: AppDeps,
  { orderId, refundId }: RequestRefund,
): Promise<Refund | undefined> {
  try {
    const money = await readStore(deps, (read) => read.money(orderId));
    return money?.refunds.find((refund) => refund.refundId === refundId);
  } catch (error) {
    if (error instanceof ApiProblem) return undefined;
    throw error;
  }
}

function readAmount({ amount: decimal, currency }: MoneyBody): Money {
  const parsed = parseAmount(decimal, currency);
  const reason = parsed.ok ? 'expected more than 0' : parsed.reason;
  if (parsed.ok && parsed.money.amountMinor > 0) return parsed.money;
  throw invalidFields([{ field: '/amount/amount', reason }]);
}

const bodyOf = (
  refund: Pick<Refund, 'orderId' | 'refundId' | 'state' | 'reason' | 'actor'> & Partial<Refund>,
): z.infer<typeof refundBody> => {
  const { orderId, refundId, state, reason, actor, requestedAtUtc, settledAtUtc, providerRefundId, failure } =
    refund;
  return {
    orderId,
    refundId,
    state,
    ...(refund.amount ? { amount: moneyBody(refund.amount) } : {}),
    reason,
    actor,
    ...(requestedAtUtc ? { requestedAtUtc } : {}),
    ...(settledAtUtc ? { settledAtUtc } : {}),
    ...(providerRefundId ? { providerRefundId } : {}),
    ...(failure ? { failure } : {}),
    links: { refunds: `/orders/${orderId}/refunds` },
  };
};

const disputeOf = ({
  disputeId,
  state,
  amount: disputed,
  reason,
  openedAtUtc,
  updatedAtUtc,
  dueByUtc,
}: Dispute) => ({
  disputeId,
  state,
  amount: moneyBody(disputed),
  reason,
  openedAtUtc,
  updatedAtUtc,
  ...(dueByUtc ? { respondByUtc: dueByUtc } : {}),
});

function moneyOf({
  payments,
  refunds,
  disputes,
}: StoredMoney): Omit<z.infer<typeof refundsBody>, 'orderId' | 'owed' | 'money'> {
  const money = chargedMoney({ payments, refunds, disputes });
  const { charged } = money;
  const left = charged && { ...charged, amountMinor: refundableMinor(money) };
  return {
    charged: charged ? moneyBody(charged) : null,
    left: left ? moneyBody(left) : null,
    refunds: refunds.map(bodyOf),
    disputes: disputes.map(disputeOf),
  };
}

/** Shops read no operator's name or reason, and no provider's error. */
function moneyShownTo(caller: ApiCaller, answer: z.infer<typeof refundsBody>): z.infer<typeof refundsBody> {
  if (caller.role === 'operator') return answer;
  return {
    ...answer,
    owed: answer.owed.map(({ failure: _, ...owed }) => owed),
    refunds: answer.refunds.map(({ failure: _, ...refund }) => ({
      ...refund,
      actor: outsideActor(refund.actor, caller.callerId),
      reason: outsideReason(refund.reason, refund.actor, caller.callerId),
    })),
  };
}
