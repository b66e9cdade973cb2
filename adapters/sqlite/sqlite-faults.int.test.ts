import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../ports/store.ts';
import { givenOrder, newOrderId } from '../../test/contract/store-fixtures.ts';
import { connectSqliteStore } from './sqlite-store.ts';

describe('the SQLite store in trouble', () => {
  let folder: string;
  let path: string;
  let store: Store;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'order-saga-faults-'));
    path = join(folder, 'deep', 'store.sqlite');
    store = await connectSqliteStore({ path });
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });

  const unavailable = (message: string) => ({
    type: 'StoreUnavailable',
    message: expect.stringContaining(message),
  });

  it('waits for another process that writes, without blocking reads and timers', async () => {
    const { orderId } = await givenOrder(store);
    using other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    const write = givenOrder(store);
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 5);
    await sleep(400);
    expect(await store.read.order(orderId)).toBeDefined();
    other.exec('ROLLBACK');
    await write;
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
  });

  it('refuses a write when the lock lasts, and comes back by itself', async () => {
    using other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    const started = performance.now();
    await expect(givenOrder(store)).rejects.toMatchObject(unavailable('holds the write lock'));
    expect(performance.now() - started).toBeLessThan(5_000);
    other.exec('ROLLBACK');
    await givenOrder(store);
  });

  it('refuses reads and writes while its file is away, makes no empty one, and comes back with it', async () => {
    const { orderId } = await givenOrder(store);
    renameSync(path, `${path}.away`);
    await expect(givenOrder(store)).rejects.toMatchObject(unavailable('put it back'));
    await expect(store.read.order(orderId)).rejects.toMatchObject(unavailable('put it back'));
    await expect(store.ping()).rejects.toMatchObject(unavailable('put it back'));
    renameSync(`${path}.away`, path);
    await givenOrder(store);
    expect(await store.read.order(orderId)).toBeDefined();
  });

  it('refuses another file in the place of its own', async () => {
    copyFileSync(path, `${path}.copy`);
    renameSync(path, `${path}.own`);
    renameSync(`${path}.copy`, path);
    await expect(givenOrder(store)).rejects.toMatchObject(unavailable('another file took its place'));
    renameSync(`${path}.own`, path);
    await givenOrder(store);
  });

  it('does not start on a file that is no database', async () => {
    const other = join(folder, 'text.sqlite');
    writeFileSync(other, 'not a database, but long enough to be taken for one '.repeat(50));
    await expect(connectSqliteStore({ path: other })).rejects.toMatchObject(
      unavailable('no SQLite database'),
    );
  });

  it('does not start on a folder', async () => {
    await expect(connectSqliteStore({ path: folder })).rejects.toMatchObject(
      unavailable('put the file back'),
    );
  });

  it('starts while another process writes, once the schema is there', async () => {
    using other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    const second = await connectSqliteStore({ path });
    expect(await second.read.order(newOrderId())).toBeUndefined();
    other.exec('ROLLBACK');
    await second.close();
  });

  it('finishes what waits before it closes and refuses what comes after', async () => {
    const second = await connectSqliteStore({ path });
    const write = givenOrder(second);
    await second.close();
    const { orderId } = await write;
    expect(await store.read.order(orderId)).toBeDefined();
    await expect(givenOrder(second)).rejects.toThrow('is closed');
    await expect(second.read.order(orderId)).rejects.toThrow('is closed');
  });
});
