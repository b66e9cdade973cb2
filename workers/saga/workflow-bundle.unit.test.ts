import { DefaultLogger } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundleOrderWorkflows } from './workflow-bundle.ts';

/* Every cached workflow shares this code, but each replayed one runs through it: what gets in here costs on every worker. */
const limitBytes = 1_000_000;

const sourceMapStart = 'sourceMappingURL=data:application/json;charset=utf-8;base64,';

describe('the workflow bundle', () => {
  let code: string;
  let modules: string[];

  beforeAll(async () => {
    const bundle = await bundleOrderWorkflows({ logger: new DefaultLogger('ERROR') });
    const [script = '', sourceMap = ''] = bundle.code.split(sourceMapStart);
    const { sources } = JSON.parse(Buffer.from(sourceMap, 'base64').toString()) as { sources: string[] };
    code = script;
    modules = sources;
  });

  test('is below 1 MB without its source map', () => {
    expect(code.length).toBeGreaterThan(100_000);
    expect(code.length).toBeLessThan(limitBytes);
  });

  test('holds no package but the workflow SDK and what that needs', () => {
    const packages = modules
      .map((module) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(module)?.[1])
      .filter((name) => name !== undefined);
    expect([...new Set(packages)].toSorted()).toEqual(allowedPackages);
  });

  test('holds of the project only workflows and the domain', () => {
    const own = modules.filter((module) => module.endsWith('.ts') && !module.includes('node_modules'));
    expect(own.length).toBeGreaterThan(10);
    expect(own.filter((module) => !/\/(workflows|domain)\/([a-z-]+\/)?[a-z-]+\.ts$/.test(module))).toEqual(
      [],
    );
  });

  test("asks for none of Node's modules", () => {
    expect(code).not.toMatch(/["']node:|require\(["'](fs|crypto|http|net|os|path|process|timers)["']\)/);
  });
});

const allowedPackages = ['@temporalio/common', '@temporalio/workflow', 'long', 'ms', 'nexus-rpc'];
