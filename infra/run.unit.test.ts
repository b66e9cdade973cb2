import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const packages = {
  '': { version: '0.1.0' },
  'node_modules/a': { version: '1.0.0' },
  'node_modules/other-platform': { version: '1.0.0', optional: true },
};
const installed = { 'node_modules/a': { version: '1.0.0' } };

describe('the entry of the npm scripts', () => {
  let clone: string;
  const write = (file: string, text: string, mode = 0o644) => {
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    writeFileSync(join(clone, file), text);
    chmodSync(join(clone, file), mode);
  };
  /** A node_modules with a "Node 24" that prints what it is asked to run and exits with 7. */
  const install = (present: unknown = installed, version = 'v24.21.0') => {
    write('node_modules/.package-lock.json', JSON.stringify({ packages: present }));
    write(
      'node_modules/node/bin/node',
      `#!/bin/sh\n[ "$1" = --version ] && echo ${version} && exit 0\necho "runs $(basename "$1") $2"; exit 7\n`,
      0o755,
    );
  };
  const run = (...args: string[]) => {
    const env = { ...process.env, npm_execpath: join(clone, 'npm.js') };
    const { stdout, stderr, status } = spawnSync(process.execPath, ['infra/run.mjs', ...args], {
      cwd: clone,
      env,
      encoding: 'utf8',
    });
    return { output: stdout + stderr, status };
  };
  beforeEach(() => {
    clone = mkdtempSync(join(tmpdir(), 'order-saga-clone-'));
    mkdirSync(join(clone, 'infra'));
    copyFileSync(join(import.meta.dirname, 'run.mjs'), join(clone, 'infra', 'run.mjs'));
    write('package-lock.json', JSON.stringify({ packages }));
    write('npm.js', `console.log('npm', ...process.argv.slice(2)); process.exit(3);`);
  });
  afterEach(() => rmSync(clone, { recursive: true }));

  test('runs the command under the installed Node and keeps its exit code', () => {
    install();
    expect(run('start', '--demo')).toEqual({ output: 'runs start.ts --demo\n', status: 7 });
  });

  test.each([
    ['nothing is installed', undefined],
    ['the lock file asks for another version', { 'node_modules/a': { version: '0.9.0' } }],
    ['a package is missing', {}],
  ])('installs with npm ci when %s, and stops when that fails', (_title, present) => {
    if (present !== undefined) install(present);
    const { output, status } = run('start');
    expect(output).toContain('npm ci');
    expect(output).not.toContain('runs');
    expect(status).toBe(1);
  });

  test('names the fix when install scripts were not run', () => {
    install(installed, '');
    const { output, status } = run('test');
    expect(output).toContain('npm rebuild node');
    expect(status).toBe(1);
  });

  test('names the commands it knows when given another', () => {
    install();
    expect(run('stop').output).toContain('Known are: start, test, test:long, bench, reset');
  });

  test('runs any program of the clone, and names what it expected otherwise', () => {
    install();
    write('sandbox/server.ts', '');
    expect(run('node', 'sandbox/server.ts', '--x')).toEqual({ output: 'runs server.ts --x\n', status: 7 });
    expect(run('node', 'no/such.ts').output).toContain('Expected a program of this clone');
    expect(run('node').output).toContain('came nothing');
  });
});

test("no page says to run a program by the machine's own Node, which may be too old for TypeScript", () => {
  const project = join(import.meta.dirname, '..');
  const pages = readdirSync(project, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.md') && !/node_modules|\.runtime|docs.adr|CHANGELOG/.test(file),
  );
  expect(pages.length).toBeGreaterThan(10);
  const found = pages.flatMap((page) =>
    [...readFileSync(join(project, page), 'utf8').matchAll(/(?<![\w-])node (?!-)[\w./-]+\.ts\b/g)].map(
      ([command]) => `${page}: ${command}`,
    ),
  );
  expect(found).toEqual([]);
});
