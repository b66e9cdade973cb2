import { z } from 'zod';
import { TechnicalFailure } from '../../domain/failures.ts';
import type {
  AddressAnswer,
  Label,
  ListedLabel,
  Offers,
  Recipient,
  ShipmentAnswer,
} from '../../ports/carrier.ts';

const text = z.string().min(1);

const rateSchema = z.object({
  id: text,
  carrier: text,
  service: text,
  rate: text,
  currency: text,
  created_at: z.string().nullish(),
});

const addressFields = z.object({
  name: z.string().nullish(),
  street1: z.string().nullish(),
  street2: z.string().nullish(),
  city: z.string().nullish(),
  state: z.string().nullish(),
  country: z.string().nullish(),
  zip: z.string().nullish(),
});

const shipmentSchema = z.object({
  id: text,
  rates: z.array(rateSchema),
  messages: z.array(z.object({ message: z.unknown() })).nullish(),
  selected_rate: rateSchema.nullish(),
  postage_label: z.object({ label_url: text }).nullish(),
  tracking_code: text.nullish(),
  refund_status: z.string().nullish(),
  reference: z.string().nullish(),
  to_address: addressFields.nullish(),
});

/* Strangers' shipments are only skipped: whatever they hold must not stop the list from being read. */
const listSchema = z.object({
  shipments: z.array(z.looseObject({ id: text, reference: z.string().nullish() })),
  has_more: z.boolean(),
});

const addressSchema = z.object({
  id: text,
  verifications: z
    .object({
      delivery: z
        .object({ success: z.boolean(), errors: z.array(z.object({ message: z.string() })).nullish() })
        .nullish(),
    })
    .nullish(),
});

/** The used part of EasyPost's shipment. */
export type EasyPostShipment = z.infer<typeof shipmentSchema>;

/** Throws OutcomeUnknown for anything that is no shipment: nothing is known then. */
export const readShipment = (answer: unknown): EasyPostShipment => parsed(shipmentSchema, answer, 'shipment');

/** Undeliverable only when the carrier's data says so; no verdict (a country that is not covered) is no objection. */
export function readVerification(answer: unknown): AddressAnswer {
  const delivery = parsed(addressSchema, answer, 'address').verifications?.delivery;
  if (delivery?.success !== false) return { deliverable: true };
  const reason = delivery.errors?.map(({ message }) => message).join('; ');
  return { deliverable: false, reason: reason || 'The address could not be verified.' };
}

/** What the carriers offer, and what they said instead of a rate: words of theirs, which decide nothing. */
export function offersOf({ rates, messages }: EasyPostShipment): Offers {
  const objections = (messages ?? []).map(({ message }) =>
    typeof message === 'string' ? message : JSON.stringify(message),
  );
  return {
    rates: rates.map(({ id, rate, carrier, service, currency, created_at: offeredAtUtc }) => ({
      rateId: id,
      carrier,
      service,
      amount: rate,
      currency,
      ...(offeredAtUtc ? { offeredAtUtc } : {}),
    })),
    ...(objections.length > 0 ? { objections } : {}),
  };
}

/** The label; undefined until the shipment is bought. */
export function labelOf(shipment: EasyPostShipment): Label | undefined {
  const { selected_rate: rate, postage_label: label, tracking_code: trackingCode } = shipment;
  if (!label || !rate || !trackingCode) return undefined;
  return {
    carrier: rate.carrier,
    service: rate.service,
    trackingCode,
    labelUrl: label.label_url,
    cost: { amount: rate.rate, currency: rate.currency },
  };
}

export type RefundState = Extract<ShipmentAnswer, { status: 'bought' }>['refund'];

export function refundOf({ id, refund_status: status }: EasyPostShipment): RefundState {
  switch (status) {
    case 'submitted':
    case 'refunded':
    case 'rejected':
      return status;
    case null:
    case undefined:
    case 'not_applicable':
      return 'none';
    default:
      throw unreadable(`shipment ${id} has the unknown refund status ${status}`);
  }
}

export const shipmentAnswer = (shipment: EasyPostShipment): ShipmentAnswer => {
  const label = labelOf(shipment);
  if (!label) return { status: 'unbought', ...offersOf(shipment) };
  const { reference, to_address: to } = shipment;
  return {
    status: 'bought',
    label,
    refund: refundOf(shipment),
    ...(reference ? { reference } : {}),
    ...(to ? { recipient: recipientOf(to) } : {}),
  };
};

function recipientOf({ zip, ...rest }: z.infer<typeof addressFields>): Recipient {
  const said = Object.entries({ ...rest, postalCode: zip }).filter(([, value]) => value);
  return Object.fromEntries(said);
}

/** Throws OutcomeUnknown also for a page that has a next one and nothing to go on from: such a list has no end. */
export function readLabels(
  answer: unknown,
  referencePrefix: string,
): { labels: ListedLabel[]; beforeId?: string } {
  const { shipments, has_more: more } = parsed(listSchema, answer, 'list of shipments');
  const beforeId = shipments.at(-1)?.id;
  if (more && !beforeId) throw unreadable('a page of shipments is empty, but not the last one');
  const labels = shipments
    .filter(({ reference }) => reference?.startsWith(referencePrefix))
    .flatMap((shipment) => {
      const known = shipmentAnswer(readShipment(shipment));
      return known.status === 'bought' ? [{ ...known, shipmentId: shipment.id }] : [];
    });
  return { labels, ...(more && beforeId ? { beforeId } : {}) };
}

function parsed<T extends z.ZodType>(schema: T, answer: unknown, what: string): z.infer<T> {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  const fields = result.error.issues.map(({ path }) => path.join('.')).join(', ');
  throw unreadable(`expected ${what}, but these fields do not fit: ${fields || 'all'}`);
}

const unreadable = (what: string): TechnicalFailure =>
  new TechnicalFailure('OutcomeUnknown', `EasyPost's answer cannot be read: ${what}`);
