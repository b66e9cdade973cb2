import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify, stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { binFolder, projectFolder } from '../../infra/runtime-folder.ts';

const run = promisify(execFile);
const startMs = 8 * 60_000;

/** What a person's shell has, without what the tests' own set-up added. */
const env = {
  HOME: process.env['HOME'],
  PATH: (process.env['PATH'] ?? '')
    .split(':')
    .filter((part) => !part.includes('node_modules'))
    .join(':'),
};

const blocksOf = (page: string): string[] =>
  [...page.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) => block);

/* A fresh clone, and README's own commands typed into it one after another. */
describe('a newcomer', () => {
  let clone: string;
  let product: ChildProcess;
  let said = '';
  let blocks: string[];
  /** The first order's id. */
  let completed = '';

  beforeAll(async () => {
    clone = await mkdtemp(join(tmpdir(), 'order-saga-newcomer-'));
    await run('git', ['clone', '--quiet', projectFolder, clone]);
    /* What is built once for every clone of a user need not be built again here. */
    await cp(binFolder, join(clone, '.runtime', 'bin'), { recursive: true }).catch(() => {});
    blocks = blocksOf(await readFile(join(clone, 'README.md'), 'utf8'));
    /* A group of its own, so that Ctrl-C reaches it as from a terminal. */
    product = spawn('npm', ['start'], { cwd: clone, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    product.stdout?.on('data', (text: Buffer) => (said += text.toString()));
    product.stderr?.on('data', (text: Buffer) => (said += text.toString()));
    await until(() => /curl [^\n]*checkout/.test(said), startMs);
  }, startMs + 60_000);

  afterAll(async () => {
    if (product?.exitCode === null) process.kill(-(product.pid ?? 0), 'SIGKILL');
    await rm(clone, { recursive: true, force: true });
  });

  /** Types the lines into one shell; the first that fails ends it. */
  async function paste(lines: string): Promise<string> {
    /* Other workers of this machine are not the newcomer's. */
    const own = lines.replace('pkill -9 -f workers/', `pkill -9 -f ${clone}/workers/`);
    /* By its input, as from a terminal: `pkill -f` must not find the shell that types it. */
    const shell = spawn('bash', ['-e'], { cwd: clone, env, stdio: ['pipe', 'pipe', 'pipe'] });
    const out = { text: '', error: '' };
    shell.stdout.on('data', (text: Buffer) => (out.text += text.toString()));
    shell.stderr.on('data', (text: Buffer) => (out.error += text.toString()));
    shell.stdin.end(own);
    const [code] = (await once(shell, 'close')) as [number | null];
    if (code !== 0) throw new Error(`ended with ${code}: ${own}\n${out.text}\n${out.error}`);
    return out.text;
  }

  async function until(holds: () => boolean, timeoutMs: number): Promise<void> {
    for (const end = Date.now() + timeoutMs; !holds(); await sleep(100)) {
      if (product.exitCode !== null || Date.now() > end)
        throw new Error(`npm start did not come up:\n${said}`);
    }
  }

  const printedCheckout = (): string => {
    const text = stripVTControlCharacters(said);
    return /curl (?:[^\n]*\\\n)*[^\n]*/.exec(text.slice(text.indexOf('curl ')))?.[0] ?? '';
  };

  test('pastes the checkout that npm start prints, and the order is completed', async () => {
    const { orderId } = JSON.parse(await paste(printedCheckout())) as { orderId: string };
    completed = orderId;
    const show = `npm run -s ops -- orders show ${orderId} --json`;
    await expect.poll(() => paste(show), { timeout: 60_000, interval: 1_000 }).toContain('"completed"');
  });

  test('pastes the blocks of the README: breaks it, posts a checkout, steers the order', async () => {
    const [first = '', breakIt = '', steer = '', ...others] = blocks;
    expect(first).toContain('npm start');
    expect(others).toEqual([]);
    const signal = steer.split('\n').find((line) => line.includes('workflow signal')) ?? '';
    const another = printedCheckout().replace(/Idempotency-Key: [^']*/, 'Idempotency-Key: another-one');
    /* Until the worker that was killed is back, and the list shows the order. */
    const said = await paste([breakIt, another, 'sleep 15', steer.replace(signal, '')].join('\n'));
    expect(said.match(/\/docs\/problems#[\w-]+/g) ?? []).toEqual([]);
    /* The cancel above may have ended the order by then, which the signal is told. */
    const signalled = await paste(`ID=$(npm run -s ops -- orders list --limit 1 --quiet)\n${signal}`).catch(
      String,
    );
    expect(signalled).toMatch(/Signal workflow succeeded|already completed/);
    await expect
      .poll(() => paste('npm run -s ops -- orders list --limit 1 --json'), {
        timeout: 90_000,
        interval: 1_000,
      })
      .toContain('"cancelled"');
  });

  test('finds what the README tells of: documentation, ledger, the program on the PATH, the demo', async () => {
    const readme = await readFile(join(clone, 'README.md'), 'utf8');
    for (const words of [
      'API documentation is at `$API/docs`, OpenAPI 3.1 at `$API/openapi.json`',
      '(`$SANDBOX/sandbox/ledger?orderId=…`) shows one charge and one label each',
      '`npm link` puts the same program on the PATH: `order-saga orders show $ID`, from any folder',
      '`eval "$(order-saga completion bash)"`',
      '`npm start -- --demo` posts orders',
    ])
      expect(readme.replaceAll(/\s+/g, ' ')).toContain(words);
    const shown = await paste(`
      eval "$(npm run -s ops -- addresses)"
      curl -fsS $API/docs
      curl -fsS $API/openapi.json
      curl -fsS "$SANDBOX/sandbox/ledger?orderId=${completed}"
      npm_config_prefix=${clone}/linked npm link --silent
      export PATH=${clone}/linked/bin:$PATH ORDER_SAGA_API=$API
      eval "$(order-saga completion bash)"
      cd / && order-saga orders show ${completed} --json`);
    expect(shown).toContain('"openapi":"3.1.0"');
    expect(shown).toMatch(/"charged":\s*\[\s*\{[^\]]*\}\s*\]/);
    expect(shown).toMatch(/"labels":\s*\[\s*\{[^\]]*\}\s*\]/);
    expect(shown).toMatch(/"status":\s*"completed"/);
    expect(await paste('npm start -- --demo')).toMatch(/The demo: \d+ orders/);
  });

  test('finds each page that the README links to', async () => {
    const readme = await readFile(join(clone, 'README.md'), 'utf8');
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)].map(([, path = '']) => path);
    expect(links.length).toBeGreaterThan(20);
    await Promise.all(links.map((path) => access(join(clone, path))));
  });

  test('reads no wall of warnings, and leaves nothing running after Ctrl-C', async () => {
    expect(said).not.toMatch(/EBADENGINE|npm warn/i);
    process.kill(-(product.pid ?? 0), 'SIGINT');
    await expect.poll(() => product.exitCode, { timeout: 60_000 }).not.toBeNull();
    const { stdout } = await run('ps', ['-eo', 'args']);
    expect(stdout.split('\n').filter((line) => line.includes(clone))).toEqual([]);
    expect(await paste('npm run reset')).toContain('Data cleared');
    expect(await readdir(join(clone, '.runtime'))).not.toContain('addresses.json');
  });
});
