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

export const unitFactNames = [
  'weightGrams',
  'lengthMm',
  'widthMm',
  'heightMm',
  'hsCode',
  'originCountry',
  'customsDescription',
] as const satisfies (keyof UnitFacts)[];

/** The facts that are known, and nothing that came with them. */
export const unitFactsOf = (facts: UnitFacts): UnitFacts =>
  Object.fromEntries(
    unitFactNames.flatMap((name) => (facts[name] === undefined ? [] : [[name, facts[name]]])),
  );

/** One product in an order's parcel, as the catalog had it when the order was priced. */
export interface ParcelItem extends UnitFacts {
  productId: ProductId;
  quantity: number;
  /** What all its units cost, in minor units of the order's currency. */
  valueMinor: number;
}

/** Outer measures in millimetres, the longest first. */
type Box = readonly [length: number, width: number, height: number];

export interface Parcel {
  weightGrams: number;
  /** A box that holds every unit whose measures are known; absent where none are. */
  boxMm?: Box;
  /** Some unit's measures are not known: the parcel may be larger than the box. */
  boxIsPartial: boolean;
}

const gramsPerOunce = 28.349523125;

/** Half a pound: what a unit counts for whose weight is not known. */
const assumedUnitGrams = 8 * gramsPerOunce;

type Units = UnitFacts & { quantity: number };

/**
 * An order's one parcel. Its box is one that surely holds the units, not the smallest one: each product's units make the
 * block with the least length plus girth, and block is put to block, the largest first, where that grows least.
 */
export function parcelOf(items: readonly Units[]): Parcel {
  const weightGrams = items.reduce(
    (sum, { weightGrams: unit = assumedUnitGrams, quantity }) => sum + unit * quantity,
    0,
  );
  const blocks = items
    .map(blockOf)
    .filter((block) => block !== undefined)
    .sort((a, b) => volumeOf(b) - volumeOf(a));
  const [first, ...others] = blocks;
  const boxIsPartial = blocks.length < items.length;
  if (!first) return { weightGrams, boxIsPartial };
  return { weightGrams, boxMm: others.reduce(besides, first), boxIsPartial };
}

function blockOf({ lengthMm, widthMm, heightMm, quantity }: Units): Box | undefined {
  if (lengthMm === undefined || widthMm === undefined || heightMm === undefined) return undefined;
  const [long, middle, short] = boxOf(lengthMm, widthMm, heightMm);
  const blocks: Box[] = [];
  for (let rows = 1; rows <= quantity; rows += 1) {
    for (let columns = 1; rows * columns <= quantity; columns += 1) {
      const layers = Math.ceil(quantity / (rows * columns));
      blocks.push(boxOf(long * rows, middle * columns, short * layers));
    }
  }
  return smallest(blocks);
}

const besides = (box: Box, block: Box): Box =>
  smallest([
    boxOf(box[0] + block[0], Math.max(box[1], block[1]), Math.max(box[2], block[2])),
    boxOf(Math.max(box[0], block[0]), box[1] + block[1], Math.max(box[2], block[2])),
    boxOf(Math.max(box[0], block[0]), Math.max(box[1], block[1]), box[2] + block[2]),
  ]);

const boxOf = (...sides: [number, number, number]): Box => {
  const [length, width, height] = sides.sort((a, b) => b - a);
  return [length, width, height];
};

/** By length plus girth; of two alike the shorter one. */
const smallest = (boxes: readonly Box[]): Box =>
  boxes.reduce((best, box) =>
    lengthPlusGirth(box) < lengthPlusGirth(best) ||
    (lengthPlusGirth(box) === lengthPlusGirth(best) && box[0] < best[0])
      ? box
      : best,
  );

const volumeOf = ([length, width, height]: Box): number => length * width * height;

/** How carriers measure a parcel: its longest side, and once around it. */
const lengthPlusGirth = ([length, width, height]: Box): number => length + 2 * (width + height);

/** The largest parcel that one service of a carrier takes. */
export interface ServiceLimit {
  carrier: string;
  service: string;
  maxWeightGrams: number;
  maxLengthMm?: number | undefined;
  maxLengthPlusGirthMm?: number | undefined;
}

/** Why no service takes the parcel, in one sentence; undefined where one does, or none is known. */
export function refuseParcel(parcel: Parcel, limits: readonly ServiceLimit[]): string | undefined {
  if (limits.length === 0 || limits.some((limit) => takes(limit, parcel))) return undefined;
  const heaviest = Math.max(...limits.map(({ maxWeightGrams }) => maxWeightGrams));
  if (parcel.weightGrams > heaviest) {
    return `The order weighs ${kilograms(parcel.weightGrams)}, more than one parcel may: at most ${kilograms(heaviest)}.`;
  }
  const measures = parcel.boxMm ? ` and measures ${parcel.boxMm.map(centimetres).join(' × ')} cm` : '';
  return `The order weighs ${kilograms(parcel.weightGrams)}${measures}: no carrier service takes that as one parcel.`;
}

const takes = (limit: ServiceLimit, { weightGrams, boxMm }: Parcel): boolean =>
  weightGrams <= limit.maxWeightGrams &&
  (boxMm === undefined ||
    (boxMm[0] <= (limit.maxLengthMm ?? Infinity) &&
      lengthPlusGirth(boxMm) <= (limit.maxLengthPlusGirthMm ?? Infinity)));

const kilograms = (grams: number): string => `${(grams / 1_000).toFixed(1)} kg`;
const centimetres = (mm: number): string => (mm / 10).toFixed(0);
