import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { orderSubject } from '../../domain/audit.ts';
import type { CreateDatabase } from './contract-database.ts';
import { givenOrder, newOrderId, useDatabase } from './store-fixtures.ts';

const script = fileURLToPath(new URL('store-child.ts', import.meta.url));

export function describeProcesses(createDatabase: CreateDatabase): void {
  const context = useDatabase(createDatabase, 0);

  const start = (...args: string[]): ChildProcessByStdio<null, Readable, Readable> =>
    spawn(process.execPath, [script, ...args], {
      env: { ...process.env, SQL_URL: context.database.url },
      stdio: ['ignore', 'pipe', 'pipe'],
    });

  it('migrates an empty database once when several processes start at the same time', async () => {
    const children = Array.from({ length: 5 }, () => start('connect'));
    const ends = await Promise.all(
      children.map(async (child) => {
        const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
        return { code, errors };
      }),
    );
    expect(ends).toEqual(ends.map(() => ({ code: 0, errors: '' })));
  });

  it('keeps nothing of a process that is killed in mid-transaction, and goes on at once', async () => {
    const orderId = newOrderId();
    const child = start('hang', orderId);
    try {
      const [line] = await once(child.stdout, 'data');
      expect(String(line)).toContain('in transaction');
    } finally {
      child.kill('SIGKILL');
    }
    await once(child, 'exit');
    const store = await context.database.connect();
    try {
      expect(await store.read.order(orderId)).toBeUndefined();
      expect(await store.read.events({ orderId, afterSequence: 0 })).toEqual([]);
      expect(await store.read.auditHead(orderSubject(orderId))).toBeUndefined();
      expect((await store.outbox.depth()).unpublished).toBe(0);
      await givenOrder(store, { orderId });
      expect(await store.read.order(orderId)).toBeDefined();
    } finally {
      await store.close();
    }
  });

  it('keeps its data when a later process connects', async () => {
    const first = await context.database.connect();
    const { orderId } = await givenOrder(first);
    await first.close();
    const second = await context.database.connect();
    expect(await second.read.order(orderId)).toBeDefined();
    await second.close();
  });

  it('refuses a schema that is newer than the code, on connecting and on ping', async () => {
    const { database } = context;
    const store = await database.connect();
    const version = 9_999;
    const later = `(${version}, 'from-the-future', '2030-01-01T00:00:00.000Z')`;
    await database.execute(`INSERT INTO SchemaMigrations (Version, Name, AppliedAtUtc) VALUES ${later}`);
    await expect(store.ping()).rejects.toThrow(/schema version 9999.*newer release/);
    await expect(database.connect()).rejects.toThrow(/schema version 9999.*newer release/);
    await database.execute(`DELETE FROM SchemaMigrations WHERE Version = ${version}`);
    await store.ping();
    await store.close();
  });
}
