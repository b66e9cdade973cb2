import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectSqliteStore } from '../../adapters/sqlite/sqlite-store.ts';
import { orderSubject } from '../../domain/audit.ts';
import type { Store } from '../../ports/store.ts';
import { auditEntry, givenOrder, newMessage, time } from '../../test/contract/store-fixtures.ts';
import { givenClosedOrder } from '../../test/contract/store-retention.ts';
import { purgeStore } from './purge-store.ts';
import { verifyAudit } from './verify-audit.ts';

describe('the purge', () => {
  let folder: string;
  let store: Store;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'order-saga-purge-'));
    store = await connectSqliteStore({ path: join(folder, 'store.sqlite') });
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });

  const nowUtc = '2026-06-01T00:00:00.000Z';
  const purge = () =>
    purgeStore({ store, beforeUtc: time(30), actor: 'ana', clock: { nowUtc: () => nowUtc }, pauseMs: 0 });
  const execute = (sql: string) => {
    using database = new DatabaseSync(join(folder, 'store.sqlite'), { timeout: 1_000 });
    database.exec(sql);
  };

  it('deletes closed orders in batches, records each with its head hash, and leaves every chain whole', async () => {
    const ids = [];
    for (let count = 0; count < 23; count += 1) ids.push(await givenClosedOrder(store));
    const young = await givenClosedOrder(store, { closedAt: 31 });
    const { orderId: open } = await givenOrder(store);
    const heads = await Promise.all(ids.map((id) => store.read.auditHead(orderSubject(id))));
    expect(await purge()).toEqual({ orders: 23, processedEvents: 0, outboxMessages: 0, kept: [] });
    const records = await store.read.audit('purge:2026-06-01');
    expect(new Set(records.map(({ reason }) => reason))).toEqual(
      new Set(ids.map((id, index) => `order:${id}: 2 audit rows, head ${heads[index]?.hash}`)),
    );
    expect(records[0]).toMatchObject({ actor: 'ana', from: 'completed', to: 'purged', step: 'purge' });
    expect((await store.read.ledger()).map(({ orderId }) => orderId).sort()).toEqual([young, open].sort());
    expect((await verifyAudit({ store })).broken).toEqual([]);
    expect((await purge()).orders).toBe(0);
  });

  it('deletes old marks and published messages, and no message that waits', async () => {
    const [old, young, waiting] = [newMessage(), newMessage(), newMessage()];
    await store.transaction(async (tx) => {
      for (const message of [old, young, waiting]) await tx.messages.add(message);
      for (const second of [1, 40]) {
        const eventId = `event-${second}`;
        await tx.processedEvents.mark({ consumer: 'c', eventId, processedAtUtc: time(second) });
      }
    });
    await store.outbox.markPublished({ ids: [old.id], publishedAtUtc: time(29) });
    await store.outbox.markPublished({ ids: [young.id], publishedAtUtc: time(31) });
    expect(await purge()).toMatchObject({ processedEvents: 1, outboxMessages: 1 });
    expect((await store.outbox.depth()).unpublished).toBe(1);
    expect(await store.upkeep.purgeable({ beforeUtc: time(59) })).toMatchObject({
      processedEvents: 1,
      outboxMessages: 1,
    });
  });

  it('keeps and names an order whose audit chain is broken, and purges the others', async () => {
    const broken = await givenClosedOrder(store, { closedAt: 1 });
    const sound = await givenClosedOrder(store);
    execute(`DROP TRIGGER TR_AuditLog_NoUpdate;
      UPDATE AuditLog SET Reason = 'forged' WHERE Subject = '${orderSubject(broken)}' AND Seq = 1`);
    const { orders, kept } = await purge();
    expect(orders).toBe(1);
    expect(kept).toMatchObject([{ orderId: broken, what: expect.stringContaining('row 1 was altered') }]);
    expect(await store.read.order(broken)).toBeDefined();
    expect(await store.read.order(sound)).toBeUndefined();
  });

  it('leaves the audit trail append-only for everybody else', async () => {
    await givenClosedOrder(store);
    await store.transaction((tx) => tx.audit.append(auditEntry({ subject: 'product:a' })));
    await purge();
    expect(() => execute('DELETE FROM AuditLog')).toThrow('append-only');
    expect(() => execute("UPDATE AuditLog SET Reason = ''")).toThrow('append-only');
  });

  it('lets writers go on meanwhile', async () => {
    for (let count = 0; count < 60; count += 1) await givenClosedOrder(store);
    const writer = await connectSqliteStore({ path: join(folder, 'store.sqlite') });
    const waits: number[] = [];
    let done = false;
    const writing = (async () => {
      while (!done) {
        const startedMs = performance.now();
        await givenOrder(writer);
        waits.push(performance.now() - startedMs);
      }
    })();
    const { orders } = await purge();
    done = true;
    await writing;
    await writer.close();
    expect(orders).toBe(60);
    expect(waits.length).toBeGreaterThan(5);
    expect(Math.max(...waits)).toBeLessThan(1_000);
  });
});
