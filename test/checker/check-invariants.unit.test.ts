import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { orderId, productId } from '../../domain/ids.ts';
import type { OrderBooks, CheckedStore } from './books.ts';
import { checkInvariants, expectInvariants } from './check-invariants.ts';
import { goodBooks } from './written-books.ts';

const sandboxUrl = 'http://sandbox.invalid';

/** A store and a sandbox that answer with these books. */
function worldOf(books: OrderBooks, available = 8): { store: CheckedStore; sandboxUrl: string } {
  vi.stubGlobal('fetch', async (url: string) =>
    Response.json(
      url.includes('orderId=')
        ? books.provider
        : { orders: [{ orderId: books.ledger.orderId }, ...strangers] },
    ),
  );
  const read: CheckedStore['read'] = {
    ledger: async () => [books.ledger],
    order: async () => books.view,
    audit: async () => books.audit,
    auditHead: async () => books.auditHead,
    events: async ({ afterSequence }) => books.events.slice(afterSequence),
    acts: async () => books.acts,
    products: async () => [
      {
        productId: productId('keyboard-mx'),
        name: 'K',
        price: { amountMinor: 1, currency: 'INR' },
        available,
      },
    ],
  };
  return { store: { read }, sandboxUrl };
}

let strangers: { orderId: string }[] = [];
const stocked = new Map([['keyboard-mx', 10]]);

describe('the invariants of a run', () => {
  beforeEach(() => {
    strangers = [];
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  test('hold for one shipped order, which is counted', async () => {
    const books = goodBooks('completed');
    const acknowledged = [books.ledger.orderId];
    await expect(
      expectInvariants({ ...worldOf(books), acknowledged, attempted: 2, stocked }),
    ).resolves.toMatchObject({
      attempted: 2,
      acknowledged: 1,
      orders: 1,
      completed: 1,
      lost: 0,
      unexpected: 0,
      duplicated: 0,
      charges: 1,
      refunds: 0,
      labels: 1,
      events: 6,
      auditRows: 6,
      open: 0,
    });
  });

  test('name an acknowledged order that SQL does not know as lost', async () => {
    const gone = orderId('gone');
    const report = await checkInvariants({ ...worldOf(goodBooks('completed')), acknowledged: [gone] });
    expect(report.violations).toEqual(['Order gone: acknowledged, and neither ended nor held nor parked.']);
    expect(report.counts).toMatchObject({ lost: 1, unexpected: 1 });
  });

  test('name an acknowledged order that is still running as lost', async () => {
    const books = goodBooks('completed');
    Object.assign(books.ledger, { status: 'shipment_generated', sagaState: 'running' });
    const report = await checkInvariants({ ...worldOf(books), acknowledged: [books.ledger.orderId] });
    expect(report.counts).toMatchObject({ lost: 1, open: 1 });
  });

  test('name an order that only a provider knows', async () => {
    strangers = [{ orderId: 'stranger' }];
    const report = await checkInvariants({ ...worldOf(goodBooks('completed')), acknowledged: [] });
    expect(report.violations).toEqual(['Order stranger: known to a provider, unknown to SQL.']);
    expect(report.counts.unexpected).toBe(2);
  });

  test.each([
    [9, 'Product keyboard-mx: 9 can be reserved; expected 8 of 10.'],
    [-1, 'Product keyboard-mx: oversold by 1.'],
  ])('name a shelf with %i left of 8', async (available, violation) => {
    const report = await checkInvariants({ ...worldOf(goodBooks('completed'), available), stocked });
    expect(report.violations).toEqual([violation]);
  });

  test('count an order that is charged twice as duplicated, and list everything in one error', async () => {
    const books = goodBooks('completed');
    books.provider.charged.push({ intent: 'pi_2', amount: 1_499_800, currency: 'inr' });
    const world = worldOf(books);
    expect((await checkInvariants(world)).counts.duplicated).toBe(1);
    await expect(expectInvariants(world)).rejects.toThrow(
      /^2 invariant\(s\) violated:\n {2}Order .*\n {2}Order /,
    );
  });

  test('name a refund that nobody sees to any more', async () => {
    const books = goodBooks('completed');
    books.ledger.refunds.push({
      orderId: books.ledger.orderId,
      refundId: 'by-hand',
      n: 1,
      state: 'requested',
      amount: { amountMinor: 5, currency: 'INR' },
      reason: 'one key was stuck',
      actor: 'help-desk',
      requestedAtUtc: '2026-01-02T03:04:05.678Z',
      fingerprint: 'f',
      keyNumber: 1,
    });
    const world = worldOf(books);
    const running = await checkInvariants({ ...world, isRunning: async () => true });
    expect(running.violations).toEqual([]);
    const asked: string[] = [];
    const isRunning = async (workflowId: string) => asked.push(workflowId) === 0;
    const { violations } = await checkInvariants({ ...world, isRunning });
    expect(asked).toEqual([`refund-${books.ledger.orderId}-by-hand`]);
    expect(violations).toEqual([
      expect.stringContaining('a claim without a run: refund by-hand is requested, and no run sees to it.'),
    ]);
  });

  test('name a debt that nobody sees to any more', async () => {
    const books = goodBooks('cancelled');
    const { orderId } = books.ledger;
    books.ledger.refunds.push({
      orderId,
      refundId: 'owed-1',
      n: 1,
      state: 'owed',
      amount: { amountMinor: 5, currency: 'INR' },
      reason: 'the order was taken back',
      actor: 'saga',
      requestedAtUtc: '2026-01-02T03:04:05.678Z',
      fingerprint: '',
      keyNumber: 1,
    });
    const world = worldOf(books);
    const asked: string[] = [];
    const without = async (workflowId: string) => asked.push(workflowId) === 0;
    const named = expect.stringContaining(
      'a claim without a run: the debt of payment 1 is owed, and no run sees to it.',
    );
    expect((await checkInvariants({ ...world, isRunning: without })).violations).toContainEqual(named);
    expect(asked).toEqual([`debt-${orderId}-1`]);
    const running = await checkInvariants({ ...world, isRunning: async () => true });
    expect(running.violations).not.toContainEqual(named);
  });
});
