import { z } from 'zod';
import { orderFacts, type EventContract, type JsonSchema } from './event-contract.ts';

/** TypeScript source of the payload types, so that producers are checked without importing a schema library. */
export function eventTypesSource(contracts: Record<string, EventContract>): string {
  const details = Object.entries(contracts).map(
    ([eventType, contract]) => `  /** ${contract.summary} */\n  '${eventType}': ${detailsType(contract)};`,
  );
  return `/* Generated from messaging/contracts by \`npm run generate\`. */

/** What every event says about its order. */
export interface OrderPayload ${typeText(schemaOf(orderFacts))}

/** Facts of each event type beside the order's. */
export interface EventDetails {
${details.join('\n')}
}
`;
}

const schemaOf = (fields: Record<string, z.ZodType>): JsonSchema =>
  z.toJSONSchema(z.object(fields)) as JsonSchema;

const detailsType = ({ details }: EventContract): string =>
  Object.keys(details).length === 0 ? 'Record<string, never>' : typeText(schemaOf(details));

/** The TypeScript type of a schema. Throws for a keyword that it would get wrong. */
function typeText(schema: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.anyOf) return schema.anyOf.map(typeText).join(' | ');
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeText({ ...schema, type })).join(' | ');
  if (schema.type === 'array') return `(${typeText(schema.items ?? {})})[]`;
  if (schema.type === 'object') return objectText(schema);
  const plain = { string: 'string', boolean: 'boolean', null: 'null', number: 'number', integer: 'number' };
  const text = Object.entries(plain).find(([type]) => type === schema.type)?.[1];
  if (text === undefined) {
    throw new Error(`No TypeScript type for this schema, extend typeText: ${JSON.stringify(schema)}`);
  }
  return text;
}

function objectText({ properties = {}, required = [] }: JsonSchema): string {
  const fields = Object.entries(properties).map(([name, field]) => {
    const comment = field.description ? `/** ${field.description} */\n` : '';
    return `${comment}${name}${required.includes(name) ? '' : '?'}: ${typeText(field)};`;
  });
  return `{\n${fields.join('\n')}\n}`;
}
