import { unitFactsOf, type unitFactNames, type UnitFacts } from './parcel.ts';

/* What may be said of a product for carriers and customs, the same at HTTP and in catalog files. */

/** Of one packed unit. */
export const mostGrams = 1_000_000;
export const mostMillimetres = 100_000;
export const hsCodePattern = /^[0-9]{6,12}$/;
/** Characters that a customs form has room for. */
export const longestCustomsDescription = 50;

/** In a catalog file this means: not known from now on. So no fact may read like it. */
export const unknownMark = '-';

const measures = ['lengthMm', 'widthMm', 'heightMm'] as const;

/** The measures that are missing where others are known. */
export function missingMeasures(facts: UnitFacts): readonly (typeof measures)[number][] {
  const missing = measures.filter((name) => facts[name] === undefined);
  return missing.length === measures.length ? [] : missing;
}

/** The facts that are known, by name, as text. */
export const namedFacts = (facts: UnitFacts): [name: (typeof unitFactNames)[number], value: string][] =>
  Object.entries(unitFactsOf(facts)).map(([name, value]) => [
    name as (typeof unitFactNames)[number],
    `${value}`,
  ]);

/** The facts and the withdrawal for the audit trail, to be put behind something else. */
export function describeFacts({ withdrawnAtUtc, ...facts }: UnitFacts & { withdrawnAtUtc?: string }): string {
  const known = namedFacts(facts).map(([fact, value]) => `, ${fact} ${value}`);
  return `${known.join('')}${withdrawnAtUtc === undefined ? '' : `, withdrawn from sale since ${withdrawnAtUtc}`}`;
}
