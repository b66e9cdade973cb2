import { describe, expect, it } from 'vitest';
import { allStatements } from './all-statements.ts';
import { withHints, withoutHints } from './lock-hints.ts';
import { rowCounts, sendRows, statements, type Session } from './statement.ts';
import type { StatementValues } from './parameter-types.ts';

const { put } = statements('test', { put: { index: 'none', text: (_, rows) => `put ${rows}` } });

async function sentFor(rows: number): Promise<{ values: StatementValues; rowCount: number }[]> {
  const sent: { values: StatementValues; rowCount: number }[] = [];
  const results: Session['results'] = async (_, values, rowCount = 0) => {
    sent.push({ values, rowCount });
    return [];
  };
  const session = {
    results,
    rows: async (...request: Parameters<Session['rows']>) => (await results(...request)).flat(),
  };
  const items = Array.from({ length: rows }, (_, index) => ({ ProductId: `p${index}`, Quantity: index + 1 }));
  await sendRows(session, put, items, { OrderId: 'o' });
  return sent;
}

describe('a statement for several rows', () => {
  it('comes in nine sizes, whatever the number of rows, so that the server keeps nine plans', async () => {
    const counts = new Set<number>();
    for (let rows = 1; rows <= 600; rows += 1)
      for (const { rowCount } of await sentFor(rows)) counts.add(rowCount);
    expect([...counts].sort((a, b) => a - b)).toEqual(rowCounts);
  });

  it('sends each row once and fills up the rest with NULL', async () => {
    const sent = await sentFor(259);
    const ids = sent.flatMap(({ values }) =>
      Object.entries(values).flatMap(([name, value]) => (name.startsWith('ProductId_') ? [value] : [])),
    );
    expect(sent.map(({ rowCount }) => rowCount)).toEqual([256, 4]);
    expect(ids).toHaveLength(260);
    expect(ids.filter((id) => id !== null)).toEqual(Array.from({ length: 259 }, (_, index) => `p${index}`));
    expect(sent[1]?.values).toMatchObject({ OrderId: 'o', ProductId_4: null, Quantity_4: null });
  });

  it('is not sent for none', async () => expect(await sentFor(0)).toEqual([]));

  it('keeps within the 2,100 parameters SQL Server takes', () => {
    for (const { name, text } of allStatements)
      for (const hints of [withHints, withoutHints])
        expect(new Set(text(hints, 256).match(/@\w+/g)).size, name).toBeLessThanOrEqual(2_100);
  });

  it('never inserts a row of NULLs', () => {
    for (const { name, text } of allStatements) {
      const two = text(withHints, 2);
      if (two === text(withHints, 1) || !/\bINSERT\b/.test(two)) continue;
      expect(two, name).toMatch(/FROM \(VALUES .*\) AS \w+ \(.*\)\s+WHERE \w+ IS NOT NULL/s);
    }
  });
});
