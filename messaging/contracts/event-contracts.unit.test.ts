import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, it } from 'vitest';
import { eventTypes } from '../../domain/events.ts';
import { exampleOf, jsonSchemaOf, type EventContract } from './event-contract.ts';
import { eventContracts } from './event-contracts.ts';
import { eventTypesSource } from './event-types-source.ts';
import { readEvent } from './read-event.ts';

const contracts = Object.entries(eventContracts) as [string, EventContract][];
const validator = (eventType: string, contract: EventContract) =>
  new Ajv2020({ strict: true, validateFormats: false }).compile(jsonSchemaOf(eventType, contract));

it('has a contract for every event type and for no other', () => {
  expect(Object.keys(eventContracts).sort()).toEqual([...eventTypes].sort());
});

it.each(contracts)('%s: its schema is valid draft 2020-12 and takes its example', (eventType, contract) => {
  const validate = validator(eventType, contract);
  expect(jsonSchemaOf(eventType, contract).$schema).toBe('https://json-schema.org/draft/2020-12/schema');
  expect([validate(exampleOf(eventType, contract)), validate.errors]).toEqual([true, null]);
});

it.each(contracts)('%s: its example names every fact of it', (eventType, contract) => {
  expect(Object.keys(contract.example)).toEqual(Object.keys(contract.details));
  for (const [fact, schema] of Object.entries(contract.details)) {
    const { [fact]: _missing, ...payload } = exampleOf(eventType, contract).payload as Record<
      string,
      unknown
    >;
    const event = { ...exampleOf(eventType, contract), payload };
    /* What was added later is absent in events from before. */
    expect(validator(eventType, contract)(event)).toBe(schema.safeParse(undefined).success);
  }
});

it('says the same by JSON Schema and by the kit that reads events', () => {
  const good = exampleOf('order.created.v1', eventContracts['order.created.v1']);
  const validate = validator('order.created.v1', eventContracts['order.created.v1']);
  const bodies = [
    good,
    { ...good, somethingNew: true },
    { ...good, payload: { ...good.payload, items: [] } },
    { ...good, payload: { ...good.payload, totalAmount: '1499.00' } },
    { ...good, payload: { ...good.payload, totalAmount: null } },
    { ...good, metadata: { ...good.metadata, schemaVersion: 2 } },
    { ...good, metadata: { ...good.metadata, sequence: 0 } },
    { ...good, occurredAtUtc: 'yesterday' },
    { ...good, eventId: 'not-a-uuid' },
  ];
  const read = bodies.map((body) => readEvent(eventContracts, body).status === 'event');
  expect(read).toEqual(bodies.map((body) => validate(body)));
  expect(read).toEqual([true, true, false, false, true, false, false, false, false]);
});

it.each([
  ['no object', [], 'invalid-event', /expected object/],
  ['no event type', {}, 'invalid-event', /eventType/],
  [
    'a newer version of a known event',
    { eventType: 'order.created.v7' },
    'unknown-version',
    /order\.created\.v7.*v1/,
  ],
  ['an unknown event', { eventType: 'order.eaten.v1' }, 'unknown-type', /order\.eaten\.v1/],
  ['a name that every object has', { eventType: 'constructor' }, 'unknown-type', /constructor/],
])('refuses %s with a clear reason', (_, body, reason, error) => {
  expect(readEvent(eventContracts, body)).toEqual({ status: reason, error: expect.stringMatching(error) });
});

it('writes the types of all contracts, and refuses what it has no type for', async () => {
  const { z } = await import('zod');
  const source = eventTypesSource({
    'a.b.v1': {
      summary: 'S.',
      details: { choice: z.enum(['x', 'y']), list: z.array(z.string()).optional(), flag: z.boolean() },
      example: {},
    },
  });
  expect(source).toContain(`'a.b.v1': {\nchoice: "x" | "y";\nlist?: (string)[];\nflag: boolean;\n};`);
  const odd = { summary: 'S.', details: { odd: z.record(z.string(), z.string()).or(z.any()) }, example: {} };
  expect(() => eventTypesSource({ 'a.b.v1': odd })).toThrow(/No TypeScript type/);
});
