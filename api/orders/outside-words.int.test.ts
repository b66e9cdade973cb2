import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectSqliteStore } from '../../adapters/sqlite/sqlite-store.ts';
import { emailDestination, eventsDestination } from '../../domain/destinations.ts';
import type { OrderView } from '../../domain/order.ts';
import { customerMessageIn, outsideEvent, withCustomerMessage } from '../../domain/outside-words.ts';
import { eventContracts } from '../../messaging/contracts/event-contracts.ts';
import { renderEmail } from '../../messaging/email-templates.ts';
import { outsideMessage } from '../../messaging/outside-message.ts';
import { parseEmailTask } from '../../domain/email-task.ts';
import type { Store } from '../../ports/store.ts';
import { walkOrder } from '../../test/support/order-walk.ts';
import { createApp } from '../app.ts';
import { TemporalUnavailable } from '../../ports/temporal.ts';
import {
  fakeDeps,
  fakeStore,
  fakeWorkflows,
  operatorKey,
  send,
  someOrder,
  summaryOf,
  viewOf,
} from '../testing/fake-deps.ts';
import type { StoredMoney } from '../../ports/store/money.ts';

/* Words of staff and of providers that walks of orders write, see `test/support/order-walk.ts`. */
const inside = [
  'ada',
  'one key was stuck',
  'asked for by phone',
  'she asks her bank',
  'terminated by mistake',
  'printed by hand',
  'storm',
  'answered 503',
  'Your card was declined',
  'above 1.00 INR',
  'account is closed',
  'flooded warehouse',
];
const found = (text: string): string[] =>
  inside.filter((word) => new RegExp(`(?<![A-Za-z0-9])${word}(?![A-Za-z0-9])`).test(text));

/** What a shop's key, or nobody's, may read, by the OpenAPI document; the event stream is read at an order's end. */
const ofShops = [
  '/readyz',
  '/orders',
  '/orders?owed=true',
  '/orders/{orderId}',
  '/orders/{orderId}/audit',
  '/orders/{orderId}/why',
  '/orders/{orderId}/refunds',
  '/products',
];
const streams = ['/orders/{orderId}/events'];
/** About nobody: no order is in them. */
const aboutNone = ['/healthz', '/metrics', '/openapi.json', '/docs', '/docs/{file}'];

const written = {
  id: 'e',
  occurredAtUtc: '2026-01-02T03:04:05.678Z',
  type: 'order.created.v1',
  destination: eventsDestination,
  orderId: someOrder,
  sequence: 1,
  traceparent: '',
};

const away = async () => {
  throw new TemporalUnavailable('test', undefined);
};

/** The event stream ends by itself once the order has; of an open one the first part has to do. */
async function firstPart(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return '';
  let text = '';
  const end = Date.now() + 300;
  while (Date.now() < end) {
    const more = await Promise.race([
      reader.read(),
      new Promise<{ done: true }>((resolve) => setTimeout(() => resolve({ done: true }), 150)),
    ]);
    if (more.done) break;
    text += Buffer.from(more.value).toString();
  }
  await reader.cancel();
  return text;
}

describe('words for the house', () => {
  let folder: string;
  let store: Store;
  const mails: string[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'order-saga-words-'));
    const opened = await connectSqliteStore({ path: join(folder, 'orders.sqlite') });
    store = {
      ...opened,
      transaction: (work) =>
        opened.transaction((tx) =>
          work({
            ...tx,
            messages: {
              ...tx.messages,
              add(message) {
                if (message.destination === emailDestination) mails.push(message.payload);
                return tx.messages.add(message);
              },
            },
          }),
        ),
    };
  });
  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('are in no answer that a shop gets of an order, in no webhook and in no mail to a customer', async () => {
    const { workflows } = fakeWorkflows({ query: away, describe: away });
    const app = createApp(fakeDeps({ store, workflows }));
    const pause = {
      provider: 'carrier',
      state: 'paused',
      actor: 'ada',
      reason: 'flooded warehouse',
    } as const;
    await store.transaction((tx) => tx.providers.change({ ...pause, sinceUtc: written.occurredAtUtc }));
    expect(await (await send(app, 'GET', '/readyz')).text()).toContain('paused');
    const seenByOperators = new Set<string>();
    const decisions = fc.array(fc.nat(10_000), { minLength: 10, maxLength: 120, size: 'max' });
    const read = async (path: string, key?: string) => {
      const response = await send(app, 'GET', path, key === undefined ? {} : { key });
      return path.endsWith('/events') ? firstPart(response) : response.text();
    };
    await fc.assert(
      fc.asyncProperty(decisions, async (picks) => {
        let last: Parameters<Parameters<typeof walkOrder>[2]>[0] | undefined;
        await walkOrder(store, picks, async (reading) => {
          last = reading;
          const texts = await Promise.all(
            ofShops.map((at) => read(at.replace('{orderId}', reading.view.orderId))),
          );
          for (const text of texts) expect(found(text), text).toEqual([]);
          for (const word of found(await read(`/orders/${reading.view.orderId}/audit`, operatorKey)))
            seenByOperators.add(word);
        });
        if (!last) return;
        expect(found(await read(`/orders/${last.view.orderId}/events`))).toEqual([]);
        for (const event of last.events) {
          const published = outsideMessage({ ...written, payload: JSON.stringify(event) }).payload;
          expect(found(published)).toEqual([]);
          expect(found(JSON.stringify(outsideEvent(JSON.parse(published) as typeof event)))).toEqual([]);
        }
      }),
      {
        numRuns: Number(process.env['PROPERTY_RUNS'] ?? 25),
        plugins: [fc.interruptAfterTimeLimit(40_000)],
        endOnFailure: process.env['PROPERTY_SHRINK'] === 'no',
      },
    );
    /* Those who may read them do: the walks have written them. */
    expect(seenByOperators.size).toBeGreaterThan(6);
    expect(mails.length).toBeGreaterThan(0);
    for (const payload of mails) {
      const parsed = parseEmailTask(JSON.parse(payload));
      if (!parsed.ok) throw new Error(parsed.reason);
      const { subject, text, html } = renderEmail(parsed.task);
      expect(found(`${subject} ${text} ${html}`)).toEqual([]);
    }
  }, 60_000);

  it('are looked for in everything that a shop’s key may read', async () => {
    const app = createApp(fakeDeps());
    const document = (await (await send(app, 'GET', '/openapi.json')).json()) as {
      paths: Record<string, { get?: object }>;
    };
    const gets = Object.keys(document.paths).filter((path) => document.paths[path]?.get);
    expect(gets).toEqual(expect.arrayContaining(['/orders', '/cases', '/providers']));
    const known = new Set([...ofShops, ...streams, ...aboutNone]);
    for (const path of gets.filter((one) => !known.has(one))) {
      const answer = await send(app, 'GET', path.replaceAll(/\{\w+\}/g, someOrder));
      expect(answer.status, `${path} is refused to shops, or looked through here`).toBe(403);
    }
  });

  it('are in no event of any kind: every text of a contract that is no fact is said anew', () => {
    for (const [eventType, { example }] of Object.entries(eventContracts)) {
      const texts = Object.entries(example).filter(([name]) => ['actor', 'reason', 'failure'].includes(name));
      const declined = 'failureType' in example ? { failureType: 'CardDeclined' } : {};
      const payload = {
        ...example,
        ...declined,
        ...Object.fromEntries(texts.map(([name]) => [name, 'MARKER'])),
      };
      const shown = JSON.stringify(outsideEvent({ eventType, payload }));
      expect(shown, eventType).not.toContain('MARKER');
    }
  });

  it('name another order of the customer to the shop alone', () => {
    const reason = 'Out of stock. Order o-2 of the same customer is held and has keyboard reserved.';
    const event = { eventType: 'order.failed.v1', payload: { failureType: 'OutOfStock', reason } };
    expect(outsideEvent(event).payload.reason).toBe('Out of stock.');
    expect(outsideEvent(event, 'shop-a').payload.reason).toBe(reason);
  });

  it('are in no field of an order, whatever field holds them', async () => {
    const MARKER = 'MARKER';
    const time = '2026-01-02T03:04:05.678Z';
    const keys = {
      createRequestedAtUtc: time,
      createKeyNumber: 1,
      confirmKeyNumber: 1,
      cancelKeyNumber: 1,
      refundKeyNumber: 1,
    };
    const amount = { amountMinor: 149_900, currency: 'INR' as const };
    const views: OrderView[] = [
      viewOf({
        hold: {
          status: 'payment_failed',
          failureType: 'CardDeclined',
          reason: MARKER,
          sinceUtc: time,
          untilUtc: time,
        },
      }),
      viewOf({
        parked: {
          step: 'shipping',
          activity: MARKER,
          failure: MARKER,
          failureType: MARKER,
          budgets: 1,
          sinceUtc: time,
          actions: ['retry'],
        },
      }),
      viewOf({ waitingFor: { provider: 'carrier', state: 'paused', sinceUtc: time, reason: MARKER } }),
      viewOf({ failure: { type: 'AddressUndeliverable', reason: MARKER } }),
      viewOf({ cancelRequested: { actor: MARKER, reason: MARKER } }),
    ];
    for (const view of views) {
      const { workflows } = fakeWorkflows({
        query: async () => view,
        retrying: async () => ({
          activity: 'generateShipment',
          failures: 3,
          failureType: 'ProviderUnavailable',
          failure: MARKER,
        }),
      });
      const order = async () => view;
      const money = async (): Promise<StoredMoney> => ({
        payments: [{ orderId: someOrder, n: 1, state: 'charged', amount, intentId: 'pi_1', ...keys }],
        refunds: [
          {
            orderId: someOrder,
            refundId: 'r',
            fingerprint: 'f',
            keyNumber: 1,
            n: 1,
            state: 'failed',
            amount,
            reason: MARKER,
            actor: MARKER,
            requestedAtUtc: time,
            settledAtUtc: time,
            failure: MARKER,
          },
        ],
        disputes: [],
      });
      const audit = async () => [
        {
          subject: `order:${someOrder}`,
          seq: 1,
          prevHash: '',
          hash: '',
          actor: MARKER,
          step: 'shipping',
          from: MARKER,
          to: 'resolved',
          reason: MARKER,
          causingEventId: '',
          workflowId: 'w',
          runId: 'r',
          occurredAtUtc: time,
        },
      ];
      const app = createApp(
        fakeDeps({ workflows, store: fakeStore({ reads: { order, audit, money } }).store }),
      );
      for (const path of ['', '/why', '/refunds'].map((part) => `/orders/${someOrder}${part}`)) {
        const answer = await (await send(app, 'GET', path)).text();
        expect(answer.replaceAll(/"from":"MARKER"|from MARKER to/g, ''), path).not.toContain(MARKER);
        expect(await (await send(app, 'GET', path, { key: operatorKey })).text(), path).toContain(MARKER);
      }
    }
  });

  it('stand beside those that are written for the customer, who reads these alone', async () => {
    const reason = withCustomerMessage('the warehouse burned', 'We cannot deliver at present.');
    expect(customerMessageIn(reason)).toBe('We cannot deliver at present.');
    expect(customerMessageIn('as [for the customer: he said')).toBeUndefined();
    expect(customerMessageIn(`${reason} (its history is gone)`)).toBe('We cannot deliver at present.');
    expect(customerMessageIn(`${reason} said ada`)).toBeUndefined();
    const view = viewOf({ cancelRequested: { actor: 'ada (help-desk)', reason } });
    const { workflows } = fakeWorkflows({ query: async () => view });
    const app = createApp(fakeDeps({ workflows }));
    expect(await (await send(app, 'GET', `/orders/${someOrder}`)).json()).toMatchObject({
      cancelRequested: { actor: 'person', reason: 'We cannot deliver at present.' },
    });
    const own = viewOf({ cancelRequested: { actor: 'shop-a', reason: 'ordered twice' } });
    const { workflows: ofShop } = fakeWorkflows({ query: async () => own });
    const answer = await send(createApp(fakeDeps({ workflows: ofShop })), 'GET', `/orders/${someOrder}`);
    expect(await answer.json()).toMatchObject({
      cancelRequested: { actor: 'shop-a', reason: 'ordered twice' },
    });
  });

  it('are taken apart where an act comes in', async () => {
    const { workflows, acts } = fakeWorkflows({ describe: async () => summaryOf() });
    const app = createApp(fakeDeps({ workflows }));
    const body = { reason: 'burned', customerMessage: 'We cannot deliver.' };
    await send(app, 'POST', `/orders/${someOrder}/cancel`, { body, key: operatorKey });
    expect(acts[0]?.act).toMatchObject({ reason: 'burned [for the customer: We cannot deliver.]' });
    const long = { reason: 'x'.repeat(480), customerMessage: 'y' };
    const refused = await send(app, 'POST', `/orders/${someOrder}/cancel`, { body: long, key: operatorKey });
    expect(refused.status).toBe(422);
  });
});
