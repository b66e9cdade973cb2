import { expect, it } from 'vitest';
import { z } from 'zod';
import { breakingChanges, breakingContractChanges } from './breaking-changes.ts';
import { jsonSchemaOf, type EventContract } from './event-contract.ts';
import { eventContracts } from './event-contracts.ts';

const type = 'order.held.v1';
const contract = (details: Record<string, z.ZodType>): EventContract => ({
  summary: 'Held.',
  details,
  example: {},
});
const base = {
  reason: z.string(),
  note: z.string().optional(),
  status: z.enum(['a', 'b']),
  lines: z.array(z.looseObject({ qty: z.int() })),
};
const changesOf = (details: Record<string, z.ZodType>) =>
  breakingChanges(jsonSchemaOf(type, contract(base)), jsonSchemaOf(type, contract(details)));
const { reason: _reason, ...withoutReason } = base;
const { note: _note, ...withoutNote } = base;

it.each([
  ['nothing', base],
  ['a new optional field', { ...base, extra: z.string().optional() }],
  ['another description', { ...base, reason: z.string().describe('Why.') }],
  ['a new value of an open list', { ...base, reason: z.string().meta({ examples: ['new'] }) }],
])('lets pass: %s', (_, details) => {
  expect(changesOf(details)).toEqual([]);
});

it.each([
  ['a removed field', withoutReason, ['payload.reason was removed (or renamed)']],
  ['a removed optional field', withoutNote, ['payload.note was removed (or renamed)']],
  [
    'a renamed field',
    { ...withoutReason, cause: z.string() },
    [
      'payload.cause is required now, and older messages may lack it',
      'payload.reason was removed (or renamed)',
    ],
  ],
  ['another type', { ...base, reason: z.number() }, ['payload.reason: type was "string", is "number"']],
  [
    'null where there was none',
    { ...base, reason: z.string().nullable() },
    ['payload.reason: type was "string", is ["string","null"]'],
  ],
  [
    'a field that may be absent now',
    { ...base, reason: z.string().optional() },
    ['payload.reason may be absent now, and consumers rely on it'],
  ],
  [
    'a field that must be there now',
    { ...base, note: z.string() },
    ['payload.note is required now, and older messages may lack it'],
  ],
  [
    'a new field that must be there',
    { ...base, extra: z.string() },
    ['payload.extra is required now, and older messages may lack it'],
  ],
  [
    'a narrower enum',
    { ...base, status: z.enum(['a']) },
    ['payload.status no longer allows "b": older messages may carry it'],
  ],
  [
    'a wider enum',
    { ...base, status: z.enum(['a', 'b', 'c']) },
    ['payload.status allows "c" now: consumers do not know it'],
  ],
  ['a constraint', { ...base, reason: z.string().max(5) }, ['payload.reason: maxLength was absent, is 5']],
  [
    'a change inside a list',
    { ...base, lines: z.array(z.looseObject({ qty: z.number() })) },
    ['payload.lines[].qty: type was "integer", is "number"'],
  ],
])('finds %s', (_, details, changes) => {
  expect(changesOf(details)).toEqual(expect.arrayContaining(changes));
});

it('finds an event type that is gone, and lets a new one pass', () => {
  const schema = jsonSchemaOf(type, contract(base));
  expect(breakingContractChanges({ [type]: schema }, {})).toEqual([`${type} was removed`]);
  expect(breakingContractChanges({}, { [type]: schema })).toEqual([]);
});

it('lets .v2 stand beside .v1 with the changes that .v1 must not have', () => {
  const v1 = eventContracts['order.held.v1'];
  const { reason: _dropped, ...details } = v1.details;
  const baseline = { 'order.held.v1': jsonSchemaOf('order.held.v1', v1) };
  const v2 = jsonSchemaOf('order.held.v2', { ...v1, details: { ...details, reasonCode: z.string() } });
  expect(breakingContractChanges(baseline, { ...baseline, 'order.held.v2': v2 })).toEqual([]);
  expect(breakingContractChanges(baseline, { 'order.held.v1': v2 })).toContainEqual(
    'order.held.v1: payload.reason was removed (or renamed)',
  );
  expect(v2.properties?.['metadata']?.properties?.['schemaVersion']?.const).toBe(2);
});
