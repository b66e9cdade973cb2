import { execFile, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testPaymentMethod, testPaymentMethodNames } from './stripe/test-payment-methods.ts';
import { quickSandbox } from './testing.ts';
import type { Sandbox } from './start-sandbox.ts';

const run = promisify(execFile);
const readme = await readFile(join(import.meta.dirname, 'README.md'), 'utf8');
const recipes = [...readme.matchAll(/```sh\n([\s\S]+?)```/g)].map(([, script = '']) => script);
const hasCurl = spawnSync('curl', ['--version']).status === 0;

describe('the README', () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await quickSandbox();
  });
  afterAll(() => sandbox.close());

  test('has recipes', () => {
    expect(recipes.length).toBeGreaterThan(8);
  });

  test.skipIf(!hasCurl).each(recipes)('this works as it stands (needs curl): %s', async (script) => {
    const { stdout } = await run('sh', ['-ec', script], { env: { ...process.env, S: sandbox.url } });
    expect(stdout).not.toBe('');
  });

  test('names payment methods that exist', () => {
    const named = [...readme.matchAll(/`(pm_\w+)`/g)].map(([, name = '']) => name);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !testPaymentMethod(name))).toEqual([]);
    expect(testPaymentMethodNames()).toContain('pm_card_visa_chargeDeclinedLostCard');
  });
});
