import { z } from 'zod';
import type { AddressRecord } from '../records.ts';
import { invalidParameter } from './easypost-errors.ts';

const positive = z.coerce.number().positive();

const customsSchema = z.looseObject({
  contents_type: z.string().min(1),
  customs_certify: z.coerce.boolean().optional(),
  customs_signer: z.string().nullish(),
  eel_pfc: z.string().nullish(),
  customs_items: z
    .array(
      z.looseObject({
        description: z.string().min(1),
        quantity: positive,
        value: positive,
        weight: positive,
        origin_country: z.string().regex(/^[A-Z]{2}$/),
        hs_tariff_number: z.string().nullish(),
        currency: z
          .string()
          .regex(/^[A-Z]{3}$/)
          .nullish(),
      }),
    )
    .min(1)
    .max(100),
});

/** Throws 422 for customs information that is none. */
export function parseCustoms(input: unknown): z.infer<typeof customsSchema> | null {
  if (input === undefined || input === null) return null;
  const parsed = customsSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw invalidParameter(`customs_info.${issue?.path.join('.') ?? ''}`, issue?.message ?? 'Invalid customs');
}

const BEYOND_STATES = /^(AA|AE|AP|AS|FM|GU|MH|MP|PR|PW|UM|VI)$/i;
const BEYOND_ZIP = /^(00[6-9]|09\d|340|96[2-6]|969|96799)/;

const crossesCustoms = (from: AddressRecord, to: AddressRecord): boolean =>
  from.country !== to.country ||
  (to.country === 'US' && (BEYOND_STATES.test(to.state ?? '') || BEYOND_ZIP.test(to.zip ?? '')));

/** What every carrier says instead of a rate for a parcel whose papers do not do; undefined where they do. */
export function papersProblem(input: {
  from: AddressRecord;
  to: AddressRecord;
  customs: unknown;
  weightOunces: number;
}): string | undefined {
  const { from, to, weightOunces } = input;
  if (!crossesCustoms(from, to)) return undefined;
  const customs = parseCustoms(input.customs);
  if (!customs) return 'Customs information is required for this shipment.';
  if (!from.phone) return 'Missing or invalid element: FromPhone.';
  if (!to.phone) return 'Missing or invalid element: ToPhone.';
  if (!customs.customs_certify || !customs.customs_signer) return 'The customs form is not signed.';
  if (customs.customs_items.some(({ hs_tariff_number: code }) => !/^[\d.]{6,}$/.test(code ?? ''))) {
    return 'A customs item has no HS tariff number.';
  }
  const sum = customs.customs_items.reduce((ounces, { weight }) => ounces + weight, 0);
  if (sum > weightOunces + 0.001) return 'The customs items weigh more than the parcel.';
  if (from.country === 'US' && !customs.eel_pfc) return 'An EEL or PFC is required.';
  return undefined;
}
