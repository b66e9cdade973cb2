import type { Currency } from './money.ts';
import { currencyExponents } from './money.ts';
import type { Address } from './order.ts';
import type { ParcelItem } from './parcel.ts';

/** What customs reads of one product in a parcel. */
export interface CustomsItem {
  /** The product's id. */
  code: string;
  description: string;
  quantity: number;
  /** Of all its units, in minor units of the declaration's currency. */
  valueMinor: number;
  /** Of all its units. */
  weightGrams: number;
  hsCode: string;
  originCountry: string;
}

export interface CustomsDeclaration {
  currency: Currency;
  items: CustomsItem[];
}

/* US Postal Service, Publication 52 and 28: military and diplomatic posts, and what lies outside its customs territory. */
const postsAndTerritories = new Set(['AA', 'AE', 'AP', 'AS', 'FM', 'GU', 'MH', 'MP', 'PR', 'PW', 'UM', 'VI']);

/** Their ZIP codes, for addresses that write the state in full or leave it out. */
const zipBeyond = /^(?:00[6-9]|09\d|340|96[2-6]|969|96799)/;

/**
 * Whether customs papers travel with the parcel, as EasyPost asks for them: between two countries, and from the United
 * States to its military and diplomatic posts and its territories.
 */
export function needsPapers(from: Pick<Address, 'country'>, to: Address): boolean {
  if (from.country !== to.country) return true;
  if (to.country !== 'US') return false;
  return (
    postsAndTerritories.has((to.state ?? '').trim().toUpperCase()) || zipBeyond.test(to.postalCode ?? '')
  );
}

interface Shipped {
  from: Pick<Address, 'country'>;
  to: Address;
  items: readonly ParcelItem[];
  currency: Currency;
}

/** What the papers of the parcel lack, in one sentence; undefined where they are complete or none are needed. */
export function refusePapers({ from, to, items, currency }: Shipped): string | undefined {
  if (!needsPapers(from, to)) return undefined;
  const lacking = [
    ...(to.phone === undefined ? ["the recipient's phone number"] : []),
    ...items.flatMap((item) => {
      const missing = missingOf(item);
      return missing.length > 0 ? [`${missing.join(', ')} of ${item.productId}`] : [];
    }),
  ];
  if (lacking.length > 0) {
    const named = lacking.slice(0, 5).join('; ');
    const more = lacking.length > 5 ? ` and of ${lacking.length - 5} more products` : '';
    return `The parcel goes through customs, whose papers lack ${named}${more}.`;
  }
  if (from.country === 'US' && !isExemptExport(items, currency)) {
    return 'The parcel leaves the United States with goods of more than 2,500 USD under one HS code, or priced in another currency: it needs an export filing, which is not made here.';
  }
  return undefined;
}

const missingOf = ({ customsDescription, hsCode, originCountry, weightGrams, valueMinor }: ParcelItem) =>
  Object.entries({
    'customs description': customsDescription,
    'HS code': hsCode,
    'country of origin': originCountry,
    weight: weightGrams,
    'price above 0': valueMinor > 0 ? valueMinor : undefined,
  })
    .filter(([, value]) => value === undefined)
    .map(([name]) => name);

/** Foreign Trade Regulations, 15 CFR 30.37(a): no filing for goods of up to 2,500 USD under each code. */
function isExemptExport(items: readonly ParcelItem[], currency: Currency): boolean {
  if (currency !== 'USD') return false;
  const most = 2_500 * 10 ** currencyExponents.USD;
  const byCode = new Map<string | undefined, number>();
  for (const { hsCode, valueMinor } of items) byCode.set(hsCode, (byCode.get(hsCode) ?? 0) + valueMinor);
  return [...byCode.values()].every((value) => value <= most);
}

/** The papers of a parcel that `refusePapers` has nothing against; undefined where it needs none. */
export function declarationOf({ from, to, items, currency }: Shipped): CustomsDeclaration | undefined {
  if (!needsPapers(from, to)) return undefined;
  return {
    currency,
    items: items.map(
      ({ productId, quantity, valueMinor, weightGrams, hsCode, originCountry, customsDescription }) => ({
        code: productId,
        description: customsDescription ?? '',
        quantity,
        valueMinor,
        weightGrams: (weightGrams ?? 0) * quantity,
        hsCode: hsCode ?? '',
        originCountry: originCountry ?? '',
      }),
    ),
  };
}
