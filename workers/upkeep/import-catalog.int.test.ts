import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectSqliteStore } from '../../adapters/sqlite/sqlite-store.ts';
import { productSubject } from '../../domain/audit.ts';
import { productId } from '../../domain/ids.ts';
import type { Store } from '../../ports/store.ts';
import { givenOrder, time } from '../../test/contract/store-fixtures.ts';
import { catalogFromCsv, catalogToCsv } from './catalog-csv.ts';
import { adjustStock, importCatalog } from './import-catalog.ts';
import { verifyAudit } from './verify-audit.ts';

describe('the catalog', () => {
  let folder: string;
  let store: Store;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'order-saga-catalog-'));
    store = await connectSqliteStore({ path: join(folder, 'store.sqlite') });
    await importLines('lamp,Lamp,10.00,INR,5', 'mat,Mat,7.50,INR,8');
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });

  const lamp = productId('lamp');
  const by = { actor: 'ana', clock: { nowUtc: () => time(1) } };
  const importLines = (...lines: string[]) => importWith({}, lines);
  const importWith = (change: { dryRun?: boolean }, lines: string[]) =>
    importCatalog({
      store,
      lines: catalogFromCsv(Buffer.from(['productId,name,price,currency,onHand', ...lines].join('\n'))),
      reason: 'spring',
      ...by,
      ...change,
    });
  const adjust = (units: number) =>
    adjustStock({ store, productId: lamp, by: units, reason: 'count', ...by });
  const stock = async () =>
    (await store.upkeep.stock()).map(({ productId: id, onHand, reserved }) => [id, onHand, reserved]);
  const reserve = async (quantity: number) => {
    const { orderId } = await givenOrder(store);
    await store.transaction((tx) =>
      tx.inventory.reserve({ orderId, items: [{ productId: lamp, quantity }] }),
    );
  };

  it('adds and changes what a file names and leaves the rest', async () => {
    const report = await importLines('rug,Rug,30.00,INR,2', 'lamp,Lamp,12.00,INR,');
    expect(report).toEqual({ added: 1, changed: 1, unchanged: 0 });
    expect(await stock()).toEqual([
      ['lamp', 5, 0],
      ['mat', 8, 0],
      ['rug', 2, 0],
    ]);
    expect((await store.read.audit(productSubject('lamp'))).at(-1)).toMatchObject({
      actor: 'ana',
      step: 'catalog',
      from: 'Lamp, 10.00 INR, 5 on hand',
      to: 'Lamp, 12.00 INR, 5 on hand',
      reason: 'spring',
    });
    expect(await store.read.audit(productSubject('mat'))).toHaveLength(1);
    expect((await verifyAudit({ store })).broken).toEqual([]);
  });

  it('takes its own export without a change', async () => {
    const lines = catalogFromCsv(Buffer.from(catalogToCsv(await store.upkeep.stock())));
    const report = await importCatalog({ store, lines, reason: 'again', ...by });
    expect(report).toEqual({ added: 0, changed: 0, unchanged: 2 });
    expect(await store.read.audit(productSubject('lamp'))).toHaveLength(1);
  });

  it('writes nothing on a dry run, and nothing when one line would sell what is reserved', async () => {
    await reserve(3);
    expect(await importWith({ dryRun: true }, ['lamp,Lamp,10.00,INR,3'])).toMatchObject({ changed: 1 });
    const bad = ['a,New,1.00,INR,1', 'lamp,Lamp,10.00,INR,2'];
    const problem = 'line 3: onHand 2 of lamp is less than the 3 units that orders have reserved';
    await expect(importLines(...bad)).rejects.toThrow(problem);
    await expect(importWith({ dryRun: true }, bad)).rejects.toThrow(problem);
    expect(await stock()).toEqual([
      ['lamp', 5, 3],
      ['mat', 8, 0],
    ]);
  });

  it('takes everything back when units are reserved between its look and its writing', async () => {
    const looking: Store = {
      ...store,
      upkeep: {
        ...store.upkeep,
        async stock() {
          const rows = await store.upkeep.stock();
          await reserve(4);
          return rows;
        },
      },
    };
    const lines = catalogFromCsv(
      Buffer.from('productId,name,price,currency,onHand\na,New,1,INR,1\nlamp,Lamp,10,INR,1\n'),
    );
    await expect(importCatalog({ store: looking, lines, reason: 'r', ...by })).rejects.toThrow(
      'line 3: onHand 1',
    );
    expect(await stock()).toEqual([
      ['lamp', 5, 4],
      ['mat', 8, 0],
    ]);
  });

  it('adjusts the stock with an audit row and never below what is reserved', async () => {
    await reserve(3);
    expect(await adjust(-2)).toMatchObject({ from: 5, to: 3, reserved: 3 });
    await expect(adjust(-1)).rejects.toThrow('expected at least 0, came -1');
    expect(await adjust(20)).toMatchObject({ from: 3, to: 23 });
    await expect(adjust(1_000_000_000)).rejects.toThrow('at most 1000000000');
    const rows = await store.read.audit(productSubject('lamp'));
    expect(rows.slice(1).map(({ step, from, to, reason }) => [step, from, to, reason])).toEqual([
      ['stock', '5 on hand', '3 on hand', 'count'],
      ['stock', '3 on hand', '23 on hand', 'count'],
    ]);
    expect(await stock()).toContainEqual(['lamp', 23, 3]);
    const unknown = { store, productId: productId('no'), by: 1, reason: 'r', ...by };
    await expect(adjustStock(unknown)).rejects.toThrow('not in the catalog');
  });
});
