import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { JsonSchema } from '../../messaging/contracts/event-contract.ts';
import type { OrderBooks } from './books.ts';

const folder = join(import.meta.dirname, '../../messaging/contracts/schemas');
const ajv = new Ajv2020({ validateFormats: false });
const validators = new Map<string, ValidateFunction>();

/** Every event fits its published schema, and says nothing that the schema does not mention. */
export function contractViolations({ events }: OrderBooks): string[] {
  return events.flatMap((event) => {
    const validate = validatorOf(event.eventType);
    if (validate === undefined) return [`${event.eventType} has no schema`];
    const isGood: boolean = validate(event);
    if (isGood) return [];
    const faults = ajv.errorsText(validate.errors, { dataVar: event.eventType });
    return [`event ${event.metadata.sequence} breaks its contract: ${faults}`];
  });
}

function validatorOf(eventType: string): ValidateFunction | undefined {
  const known = validators.get(eventType);
  if (known) return known;
  const schema = readSchema(eventType);
  if (schema === undefined) return undefined;
  const validate = ajv.compile({ ...closed(schema), $id: `closed:${eventType}` });
  validators.set(eventType, validate);
  return validate;
}

function readSchema(eventType: string): JsonSchema | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, `${eventType}.schema.json`), 'utf8')) as JsonSchema;
  } catch {
    return undefined;
  }
}

/** Consumers must bear unknown fields; the producer must not send any. */
function closed(schema: JsonSchema): JsonSchema {
  const { properties, items } = schema;
  return {
    ...schema,
    ...(items ? { items: closed(items) } : {}),
    ...(properties
      ? {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, field]) => [name, closed(field)]),
          ),
          additionalProperties: false,
        }
      : {}),
  };
}
