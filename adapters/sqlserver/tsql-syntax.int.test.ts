import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pythonTool } from '../../test/setup/python-tool.ts';
import { allStatements } from './all-statements.ts';
import { createDatabaseText, snapshotText } from './create-database.ts';
import { withHints, withoutHints } from './lock-hints.ts';

const parser = await pythonTool({ name: 'sqlfluff', version: '4.5.0' });
if ('missing' in parser) console.warn(`T-SQL is not parsed: ${parser.missing}`);

const brokenName = 'broken-on-purpose.sql';
const migrations = new URL('./migrations/', import.meta.url);

/** Every text the adapter may send, by file name. */
function allTexts(): Map<string, string> {
  const texts = new Map<string, string>([
    ['create-database.sql', createDatabaseText('order-saga')],
    ['read-committed-snapshot.sql', snapshotText('order-saga')],
    ['roles.sql', readFileSync(new URL('./roles.sql', import.meta.url), 'utf8')],
    [brokenName, 'SELECT OrderId FROM dbo.Orders WHERE WHERE OrderId = @OrderId'],
  ]);
  for (const file of readdirSync(migrations)) {
    texts.set(file, readFileSync(new URL(file, migrations), 'utf8'));
  }
  for (const { name, text } of allStatements) {
    const plain = text(withoutHints, 3);
    texts.set(`${name}.sql`, plain);
    if (text(withHints, 3) !== plain) texts.set(`${name}.hints.sql`, text(withHints, 3));
  }
  return texts;
}

interface Report {
  filepath: string;
  violations: { code: string; description: string; start_line_no: number }[];
}

describe.skipIf('missing' in parser)('T-SQL as sqlfluff reads it', () => {
  it('every statement, migration and script of the SQL Server store is well-formed', async () => {
    if ('missing' in parser) return;
    const folder = mkdtempSync(join(tmpdir(), 'order-saga-tsql-'));
    try {
      const texts = allTexts();
      for (const [name, text] of texts) writeFileSync(join(folder, name), `${text.trimEnd()}\n`);
      // One layout rule: what cannot be parsed is reported whatever the rules.
      const rules = ['--dialect', 'tsql', '--templater', 'raw', '--rules', 'LT12'];
      const stdout = await parser.run(['lint', ...rules, '--format', 'json', '--nofail', folder]);
      const reports = JSON.parse(stdout) as Report[];
      expect(reports).toHaveLength(texts.size);
      const problems = reports.flatMap(({ filepath, violations }) =>
        violations
          .filter(({ code }) => code === 'PRS' || code === 'TMP')
          .map((found) => `${filepath.slice(folder.length + 1)}:${found.start_line_no} ${found.description}`),
      );
      expect(problems.filter((problem) => !problem.startsWith(brokenName))).toEqual([]);
      expect(problems, 'the parser finds nothing at all').toHaveLength(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 300_000);
});
