import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectSqliteStore } from '../../adapters/sqlite/sqlite-store.ts';
import { productId } from '../../domain/ids.ts';
import { auditEntry } from '../../test/contract/store-fixtures.ts';
import { givenClosedOrder } from '../../test/contract/store-retention.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(join(root, 'docs/operations-store.md'), 'utf8');
/** `npm run -s <script> -- <arguments>` at the start of a line, in the page's order. */
const commands = [...page.matchAll(/^npm run -s ([\w:]+)(?: -- (.+))?$/gm)].map(
  ([text, script, rest = '']) => ({
    text,
    script: script ?? '',
    words: [...rest.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? ''),
  }),
);
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

describe('the commands of docs/operations-store.md', () => {
  const folder = mkdtempSync(join(tmpdir(), 'order-saga-commands-'));
  const path = join(folder, 'store.sqlite');
  const run = async (script: string, words: string[]) => {
    const [, file, ...own] = /^exec node (\S+) (\S+)$/.exec(scripts[script] ?? '') ?? [];
    if (!file) throw new Error(`package.json has no script ${script} that runs one file`);
    const env = { ...process.env, SQL_URL: `sqlite:${path}` };
    return promisify(execFile)(process.execPath, [join(root, file), ...own, ...words], { cwd: folder, env });
  };
  beforeAll(async () => {
    const store = await connectSqliteStore({ path });
    const subject = /order:[0-9a-f-]{36}/.exec(page)?.[0] ?? '';
    const price = { amountMinor: 79_900, currency: 'INR' } as const;
    const desk = { productId: productId('desk-mat'), name: 'Desk mat', price, onHand: 9 };
    await store.transaction(async (tx) => {
      await tx.audit.append(auditEntry({ subject }));
      await tx.inventory.putProduct(desk);
    });
    await givenClosedOrder(store);
    await store.close();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('are found', () => {
    expect(commands.length).toBeGreaterThan(8);
  });

  it.each(commands)('$text', async ({ script, words }) => {
    expect((await run(script, words)).stdout).not.toBe('');
  });

  it('have done what the page says', async () => {
    const store = await connectSqliteStore({ path });
    expect(await store.read.ledger()).toEqual([]);
    expect((await store.read.audit('product:desk-mat')).at(-1)).toMatchObject({
      to: '6 on hand',
      actor: 'ana',
    });
    await store.close();
    await expect(run('audit:verify', ['--subject', 'order:unknown'])).rejects.toMatchObject({ code: 2 });
    await expect(run('db:purge', ['--older-than', '6d'])).rejects.toMatchObject({ code: 1 });
    await expect(run('catalog', ['import', '--file', 'none.csv'])).rejects.toMatchObject({ code: 1 });
  });
});
