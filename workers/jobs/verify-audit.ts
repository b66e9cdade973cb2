import { createHash } from 'node:crypto';
import { brokenHead, firstBrokenRow, type AuditBreak } from '../../domain/audit-chain.ts';
import type { Store } from '../../ports/store.ts';

type Reads = Pick<Store['read'], 'audit' | 'auditHead'>;
export interface BrokenSubject extends AuditBreak {
  subject: string;
}

export interface AuditReport {
  subjects: number;
  rows: number;
  /** In the order of the subjects. */
  broken: BrokenSubject[];
}

/** Subjects of one page of reading. */
const pageSize = 500;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * Checks one subject's hash chain: every row against its hash and its predecessor, and the last against the head. Safe
 * while rows are written: the head is read before the rows, and again when there are more rows than it counts.
 */
export async function verifySubject(
  read: Reads,
  subject: string,
): Promise<{ rows: number; broken?: AuditBreak }> {
  const head = await read.auditHead(subject);
  const rows = await read.audit(subject);
  const found = (broken: AuditBreak | undefined) => ({ rows: rows.length, ...(broken && { broken }) });
  const inRows = firstBrokenRow(rows, sha256);
  if (inRows) return found(inRows);
  const inHead = head && brokenHead(rows, head);
  // Purged meanwhile, or cut off before it grew: only a second look tells.
  if (inHead) return found((await read.auditHead(subject)) && inHead);
  if (rows.length <= (head?.seq ?? 0)) return found(undefined);
  return found(await behind(read, subject, rows));
}

/** More rows than the head counted: it has moved by now, or somebody wrote past it. */
async function behind(
  read: Reads,
  subject: string,
  rows: Awaited<ReturnType<Reads['audit']>>,
): Promise<AuditBreak | undefined> {
  const head = await read.auditHead(subject);
  if (!head) {
    const what = `the head is missing: nothing says whether rows after row ${rows.length} were cut off`;
    return { seq: rows.length, kind: 'head_missing', what };
  }
  if (head.seq > rows.length) return undefined;
  if (head.seq === rows.length) return brokenHead(rows, head);
  const seq = head.seq + 1;
  return { seq, kind: 'head_differs', what: `row ${seq} and later were written past the head` };
}

/**
 * Checks all subjects, or the one that is given. `onProgress` is told after each page of 500 subjects. A given subject
 * that has neither rows nor a head is an error.
 */
export async function verifyAudit(input: {
  store: Pick<Store, 'read' | 'upkeep'>;
  subject?: string | undefined;
  onProgress?: ((report: AuditReport) => void) | undefined;
}): Promise<AuditReport> {
  const { store, subject, onProgress } = input;
  const report: AuditReport = { subjects: 0, rows: 0, broken: [] };
  const check = async (each: string) => {
    const { rows, broken } = await verifySubject(store.read, each);
    report.subjects += 1;
    report.rows += rows;
    if (broken) report.broken.push({ subject: each, ...broken });
    return rows;
  };
  if (subject !== undefined) {
    if ((await check(subject)) === 0 && report.broken.length === 0) throw new Error(unknownSubject(subject));
    return report;
  }
  for (let after = '', more = true; more;) {
    const page = await store.upkeep.auditSubjects({ after, limit: pageSize });
    for (const each of page) await check(each);
    after = page.at(-1) ?? after;
    more = page.length === pageSize;
    onProgress?.(report);
  }
  return report;
}

const unknownSubject = (subject: string): string =>
  `Subject ${subject}: no audit row and no head; expected order:<orderId>, product:<productId>, purge:<date> or another that exists`;
