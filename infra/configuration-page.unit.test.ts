import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../config/config.ts';
import { optionsFromEnvironment } from '../sandbox/sandbox-options.ts';
import { configurationPage, environmentExample } from './configuration-page.ts';
import { projectFolder } from './runtime-folder.ts';

/** Variables that are read and are no settings of the product, and why. */
const noSettings: Record<string, string> = {
  PATH: 'the system’s',
  LANG: 'the system’s',
  XDG_CACHE_HOME: 'the desktop’s place for caches (XDG base directories)',
  npm_execpath: 'set by npm',
  npm_lifecycle_event: 'set by npm',
  LOYALTY_DB: 'of an example',
  ORDER_SAGA_SERVICES: 'servers that tests and benchmarks share, CONTRIBUTING.md',
  ORDER_SAGA_DATA: 'handed from infra/bench.ts to the benchmark',
  TEMPORAL_METRICS_URL: 'handed from infra/bench.ts to the benchmark',
  SQL_TEST_URL: 'a server for tests and measurements, docs/sql-server.md',
};

const left = new Set(['node_modules', 'coverage', '.runtime', '.git', 'test']);

describe('docs/configuration.md', () => {
  let page: string;
  let read: ReadonlyMap<string, string>;

  beforeAll(async () => {
    page = await configurationPage();
    read = await variablesRead();
  });

  it('is held against what is read', () => {
    for (const [name, file] of [
      ['PROMETHEUS_URL', 'infra/dependencies/prometheus.ts'],
      ['SANDBOX_DATA', 'sandbox/sandbox-options.ts'],
      ['ORDER_SAGA_DATA', 'bench/bench-environment.ts'],
      ['npm_execpath', 'infra/run.mjs'],
    ] as const) {
      expect(read.get(name)).toContain(file);
    }
  });

  it('has every setting that the code reads', () => {
    const silent = [...read]
      .filter(([name]) => !(name in noSettings) && !page.includes(`| \`${name}\` `))
      .map(([name, files]) => `${name}: ${files}`);
    expect(silent).toEqual([]);
  });

  it('passes over nothing that is not read, or is on it', () => {
    const needless = Object.keys(noSettings).filter(
      (name) => !read.has(name) || page.includes(`\`${name}\``),
    );
    expect(needless).toEqual([]);
  });
});

it('.env.example fits once every # is taken away', async () => {
  const text = (await environmentExample()).replaceAll(/^#(?=\S+=)/gm, '');
  const settings = parseEnv(text);
  expect(settings).toHaveProperty('API_PORT', '3000');
  expect(() => loadConfig(settings)).not.toThrow();
  expect(() => optionsFromEnvironment(settings)).not.toThrow();
});

/** Names of variables, and the files that read them. */
async function variablesRead(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const folder of await readdir(projectFolder, { withFileTypes: true })) {
    if (!folder.isDirectory() || left.has(folder.name)) continue;
    for (const inside of await readdir(join(projectFolder, folder.name), { recursive: true })) {
      const file = `${folder.name}/${inside.replaceAll('\\', '/')}`;
      if (!/\.(ts|mjs)$/.test(file) || /\.test\.ts$|\/testing\//.test(file)) continue;
      for (const name of namesIn(await readFile(join(projectFolder, file), 'utf8'))) {
        found.set(name, found.has(name) ? `${found.get(name)}, ${file}` : file);
      }
    }
  }
  return found;
}

/** By name, by a schema of the environment, or by names that are handed to a function that reads them. */
function namesIn(source: string): Set<string> {
  const direct = source.matchAll(/\benv(?:\['|\.)([A-Z]\w*|npm_\w+)/g);
  const [, schema = ''] = /\benvironment\w* = z\.object\(\{\n([^]*?)^\}\)/m.exec(source) ?? [];
  const fields = schema.matchAll(/^ {2}([A-Z][A-Z0-9_]+):/gm);
  const handed = /\benv\[\w+\]/.test(source) ? source.matchAll(/\('([A-Z]+_[A-Z0-9_]+)'\)/g) : [];
  return new Set([...direct, ...fields, ...handed].map(([, name = '']) => name));
}
