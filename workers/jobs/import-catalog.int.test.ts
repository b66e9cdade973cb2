import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectSqliteStore } from '../../adapters/sqlite/sqlite-store.ts';
import { productSubject } from '../../domain/audit.ts';
import { productId } from '../../domain/ids.ts';
import { mostOnHand } from '../../domain/stock.ts';
import { cleanLine, refuseLine } from '../../domain/text.ts';
import type { Store } from '../../ports/store.ts';
import { givenOrder, time } from '../../test/contract/store-fixtures.ts';
import { catalogFromCsv, catalogToCsv } from './catalog-csv.ts';
import { adjustStock } from './adjust-stock.ts';
import { importCatalog } from './import-catalog.ts';
import { verifyAudit } from './verify-audit.ts';

describe('the catalog', () => {
  let folder: string;
  let store: Store;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'order-saga-catalog-'));
    store = await connectSqliteStore({ path: join(folder, 'store.sqlite') });
    await importLines('lamp,Lamp,10.00,INR,5,', 'mat,Mat,7.50,INR,8,');
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });

  const header = 'productId,name,price,currency,onHand,expectedOnHand';
  const lamp = productId('lamp');
  const by = { actor: 'ana', clock: { nowUtc: () => time(1) } };
  const importLines = (...lines: string[]) => importWith({}, lines);
  const importWith = (change: { dryRun?: boolean }, lines: string[]) =>
    importCatalog({
      store,
      lines: catalogFromCsv(Buffer.from([header, ...lines].join('\n'))),
      reason: 'spring',
      ...by,
      ...change,
    });
  let keys = 0;
  const adjust = (units: number, key = `key-${(keys += 1)}`) =>
    adjustStock({ store, productId: lamp, by: units, key, reason: 'count', ...by });
  const stock = async () =>
    (await store.upkeep.stock()).map(({ productId: id, onHand, reserved }) => [id, onHand, reserved]);
  const reserve = async (quantity: number) => {
    const { orderId } = await givenOrder(store);
    await store.transaction((tx) =>
      tx.inventory.reserve({ orderId, items: [{ productId: lamp, quantity }] }),
    );
    return { orderId };
  };
  const linesOf = (csv: string) => catalogFromCsv(Buffer.from(csv));

  it('refuses new prices of which an order could not be counted exactly; a row that has one still goes out and in', async () => {
    const dear = productId('dear');
    const price = { amountMinor: 10 ** 12, currency: 'INR' } as const;
    await store.transaction((tx) =>
      tx.inventory.putProduct({ productId: dear, name: 'Dear', price, onHand: 1 }),
    );
    const csv = catalogToCsv(await store.upkeep.stock());
    expect(csv).toContain('10000000000.00');
    const same = await importCatalog({ store, lines: linesOf(csv), reason: 'spring', ...by });
    expect(same).toMatchObject({ unchanged: 3, refused: [] });
    const report = await importLines(
      'dear,Dear,10000000000.01,INR,,',
      'rug,Rug,100000000.01,INR,2,',
      'lamp,Lamp,100000000.00,INR,,',
    );
    expect(report).toMatchObject({
      added: 0,
      changed: 1,
      refused: [
        { productId: 'dear', reason: 'price: expected at most 100000000.00 INR' },
        { productId: 'rug', reason: 'price: expected at most 100000000.00 INR' },
      ],
    });
  });

  it('adds and changes what a file names and leaves the rest', async () => {
    const report = await importLines('rug,Rug,30.00,INR,2,', 'lamp,Lamp,12.00,INR,,');
    expect(report).toMatchObject({ added: 1, changed: 1, unchanged: 0, refused: [] });
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
    expect(report).toEqual({ added: 0, changed: 0, unchanged: 2, fields: [], stock: [], refused: [] });
    expect(await store.read.audit(productSubject('lamp'))).toHaveLength(1);
  });

  it('goes out and in again whole, whatever is known of the products', async () => {
    const text = (most: number) =>
      fc
        .string({ unit: 'grapheme', minLength: 1, maxLength: most })
        .map(cleanLine)
        .filter((line) => refuseLine(line, most) === undefined && line !== '-');
    const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
    const size = fc.integer({ min: 1, max: 100_000 });
    const facts = fc.record({
      weightGrams: maybe(fc.integer({ min: 1, max: 1_000_000 })),
      measures: maybe(fc.record({ lengthMm: size, widthMm: size, heightMm: size })),
      hsCode: maybe(fc.stringMatching(/^[0-9]{6,12}$/)),
      originCountry: maybe(fc.constantFrom('IN', 'US', 'NO')),
      customsDescription: maybe(text(50)),
      withdrawnAtUtc: maybe(fc.date({ min: new Date(0), max: new Date(time(0)), noInvalidDate: true })),
    });
    const product = fc.record({
      id: fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/).map(productId),
      name: text(200),
      amountMinor: fc.nat(10_000_000),
      currency: fc.constantFrom('INR', 'JPY', 'KWD'),
      onHand: fc.nat(mostOnHand),
      facts,
    });
    const products = fc.uniqueArray(product, { selector: ({ id }) => id, maxLength: 20 });
    let files = 0;
    await fc.assert(
      fc.asyncProperty(products, async (rows) => {
        const [from, to] = await Promise.all(
          ['from', 'to'].map((name) =>
            connectSqliteStore({ path: join(folder, `${name}-${(files += 1)}.sqlite`) }),
          ),
        );
        if (!from || !to) throw new Error('no stores');
        await from.transaction(async (tx) => {
          for (const { id, amountMinor, currency, facts: all, ...row } of rows) {
            const { measures, withdrawnAtUtc, ...others } = all;
            const known = { ...others, ...measures, withdrawnAtUtc: withdrawnAtUtc?.toISOString() };
            await tx.inventory.putProduct({ productId: id, ...row, price: { amountMinor, currency } });
            await tx.inventory.describeProduct({
              productId: id,
              ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)),
            });
          }
        });
        const csv = catalogToCsv(await from.upkeep.stock());
        const into = (target: Store) =>
          importCatalog({ store: target, lines: linesOf(csv), reason: 'copy', ...by });
        expect(await into(to)).toMatchObject({ added: rows.length, refused: [] });
        expect(await to.upkeep.stock()).toEqual(await from.upkeep.stock());
        expect(catalogToCsv(await to.upkeep.stock())).toBe(csv);
        expect(await into(from)).toMatchObject({
          unchanged: rows.length,
          fields: [],
          stock: [],
          refused: [],
        });
        await Promise.all([from.close(), to.close()]);
      }),
      { numRuns: 30 },
    );
  });

  const facts = (...lines: string[]) =>
    linesOf(
      [
        'productId,weightGrams,lengthMm,widthMm,heightMm,hsCode,originCountry,customsDescription,withdrawnAtUtc',
        ...lines,
      ].join('\n'),
    );
  const importFacts = (line: string, dryRun?: true) =>
    importCatalog({ store, lines: facts(line), reason: 'facts', ...by, ...(dryRun && { dryRun }) });
  const lampNow = async () => (await store.upkeep.stock()).find((row) => row.productId === lamp);

  it('says what would change of each product, and changes that', async () => {
    await importFacts('lamp,500,,,,940520,IN,Desk lamp,');
    const fields = [
      { productId: lamp, field: 'weightGrams', from: '500', to: '750' },
      { productId: lamp, field: 'lengthMm', from: '', to: '300' },
      { productId: lamp, field: 'widthMm', from: '', to: '200' },
      { productId: lamp, field: 'heightMm', from: '', to: '100' },
      { productId: lamp, field: 'hsCode', from: '940520', to: '' },
      { productId: lamp, field: 'withdrawnAtUtc', from: '', to: time(1) },
    ];
    const line = 'lamp,750,300,200,100,-,,,now';
    const before = await lampNow();
    expect(await importFacts(line, true)).toMatchObject({ changed: 1, fields, stock: [], refused: [] });
    expect(await lampNow()).toEqual(before);
    expect(await importFacts(line)).toMatchObject({ changed: 1, fields, stock: [], refused: [] });
    expect(await lampNow()).toEqual({
      productId: lamp,
      name: 'Lamp',
      price: { amountMinor: 1_000, currency: 'INR' },
      onHand: 5,
      reserved: 0,
      weightGrams: 750,
      lengthMm: 300,
      widthMm: 200,
      heightMm: 100,
      originCountry: 'IN',
      customsDescription: 'Desk lamp',
      withdrawnAtUtc: time(1),
    });
    expect((await store.read.audit(productSubject('lamp'))).at(-1)).toMatchObject({
      from: 'Lamp, 10.00 INR, 5 on hand, weightGrams 500, hsCode 940520, originCountry IN, customsDescription Desk lamp',
      to: `Lamp, 10.00 INR, 5 on hand, weightGrams 750, lengthMm 300, widthMm 200, heightMm 100, originCountry IN, customsDescription Desk lamp, withdrawn from sale since ${time(1)}`,
    });
    expect(await importFacts(line)).toMatchObject({ unchanged: 1, fields: [] });
  });

  it('withdraws since now once, and puts back', async () => {
    await importFacts(`lamp,,,,,,,,${time(0)}`);
    expect(await importFacts('lamp,,,,,,,,now')).toMatchObject({ unchanged: 1 });
    expect(await lampNow()).toMatchObject({ withdrawnAtUtc: time(0) });
    expect(await importFacts('lamp,,,,,,,,-')).toMatchObject({ changed: 1 });
    expect(await lampNow()).not.toHaveProperty('withdrawnAtUtc');
  });

  it.each([
    ['lamp,,10,,,,,,', 'widthMm, heightMm: required, since lamp has another measure'],
    [`lamp,,,,,,,,${time(2)}`, `withdrawnAtUtc: expected a time that is past, came ${time(2)}`],
  ])('lists a line that cannot be taken, and changes nothing of it: %s', async (line, reason) => {
    const before = await lampNow();
    expect(await importFacts(line)).toMatchObject({ changed: 0, refused: [{ line: 2, reason }] });
    expect(await lampNow()).toEqual(before);
  });

  it('does not bring back what was sold since the export: the price applies, the stock stays', async () => {
    const exported = catalogToCsv(await store.upkeep.stock()).replace('10.00', '11.00');
    const { orderId } = await reserve(3);
    await store.transaction((tx) => tx.inventory.consume(orderId));
    const report = await importCatalog({ store, lines: linesOf(exported), reason: 'price', ...by });
    expect(report).toMatchObject({ changed: 1, stock: [], refused: [] });
    expect(await stock()).toContainEqual(['lamp', 2, 0]);
    expect((await store.upkeep.stock())[0]?.price.amountMinor).toBe(1_100);
  });

  it('refuses and lists a stock that moved, sets the others, and applies all prices', async () => {
    await adjust(-1);
    const lines = ['lamp,Lamp,11.00,INR,50,5', 'mat,Mat,8.00,INR,20,8', 'rug,,,,3,3'];
    const expected = {
      changed: 2,
      stock: [{ productId: 'mat', from: 8, to: 20 }],
      refused: [
        { line: 2, productId: 'lamp', reason: expect.stringContaining('4 units are on hand now') as string },
        { line: 4, productId: 'rug', reason: expect.stringContaining('rug is new') as string },
      ],
    };
    expect(await importWith({ dryRun: true }, lines)).toMatchObject(expected);
    expect(await stock()).toEqual([
      ['lamp', 4, 0],
      ['mat', 8, 0],
    ]);
    expect(await importLines(...lines)).toMatchObject(expected);
    expect((await store.upkeep.stock()).map(({ price, onHand }) => [price.amountMinor, onHand])).toEqual([
      [1_100, 4],
      [800, 20],
    ]);
    expect(await importLines(...lines.slice(1, 2))).toMatchObject({ unchanged: 1, stock: [], refused: [] });
  });

  it('leaves the stock of products that exist alone where a file expects nothing', async () => {
    const old = 'productId,name,price,currency,onHand\nlamp,Lamp,10.00,INR,99\nrug,Rug,1.00,INR,7\n';
    const report = await importCatalog({ store, lines: linesOf(old), reason: 'old', ...by });
    expect(report).toMatchObject({ added: 1, changed: 0, stock: [{ productId: 'rug', from: 0, to: 7 }] });
    expect(await stock()).toContainEqual(['lamp', 5, 0]);
  });

  it('refuses a stock below what is reserved, also when it is reserved between its look and its writing', async () => {
    await reserve(2);
    const late: Store = {
      ...store,
      upkeep: {
        ...store.upkeep,
        async stock() {
          const rows = await store.upkeep.stock();
          await reserve(2);
          return rows;
        },
      },
    };
    const lines = linesOf(`${header}\nlamp,Lamp,10.00,INR,3,5\nmat,Mat,1.00,INR,,\n`);
    const reason = 'lamp: 3 units on hand would be less than the 4 that orders have reserved (5 on hand now)';
    expect(await importCatalog({ store: late, lines, reason: 'r', ...by })).toMatchObject({
      changed: 1,
      refused: [{ line: 2, reason }],
    });
    expect(await stock()).toContainEqual(['lamp', 5, 4]);
  });

  it('takes an export of the most that can be on hand, and of more products than one transaction writes', async () => {
    await store.transaction(async (tx) => {
      for (let index = 0; index < 1_201; index += 1) {
        const id = productId(`many-${index}`);
        await tx.inventory.putProduct({
          productId: id,
          name: '😀'.repeat(200),
          price: { amountMinor: index, currency: 'JPY' },
          onHand: 2_000_000_000,
        });
      }
    });
    const other = await connectSqliteStore({ path: join(folder, 'other.sqlite') });
    const exported = catalogToCsv(await store.upkeep.stock());
    const report = await importCatalog({ store: other, lines: linesOf(exported), reason: 'copy', ...by });
    expect(report).toMatchObject({ added: 1_203, refused: [] });
    expect(catalogToCsv(await other.upkeep.stock())).toBe(exported);
    await other.close();
  });

  it('adjusts once for each key', async () => {
    expect(await adjust(2, 'delivery')).toMatchObject({ from: 5, to: 7, repeated: false });
    expect(await adjust(2, 'delivery')).toMatchObject({ from: 7, to: 7, repeated: true });
    await expect(adjust(3, 'delivery')).rejects.toThrow('The key "delivery" was used for another adjustment');
    await expect(adjust(-100, 'refused')).rejects.toThrow('less than');
    expect(await adjust(1, 'refused')).toMatchObject({ to: 8, repeated: false });
  });

  it('adjusts the stock with an audit row and never below what is reserved', async () => {
    await reserve(3);
    expect(await adjust(-2)).toMatchObject({ from: 5, to: 3, reserved: 3 });
    await expect(adjust(-1)).rejects.toThrow('less than the 3 that orders have reserved');
    expect(await adjust(20)).toMatchObject({ from: 3, to: 23 });
    await expect(adjust(2_000_000_000)).rejects.toThrow('at most 2000000000');
    const rows = await store.read.audit(productSubject('lamp'));
    expect(rows.slice(1).map(({ step, from, to, reason }) => [step, from, to, reason])).toEqual([
      ['stock', '5 on hand', '3 on hand', 'count'],
      ['stock', '3 on hand', '23 on hand', 'count'],
    ]);
    expect(await stock()).toContainEqual(['lamp', 23, 3]);
    const unknown = { store, productId: productId('no'), by: 1, key: 'k', reason: 'r', ...by };
    await expect(adjustStock(unknown)).rejects.toThrow('not in the catalog');
  });
});
