import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectSqliteStore } from '../../../adapters/sqlite/sqlite-store.ts';
import type { Store } from '../../../ports/store.ts';
import { walkOrder } from '../../../test/support/order-walk.ts';
import { wrongIn } from '../../../test/support/story-claims.ts';
import { tellOrder } from './order-story.ts';

describe('the story of an order whose rows its own activities wrote', () => {
  let folder: string;
  let store: Store;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'order-saga-story-'));
    store = await connectSqliteStore({ path: join(folder, 'orders.sqlite') });
  });
  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('denies no sentence of its own, adds up to the books and knows what comes next, whenever it is asked for', async () => {
    const decisions = fc.array(fc.nat(10_000), { minLength: 10, maxLength: 120, size: 'max' });
    await fc.assert(
      fc.asyncProperty(decisions, (picks) =>
        walkOrder(store, picks, (reading) => {
          const { rows, money, events } = reading;
          const told = tellOrder(rows, money, events);
          expect(wrongIn(told, reading), [...told.story, told.next].join('\n')).toEqual([]);
        }),
      ),
      {
        numRuns: Number(process.env['PROPERTY_RUNS'] ?? 80),
        plugins: [fc.interruptAfterTimeLimit(40_000)],
        endOnFailure: process.env['PROPERTY_SHRINK'] === 'no',
      },
    );
  }, 60_000);
});
