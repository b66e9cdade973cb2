import { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { Counts } from '../counts.ts';
import { easypostId, trackingCode } from '../ids.ts';
import type { AddressRecord, ShipmentRecord } from '../records.ts';
import type { Settings } from '../sandbox-options.ts';
import type { Store } from '../store.ts';
import { deliveryProblems, parseAddress } from './addresses.ts';
import { parseCustoms } from './customs.ts';
import { invalidParameter, missingParameter, notFound, refused } from './easypost-errors.ts';
import { ratesFor } from './rates.ts';
import { refundStatus } from './shipment-object.ts';

export interface EasypostDeps {
  store: Store;
  clock: Clock;
  counts: Counts;
  settings: () => Settings;
  baseUrl: () => string;
}

/** A street with this in it passes verification and is refused by the carrier when the label is bought. */
const LABEL_REFUSED = /LABEL-REFUSED/i;
/** The first rates of a shipment to a street with this in it cannot be bought: they are gone by then. */
const STALE_RATES = /STALE-RATES/i;
/** A label to a street with this in it is never refunded. */
const REFUND_REJECTED = /REFUND-REJECTED/i;

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i;

/** The order a shipment is for: the UUID in its reference, else what stands between `shipment-` and `-<n>`. */
export const orderIdOfReference = (reference: string | null): string | undefined => {
  if (reference === null) return undefined;
  return UUID.exec(reference)?.[0] ?? reference.replace(/^[a-z]+[-_:]/i, '').replace(/[-_:]\d+$/, '');
};

const parcelSchema = z.looseObject({
  id: z.string().optional(),
  weight: z.coerce.number().positive(),
  length: z.coerce.number().positive().nullish(),
  width: z.coerce.number().positive().nullish(),
  height: z.coerce.number().positive().nullish(),
});

const shipmentSchema = z.looseObject({
  to_address: z.looseObject({ id: z.string().optional() }),
  from_address: z.looseObject({ id: z.string().optional() }),
  parcel: parcelSchema,
  reference: z.string().max(255).nullish(),
  customs_info: z.unknown().optional(),
  options: z.unknown().optional(),
});

const parse = (input: unknown) => {
  const parsed = shipmentSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const name = issue?.path.join('.') ?? 'shipment';
  const present = typeof input === 'object' && input !== null && issue?.path[0] !== undefined;
  const isMissing = present && !(String(issue.path[0]) in input);
  throw isMissing ? missingParameter(name) : invalidParameter(name, issue?.message ?? 'Invalid shipment');
};

const addressFor = (deps: EasypostDeps, input: { id?: string | undefined }): AddressRecord => {
  if (!input.id) return parseAddress(input, deps.clock.nowMs());
  const address = deps.store.get('address', input.id);
  if (!address) throw notFound();
  return address;
};

const save = ({ store }: EasypostDeps, shipment: ShipmentRecord, dueMs?: number): void =>
  store.put('shipment', shipment.id, shipment, { orderId: orderIdOfReference(shipment.reference), dueMs });

/** Creates a shipment with rates, free of charge. Never idempotent: the same reference again is another shipment. */
export const createShipment = (deps: EasypostDeps, input: unknown): ShipmentRecord => {
  const params = parse(input);
  const to = addressFor(deps, params.to_address);
  const from = addressFor(deps, params.from_address);
  const nowMs = deps.clock.nowMs();
  const parcel = { ...params.parcel, id: params.parcel.id ?? easypostId('prcl') };
  const customs = parseCustoms(params.customs_info);
  const shipment: ShipmentRecord = {
    id: easypostId('shp'),
    reference: params.reference ?? null,
    createdMs: nowMs,
    updatedMs: nowMs,
    to,
    from,
    parcel,
    customs,
    options: params.options ?? null,
    ...ratesFor({ from, to, parcel, customs }),
    label: null,
    refund: null,
  };
  save(deps, shipment);
  deps.counts.business('shipments_created');
  return shipment;
};

/** Throws 404. */
export const shipmentById = ({ store }: EasypostDeps, id: string): ShipmentRecord => {
  const shipment = store.get('shipment', id);
  if (!shipment) throw notFound();
  return shipment;
};

/** New rates under new ids; the old ones are void. Refused once there is a label. */
export const rerateShipment = (deps: EasypostDeps, id: string): ShipmentRecord => {
  const shipment = shipmentById(deps, id);
  if (shipment.label) throw postageExists();
  const nowMs = deps.clock.nowMs();
  const rated: ShipmentRecord = {
    ...shipment,
    updatedMs: nowMs,
    ratedMs: nowMs,
    ...ratesFor(shipment, true),
  };
  save(deps, rated);
  return rated;
};

const postageExists = () =>
  refused(422, 'SHIPMENT.POSTAGE.EXISTS', 'Postage already exists for this shipment.');

const buySchema = z.looseObject({
  rate: z.looseObject({ id: z.string() }),
  insurance: z.unknown().optional(),
});

/** Buys the label, once; a second buy is refused and costs nothing. */
export const buyShipment = (deps: EasypostDeps, id: string, input: unknown): ShipmentRecord => {
  const shipment = shipmentById(deps, id);
  if (shipment.label) throw postageExists();
  const parsed = buySchema.safeParse(input);
  if (!parsed.success) throw missingParameter('rate.id');
  if (parsed.data.insurance) throw invalidParameter('insurance', 'The sandbox does not sell insurance.');
  const rate = shipment.rates.find((offer) => offer.id === parsed.data.rate.id);
  const street = shipment.to.street1 ?? '';
  if (!rate || (STALE_RATES.test(street) && shipment.ratedMs === undefined)) {
    throw refused(422, 'SHIPMENT.MISSING_RATE', 'The requested rate could not be found on this shipment.');
  }
  if (LABEL_REFUSED.test(street) || deliveryProblems(shipment.to).length > 0) {
    throw refused(422, 'ADDRESS.VERIFY.FAILURE', 'Unable to verify address: it is too ambiguous.');
  }
  const nowMs = deps.clock.nowMs();
  const bought: ShipmentRecord = {
    ...shipment,
    updatedMs: nowMs,
    label: {
      id: easypostId('pl'),
      trackerId: easypostId('trk'),
      boughtMs: nowMs,
      rateId: rate.id,
      trackingCode: trackingCode(),
    },
  };
  save(deps, bought);
  deps.counts.business('labels_bought');
  return bought;
};

/** Asks for the label's money back; the carrier decides later. A rejected refund can be asked for again. */
export const refundShipment = (deps: EasypostDeps, id: string): ShipmentRecord => {
  const shipment = shipmentById(deps, id);
  const nowMs = deps.clock.nowMs();
  if (!shipment.label) {
    throw refused(422, 'SHIPMENT.REFUND.FAILURE', 'This shipment has no postage that could be refunded.');
  }
  const status = refundStatus(shipment, nowMs);
  if (status === 'submitted' || status === 'refunded') {
    throw refused(
      422,
      'SHIPMENT.REFUND.FAILURE',
      `A refund was requested for this shipment already: ${status}.`,
    );
  }
  const rejected = REFUND_REJECTED.test(shipment.to.street1 ?? '');
  const submitted: ShipmentRecord = {
    ...shipment,
    updatedMs: nowMs,
    refund: {
      requestedMs: nowMs,
      settlesMs: nowMs + deps.settings().labelRefundMs,
      outcome: rejected ? 'rejected' : 'refunded',
    },
  };
  save(deps, submitted, submitted.refund?.settlesMs);
  deps.counts.business('label_refunds_requested');
  return submitted;
};

const MONTH_MS = 30 * 86_400_000;

const listSchema = z.object({
  page_size: z.coerce.number().int().min(1).max(100).default(20),
  before_id: z.string().optional(),
  start_datetime: z.iso.datetime({ offset: true }).optional(),
  purchased: z.enum(['true', 'false']).default('true'),
});

/**
 * Newest first. As with EasyPost there is no filter by reference, unpurchased ones show only when asked for, and without
 * `start_datetime` those of the last month.
 */
export const listShipments = (deps: EasypostDeps, query: Record<string, string>) => {
  const parsed = listSchema.safeParse(query);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalidParameter(issue?.path.join('.') || 'page_size', issue?.message ?? 'Invalid list');
  }
  const { page_size: size, purchased, start_datetime: start } = parsed.data;
  const sinceMs = start === undefined ? deps.clock.nowMs() - MONTH_MS : Date.parse(start);
  const shown: ShipmentRecord[] = [];
  let beforeId = parsed.data.before_id;
  while (shown.length <= size) {
    const chunk = deps.store.list('shipment', { beforeId, limit: 500 });
    shown.push(
      ...chunk.filter(({ createdMs, label }) => createdMs >= sinceMs && (label || purchased === 'false')),
    );
    const oldest = chunk.at(-1);
    if (!oldest || oldest.createdMs < sinceMs) break;
    beforeId = oldest.id;
  }
  return { shipments: shown.slice(0, size), hasMore: shown.length > size };
};
