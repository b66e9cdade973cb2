import type { Actor } from './order.ts';

/** One append-only row: who moved what from where to where, and why. No personal data. */
export interface AuditEntry {
  /** What the row is about, for example `order:<orderId>` or `product:<productId>`. */
  subject: string;
  actor: Actor;
  step: string;
  from: string;
  to: string;
  reason: string;
  /** The event or command that caused it; empty where a person's act did. */
  causingEventId: string;
  workflowId: string;
  runId: string;
  occurredAtUtc: string;
}

export interface AuditRow extends AuditEntry {
  /** 1, 2, 3 … within the subject. */
  seq: number;
  /** Hash of the subject's previous row; 64 zeros before the first. */
  prevHash: string;
  /** SHA-256 (hex) of `auditContent`. */
  hash: string;
}

export const firstPrevHash = '0'.repeat(64);

export const orderSubject = (orderId: string): string => `order:${orderId}`;
export const productSubject = (productId: string): string => `product:${productId}`;

/**
 * The exact text a row's hash covers: a JSON array in this order, so that no two rows share a text and both stores
 * hash alike.
 */
export const auditContent = (row: Omit<AuditRow, 'hash'>): string =>
  JSON.stringify([
    row.subject,
    row.seq,
    row.prevHash,
    row.actor,
    row.step,
    row.from,
    row.to,
    row.reason,
    row.causingEventId,
    row.workflowId,
    row.runId,
    row.occurredAtUtc,
  ]);
