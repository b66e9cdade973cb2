import { easypostId } from '../ids.ts';
import type { AddressRecord, RateRecord } from '../records.ts';

const DAY_MS = 86_400_000;

const SERVICES = [
  { carrier: 'USPS', service: 'GroundAdvantage', baseCents: 512, centsPerOunce: 9, days: 5 },
  { carrier: 'USPS', service: 'Priority', baseCents: 845, centsPerOunce: 14, days: 2 },
  { carrier: 'UPSDAP', service: 'Ground', baseCents: 988, centsPerOunce: 11, days: 4 },
];

const INTERNATIONAL_FACTOR = 3;

/** A street with this in it gets no rates, only the carriers' messages. */
const NO_RATES = /NO-RATES/i;

/** A street with this in it gets no rates at first, and some when they are asked for again. */
const RATES_LATER = /RATES-LATER/i;

/** Offers in US dollars, the carriers' currency, whatever the order is paid in. */
export const ratesFor = (
  from: AddressRecord,
  to: AddressRecord,
  weightOunces: number,
  again = false,
): { rates: RateRecord[]; messages: { carrier: string; type: string; message: string }[] } => {
  const street = to.street1 ?? '';
  if (NO_RATES.test(street) || (RATES_LATER.test(street) && !again)) {
    const message = 'Unable to retrieve rates to the destination address at this time.';
    const carriers = [...new Set(SERVICES.map(({ carrier }) => carrier))];
    return { rates: [], messages: carriers.map((carrier) => ({ carrier, type: 'rate_error', message })) };
  }
  const factor = from.country === to.country ? 1 : INTERNATIONAL_FACTOR;
  const rates = SERVICES.map(({ carrier, service, baseCents, centsPerOunce, days }) => ({
    id: easypostId('rate'),
    carrier,
    service,
    rate: ((factor * (baseCents + Math.ceil(weightOunces) * centsPerOunce)) / 100).toFixed(2),
    days: days * factor,
  }));
  return { rates, messages: [] };
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
