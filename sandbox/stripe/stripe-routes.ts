import { checkConfirmation, confirmIntent } from './confirm-intent.ts';
import { cancelIntent, createIntent, intentById } from './payment-intents.ts';
import { captureIntent, createRefund, refundById } from './refunds.ts';
import type { DisputeRecord, IntentRecord } from '../records.ts';
import type { Reply } from '../refusal.ts';
import type { Origin, StripeDeps } from './stripe-deps.ts';
import { notFound } from './stripe-errors.ts';
import {
  type FormBody,
  cancelIntentSchema,
  captureIntentSchema,
  confirmIntentSchema,
  createIntentSchema,
  createRefundSchema,
  listOfIntentSchema,
  listSchema,
  parseParams,
  retrieveSchema,
  searchSchema,
} from './stripe-params.ts';
import {
  balance,
  listPage,
  searchIntents,
  shownCharge,
  shownDispute,
  shownIntent,
  shownRefund,
} from './stripe-queries.ts';

/** Parameters are parsed first; what it returns executes the call. */
type Prepare = (deps: StripeDeps, id: string, body: FormBody) => (origin: Origin) => Reply;

export interface StripeRoute {
  method: 'GET' | 'POST';
  path: string;
  operation: string;
  prepare: Prepare;
}

const ok = (body: unknown): Reply => ({ status: 200, body });

const createPayment: Prepare = (deps, _id, body) => {
  const params = parseParams(createIntentSchema, body);
  return (origin) => {
    const check = (intent: IntentRecord) => void (params.confirm && checkConfirmation(deps, intent, params));
    const intent = createIntent(deps, params, origin, check);
    if (!params.confirm) return ok(shownIntent(deps, intent, params.expand));
    const settled = confirmIntent(deps, intent.id, params, origin);
    return settled.refused ?? ok(shownIntent(deps, settled.intent, params.expand));
  };
};

const confirmPayment: Prepare = (deps, id, body) => {
  const params = parseParams(confirmIntentSchema, body);
  return (origin) => {
    const settled = confirmIntent(deps, id, params, origin);
    return settled.refused ?? ok(shownIntent(deps, settled.intent, params.expand));
  };
};

const cancelPayment: Prepare = (deps, id, body) => {
  const params = parseParams(cancelIntentSchema, body);
  return (origin) =>
    ok(shownIntent(deps, cancelIntent(deps, id, params.cancellation_reason, origin), params.expand));
};

const capturePayment: Prepare = (deps, id, body) => {
  const params = parseParams(captureIntentSchema, body);
  return (origin) => ok(shownIntent(deps, captureIntent(deps, id, params, origin), params.expand));
};

const refundPayment: Prepare = (deps, _id, body) => {
  const params = parseParams(createRefundSchema, body);
  return (origin) => ok(shownRefund(deps, createRefund(deps, params, origin), params.expand));
};

const retrievePayment: Prepare = (deps, id, body) => {
  const { expand } = parseParams(retrieveSchema, body);
  return () => ok(shownIntent(deps, intentById(deps, id), expand));
};

const listPayments: Prepare = (deps, _id, body) => {
  const params = parseParams(listSchema, body);
  return () =>
    ok(listPage(deps, 'intent', params, {}, '/v1/payment_intents', (record) => shownIntent(deps, record)));
};

const searchPayments: Prepare = (deps, _id, body) => {
  const { query, limit } = parseParams(searchSchema, body);
  return () => ok(searchIntents(deps, query, limit));
};

const retrieveRefund: Prepare = (deps, id, body) => {
  const { expand } = parseParams(retrieveSchema, body);
  return () => ok(shownRefund(deps, refundById(deps, id), expand));
};

const listRefunds: Prepare = (deps, _id, body) => {
  const params = parseParams(listOfIntentSchema, body);
  return () => {
    const parent = chargeNamed(deps, params);
    return ok(
      listPage(deps, 'refund', params, { parent }, '/v1/refunds', (record) => shownRefund(deps, record)),
    );
  };
};

/** The charge that a list is of; undefined for a list over all. */
const chargeNamed = (
  deps: StripeDeps,
  { charge, payment_intent: id }: { charge?: string | undefined; payment_intent?: string | undefined },
): string | undefined => charge ?? (id ? (intentById(deps, id).latestCharge ?? 'none') : undefined);

const listDisputes: Prepare = (deps, _id, body) => {
  const params = parseParams(listOfIntentSchema, body);
  return () => {
    const filter = { parent: chargeNamed(deps, params) };
    const show = (record: DisputeRecord) => shownDispute(deps, record);
    return ok(listPage(deps, 'dispute', params, filter, '/v1/disputes', show));
  };
};

const retrieveCharge: Prepare = (deps, id, body) => {
  const { expand } = parseParams(retrieveSchema, body);
  return () => {
    const charge = deps.store.get('charge', id);
    if (!charge) throw notFound('charge', id, 'id');
    return ok(shownCharge(deps, charge, expand));
  };
};

const listCharges: Prepare = (deps, _id, body) => {
  const params = parseParams(listOfIntentSchema, body);
  const filter = { parent: params.payment_intent };
  return () =>
    ok(listPage(deps, 'charge', params, filter, '/v1/charges', (record) => shownCharge(deps, record)));
};

const retrieveDispute: Prepare = (deps, id, body) => {
  const { expand } = parseParams(retrieveSchema, body);
  return () => {
    const dispute = deps.store.get('dispute', id);
    if (!dispute) throw notFound('dispute', id, 'dispute');
    return ok(shownDispute(deps, dispute, expand));
  };
};

const retrieveBalance: Prepare = (deps, _id, body) => {
  parseParams(retrieveSchema, body);
  return () => ok(balance(deps));
};

const route = (method: 'GET' | 'POST', path: string, operation: string, prepare: Prepare): StripeRoute => ({
  method,
  path,
  operation,
  prepare,
});

/** The part of Stripe's API the sandbox speaks. Search stands before retrieve, whose path it would match. */
export const STRIPE_ROUTES: StripeRoute[] = [
  route('POST', '/v1/payment_intents', 'payment_intents.create', createPayment),
  route('GET', '/v1/payment_intents', 'payment_intents.list', listPayments),
  route('GET', '/v1/payment_intents/search', 'payment_intents.search', searchPayments),
  route('GET', '/v1/payment_intents/:id', 'payment_intents.retrieve', retrievePayment),
  route('POST', '/v1/payment_intents/:id/confirm', 'payment_intents.confirm', confirmPayment),
  route('POST', '/v1/payment_intents/:id/cancel', 'payment_intents.cancel', cancelPayment),
  route('POST', '/v1/payment_intents/:id/capture', 'payment_intents.capture', capturePayment),
  route('POST', '/v1/refunds', 'refunds.create', refundPayment),
  route('GET', '/v1/refunds', 'refunds.list', listRefunds),
  route('GET', '/v1/refunds/:id', 'refunds.retrieve', retrieveRefund),
  route('GET', '/v1/charges', 'charges.list', listCharges),
  route('GET', '/v1/charges/:id', 'charges.retrieve', retrieveCharge),
  route('GET', '/v1/disputes', 'disputes.list', listDisputes),
  route('GET', '/v1/disputes/:id', 'disputes.retrieve', retrieveDispute),
  route('GET', '/v1/balance', 'balance.retrieve', retrieveBalance),
];
