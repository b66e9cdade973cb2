import { auditContent, firstPrevHash, type AuditRow } from './audit.ts';

export interface AuditHead {
  seq: number;
  hash: string;
}

/** Where a chain is broken first, and how. */
export interface AuditBreak {
  /** Number of the first row that is not as it was written, or is not there. */
  seq: number;
  kind: 'altered' | 'missing' | 'relinked' | 'cut_off' | 'head_missing' | 'head_differs';
  /** For a person. */
  what: string;
}

/** The first row that does not follow from the rows before it; `hashOf` is SHA-256 in hexadecimal digits. */
export function firstBrokenRow(
  rows: readonly AuditRow[],
  hashOf: (content: string) => string,
): AuditBreak | undefined {
  let previous = firstPrevHash;
  for (const [index, row] of rows.entries()) {
    const seq = index + 1;
    if (row.seq !== seq) {
      return { seq, kind: 'missing', what: `row ${seq} is missing: row ${row.seq} comes in its place` };
    }
    if (hashOf(auditContent(row)) !== row.hash) {
      return { seq, kind: 'altered', what: `row ${seq} was altered: its content does not give its hash` };
    }
    if (row.prevHash !== previous) {
      const what = `row ${seq} does not follow the row before it: one of the two was written anew`;
      return { seq, kind: 'relinked', what };
    }
    previous = row.hash;
  }
  return undefined;
}

/** Whether the head, kept apart from the rows, names one of them; rows after it may be newer than the head. */
export function brokenHead(rows: readonly AuditRow[], head: AuditHead): AuditBreak | undefined {
  const named = rows[head.seq - 1];
  if (!named) {
    const seq = rows.length + 1;
    const what = `the tail is cut off: rows ${seq} to ${head.seq}, which the head counts, are missing`;
    return { seq, kind: 'cut_off', what };
  }
  if (named.hash === head.hash) return undefined;
  const what = `row ${head.seq} is not the one that the head was moved to: the chain or its head was replaced`;
  return { seq: head.seq, kind: 'head_differs', what };
}
