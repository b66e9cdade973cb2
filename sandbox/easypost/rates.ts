import { easypostId } from '../ids.ts';
import type { RateRecord, ShipmentRecord } from '../records.ts';
import { papersProblem } from './customs.ts';

const DAY_MS = 86_400_000;

/** With the largest parcel that each takes, in pounds and inches: USPS Domestic Mail Manual 101; UPS, Weight and Size. */
const SERVICES = [
  {
    carrier: 'USPS',
    service: 'GroundAdvantage',
    baseCents: 512,
    centsPerOunce: 9,
    days: 5,
    takes: { pounds: 70, length: 130, lengthPlusGirth: 130 },
  },
  {
    carrier: 'USPS',
    service: 'Priority',
    baseCents: 845,
    centsPerOunce: 14,
    days: 2,
    takes: { pounds: 70, length: 108, lengthPlusGirth: 108 },
  },
  {
    carrier: 'UPSDAP',
    service: 'Ground',
    baseCents: 988,
    centsPerOunce: 11,
    days: 4,
    takes: { pounds: 150, length: 108, lengthPlusGirth: 165 },
  },
];

interface Message {
  carrier: string;
  type: string;
  message: string;
}

const carriers = [...new Set(SERVICES.map(({ carrier }) => carrier))];

const nobody = (message: string): { rates: RateRecord[]; messages: Message[] } => ({
  rates: [],
  messages: carriers.map((carrier) => ({ carrier, type: 'rate_error', message })),
});

/** What the service says instead of a rate for a parcel that it does not take. */
function tooLarge({ takes }: (typeof SERVICES)[number], parcel: Record<string, unknown>): string | undefined {
  if (Number(parcel['weight']) > takes.pounds * 16) {
    return `The parcel exceeds the maximum weight of ${takes.pounds} lbs.`;
  }
  const sides = ['length', 'width', 'height'].map((side) => Number(parcel[side] ?? 0));
  const [long = 0, middle = 0, short = 0] = sides.sort((a, b) => b - a);
  return long > takes.length || long + 2 * (middle + short) > takes.lengthPlusGirth
    ? `The parcel exceeds the maximum size: ${takes.length} in length, ${takes.lengthPlusGirth} in length plus girth.`
    : undefined;
}

const INTERNATIONAL_FACTOR = 3;

/** A street with this in it gets no rates, only the carriers' messages. */
const NO_RATES = /NO-RATES/i;

/** A street with this in it gets no rates at first, and some when they are asked for again. */
const RATES_LATER = /RATES-LATER/i;

/** Offers in US dollars, the carriers' currency, whatever the order is paid in. */
export const ratesFor = (
  { from, to, parcel, customs }: Pick<ShipmentRecord, 'from' | 'to' | 'parcel' | 'customs'>,
  again = false,
): { rates: RateRecord[]; messages: Message[] } => {
  const street = to.street1 ?? '';
  if (NO_RATES.test(street) || (RATES_LATER.test(street) && !again)) {
    return nobody('Unable to retrieve rates to the destination address at this time.');
  }
  const weightOunces = Number(parcel['weight']);
  const problem = papersProblem({ from, to, customs, weightOunces });
  if (problem) return nobody(problem);
  const factor = from.country === to.country ? 1 : INTERNATIONAL_FACTOR;
  const rates = SERVICES.filter((offer) => !tooLarge(offer, parcel)).map(
    ({ carrier, service, baseCents, centsPerOunce, days }) => ({
      id: easypostId('rate'),
      carrier,
      service,
      rate: ((factor * (baseCents + Math.ceil(weightOunces) * centsPerOunce)) / 100).toFixed(2),
      days: days * factor,
    }),
  );
  const messages = SERVICES.flatMap((offer) => {
    const message = tooLarge(offer, parcel);
    return message ? [{ carrier: offer.carrier, type: 'rate_error', message }] : [];
  });
  return { rates, messages };
};

export const rateObject = (rate: RateRecord, shipmentId: string, createdMs: number) => ({
  id: rate.id,
  object: 'Rate',
  created_at: new Date(createdMs).toISOString(),
  updated_at: new Date(createdMs).toISOString(),
  mode: 'test',
  service: rate.service,
  carrier: rate.carrier,
  rate: rate.rate,
  currency: 'USD',
  retail_rate: rate.rate,
  retail_currency: 'USD',
  list_rate: rate.rate,
  list_currency: 'USD',
  billing_type: 'easypost',
  delivery_days: rate.days,
  delivery_date: new Date(createdMs + rate.days * DAY_MS).toISOString(),
  delivery_date_guaranteed: false,
  est_delivery_days: rate.days,
  shipment_id: shipmentId,
  carrier_account_id: `ca_${rate.carrier.toLowerCase()}`,
});
