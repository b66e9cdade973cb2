import type { ProductId } from './ids.ts';

/** What carriers and customs need to know of one unit of a product; what is absent is not known. */
export interface UnitFacts {
  /** Of one packed unit, whole grams. */
  weightGrams?: number;
  /** Outer measures of one packed unit, whole millimetres; all three or none. */
  lengthMm?: number;
  widthMm?: number;
  heightMm?: number;
  /** Harmonized System code, 6 to 12 digits without dots. */
  hsCode?: string;
  /** Where it was made, ISO 3166-1 alpha-2. */
  originCountry?: string;
  /** What it is, in the words of a customs form. */
  customsDescription?: string;
}

/** One product in an order's parcel, as the catalog had it when the order was priced. */
export interface ParcelItem extends UnitFacts {
  productId: ProductId;
  quantity: number;
  /** What all its units cost, in minor units of the order's currency. */
  valueMinor: number;
}
