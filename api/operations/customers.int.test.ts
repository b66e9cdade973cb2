import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectSqliteStore } from '../../adapters/sqlite/sqlite-store.ts';
import { customerId, type CustomerId, type OrderId } from '../../domain/ids.ts';
import type { Store } from '../../ports/store.ts';
import { customersCommand } from '../../cli/customers.ts';
import { givenCharge, newMessage, newOrder, time } from '../../test/contract/store-fixtures.ts';
import { createApp } from '../app.ts';
import { customerHashOf } from '../orders/order-identity.ts';
import {
  fakeDeps,
  fakeWorkflows,
  operatorKey,
  send,
  settings,
  shopKey,
  summaryOf,
  viewOf,
} from '../testing/fake-deps.ts';

const personal = [
  'asha@example.com',
  'Asha',
  'MG Road',
  'Bengaluru',
  '560001',
  '918012345678',
  'pm_asha',
  'label.example',
];

describe('erasing a customer', () => {
  let folder: string;
  let path: string;
  let store: Store;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'order-saga-erase-'));
    path = join(folder, 'orders.sqlite');
    store = await connectSqliteStore({ path });
  });
  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  const newCustomer = (): CustomerId => customerId(`customer-${randomUUID()}`);
  const label = {
    carrier: 'USPS',
    service: 'Ground',
    trackingCode: '9400',
    labelUrl: 'https://label.example/1',
  };

  /** A shipped order with a mail that was sent, one that waits, and one that failed for good. */
  async function givenOrder(customer: CustomerId, status: 'completed' | 'payment_processed' = 'completed') {
    const order = newOrder({
      customerId: customer,
      customerEmail: 'asha@example.com',
      paymentMethodId: 'pm_asha',
      shippingAddress: {
        name: 'Asha Rao',
        street1: '12 MG Road',
        city: 'Bengaluru',
        postalCode: '560001',
        country: 'IN',
        phone: '+918012345678',
      },
    });
    const { orderId } = order;
    const content = JSON.stringify({ to: 'asha@example.com', customerName: 'Asha Rao' });
    const mails = [1, 2].map(() => newMessage({ orderId, payload: content }));
    await store.transaction(async (tx) => {
      await tx.orders.insert(order);
      await tx.shipments.put({ orderId, n: 1, state: 'bought', ...label });
      for (const mail of mails) await tx.messages.add(mail);
      await tx.deadLetters.add({
        id: randomUUID().replaceAll('-', ''),
        queue: 'email-queue',
        messageId: randomUUID(),
        type: 'email.order-shipped.v1',
        orderId,
        traceId: '',
        reason: 'rejected',
        error: 'mailbox unavailable',
        fingerprint: 'f'.repeat(32),
        attempts: 1,
        firstFailedAtUtc: time(1),
        lastFailedAtUtc: time(1),
        indexedAtUtc: time(1),
        message: { content: Buffer.from(content), properties: {}, headers: {} },
      });
      await tx.orders.update({
        orderId,
        status,
        sagaState: status === 'completed' ? 'ended' : 'running',
        detail: { shipment: label },
        updatedAtUtc: time(9),
      });
    });
    await store.outbox.markPublished({ ids: [mails[0]?.id ?? ''], publishedAtUtc: time(2) });
    return orderId;
  }

  const build = (running: OrderId[] = []) => {
    const { workflows } = fakeWorkflows({
      list: async () => ({
        orders: running.map((orderId) => summaryOf({ orderId })),
        nextPageToken: undefined,
      }),
    });
    return createApp(fakeDeps({ store, workflows }));
  };
  const body = { reason: 'erasure requested, ticket 4711' };
  const erase = (customer: string, change: { running?: OrderId[]; body?: object; key?: string } = {}) =>
    send(build(change.running), 'POST', `/customers/${customer}/erase`, {
      key: change.key ?? operatorKey,
      body: change.body ?? body,
    });

  /** What SQL says about one order. */
  const rowsOf = async (orderId: OrderId) => {
    const [order, ledger, audit] = [
      await store.transaction((tx) => tx.orders.find(orderId)),
      await store.read.ledger(orderId),
      await store.read.audit(`order:${orderId}`),
    ];
    const letters = await store.read.deadLetters.page({
      filter: { orderId },
      states: ['open', 'discarded'],
      limit: 10,
    });
    const whole = await Promise.all(letters.map(({ id }) => store.read.deadLetters.find(id)));
    const contents = whole.map((letter) => Buffer.from(letter?.message.content ?? '').toString());
    return { order, text: JSON.stringify([order, ledger, audit, contents]), letters, audit };
  };

  it.each(['.', '..'])('erases a customer %j, whom only a body can name', async (id) => {
    const order = await givenOrder(customerId(id));
    const response = await send(build(), 'POST', '/customers/erase', {
      key: operatorKey,
      body: { ...body, customerId: id },
    });
    expect(await response.json()).toMatchObject({ customerId: id, orders: 1, erasedOrders: 1 });
    const { text } = await rowsOf(order);
    for (const word of personal) expect(text).not.toContain(word);
  });

  it('leaves nothing personal of any order in SQL, and keeps order, money and audit trail', async () => {
    const customer = newCustomer();
    const orders = [await givenOrder(customer), await givenOrder(customer)];
    const other = await givenOrder(newCustomer());
    const before = await rowsOf(orders[0] ?? other);
    for (const word of personal) expect(before.text).toContain(word);
    const response = await erase(customer);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      customerId: customer,
      dryRun: false,
      orders: 2,
      erasedOrders: 2,
      mails: 4,
      deadLetters: 2,
    });
    for (const orderId of orders) {
      const { text, order, letters, audit } = await rowsOf(orderId);
      for (const word of personal) expect(text).not.toContain(word);
      expect(order).toMatchObject({ customerId: customer, status: 'completed', updatedAtUtc: time(9) });
      expect(order?.shippingAddress.country).toBe('IN');
      expect(letters.map(({ state }) => state)).toEqual(['discarded']);
      expect(audit.at(-1)).toMatchObject({
        actor: 'help-desk',
        step: 'personal-data',
        from: 'kept',
        to: 'erased',
        reason: body.reason,
      });
    }
    expect((await rowsOf(other)).text).toContain('asha@example.com');
    expect((await store.outbox.depth()).unpublished).toBe(1);
  });

  it('leaves nothing personal in any answer, also where a run still tells of it or the store is away', async () => {
    const customer = newCustomer();
    const orderId = await givenOrder(customer);
    const view = viewOf({ orderId, customerId: customer, status: 'completed', sagaState: 'ended' });
    const hold = {
      status: 'address_rejected' as const,
      failureType: 'AddressUndeliverable' as const,
      reason: 'There is no 12 MG Road',
      sinceUtc: time(1),
      untilUtc: time(2),
    };
    const { workflows } = fakeWorkflows({
      query: async () => ({ ...view, shipment: label, hold }),
      list: async () => ({ orders: [], nextPageToken: undefined }),
    });
    const away = {
      ...store,
      read: { ...store.read, order: () => Promise.reject(new Error('away')) },
    };
    const at = `/orders/${orderId}`;
    const paths = [at, `${at}/audit`, `${at}/why`, `${at}/refunds`];
    const letters = ['/dead-letters', '/dead-letters?state=discarded', '/orders'];
    const answers = async (from: Pick<Store, 'read' | 'transaction' | 'ping'>) => {
      const app = createApp(fakeDeps({ store: from, workflows }));
      const texts: string[] = [];
      for (const key of [operatorKey, shopKey]) {
        /* A stream stays open while the store is away. */
        const stream = from === store ? [`${at}/events`] : [];
        for (const path of [...paths, ...stream, ...letters]) {
          const response = await send(app, 'GET', path, { key });
          texts.push(await response.text());
        }
      }
      for (const { id } of await store.read.deadLetters.page({
        filter: { orderId },
        states: ['open', 'discarded'],
        limit: 10,
      })) {
        texts.push(await (await send(app, 'GET', `/dead-letters/${id}`, { key: operatorKey })).text());
      }
      return texts.join('\n');
    };
    const before = await answers(store);
    expect(before).toContain('label.example');
    expect((await erase(customer)).status).toBe(200);
    for (const from of [store, away]) {
      const after = await answers(from);
      expect(after).toContain(orderId);
      for (const word of personal) expect(after).not.toContain(word);
    }
  }, 30_000);

  it('is audited under the customer’s hash, once, and changes nothing when it is repeated', async () => {
    const customer = newCustomer();
    const orderId = await givenOrder(customer);
    await erase(customer, { body: { ...body, actor: 'asha' } });
    const subject = `customer:${customerHashOf(customer, settings().customerHashKey)}`;
    const [row] = await store.read.audit(subject);
    expect(row).toMatchObject({
      actor: 'asha (help-desk)',
      to: 'erased: 1 orders, 2 mails, 1 dead letters',
      reason: body.reason,
    });
    const after = await rowsOf(orderId);
    expect(await (await erase(customer)).json()).toMatchObject({ orders: 1, erasedOrders: 0, mails: 0 });
    expect(await store.read.audit(subject)).toHaveLength(1);
    expect((await rowsOf(orderId)).text).toBe(after.text);
  });

  it('erases what has come since', async () => {
    const customer = newCustomer();
    const orderId = await givenOrder(customer);
    await erase(customer);
    const mail = newMessage({ orderId, payload: '{"to":"asha@example.com"}' });
    await store.transaction((tx) => tx.messages.add(mail));
    expect(await (await erase(customer)).json()).toMatchObject({ erasedOrders: 0, mails: 1 });
  });

  it('refuses while orders are open, names them and erases nothing', async () => {
    const customer = newCustomer();
    const closed = await givenOrder(customer);
    const open = await givenOrder(customer, 'payment_processed');
    const response = await erase(customer);
    expect(response.status).toBe(409);
    const problem = (await response.json()) as { code: string; detail: string };
    expect(problem.code).toBe('open_orders');
    expect(problem.detail).toContain(open);
    expect(problem.detail).not.toContain(closed);
    expect((await rowsOf(closed)).text).toContain('asha@example.com');
  });

  it('refuses while money is owed from an order, names it and erases nothing, also where it came to light late', async () => {
    const customer = newCustomer();
    const orderId = await givenOrder(customer);
    await givenCharge(store, orderId);
    const refund = {
      orderId,
      refundId: 'r-1',
      n: 1,
      state: 'failed',
      amount: { amountMinor: 5, currency: 'INR' },
      reason: 'one key was stuck',
      actor: 'help-desk',
      requestedAtUtc: time(1),
      settledAtUtc: time(2),
      fingerprint: 'f',
      keyNumber: 1,
    } as const;
    for (const state of ['failed', 'owed'] as const) {
      await store.transaction((tx) => tx.refunds.put({ ...refund, state }));
      const response = await erase(customer);
      expect(response.status).toBe(409);
      expect(await response.json()).toMatchObject({
        code: 'money_owed',
        detail: expect.stringContaining(orderId),
      });
    }
    expect((await rowsOf(orderId)).text).toContain('asha@example.com');
    await store.transaction((tx) => tx.refunds.put({ ...refund, state: 'refunded' }));
    expect((await erase(customer)).status).toBe(200);
  });

  it('refuses for an order that Temporal has and SQL does not know yet', async () => {
    const customer = newCustomer();
    const orderId = await givenOrder(customer);
    const starting = randomUUID() as OrderId;
    const response = await erase(customer, { running: [starting] });
    expect(response.status).toBe(409);
    expect(((await response.json()) as { detail: string }).detail).toContain(starting);
    expect((await rowsOf(orderId)).text).toContain('asha@example.com');
  });

  it('is for operators, with a reason, for an id that can be one', async () => {
    const customer = newCustomer();
    expect((await erase(customer, { key: shopKey })).status).toBe(403);
    expect((await erase(customer, { body: {} })).status).toBe(422);
    expect((await erase('a%2Fb')).status).toBe(404);
    expect(await (await erase('nobody')).json()).toMatchObject({ orders: 0, erasedOrders: 0 });
  });

  it('is asked for by the command line, which asks back', async () => {
    const customer = newCustomer();
    const orderId = await givenOrder(customer);
    const printed: string[] = [];
    const run = (agrees: boolean, ...args: string[]) => {
      const asked: string[] = [];
      const command = customersCommand({
        client: () => ({
          async send<T>(method: string, at: string, sent?: unknown) {
            const response = await send(build(), method, at, { key: operatorKey, body: sent });
            if (!response.ok) throw new Error(await response.text());
            return (await response.json()) as T;
          },
        }),
        print: (text) => printed.push(text),
        say: () => {},
        atTerminal: true,
        confirm: async (question) => {
          asked.push(question);
          return agrees;
        },
      });
      const line = ['erase', customer, '--reason', 'ticket 4711', '--actor', 'asha', ...args];
      return command.parseAsync(line, { from: 'user' }).then(() => asked);
    };
    await run(false, '--dry-run');
    expect(printed).toEqual([`Would erase the personal data of 1 order of ${customer}.`]);
    await expect(run(false)).rejects.toThrow(`Nothing of ${customer} was erased`);
    expect((await rowsOf(orderId)).text).toContain('asha@example.com');
    expect(await run(true)).toEqual([
      `Erase the personal data of 1 order of ${customer}? This cannot be taken back.`,
    ]);
    expect(printed.at(-1)).toMatch(/^Erased: 1 order, 2 mails, 1 dead letters of customer-/);
    expect((await rowsOf(orderId)).text).not.toContain('asha@example.com');
    expect(await run(false, '--yes', '--json')).toEqual([]);
    expect(JSON.parse(printed.at(-1) ?? '')).toMatchObject({ orders: 1, erasedOrders: 0 });
  });
});
