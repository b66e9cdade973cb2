import type { ChargeRecord, DisputeRecord, IntentRecord, RefundRecord } from '../records.ts';
import type { Kind } from '../store.ts';
import { parseSearch } from './search-query.ts';
import type { StripeDeps } from './stripe-deps.ts';
import { invalidRequest } from './stripe-errors.ts';
import type { ListParams } from './stripe-params.ts';
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

type Page = Pick<ListParams, 'limit' | 'starting_after' | 'ending_before' | 'created'>;
type Listed = Kind & ('intent' | 'charge' | 'refund' | 'dispute');

const assertKnown = ({ store }: StripeDeps, kind: Listed, param: string, id: string | undefined): void => {
  if (!id || store.get(kind, id)) return;
  throw invalidRequest(`No such ${kind}: '${id}'`, { code: 'resource_missing', param });
};

const isCreatedIn = (createdMs: number, { gt, gte, lt, lte }: NonNullable<Page['created']> = {}): boolean => {
  const at = Math.floor(createdMs / 1_000);
  return (
    (gt === undefined || at > gt) &&
    (gte === undefined || at >= gte) &&
    (lt === undefined || at < lt) &&
    (lte === undefined || at <= lte)
  );
};

/** One page of records, newest first, with `has_more` in the direction of the cursor. */
export const listPage = <T>(
  deps: StripeDeps,
  kind: Listed,
  { limit, starting_after: after, ending_before: before, created }: Page,
  filter: { parent?: string | undefined },
  url: string,
  show: (record: never) => T,
) => {
  if (after && before) {
    throw invalidRequest('You can only specify one of these parameters: ending_before, starting_after.');
  }
  assertKnown(deps, kind, 'starting_after', after);
  assertKnown(deps, kind, 'ending_before', before);
  const found: { id: string; createdMs: number }[] = [];
  for (let beforeId = after, more = true; more && (before !== undefined || found.length <= limit);) {
    const chunk = deps.store.list(kind, { ...filter, beforeId, limit: 500 });
    const end = chunk.findIndex(({ id }) => id === before);
    const newer = end < 0 ? chunk : chunk.slice(0, end);
    found.push(...newer.filter(({ createdMs }) => isCreatedIn(createdMs, created)));
    beforeId = chunk.at(-1)?.id;
    more = beforeId !== undefined && end < 0;
  }
  const records = before === undefined ? found.slice(0, limit) : found.slice(-limit);
  const data = records.map((record) => show(record as never));
  return { object: 'list', url, has_more: found.length > records.length, data };
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
