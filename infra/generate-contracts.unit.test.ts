import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { breakingContractChanges } from '../messaging/contracts/breaking-changes.ts';
import { currentSchemas, readBaseline, staleFiles } from './generate-contracts.ts';

const asyncApi = async () => {
  const text = await readFile(join(import.meta.dirname, '../docs/asyncapi.yaml'), 'utf8');
  return parse(text) as {
    channels: Record<string, unknown>;
    operations: Record<string, { channel: unknown }>;
  };
};
const asyncApiSchema = createRequire(import.meta.url)('@asyncapi/specs/schemas/3.0.0.json') as object;

it(
  'finds schemas, types, documentation and AsyncAPI up to date (otherwise: npm run generate)',
  { timeout: 30_000 },
  async () => {
    expect(await staleFiles()).toEqual([]);
  },
);

it('breaks no consumer of what has been published', async () => {
  const baseline = await readBaseline();
  expect(Object.keys(baseline).length).toBeGreaterThan(0);
  expect(breakingContractChanges(baseline, currentSchemas())).toEqual([]);
});

it("describes the events in a document that AsyncAPI 3's own schema accepts", async () => {
  const validate = new Ajv({
    strict: false,
    validateFormats: false,
    meta: false,
    validateSchema: false,
  }).compile(asyncApiSchema);
  const document = await asyncApi();
  expect([validate(document), validate.errors]).toEqual([true, null]);
  expect(validate({ ...document, operations: { broken: { action: 'shout' } } })).toBe(false);
});

it('points every reference of the AsyncAPI document at something in it', async () => {
  const document = await asyncApi();
  const references = JSON.stringify(document).match(/(?<="\$ref":"#\/)[^"]+/g) ?? [];
  const targets = references.map((path) =>
    path
      .split('/')
      .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document),
  );
  expect(references.length).toBeGreaterThan(0);
  expect(targets).not.toContain(undefined);
});
