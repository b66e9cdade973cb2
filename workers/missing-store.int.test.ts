import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectStore } from '../compose/connect-store.ts';

const project = join(import.meta.dirname, '..');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'order-saga-missing-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function run(script: string, args: readonly string[], path: string) {
  const file = join(import.meta.dirname, script);
  return spawnSync(process.execPath, [file, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], SQL_URL: `sqlite:${path}` },
  });
}

test.each([
  ['audit-verify.ts', []],
  ['db-purge.ts', ['--older-than', '90d']],
  ['catalog.ts', ['export']],
  ['catalog.ts', ['adjust', '--product', 'p', '--by', '1', '--reason', 'r', '--key', 'k']],
])('%s %j refuses a store that is not there, and makes none', (script, args) => {
  const path = join(folder, 'deep', 'orders.sqlite');
  const { status, stdout, stderr } = run(script, args, path);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain(`SQL_URL: there is no SQLite file at ${path}; nothing was made`);
  expect(existsSync(join(folder, 'deep'))).toBe(false);
});

test.each([
  ['audit:verify', []],
  ['db:purge', ['--older-than', '90d']],
  ['catalog', ['export']],
])('npm run %s looks after the store of the .env that npm start reads, from any folder', (name, args) => {
  const clone = join(folder, 'clone');
  mkdirSync(join(clone, 'cli'), { recursive: true });
  copyFileSync(join(project, 'cli/order-saga.mjs'), join(clone, 'cli/order-saga.mjs'));
  for (const part of ['workers', 'node_modules']) symlinkSync(join(project, part), join(clone, part));
  const path = join(folder, 'of-the-shop.sqlite');
  writeFileSync(join(clone, '.env'), `SQL_URL=sqlite:${path}\n`);
  const command = [join(clone, 'cli/order-saga.mjs'), name, ...args];
  const env = { PATH: process.env['PATH'] };
  const { status, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8', cwd: folder, env });
  expect([status, stderr]).toEqual([2, expect.stringContaining(`there is no SQLite file at ${path}`)]);
});

test.runIf(process.platform === 'linux')(
  'a catalog that does not fit on the disk leaves the file of before',
  async () => {
    const path = join(folder, 'orders.sqlite');
    await (await connectStore({ SQL_URL: `sqlite:${path}` })).close();
    const file = join(folder, 'catalog.csv');
    writeFileSync(file, 'of before');
    // The command's own process id is not known before it runs: a shell takes the place of the export's file.
    const script = `ln -s /dev/full '${file}'.$$.unfinished; exec '${process.execPath}' '${join(import.meta.dirname, 'catalog.ts')}' export --file '${file}'`;
    const { status, stderr } = spawnSync('sh', ['-c', script], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], SQL_URL: `sqlite:${path}` },
    });
    expect(status).toBe(1);
    expect(stderr).toContain('ENOSPC');
    expect(readFileSync(file, 'utf8')).toBe('of before');
    expect(readdirSync(folder).filter((name) => name.includes('unfinished'))).toEqual([]);
  },
);

test.runIf(process.platform === 'linux')('a process whose log is on a full disk goes on', () => {
  const program = join(folder, 'program.ts');
  const from = (path: string) => JSON.stringify(join(import.meta.dirname, '..', path));
  writeFileSync(
    program,
    `import { createLogger } from ${from('telemetry/logger.ts')};
     const logger = createLogger({ process: 'worker', level: 'info' });
     for (let line = 0; line < 3; line += 1) logger.info('a line');
     setTimeout(() => { logger.info('another'); process.exitCode = 7; }, 50);`,
  );
  symlinkSync('/dev/full', join(folder, 'log'));
  const { status, stderr } = spawnSync(
    'sh',
    ['-c', `exec '${process.execPath}' '${program}' > '${folder}/log'`],
    {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] },
    },
  );
  expect(status).toBe(7);
  expect(stderr.trim().split('\n')).toEqual([expect.stringMatching(/the log cannot be written.*ENOSPC/i)]);
});
