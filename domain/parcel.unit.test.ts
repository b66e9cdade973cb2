import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parcelOf, refuseParcel, type ServiceLimit } from './parcel.ts';

const limits: ServiceLimit[] = [
  { carrier: 'USPS', service: 'Ground', maxWeightGrams: 31_751, maxLengthPlusGirthMm: 3_302 },
  {
    carrier: 'UPS',
    service: 'Ground',
    maxWeightGrams: 68_038,
    maxLengthMm: 2_743,
    maxLengthPlusGirthMm: 4_191,
  },
];
const mug = { quantity: 1, weightGrams: 400, lengthMm: 120, widthMm: 90, heightMm: 100 };

describe('a parcel', () => {
  it('counts half a pound for a unit of unknown weight', () => {
    const { weightGrams } = parcelOf([{ quantity: 3 }, { quantity: 2, weightGrams: 100 }]);
    expect(weightGrams).toBeCloseTo(3 * 226.796_185 + 200);
  });

  it('puts units side by side where that measures least', () => {
    expect(parcelOf([mug])).toMatchObject({ boxMm: [120, 100, 90], boxIsPartial: false });
    expect(parcelOf([{ ...mug, quantity: 8 }]).boxMm).toEqual([240, 200, 180]);
    expect(parcelOf([{ ...mug, lengthMm: 10, widthMm: 1_000, heightMm: 10, quantity: 4 }]).boxMm).toEqual([
      1_000, 20, 20,
    ]);
  });

  it('knows that a unit without measures may make it larger', () => {
    expect(parcelOf([mug, { quantity: 1 }])).toMatchObject({ boxMm: [120, 100, 90], boxIsPartial: true });
    expect(parcelOf([{ quantity: 1 }])).not.toHaveProperty('boxMm');
  });

  const side = fc.integer({ min: 1, max: 900 });
  const units = fc.record({
    quantity: fc.integer({ min: 1, max: 40 }),
    lengthMm: side,
    widthMm: side,
    heightMm: side,
  });

  it('has a box that holds each unit and the volume of all', () => {
    fc.assert(
      fc.property(fc.array(units, { minLength: 1, maxLength: 5 }), (items) => {
        const box = parcelOf(items).boxMm ?? [0, 0, 0];
        const volume = items.reduce((sum, u) => sum + u.quantity * u.lengthMm * u.widthMm * u.heightMm, 0);
        expect(box[0] * box[1] * box[2]).toBeGreaterThanOrEqual(volume);
        for (const { lengthMm, widthMm, heightMm } of items) {
          const sides = [lengthMm, widthMm, heightMm].sort((a, b) => b - a);
          expect(sides.every((length, at) => length <= (box[at] ?? 0))).toBe(true);
        }
      }),
    );
  });

  it.each([
    [
      '1,000 units of unknown weight',
      [{ quantity: 1_000 }],
      'The order weighs 226.8 kg, more than one parcel may: at most 68.0 kg.',
    ],
    ['a pole', [{ ...mug, lengthMm: 3_400, widthMm: 20, heightMm: 20 }], 'measures 340 × 2 × 2 cm'],
    [
      'a pole beside something of unknown size',
      [{ quantity: 1, lengthMm: 3_400, widthMm: 20, heightMm: 20 }, { quantity: 1 }],
      '340 × 2 × 2',
    ],
    [
      'something bulky',
      [{ ...mug, lengthMm: 1_200, widthMm: 800, heightMm: 800 }],
      'no carrier service takes that',
    ],
  ])('is refused: %s', (_case, items, reason) => {
    expect(refuseParcel(parcelOf(items), limits)).toContain(reason);
  });

  it.each([
    ['what only one service takes, to the gram', [{ quantity: 1, weightGrams: 68_038 }]],
    [
      'what only the other one takes',
      [{ ...mug, weightGrams: 31_751, lengthMm: 3_000, widthMm: 50, heightMm: 50 }],
    ],
    ['light things of unknown size', [{ quantity: 1_000, weightGrams: 10 }]],
  ])('is taken: %s', (_case, items) => {
    expect(refuseParcel(parcelOf(items), limits)).toBeUndefined();
  });

  it('is not measured against one service and weighed against another', () => {
    const heavyPole = { ...mug, weightGrams: 40_000, lengthMm: 3_000, widthMm: 50, heightMm: 50 };
    expect(refuseParcel(parcelOf([heavyPole]), limits)).toContain('no carrier service takes that');
  });

  it('is taken by carriers whose limits are not known', () => {
    expect(refuseParcel(parcelOf([{ quantity: 1_000_000 }]), [])).toBeUndefined();
  });
});
