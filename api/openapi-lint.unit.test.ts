import { createConfig, lintFromString } from '@redocly/openapi-core';
import spectral from '@stoplight/spectral-core';
import rulesets from '@stoplight/spectral-rulesets';
import { describe, expect, it } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };
import { createApp } from './app.ts';
import { fakeDeps } from './testing/fake-deps.ts';

const text = await (await createApp(fakeDeps()).request('/openapi.json')).text();

/** Spectral reads the whole document rule by rule. */
const slowMs = 60_000;

/* `/dead-letters/replays/{replayId}`: no dead letter has the id `replays`, ids are hexadecimal. */
const accepted = ['no-ambiguous-paths'];

async function redocly(source: string): Promise<string[]> {
  const config = await createConfig({ extends: ['recommended'] });
  const found = await lintFromString({ source, absoluteRef: 'openapi.json', config });
  return found
    .filter(({ ruleId }) => !accepted.includes(ruleId))
    .map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`);
}

async function spectralOas(source: string): Promise<string[]> {
  const linter = new spectral.Spectral();
  /* The two packages do not agree on the type of a set of rules. */
  linter.setRuleset({ extends: [[rulesets.oas as never, 'recommended']] });
  const found = await linter.run(source);
  return found.map(({ code, message, path }) => `${code}: ${message} ${path.join('/')}`);
}

describe('the OpenAPI document as other tools read it', () => {
  it('passes the recommended rules of Redocly', async () => expect(await redocly(text)).toEqual([]));

  it(
    'passes the recommended rules of Spectral',
    async () => expect(await spectralOas(text)).toEqual([]),
    slowMs,
  );

  it(
    'would be found out, also where an example is none',
    async () => {
      const spoiled = JSON.stringify({
        ...(JSON.parse(text) as object),
        info: { title: 'x', version: '1' },
        paths: {
          '/x': {
            get: {
              operationId: 'x',
              summary: 'x',
              parameters: [{ name: 'n', in: 'query', schema: { type: 'integer', example: 'none' } }],
              responses: { 200: { description: 'x' } },
            },
          },
        },
      });
      expect(await redocly(spoiled)).toContainEqual(expect.stringContaining('no-invalid-schema-examples'));
      expect(await spectralOas(spoiled)).toContainEqual(expect.stringContaining('oas3-valid-schema-example'));
    },
    slowMs,
  );

  it('has the version of the package', () =>
    expect(JSON.parse(text)).toMatchObject({ info: { version: packageJson.version } }));
});
