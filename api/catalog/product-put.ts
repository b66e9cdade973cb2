import { z } from '@hono/zod-openapi';
import type { Money } from '../../domain/money.ts';
import {
  hsCodePattern,
  longestCustomsDescription,
  mostGrams,
  mostMillimetres,
  unknownMark,
} from '../../domain/product-facts.ts';
import { mostUnits } from '../../domain/stock.ts';
import { countryField, moneyField, nullable, productIdField, textField } from '../http/fields.ts';

const MAX_PRODUCTS = 100;

export const example = {
  productId: 'keyboard',
  name: 'Mechanical keyboard',
  price: { amount: '749.50', currency: 'INR' as const },
  available: 25,
};

const units = (least: number) =>
  z
    .int('expected a whole number')
    .min(least, `expected at least ${least}`)
    .max(mostUnits, `expected at most ${mostUnits}`);

const unknownByNull = 'Null: not known from now on. Without it, it stays.';

const sizeOf = (what: string, most: number) =>
  nullable(
    z.int('expected a whole number').min(1, 'expected at least 1').max(most, `expected at most ${most}`),
  )
    .optional()
    .openapi({ description: `${what} ${unknownByNull}` });

/** What carriers and customs ask for. */
const factFields = {
  weightGrams: sizeOf('Of one packed unit.', mostGrams),
  lengthMm: sizeOf('Outer measure of one packed unit; all three or none.', mostMillimetres),
  widthMm: sizeOf('Outer measure of one packed unit; all three or none.', mostMillimetres),
  heightMm: sizeOf('Outer measure of one packed unit; all three or none.', mostMillimetres),
  hsCode: nullable(z.string().regex(hsCodePattern, 'expected 6 to 12 digits without dots'))
    .optional()
    .openapi({ description: `Harmonized System code. ${unknownByNull}` }),
  originCountry: nullable(countryField)
    .optional()
    .openapi({ description: `Where it was made. ${unknownByNull}` }),
  customsDescription: nullable(
    textField(longestCustomsDescription)
      .refine((text) => text !== unknownMark, 'expected words')
      .openapi({ not: { const: unknownMark } }),
  )
    .optional()
    .openapi({ description: `What it is, in the words of a customs form. ${unknownByNull}` }),
};

const productPut = z
  .strictObject({
    productId: productIdField,
    name: textField(200).optional().openapi({
      description: 'Without it the name stays; a new product needs one.',
      example: 'Mechanical keyboard',
    }),
    price: moneyField
      .optional()
      .openapi({ description: 'Without it the price stays; a new product needs one.' }),
    available: units(0)
      .optional()
      .openapi({
        description:
          'Units that can be sold from now on; what orders have reserved stays reserved, beside them. Without it the ' +
          'stock stays as it is.',
      }),
    adjustBy: units(-mostUnits)
      .refine((by) => by !== 0, 'expected another number than 0')
      .openapi({ not: { const: 0 } })
      .optional()
      .openapi({
        description:
          'Units to add; negative: to take away. Instead of `available`; needs an Idempotency-Key.',
      }),
    ...factFields,
    withdrawn: z.boolean('expected true or false').optional().openapi({
      description:
        'True: no order of it is taken from now on, those that are priced go on; false: it is sold again.',
    }),
  })
  .openapi('ProductPut', {
    example,
    not: { properties: { available: {}, adjustBy: {} }, required: ['available', 'adjustBy'] },
  });

export const productsPut = z
  .strictObject({
    products: z
      .array(productPut)
      .min(1, 'expected at least 1 product')
      .max(MAX_PRODUCTS, `expected at most ${MAX_PRODUCTS}`),
  })
  .openapi('ProductsPut', { example: { products: [example] } });

export type ProductPut = Omit<z.output<typeof productPut>, 'price'> & { price?: Money };
