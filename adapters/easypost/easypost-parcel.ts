import type { CustomsDeclaration } from '../../domain/customs.ts';
import { formatAmount } from '../../domain/money.ts';
import type { Address, OrderItem } from '../../domain/order.ts';
import { parcelOf, type UnitFacts } from '../../domain/parcel.ts';

const GRAMS_PER_OUNCE = 28.349523125;
const MM_PER_INCH = 25.4;

/** One parcel per order: ounces and inches with one decimal, rounded up; measures only where all of them are known. */
export function easypostParcel(items: readonly (OrderItem & UnitFacts)[]) {
  const { weightGrams, boxMm, boxIsPartial } = parcelOf(items);
  const weight = { weight: roundUp(weightGrams / GRAMS_PER_OUNCE) };
  if (!boxMm || boxIsPartial) return weight;
  const [length, width, height] = boxMm.map((mm) => roundUp(mm / MM_PER_INCH));
  return { ...weight, length, width, height };
}

/** To one decimal; what is only a binary fraction above it stays. */
const roundUp = (value: number): number => Math.ceil(Number((value * 10).toFixed(6))) / 10;

/**
 * EasyPost's customs form: the sender certifies it. Weights are rounded down to the three decimals that it keeps, so that
 * together they never pass the parcel's. Goods that leave the United States name the exemption that `refusePapers` knows.
 */
export const customsInfo = ({ items, currency }: CustomsDeclaration, from: Address) => ({
  contents_type: 'merchandise',
  restriction_type: 'none',
  non_delivery_option: 'return',
  customs_certify: true,
  customs_signer: from.name,
  ...(from.country === 'US' ? { eel_pfc: 'NOEEI 30.37(a)' } : {}),
  customs_items: items.map((item) => ({
    code: item.code,
    description: item.description,
    quantity: item.quantity,
    value: formatAmount({ amountMinor: item.valueMinor, currency }),
    currency,
    weight: Math.floor((item.weightGrams / GRAMS_PER_OUNCE) * 1_000) / 1_000,
    hs_tariff_number: item.hsCode,
    origin_country: item.originCountry,
  })),
});
