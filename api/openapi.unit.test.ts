import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { createApp } from './app.ts';
import { problems } from './http/problems.ts';
import { fakeDeps } from './testing/fake-deps.ts';

/** JSON whose shape the assertions establish. */
interface Json {
  [key: string]: Json;
}

const text = (value: Json | undefined): string | undefined => (typeof value === 'string' ? value : undefined);
const app = createApp(fakeDeps());
const document = (await (await app.request('/openapi.json')).json()) as Json;

const at = (pointer: string): Json =>
  pointer
    .replace('#/', '')
    .split('/')
    .reduce((value, key) => value[key.replaceAll('~1', '/').replaceAll('~0', '~')] as Json, document);

function* walk(value: unknown, path = '#'): Generator<[string, Json]> {
  if (typeof value !== 'object' || value === null) return;
  yield [path, value as Json];
  for (const [key, inner] of Object.entries(value)) {
    yield* walk(inner, `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  }
}

const operations = Object.entries(document['paths'] ?? {}).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
);

const orderIds = ['8c9b9b3e-2f0a-4a8e-9a56-0c1d2e3f4a5b'];
const bulk = (act: object, where: object = { olderThan: '1h' }) => ({ where, act, reason: 'x' });

describe('the OpenAPI document', () => {
  it('is OpenAPI 3.1 whose references all lead somewhere', () => {
    expect(document['openapi']).toBe('3.1.0');
    const references = [...walk(document)].flatMap(([, value]) => text(value['$ref']) ?? []);
    expect(references.length).toBeGreaterThan(20);
    expect(references.filter((reference) => at(reference) === undefined)).toEqual([]);
  });

  it('documents every route there is', () => {
    const documented = new Set(operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`));
    const routes = app.routes
      .filter(({ method, path }) => method !== 'ALL' && !path.startsWith('/docs/'))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect(new Set(routes)).toEqual(documented);
    expect(documented.size).toBeGreaterThanOrEqual(18);
  });

  it('gives every operation an id of its own, a summary, an answer and its path parameters', () => {
    const ids = operations.map(({ operation }) => operation['operationId']);
    expect(new Set(ids).size).toBe(operations.length);
    for (const { path, operation } of operations) {
      expect(operation).toHaveProperty('summary', expect.stringMatching(/./));
      const statuses = Object.keys(operation['responses'] ?? {});
      expect(statuses).toContainEqual(expect.stringMatching(/^2/));
      expect(statuses).toContain('406');
      const declared = Object.values(operation['parameters'] ?? {}).filter(
        (parameter) => text(parameter['in']) === 'path',
      );
      expect(declared.map((parameter) => parameter['name'])).toEqual(
        [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name),
      );
    }
  });

  it('has examples, and each fits its schema', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema(document, 'api');
    const media = [...walk(document['paths'], '#/paths')].filter(([path]) => /\/content\/[^/]+$/.test(path));
    // Compiled once for each component: most answers are the same problem document.
    const validators = new Map<string, ValidateFunction>();
    const validatorOf = (pointer: string): ValidateFunction => {
      const known = validators.get(pointer) ?? ajv.compile({ $ref: `api${pointer}` });
      validators.set(pointer, known);
      return known;
    };
    const without: string[] = [];
    let checked = 0;
    for (const [path, content] of media) {
      const schema = content['schema'];
      const reference = text(schema?.['$ref']);
      const ofComponent = reference === undefined ? undefined : at(reference)['example'];
      const examples = [
        ...Object.values(content['examples'] ?? {}).map((example) => example['value']),
        ...(content['example'] === undefined ? [] : [content['example']]),
        ...(ofComponent === undefined ? [] : [ofComponent]),
      ];
      const validate = validatorOf(reference ?? `${path}/schema`);
      for (const example of examples) {
        checked += 1;
        expect([path, validate(example), validate.errors]).toEqual([path, true, null]);
      }
      if (path.endsWith('json') && reference !== undefined && examples.length === 0) without.push(path);
    }
    expect(without).toEqual([]);
    expect(checked).toBeGreaterThan(60);
  });

  it('has component examples that fit, down to each property', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema(document, 'api');
    let checked = 0;
    for (const [path, schema] of walk(document['components']?.['schemas'], '#/components/schemas')) {
      if (!('example' in schema) || path.endsWith('/properties')) continue;
      checked += 1;
      const validate = ajv.compile({ $ref: `api${path}` });
      expect([path, validate(schema['example']), validate.errors]).toEqual([path, true, null]);
    }
    expect(checked).toBeGreaterThan(20);
  });

  it('tells of every text that comes in what it may hold: one line, a pattern, a list or a format', () => {
    const open: string[] = [];
    const look = (path: string, value: Json): void => {
      const schema = text(value['$ref']) === undefined ? value : at(text(value['$ref']) ?? '');
      for (const of of ['oneOf', 'anyOf', 'allOf'])
        Object.values(schema[of] ?? {}).forEach((one, index) => look(`${path}/${of}/${index}`, one));
      for (const [name, one] of Object.entries(schema['properties'] ?? {})) look(`${path}/${name}`, one);
      if (schema['items']) look(`${path}/[]`, schema['items']);
      const types = [schema['type']].flat().map(String);
      const bound = ['pattern', 'enum', 'const', 'format'].some((keyword) => keyword in schema);
      if (types.includes('string') && !bound) open.push(path);
    };
    for (const { path, method, operation } of operations) {
      const schema = operation['requestBody']?.['content']?.['application/json']?.['schema'];
      if (schema) look(`${method} ${path}`, schema);
    }
    expect(open).toEqual([]);
  });

  it.each([
    ['/orders/{orderId}/extend', { reason: 'x', minutes: 1 }, { reason: 'x' }],
    [
      '/orders/{orderId}/extend',
      { reason: 'x', untilUtc: '2026-01-02T12:00:00Z' },
      { reason: 'x', untilUtc: '2026-01-02T12:00:00Z', minutes: 1 },
    ],
    [
      '/orders/{orderId}/extend',
      { reason: 'x', untilUtc: '2026-01-02T12:00:00Z' },
      { reason: 'x', untilUtc: '2026-01-02T12:00:00+01:00' },
    ],
    ['/order-acts', bulk({ kind: 'extend', minutes: 1 }), bulk({ kind: 'extend' })],
    ['/order-acts', bulk({ kind: 'cancel' }), bulk({ kind: 'cancel' }, {})],
    [
      '/order-acts',
      bulk({ kind: 'cancel' }, { orderIds }),
      bulk({ kind: 'cancel' }, { orderIds, olderThan: '1h' }),
    ],
    [
      '/order-acts',
      bulk({ kind: 'resolve', action: 'retry-with', input: { service: 'Priority' } }),
      bulk({ kind: 'resolve', action: 'retry-with', input: { paymentMethodId: 'pm_1' } }),
    ],
    ['/dead-letters/replay', { reason: 'x', all: true }, { reason: 'x' }],
    ['/dead-letters/replay', { reason: 'x', orderId: 'a' }, { reason: 'x', ratePerSecond: 1 }],
    ['/dead-letters/discard', { reason: 'x', ids: ['0'.repeat(32)] }, { reason: 'x', dryRun: true }],
  ])('takes for %s %j, not %j', (path, right, wrong) => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema(document, 'api');
    const pointer = `paths/${path.replaceAll('/', '~1')}/post/requestBody/content/application~1json/schema`;
    const validate = ajv.compile({ $ref: `api#/${encodeURI(pointer)}` });
    expect([right, wrong].map((body) => validate(body))).toEqual([true, false]);
  });

  it('names only problems that exist, and the page explains every one', async () => {
    const named = [...walk(document)].flatMap(([, value]) =>
      typeof value['type'] === 'string' && String(value['type']).startsWith('/docs/problems#')
        ? [String(value['type'])]
        : [],
    );
    const known = Object.keys(problems).map((type) => `/docs/problems#${type}`);
    for (const type of named) expect(known).toContain(type);
    const page = await (await app.request('/docs/problems')).text();
    for (const type of Object.keys(problems)) expect(page).toContain(`id="${type}"`);
  });

  it('is shown by a page that loads nothing from anywhere else', async () => {
    const response = await app.request('/docs');
    const page = await response.text();
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//);
    for (const [, address = ''] of page.matchAll(/(?:src|href)="([^"]+)"/g)) {
      expect([address, (await app.request(address)).status]).toEqual([address, 200]);
    }
  });
});
