import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { firstPrevHash } from '../../domain/audit.ts';
import { orderId } from '../../domain/ids.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import { auditEntry } from '../../test/contract/store-fixtures.ts';
import type { Scope } from './run-transaction.ts';
import type { Row, Session } from './statement.ts';
import { withTransaction } from './transaction.ts';

/** A session that answers each statement from a table and notes what was asked. */
function scripted(answers: Record<string, Row[]> = {}) {
  const asked: string[] = [];
  const rows: Session['rows'] = async (statement) => {
    await sleep(1);
    asked.push(statement.name);
    return answers[statement.name] ?? [];
  };
  const session: Session = { rows, results: async (...request) => [await rows(...request)] };
  const scope: Scope = { ended: false, broken: undefined };
  return { asked, session, scope };
}

const head = { 'audit.lockHead': [{ Seq: 4, Hash: firstPrevHash }] };

describe("the port's view of a transaction", () => {
  it('runs calls whole and in order that were made at once', async () => {
    const { asked, ...inside } = scripted(head);
    await withTransaction(inside, async (tx) => {
      await Promise.all([tx.audit.append(auditEntry()), tx.audit.append(auditEntry())]);
    });
    expect(asked).toEqual(['audit.lockHead', 'audit.append', 'audit.lockHead', 'audit.append']);
  });

  it('includes calls that the work did not wait for', async () => {
    const { asked, ...inside } = scripted(head);
    await withTransaction(inside, async (tx) => {
      void tx.audit.append(auditEntry());
    });
    expect(asked).toEqual(['audit.lockHead', 'audit.append']);
  });

  it('makes the head of a subject before its first row', async () => {
    const { asked, ...inside } = scripted({ 'audit.firstHead': [{ Subject: 'order:1' }] });
    await withTransaction(inside, (tx) => tx.audit.append(auditEntry()));
    expect(asked).toEqual(['audit.lockHead', 'audit.firstHead', 'audit.append']);
  });

  it('rejects every call after its end', async () => {
    const { asked, session, scope } = scripted();
    const kept: StoreTransaction[] = [];
    await withTransaction({ session, scope }, async (tx) => {
      kept.push(tx);
    });
    scope.ended = true;
    await expect(kept[0]?.orders.find(orderId('o'))).rejects.toThrow('This transaction has ended');
    expect(asked).toEqual([]);
  });
});
