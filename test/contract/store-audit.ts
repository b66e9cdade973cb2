import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { auditContent, firstPrevHash, type AuditRow } from '../../domain/audit.ts';
import type { CreateDatabase } from './contract-database.ts';
import { atOnce, auditEntry, useDatabase } from './store-fixtures.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The number of the first row that does not fit the chain, 0 when all do. */
function firstBroken(rows: readonly AuditRow[]): number {
  const broken = rows.findIndex(
    (row, index) =>
      row.seq !== index + 1 ||
      row.prevHash !== (rows[index - 1]?.hash ?? firstPrevHash) ||
      row.hash !== sha256(auditContent(row)),
  );
  return broken + 1;
}

export function describeAudit(createDatabase: CreateDatabase): void {
  const context = useDatabase(createDatabase, 3);

  it('chains the rows of one subject although many are written at once, and keeps the head', async () => {
    const { stores, store } = context;
    const entry = auditEntry();
    await atOnce(stores, 30, (each, index) =>
      each.transaction((tx) => tx.audit.append({ ...entry, reason: `reason ${index}` })),
    );
    const rows = await store.read.audit(entry.subject);
    expect(rows).toHaveLength(30);
    expect(firstBroken(rows)).toBe(0);
    expect(await store.read.auditHead(entry.subject)).toEqual({ seq: 30, hash: rows.at(-1)?.hash });
  });

  it('returns each entry as it was written', async () => {
    const { store } = context;
    const entry = auditEntry();
    await store.transaction((tx) => tx.audit.append(entry));
    const [row] = await store.read.audit(entry.subject);
    expect(row).toEqual({
      ...entry,
      seq: 1,
      prevHash: firstPrevHash,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('keeps the chains of two subjects apart', async () => {
    const { store } = context;
    const [first, second] = [auditEntry(), auditEntry()];
    await store.transaction(async (tx) => {
      for (const entry of [first, second, first]) await tx.audit.append(entry);
    });
    expect((await store.read.audit(first.subject)).map(({ seq }) => seq)).toEqual([1, 2]);
    expect((await store.read.audit(second.subject)).map(({ seq }) => seq)).toEqual([1]);
    expect(await store.read.auditHead('order:unknown')).toBeUndefined();
  });

  it('refuses to change or delete a row', async () => {
    const { store, database } = context;
    const entry = auditEntry();
    await store.transaction((tx) => tx.audit.append(entry));
    const where = `WHERE Subject = '${entry.subject}'`;
    await expect(database.execute(`UPDATE AuditLog SET Reason = 'forged' ${where}`)).rejects.toThrow(
      'append-only',
    );
    await expect(database.execute(`DELETE FROM AuditLog ${where}`)).rejects.toThrow('append-only');
    expect(firstBroken(await store.read.audit(entry.subject))).toBe(0);
  });
}
