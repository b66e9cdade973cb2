import { createHash } from 'node:crypto';
import { auditContent, firstPrevHash, type AuditRow } from '../../domain/audit.ts';
import type { AuditStatements } from '../../ports/store/orders.ts';
import type { Connection } from './connection.ts';
import type { Synchronous } from './statements.ts';

export const auditSql = {
  head: `SELECT Seq, Hash FROM AuditHeads WHERE Subject = ?`,
  append: `INSERT INTO AuditLog (Subject, Seq, PrevHash, Hash, Actor, Step, FromState, ToState, Reason, CausingEventId,
      WorkflowId, RunId, OccurredAtUtc)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  moveHead: `INSERT INTO AuditHeads (Subject, Seq, Hash) VALUES (?, ?, ?)
    ON CONFLICT (Subject) DO UPDATE SET Seq = excluded.Seq, Hash = excluded.Hash`,
};

export function createAudit(connection: Connection): Synchronous<AuditStatements> {
  return {
    append(entry) {
      const head = connection.get<{ Seq: number; Hash: string }>(auditSql.head, entry.subject);
      const row = { ...entry, seq: (head?.Seq ?? 0) + 1, prevHash: head?.Hash ?? firstPrevHash };
      const hash = createHash('sha256').update(auditContent(row)).digest('hex');
      appendRow(connection, { ...row, hash });
      connection.run(auditSql.moveHead, entry.subject, row.seq, hash);
    },
  };
}

function appendRow(connection: Connection, row: AuditRow): void {
  connection.run(
    auditSql.append,
    row.subject,
    row.seq,
    row.prevHash,
    row.hash,
    row.actor,
    row.step,
    row.from,
    row.to,
    row.reason,
    row.causingEventId,
    row.workflowId,
    row.runId,
    row.occurredAtUtc,
  );
}
