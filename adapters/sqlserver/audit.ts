import { createHash } from 'node:crypto';
import { auditContent, firstPrevHash, type AuditRow } from '../../domain/audit.ts';
import type { AuditStatements } from '../../ports/store/orders.ts';
import { inserts } from './insert-or-update.ts';
import { statements, type Row, type Session } from './statement.ts';
import { isoOf, numberOf } from './values.ts';

export const auditSql = statements('audit', {
  lockHead: {
    index: 'PK_AuditHeads',
    text: (hints) =>
      hints.lockingRead({
        table: 'dbo.AuditHeads',
        columns: ['Seq', 'Hash'],
        touch: 'Seq',
        where: 'Subject = @Subject',
      }),
  },
  /* A subject's first row: whoever inserts the head holds it; others wait here and then read what that one wrote. */
  firstHead: {
    index: 'PK_AuditHeads',
    text: () => `INSERT INTO dbo.AuditHeads (Subject, Seq, Hash)
      OUTPUT inserted.Subject
      SELECT @Subject, 0, @Hash
      WHERE NOT EXISTS (SELECT 1 FROM dbo.AuditHeads WHERE Subject = @Subject)`,
  },
  /* The head moves only with its row. */
  append: {
    index: 'PK_AuditLog, PK_AuditHeads',
    text: () => `INSERT INTO dbo.AuditLog (Subject, Seq, PrevHash, Hash, Actor, Step, FromState, ToState, Reason,
        CausingEventId, WorkflowId, RunId, OccurredAtUtc)
      VALUES (@Subject, @Seq, @PrevHash, @Hash, @Actor, @Step, @FromState, @ToState, @Reason, @CausingEventId,
        @WorkflowId, @RunId, @OccurredAtUtc);
      IF @@ROWCOUNT = 1
        UPDATE dbo.AuditHeads SET Seq = @Seq, Hash = @Hash WHERE Subject = @Subject`,
  },
});

export function createAudit(session: Session): AuditStatements {
  return {
    async append(entry) {
      const head = await lockHead(session, entry.subject);
      const row = { ...entry, seq: head.seq + 1, prevHash: head.hash };
      const hash = createHash('sha256').update(auditContent(row)).digest('hex');
      await session.rows(auditSql.append, rowValues({ ...row, hash }));
    },
  };
}

async function lockHead(session: Session, subject: string): Promise<{ seq: number; hash: string }> {
  const locked = async () => {
    const [row] = await session.rows(auditSql.lockHead, { Subject: subject });
    return row && { seq: numberOf(row['Seq']), hash: row['Hash'] as string };
  };
  const head = await locked();
  if (head) return head;
  const first = { Subject: subject, Hash: firstPrevHash };
  if (await inserts(() => session.rows(auditSql.firstHead, first))) return { seq: 0, hash: firstPrevHash };
  const others = await locked();
  if (!others) throw new Error(`AuditHeads has no row for ${subject} although one was inserted: try again`);
  return others;
}

const rowValues = (row: AuditRow) => ({
  Subject: row.subject,
  Seq: row.seq,
  PrevHash: row.prevHash,
  Hash: row.hash,
  Actor: row.actor,
  Step: row.step,
  FromState: row.from,
  ToState: row.to,
  Reason: row.reason,
  CausingEventId: row.causingEventId,
  WorkflowId: row.workflowId,
  RunId: row.runId,
  OccurredAtUtc: row.occurredAtUtc,
});

export const auditRowOf = (row: Row): AuditRow => ({
  subject: row['Subject'] as string,
  seq: numberOf(row['Seq']),
  prevHash: row['PrevHash'] as string,
  hash: row['Hash'] as string,
  actor: row['Actor'] as string,
  step: row['Step'] as string,
  from: row['FromState'] as string,
  to: row['ToState'] as string,
  reason: row['Reason'] as string,
  causingEventId: row['CausingEventId'] as string,
  workflowId: row['WorkflowId'] as string,
  runId: row['RunId'] as string,
  occurredAtUtc: isoOf(row['OccurredAtUtc']),
});
