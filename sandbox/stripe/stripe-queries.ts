import type { ChargeRecord, DisputeRecord, IntentRecord, RefundRecord } from '../records.ts';
import type { Kind } from '../store.ts';
import { parseSearch } from './search-query.ts';
import type { StripeDeps } from './stripe-deps.ts';
import { invalidRequest } from './stripe-errors.ts';
import { chargeObject, disputeObject, intentObject, refundObject } from './stripe-objects.ts';

type Expand = string[] | undefined;

const cannotExpand = (name: string) =>
  invalidRequest(`This property cannot be expanded (${name}).`, { param: 'expand' });

const assertExpandable = (expand: Expand, known: string[]): void => {
  const unknown = expand?.find((name) => !known.includes(name));
  if (unknown) throw cannotExpand(unknown);
};

/** An intent as the API shows it, with `latest_charge` in full when asked for. */
export const shownIntent = (deps: StripeDeps, intent: IntentRecord, expand?: Expand) => {
  assertExpandable(expand, ['latest_charge']);
  const object = intentObject(intent, deps.baseUrl());
  const charge =
    expand?.includes('latest_charge') && intent.latestCharge && deps.store.get('charge', intent.latestCharge);
  return charge ? { ...object, latest_charge: chargeObject(charge) } : object;
};

export const shownCharge = (deps: StripeDeps, charge: ChargeRecord, expand?: Expand) => {
  assertExpandable(expand, ['payment_intent']);
  const intent = expand?.includes('payment_intent') && deps.store.get('intent', charge.intent);
  return intent
    ? { ...chargeObject(charge), payment_intent: intentObject(intent, deps.baseUrl()) }
    : chargeObject(charge);
};

export const shownRefund = (deps: StripeDeps, refund: RefundRecord, expand?: Expand) => {
  assertExpandable(expand, ['charge', 'payment_intent']);
  const object = refundObject(refund);
  const charge = expand?.includes('charge') && deps.store.get('charge', refund.charge);
  const intent = expand?.includes('payment_intent') && deps.store.get('intent', refund.intent);
  return {
    ...object,
    ...(charge && { charge: chargeObject(charge) }),
    ...(intent && { payment_intent: intentObject(intent, deps.baseUrl()) }),
  };
};

export const shownDispute = (deps: StripeDeps, dispute: DisputeRecord, expand?: Expand) => {
  assertExpandable(expand, ['payment_intent']);
  const intent = expand?.includes('payment_intent') && deps.store.get('intent', dispute.intent);
  return {
    ...disputeObject(dispute),
    ...(intent && { payment_intent: intentObject(intent, deps.baseUrl()) }),
  };
};

interface Page {
  limit: number;
  starting_after?: string | undefined;
}

/** One page of records, newest first, with `has_more`. */
export const listPage = <T>(
  { store }: StripeDeps,
  kind: Kind & ('intent' | 'charge' | 'refund' | 'dispute'),
  { limit, starting_after: beforeId }: Page,
  filter: { parent?: string | undefined },
  url: string,
  show: (record: never) => T,
) => {
  if (beforeId && !store.get(kind, beforeId)) {
    throw invalidRequest(`No such ${kind}: '${beforeId}'`, {
      code: 'resource_missing',
      param: 'starting_after',
    });
  }
  const records = store.list(kind, { ...filter, beforeId, limit: limit + 1 });
  const data = records.slice(0, limit).map((record) => show(record as never));
  return { object: 'list', url, has_more: records.length > limit, data };
};

/** Searches as Stripe does: eventually consistent, so that a new intent is not found at once. */
export const searchIntents = (deps: StripeDeps, query: string, limit: number) => {
  const search = parseSearch(query);
  const nowMs = deps.clock.nowMs();
  const found = deps.store
    .list('intent', { orderId: search.orderId, parent: search.operationKey, limit: 100_000 })
    .filter((intent) => intent.searchableMs <= nowMs && search.matches(intent));
  return {
    object: 'search_result',
    url: '/v1/payment_intents/search',
    has_more: found.length > limit,
    next_page: null,
    data: found.slice(0, limit).map((intent) => shownIntent(deps, intent)),
  };
};

/** What was charged less what was refunded, by currency. */
export const balance = ({ counts }: StripeDeps) => {
  const { business } = counts.read();
  const currencies = Object.keys(business)
    .filter((name) => name.startsWith('charged_minor_'))
    .map((name) => name.slice('charged_minor_'.length));
  const amounts = currencies.map((currency) => ({
    amount: (business[`charged_minor_${currency}`] ?? 0) - (business[`refunded_minor_${currency}`] ?? 0),
    currency,
    source_types: {},
  }));
  return { object: 'balance', available: amounts, livemode: false, pending: [] };
};
