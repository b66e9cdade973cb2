import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { customerId } from '../../domain/ids.ts';
import type { Dispute } from '../../domain/refunds.ts';
import type { RefundRow } from '../../ports/refunds.ts';
import type { PaymentRow } from '../../ports/store/money.ts';
import { givenClosedOrder } from './store-retention.ts';
import type { CreateDatabase } from './contract-database.ts';
import { givenOrder, newMessage, newOrderId, time, useDatabase } from './store-fixtures.ts';

export function describeRefunds(createDatabase: CreateDatabase): void {
  const context = useDatabase(createDatabase);
  const amount = { amountMinor: 50_000, currency: 'INR' } as const;

  const givenMoney = async () => {
    const { orderId } = await givenOrder(context.store);
    const requested: RefundRow = {
      orderId,
      refundId: 'a'.repeat(32),
      n: 1,
      state: 'requested',
      amount,
      reason: 'one key was stuck – “reimbursed”',
      actor: 'help-desk',
      requestedAtUtc: time(5),
      fingerprint: 'f'.repeat(64),
      keyNumber: 1,
    };
    const dispute: Dispute = {
      orderId,
      disputeId: 'dp_1',
      n: 1,
      state: 'open',
      amount,
      reason: 'fraudulent',
      openedAtUtc: time(1),
      updatedAtUtc: time(1),
    };
    return { orderId, requested, dispute };
  };

  it('keeps one row for each refund and dispute of an order and replaces it whole, oldest first', async () => {
    const { store } = context;
    const { orderId, requested, dispute } = await givenMoney();
    const failed: RefundRow = {
      ...requested,
      state: 'failed',
      keyNumber: 3,
      providerRefundId: 're_1',
      failure: 'expired_or_canceled_card',
      settledAtUtc: time(9),
    };
    const earlier: RefundRow = { ...requested, refundId: 'compensation-1', requestedAtUtc: time(2) };
    const lost: Dispute = { ...dispute, state: 'lost', updatedAtUtc: time(8), dueByUtc: time(20) };
    const list = () => store.transaction((tx) => tx.refunds.list(orderId));
    for (const row of [requested, failed, requested]) {
      await store.transaction((tx) => tx.refunds.put(row));
      expect(await list(), 'fields that are absent now were kept').toEqual([row]);
    }
    await store.transaction((tx) => tx.refunds.put(earlier));
    expect(await list()).toEqual([earlier, requested]);
    for (const row of [dispute, lost, dispute, lost]) {
      await store.transaction((tx) => tx.disputes.put(row));
      expect(await store.transaction((tx) => tx.disputes.list(orderId))).toEqual([row]);
    }
    const money = await store.read.money(orderId);
    expect(money).toEqual({ payments: [], refunds: [earlier, requested], disputes: [lost] });
    expect(await store.read.money(newOrderId())).toBeUndefined();
    expect(await store.read.ledger(orderId)).toMatchObject([money ?? {}]);
  });

  it('counts the refunds that are not decided, by state, with the oldest', async () => {
    const { store } = context;
    const standing = async () => (await store.upkeep.standing()).refunds;
    const before = await standing();
    const count = (state: string) => before.find((group) => group.state === state)?.refunds ?? 0;
    const { requested } = await givenMoney();
    const states = ['requested', 'requested', 'pending', 'owed', 'refunded', 'failed', 'canceled'] as const;
    await store.transaction(async (tx) => {
      for (const [index, state] of states.entries()) {
        const requestedAtUtc = new Date(Date.UTC(2025, 0, 1, 0, index)).toISOString();
        await tx.refunds.put({ ...requested, refundId: `r-${index}`, state, requestedAtUtc });
      }
    });
    expect(await standing()).toEqual([
      { state: 'owed', refunds: count('owed') + 1, oldestUtc: '2025-01-01T00:03:00.000Z' },
      { state: 'pending', refunds: count('pending') + 1, oldestUtc: '2025-01-01T00:02:00.000Z' },
      { state: 'requested', refunds: count('requested') + 2, oldestUtc: '2025-01-01T00:00:00.000Z' },
    ]);
  });

  it('pages over the refunds that somebody asked for and that are not decided', async () => {
    const { store } = context;
    const { requested } = await givenMoney();
    const at = (minute: number) => new Date(Date.UTC(2024, 0, 1, 0, minute)).toISOString();
    const put = (refundId: string, minute: number, change: Partial<RefundRow> = {}) => {
      const row = {
        ...requested,
        state: 'requested',
        refundId,
        requestedAtUtc: at(minute),
        fingerprint: 'f',
      } as const;
      return store.transaction((tx) => tx.refunds.put({ ...row, ...change }));
    };
    await put('later', 3, { state: 'pending' });
    await put('first', 1);
    await put('second', 1, { fingerprint: 'g' });
    await put('by-the-saga', 1, { fingerprint: '' });
    await put('owed', 1, { state: 'owed' });
    await put('done', 1, { state: 'refunded' });
    await put('too-late', 9);
    const pages: string[][] = [];
    for (let after; ;) {
      const page = await store.read.debts.undecided({
        requestedBeforeUtc: at(9),
        limit: 2,
        ...(after && { after }),
      });
      after = page.at(-1);
      if (!after) break;
      pages.push(page.map(({ refundId }) => refundId));
    }
    expect(pages).toEqual([['first', 'second'], ['later']]);
  });

  it('keeps a closed order from the purge while a refund or dispute of it is undecided', async () => {
    const { store } = context;
    const orderId = await givenClosedOrder(store);
    const { requested, dispute } = await givenMoney();
    const purge = () =>
      store.transaction((tx) =>
        tx.retention.purgeOrder({ orderId, closedBeforeUtc: time(30), nowUtc: time(50) }),
      );
    const put = (change: { refund: RefundRow['state']; dispute: Dispute['state'] }) =>
      store.transaction(async (tx) => {
        await tx.refunds.put({ ...requested, orderId, state: change.refund });
        await tx.disputes.put({ ...dispute, orderId, state: change.dispute });
      });
    for (const undecided of [
      { refund: 'owed', dispute: 'won' },
      { refund: 'failed', dispute: 'won' },
      { refund: 'requested', dispute: 'won' },
      { refund: 'pending', dispute: 'won' },
      { refund: 'failed', dispute: 'open' },
      { refund: 'refunded', dispute: 'inquiry' },
    ] as const) {
      await put(undecided);
      expect(await purge()).toBeUndefined();
    }
    await put({ refund: 'canceled', dispute: 'lost' });
    expect(await purge()).toMatchObject({ status: 'completed' });
    expect(await store.read.money(orderId)).toBeUndefined();
  });

  it('keeps a cancelled order from the purge while its money is here, until it was paid otherwise', async () => {
    const { store } = context;
    const orderId = await givenClosedOrder(store);
    const { requested } = await givenMoney();
    const purge = () =>
      store.transaction((tx) =>
        tx.retention.purgeOrder({ orderId, closedBeforeUtc: time(30), nowUtc: time(50) }),
      );
    const customer = customerId(`customer-${randomUUID()}`);
    const own = (await givenOrder(store, { customerId: customer })).orderId;
    const owes = async () => (await store.read.customers.orders({ customerId: customer, limit: 1 }))[0]?.owes;
    const payment: PaymentRow = {
      orderId,
      n: 1,
      state: 'charged',
      amount,
      createRequestedAtUtc: time(1),
      createKeyNumber: 1,
      confirmKeyNumber: 1,
      cancelKeyNumber: 1,
      refundKeyNumber: 1,
    };
    const put = (state: RefundRow['state'], change: Partial<RefundRow> = {}) =>
      store.transaction(async (tx) => {
        for (const id of [orderId, own])
          await tx.refunds.put({ ...requested, ...change, orderId: id, state });
      });
    await store.transaction(async (tx) => {
      await tx.payments.put(payment);
      await tx.orders.update({ orderId, status: 'cancelled', updatedAtUtc: time(10) });
    });
    expect([await purge(), await owes()]).toEqual([undefined, false]);
    await store.transaction((tx) => tx.payments.put({ ...payment, state: 'refunded' }));
    await put('failed', { settledAtUtc: time(6) });
    expect([await purge(), await owes()]).toEqual([undefined, true]);
    await put('paid_otherwise', { refundId: 'later', requestedAtUtc: time(7) });
    expect(await owes()).toBe(false);
    expect(await purge()).toMatchObject({ status: 'cancelled' });
  });

  it('lists the debts, oldest first and page by page', async () => {
    const { store } = context;
    const { requested } = await givenMoney();
    const owed = (minute: number, n: number): RefundRow => ({
      ...requested,
      refundId: `compensation-${n}`,
      n,
      state: 'owed',
      requestedAtUtc: new Date(Date.UTC(2020, 0, 1, 0, minute)).toISOString(),
    });
    const rows = [owed(1, 1), owed(1, 2), owed(0, 3)];
    await store.transaction(async (tx) => {
      for (const row of [...rows, { ...owed(2, 4), state: 'canceled' as const }]) await tx.refunds.put(row);
    });
    const debtOf = ({ orderId, n, requestedAtUtc: sinceUtc }: RefundRow) => ({
      orderId,
      n,
      amount,
      sinceUtc,
    });
    const [first, second, third] = [rows[2], rows[0], rows[1]].map((row) => row && debtOf(row));
    const page = await store.read.debts.list({ limit: 2 });
    expect(page).toEqual([first, second]);
    const [next] = await store.read.debts.list({ limit: 1, ...(second && { after: second }) });
    expect(next).toEqual(third);
  });

  it('finds the orders of one customer, page by page', async () => {
    const { store } = context;
    const customer = customerId(`customer-${randomUUID()}`);
    const orders = [];
    for (let count = 0; count < 3; count += 1) {
      orders.push((await givenOrder(store, { customerId: customer })).orderId);
    }
    orders.sort();
    const first = await store.read.customers.orders({ customerId: customer, limit: 2 });
    expect(first).toEqual(
      orders.slice(0, 2).map((orderId) => ({ orderId, status: 'received', owes: false })),
    );
    const after = first[1]?.orderId;
    const rest = await store.read.customers.orders({
      customerId: customer,
      ...(after && { after }),
      limit: 2,
    });
    expect(rest.map(({ orderId }) => orderId)).toEqual(orders.slice(2));
    expect(await store.read.customers.orders({ customerId: customerId('nobody'), limit: 2 })).toEqual([]);
  });

  it('empties the mails of an order, gives up those that wait, and leaves its events alone', async () => {
    const { store } = context;
    const { orderId } = await givenOrder(store);
    const mails = ['sent', 'waiting', 'set aside'].map(() =>
      newMessage({ orderId, payload: '{"to":"asha@example.com"}' }),
    );
    const [sent, waiting, aside] = mails.map(({ id }) => id);
    const other = newMessage();
    const event = newMessage({ orderId, sequence: 1, type: 'order.created.v1' });
    await store.transaction(async (tx) => {
      for (const message of [...mails, event, other]) await tx.messages.add(message);
    });
    await store.outbox.markPublished({ ids: [sent ?? ''], publishedAtUtc: time(1) });
    await store.outbox.markFailed({ id: aside ?? '', error: 'too large', setAsideAfter: 1 });
    const erase = () => store.transaction((tx) => tx.personalData.eraseMails({ orderId, nowUtc: time(2) }));
    expect([await erase(), await erase()]).toEqual([3, 0]);
    const owner = `erase-${randomUUID()}`;
    const partitions = await store.outbox.lease({ owner, nowUtc: time(0), leaseMs: 60_000 });
    const pending = await store.outbox.pending({ owner, partitions, limit: 100 });
    await store.outbox.releaseLeases(owner);
    expect(pending.map(({ id }) => id)).toEqual(expect.arrayContaining([event.id, other.id]));
    expect(pending.map(({ id }) => id)).not.toContain(waiting);
    expect(JSON.stringify(pending)).not.toContain('asha@example.com');
    expect((await store.outbox.setAside({ limit: 10 })).map(({ id }) => id)).not.toContain(aside);
    const resumed = store.transaction((tx) =>
      tx.messages.resume({ id: aside ?? '', act: 'retry', nowUtc: time(3) }),
    );
    expect(await resumed, 'a mail that was given up cannot be sent again').toBe(false);
  });

  it('empties the dead letters of an order that are mails and discards the open ones', async () => {
    const { store } = context;
    const { orderId } = await givenOrder(store);
    const letter = (change: { type?: string; of?: string } = {}) => ({
      id: randomUUID().replaceAll('-', ''),
      queue: 'email-queue',
      messageId: randomUUID(),
      type: change.type ?? 'email.order-confirmation.v1',
      orderId: change.of ?? orderId,
      traceId: '',
      reason: 'rejected',
      error: '550 <asha@example.com>: mailbox unavailable',
      fingerprint: 'f'.repeat(32),
      attempts: 1,
      firstFailedAtUtc: time(1),
      lastFailedAtUtc: time(1),
      indexedAtUtc: time(1),
      message: { content: Buffer.from('{"to":"asha@example.com"}'), properties: {}, headers: { a: 'b' } },
    });
    const [open, replaying, event, other] = [
      letter(),
      letter(),
      letter({ type: 'order.created.v1' }),
      letter({ of: newOrderId() }),
    ];
    await store.transaction(async (tx) => {
      for (const each of [open, replaying, event, other]) await tx.deadLetters.add(each);
      await tx.deadLetters.claim({
        ids: [replaying.id],
        replayId: 'r',
        nowUtc: time(2),
        staleBeforeUtc: time(0),
      });
    });
    const erase = () =>
      store.transaction((tx) => tx.personalData.eraseDeadLetters({ orderId, nowUtc: time(3) }));
    expect(await erase()).toEqual([{ id: open.id, messageId: open.messageId, wasOpen: true }]);
    expect(await erase()).toEqual([]);
    const emptied = await store.read.deadLetters.find(open.id);
    const nothing = { error: '', message: { headers: {} } };
    expect(emptied).toMatchObject({ state: 'discarded', settledAtUtc: time(3), ...nothing });
    expect(emptied?.message.content).toHaveLength(0);
    for (const { id } of [replaying, event, other]) {
      expect((await store.read.deadLetters.find(id))?.message.content.length).toBeGreaterThan(0);
    }
    expect(await store.read.deadLetters.leaving()).toContainEqual({ queue: 'email-queue', id: open.id });
  });
}
