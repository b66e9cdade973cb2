import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectSqliteStore } from '../../adapters/sqlite/sqlite-store.ts';
import { auditContent, type AuditRow } from '../../domain/audit.ts';
import type { Store } from '../../ports/store.ts';
import { auditEntry } from '../../test/contract/store-fixtures.ts';
import { verifyAudit, verifySubject, type AuditReport } from './verify-audit.ts';

describe('the check of the audit trail', () => {
  let folder: string;
  let store: Store;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'order-saga-audit-'));
    store = await connectSqliteStore({ path: join(folder, 'store.sqlite') });
    for (const subject of ['order:a', 'order:b', 'product:c']) await append(subject, 5);
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });

  const append = (subject: string, rows: number) =>
    store.transaction(async (tx) => {
      for (let row = 0; row < rows; row += 1) await tx.audit.append(auditEntry({ subject }));
    });
  /** As somebody does who can write the file: the triggers are no hindrance then. */
  const doctor = (sql: string) => {
    using database = new DatabaseSync(join(folder, 'store.sqlite'), { timeout: 1_000 });
    database.exec(
      `DROP TRIGGER IF EXISTS TR_AuditLog_NoUpdate; DROP TRIGGER IF EXISTS TR_AuditLog_NoDelete; ${sql}`,
    );
  };

  it('holds for what the store wrote, over all subjects and for one', async () => {
    const progress: AuditReport[] = [];
    const report = await verifyAudit({ store, onProgress: (each) => progress.push({ ...each }) });
    expect(report).toEqual({ subjects: 3, rows: 15, broken: [] });
    expect(progress).toEqual([report]);
    expect(await verifyAudit({ store, subject: 'order:b' })).toEqual({ subjects: 1, rows: 5, broken: [] });
  });

  it('refuses a subject that does not exist', async () => {
    await expect(verifyAudit({ store, subject: 'order:x' })).rejects.toThrow('Subject order:x: no audit row');
  });

  const of = `WHERE Subject = 'order:b'`;
  const forgedHash = 'f'.repeat(64);
  it.each([
    ['an altered row', `UPDATE AuditLog SET Reason = 'forged' ${of} AND Seq IN (3, 5)`, 3, 'altered'],
    ['an altered hash', `UPDATE AuditLog SET Hash = '${forgedHash}' ${of} AND Seq = 2`, 2, 'altered'],
    ['a row missing in the middle', `DELETE FROM AuditLog ${of} AND Seq = 4`, 4, 'missing'],
    ['the first row missing', `DELETE FROM AuditLog ${of} AND Seq = 1`, 1, 'missing'],
    ['a cut-off tail', `DELETE FROM AuditLog ${of} AND Seq > 3`, 4, 'cut_off'],
    ['all rows gone but the head', `DELETE FROM AuditLog ${of}`, 1, 'cut_off'],
    ['a missing head', `DELETE FROM AuditHeads ${of}`, 5, 'head_missing'],
    ['a head that was set back', `UPDATE AuditHeads SET Seq = 4 ${of}`, 4, 'head_differs'],
    ['a head with another hash', `UPDATE AuditHeads SET Hash = '${forgedHash}' ${of}`, 5, 'head_differs'],
    [
      'rows past the head',
      `UPDATE AuditHeads SET Seq = 4, Hash = (SELECT Hash FROM AuditLog ${of} AND Seq = 4) ${of}`,
      5,
      'head_differs',
    ],
  ])('names the first broken row of %s', async (_, sql, seq, kind) => {
    doctor(sql);
    const expected = { subject: 'order:b', seq, kind, what: expect.stringContaining(' ') };
    expect((await verifyAudit({ store })).broken).toEqual([expected]);
    expect((await verifyAudit({ store, subject: 'order:b' })).broken).toEqual([expected]);
  });

  it('finds a row that was written anew with its own hash right', async () => {
    const third = (await store.read.audit('product:c'))[2];
    const hash = rehashed(third && { ...third, prevHash: forgedHash });
    doctor(
      `UPDATE AuditLog SET PrevHash = '${forgedHash}', Hash = '${hash}' WHERE Subject = 'product:c' AND Seq = 3`,
    );
    expect((await verifyAudit({ store })).broken).toMatchObject([
      { subject: 'product:c', seq: 3, kind: 'relinked' },
    ]);
  });

  it('takes rows that are written between two of its reads for what they are', async () => {
    let heads = 0;
    const read = {
      audit: (subject: string) => store.read.audit(subject),
      async auditHead(subject: string) {
        const head = await store.read.auditHead(subject);
        heads += 1;
        await append(subject, 1);
        return head;
      },
    };
    expect(await verifySubject(read, 'order:a')).toEqual({ rows: 6 });
    expect(heads).toBe(2);
  });
});

const rehashed = (row: AuditRow | undefined): string => {
  if (!row) throw new Error('Expected a row to forge');
  return createHash('sha256').update(auditContent(row)).digest('hex');
};
