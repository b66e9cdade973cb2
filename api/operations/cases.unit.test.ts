import { describe, expect, test } from 'vitest';
import { closedRunActivity } from '../../domain/recovery.ts';
import type { OrderStatus } from '../../domain/order.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import type { FulfillOrder } from '../../domain/order-run.ts';
import { createApp } from '../app.ts';
import {
  fakeDeps,
  fakeRuns,
  fakeStore,
  operatorKey,
  send,
  shopKey,
  someOrder,
  viewOf,
} from '../testing/fake-deps.ts';
import type { OrderRow } from '../../ports/store/orders.ts';
import type { UnrecordedOrder } from '../../ports/store/upkeep.ts';

const rowOf = (changes: Partial<OrderRow> = {}): OrderRow => ({
  ...viewOf(),
  customerEmail: 'asha@example.com',
  currency: 'INR',
  lines: [],
  paymentMethodId: 'pm_card_mastercard',
  shippingAddress: { name: 'A', street1: '1 Road', city: 'Pune', postalCode: '411001', country: 'IN' },
  workflowId: `order-${someOrder}`,
  runId: 'run-1',
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  createdAtUtc: '2026-01-02T03:04:05.000Z',
  detail: {},
  ...changes,
});

function open({
  row,
  input,
  ...run
}: {
  row?: OrderRow;
  input?: FulfillOrder;
  closedAs?: string;
  orderStatus?: OrderStatus;
  running?: boolean;
} = {}) {
  const { runs, started } = fakeRuns(run);
  if (input) runs.input = async () => input;
  const parked = {
    step: 'fulfillment' as const,
    activity: closedRunActivity,
    failure: 'Temporal closed run run-1 (TERMINATED)',
    budgets: 0,
    sinceUtc: '2026-01-02T03:05:00.000Z',
    actions: [],
  };
  const shipment = { carrier: 'USPS', service: 'Ground', trackingCode: 't', labelUrl: 'https://l.example' };
  const cases = async () => [viewOf({ parked }), viewOf({ parked, shipment })];
  const { store } = fakeStore({ reads: { cases, unrecordedOrders: async () => unrecorded } });
  const transaction = <T>(work: (tx: StoreTransaction) => Promise<T>) =>
    work({
      orders: { find: async () => row },
      orderActs: { list: async () => [] },
    } as unknown as StoreTransaction);
  const app = createApp(fakeDeps({ runs, store: { ...store, transaction } }));
  const act = (name: string, body: unknown = { reason: 'by mistake' }, key = operatorKey) =>
    send(app, 'POST', `/cases/${someOrder}/${name}`, { key, body });
  return { app, act, started };
}

const found = { orderId: someOrder, runId: 'run-1', startedAtUtc: '2026-01-02T03:04:05.000Z' } as const;
const foundAtUtc = '2026-01-02T03:07:00.000Z';
const unrecorded: UnrecordedOrder[] = [
  { ...found, foundAtUtc, status: 'received', closedAs: 'TERMINATED' },
  { ...found, foundAtUtc, status: 'received' },
  { ...found, foundAtUtc, status: 'completed', closedAs: 'COMPLETED' },
  { ...found, foundAtUtc, status: 'payment_processed', closedAs: 'TERMINATED' },
];

describe('cases over HTTP', () => {
  test('are for operators only', async () => {
    const { app, act, started } = open({ row: rowOf() });
    expect((await send(app, 'GET', '/cases', { key: shopKey })).status).toBe(403);
    expect((await act('restart', { reason: 'mine' }, shopKey)).status).toBe(403);
    expect(started).toEqual([]);
  });

  test('say what can be done: a bought label has no way back', async () => {
    const response = await send(open().app, 'GET', '/cases', { key: operatorKey });
    const { cases } = (await response.json()) as { cases: { acts: string[]; failure: string }[] };
    expect(cases.slice(0, 2).map(({ acts }) => acts)).toEqual([['restart', 'compensate'], ['restart']]);
    expect(cases[0]?.failure).toMatch(/TERMINATED/);
  });

  test('name orders that SQL has no row of: one for which something was done has no act but looking', async () => {
    const response = await send(open().app, 'GET', '/cases', { key: operatorKey });
    const { cases } = (await response.json()) as { cases: { acts: string[]; failure: string }[] };
    expect(cases.slice(2).map(({ acts, failure }) => [acts, failure])).toEqual([
      [['restart', 'compensate'], expect.stringMatching(/before SQL had taken it; nothing was reserved/)],
      [[], expect.stringMatching(/goes on by itself once SQL takes it/)],
      [
        ['take-note'],
        expect.stringMatching(/had come to completed, and SQL has no row of it: SQL is behind/),
      ],
      [['take-note'], expect.stringMatching(/had come to payment_processed, and SQL has no row/)],
    ]);
  });

  test('an order that SQL has no row of starts again only where nothing was done for it', async () => {
    const { checkout, policy } = { checkout: viewOf() as never, policy: {} as never };
    const input = { checkout, policy, taskQueues: {} as never, traceparent: '' } as FulfillOrder;
    const early = open({ input, orderStatus: 'received' });
    expect((await early.act('restart')).status).toBe(202);
    expect(early.started).toHaveLength(1);
    const late = open({ input, orderStatus: 'payment_processed' });
    const refused = await late.act('restart');
    expect(refused.status).toBe(409);
    expect(await refused.json()).toMatchObject({ detail: expect.stringContaining('SQL is behind') });
    expect(late.started).toEqual([]);
  });

  test('one that Temporal has forgotten is started with what SQL knows, and with who asked for it', async () => {
    const { act, started } = open({ row: rowOf() });
    const customerMessage = 'We could not go on with it.';
    const response = await act('compensate', { reason: 'fraud', customerMessage, actor: 'ana' });
    expect(response.status).toBe(202);
    expect(started[0]?.input).toMatchObject({
      checkout: { orderId: someOrder, paymentMethodId: 'pm_card_mastercard', callerId: 'shop-a' },
      traceparent: expect.stringMatching(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/),
      recovered: {
        actor: 'ana (help-desk)',
        reason: `fraud [for the customer: ${customerMessage}]`,
        takeBack: true,
      },
    });
    expect(started[0]?.memo).toMatchObject({ callerId: 'shop-a', summary: '1 line, 2 units, INR' });
    expect((await act('restart', { reason: 'by mistake', customerMessage })).status, 'nobody is told').toBe(
      422,
    );
    expect((await act('restart')).status).toBe(409);
  });

  test('an open run, an ended order, a bought label and an unknown order are refused', async () => {
    const shipment = { carrier: 'USPS', service: 'Ground', trackingCode: 't', labelUrl: 'https://l.example' };
    const refusals = [
      [open({ row: rowOf(), running: true }), 'restart', 409],
      [open({ row: rowOf({ status: 'completed' }) }), 'restart', 409],
      [open({ row: rowOf({ detail: { shipment } }) }), 'compensate', 409],
      [open({ row: rowOf(), closedAs: 'COMPLETED' }), 'restart', 409],
      [open({ row: rowOf(), orderStatus: 'shipment_generated' }), 'compensate', 409],
      [open({ closedAs: 'COMPLETED' }), 'restart', 404],
      [open(), 'restart', 404],
    ] as const;
    for (const [{ act, started }, name, status] of refusals) {
      expect((await act(name)).status).toBe(status);
      expect(started).toEqual([]);
    }
  });

  test('a dry run is judged like the act and starts nothing', async () => {
    const dryRun = { reason: 'by mistake', dryRun: true };
    const { act, started } = open({ row: rowOf(), closedAs: 'TERMINATED' });
    const response = await act('restart', dryRun);
    expect([response.status, await response.json()]).toMatchObject([200, { act: 'restart', dryRun: true }]);
    expect((await open({ row: rowOf(), running: true }).act('restart', dryRun)).status).toBe(409);
    expect(started).toEqual([]);
  });

  test('need a reason', async () => {
    const { act } = open({ row: rowOf() });
    expect((await act('restart', {})).status).toBe(422);
    expect((await act('restart', { reason: 'r', force: true })).status).toBe(422);
  });
});
