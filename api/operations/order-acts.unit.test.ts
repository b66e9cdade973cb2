import { describe, expect, it } from 'vitest';
import type { BulkOrderAct } from '../../domain/order-acts.ts';
import { createApp } from '../app.ts';
import type { OrderScope } from '../../ports/temporal.ts';
import {
  fakeDeps,
  fakeOrderActs,
  fakeWorkflows,
  operatorKey,
  send,
  shopKey,
  someOrder,
  summaryOf,
} from '../testing/fake-deps.ts';

const parked = { sagaState: 'parked', parkedStep: 'shipping', failureType: 'ProviderUnavailable' } as const;

function build() {
  const acts = fakeOrderActs();
  const asked: OrderScope[] = [];
  const { workflows } = fakeWorkflows({
    async list(input) {
      asked.push(input);
      return { orders: [summaryOf(parked), summaryOf()], nextPageToken: undefined };
    },
    count: async () => 37,
    refusal: async (_, { name, input }) =>
      name === 'resolve' && 'action' in input && input.action === 'skip' ? 'not possible' : null,
  });
  const app = createApp(fakeDeps({ workflows, orderActs: acts.workflows }));
  const post = (body: object, options: { key?: string; headers?: Record<string, string> } = {}) =>
    send(app, 'POST', '/order-acts', {
      body: { where: { step: 'shipping' }, act: { kind: 'cancel' }, reason: 'storm', ...body },
      key: operatorKey,
      ...options,
    });
  const only = (): BulkOrderAct => {
    const [act] = acts.started.values();
    if (!act) throw new Error('No act was started');
    return act.bulk;
  };
  return { app, ...acts, asked, post, only };
}

describe('acts on many orders', () => {
  it('are started as a workflow of their own, with a cutoff, and answered with where to look', async () => {
    const { app, post, only } = build();
    const response = await post({
      where: { step: 'shipping', olderThan: '30m', customerId: 'customer-42' },
      act: { kind: 'resolve', action: 'retry-with', input: { service: 'Express' } },
      actor: 'grace',
      ratePerSecond: 5,
    });
    expect(response.status).toBe(202);
    const { actId, links } = (await response.json()) as { actId: string; links: { self: string } };
    expect(response.headers.get('location')).toBe(`/order-acts/${actId}`);
    expect(only()).toEqual({
      actId,
      act: { kind: 'resolve', action: 'retry-with', input: { service: 'Express' } },
      choice: {
        filter: {
          step: 'shipping',
          customerHash: expect.stringMatching(/^[0-9a-f]{64}$/),
          startedBeforeUtc: '2026-01-02T02:34:05.678Z',
        },
      },
      ratePerSecond: 5,
      actor: 'grace (help-desk)',
      reason: 'storm',
    });
    const report = await send(app, 'GET', links.self, { key: operatorKey });
    expect(await report.json()).toMatchObject({ status: 'completed', accepted: 2, refused: 1, links });
  });

  it('take only orders placed until now, ten a second, where nobody says otherwise', async () => {
    const { post, only } = build();
    await post({ act: { kind: 'extend', minutes: 60 } });
    expect(only()).toMatchObject({
      act: { kind: 'extend', untilUtc: '2026-01-02T04:04:05.678Z' },
      choice: { filter: { step: 'shipping', startedBeforeUtc: '2026-01-02T03:04:05.678Z' } },
      ratePerSecond: 10,
    });
  });

  it('may name the orders instead, each once', async () => {
    const { post, only } = build();
    await post({ where: { orderIds: [someOrder, someOrder] } });
    expect(only().choice).toEqual({ orderIds: [someOrder] });
  });

  it('are one act for one Idempotency-Key, and refused for another body', async () => {
    const { post, started } = build();
    const headers = { 'idempotency-key': 'k-1' };
    const first = (await (await post({}, { headers })).json()) as { actId: string };
    expect(await (await post({}, { headers })).json()).toMatchObject({ actId: first.actId });
    expect(started.size).toBe(1);
    const other = await post({ reason: 'another' }, { headers });
    expect([other.status, await other.json()]).toEqual([
      422,
      expect.objectContaining({ type: '/docs/problems#idempotency-key-reused' }),
    ]);
    expect((await post({}, { headers: { 'idempotency-key': '' } })).status).toBe(400);
  });

  it('say in a dry run how many orders fit, which, and which of those would refuse', async () => {
    const { post, started, asked } = build();
    const act = { kind: 'resolve', action: 'skip' };
    const response = await post({ act, dryRun: true });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      dryRun: true,
      count: 37,
      orders: [{ orderId: someOrder, parked: { step: 'shipping' } }, {}],
      checked: 2,
      refused: [{ orderId: someOrder, reason: 'not possible' }, {}],
    });
    expect(asked).toMatchObject([{ step: 'shipping', open: true }]);
    expect(started.size).toBe(0);
    expect(await (await post({ dryRun: true })).json()).toMatchObject({ checked: 2, refused: [] });
  });

  it('are stopped on request', async () => {
    const { app, post, only, cancelled } = build();
    await post({});
    const { actId } = only();
    const response = await send(app, 'POST', `/order-acts/${actId}/cancel`, { key: operatorKey });
    expect([response.status, cancelled]).toEqual([202, [actId]]);
  });

  it.each([
    [{ where: {} }, '/where'],
    [{ where: { orderIds: [someOrder], step: 'shipping' } }, '/where'],
    [{ where: { orderIds: ['x'] } }, '/where/orderIds/0'],
    [{ where: { orderIds: [] } }, '/where/orderIds'],
    [{ where: { step: 'carrier' } }, '/where/step'],
    [{ where: { olderThan: 'long' } }, '/where/olderThan'],
    [{ act: { kind: 'refund' } }, '/act/kind'],
    [{ act: { kind: 'resolve' } }, '/act/action'],
    [{ act: { kind: 'resolve', action: 'mark-done', reference: 'x' } }, '/act/reference'],
    [
      { act: { kind: 'resolve', action: 'retry-with', input: { paymentMethodId: 'pm_card_visa' } } },
      '/act/input/paymentMethodId',
    ],
    [{ act: { kind: 'extend' } }, '/act/untilUtc'],
    [{ reason: '' }, '/reason'],
    [{ ratePerSecond: 501 }, '/ratePerSecond'],
  ])('refuse %j', async (body, field) => {
    const { post, started } = build();
    const response = await post(body);
    expect(response.status).toBe(422);
    expect(((await response.json()) as { errors: { field: string }[] }).errors[0]?.field).toBe(field);
    expect(started.size).toBe(0);
  });

  it('refuse one customer’s card for many, also in a dry run, and say what to do instead', async () => {
    const { post, started } = build();
    const act = { kind: 'resolve', action: 'retry-with', input: { paymentMethodId: 'pm_card_visa' } };
    const response = await post({ act, dryRun: true });
    expect(await response.json()).toMatchObject({
      status: 422,
      errors: [{ reason: expect.stringContaining('belongs to one order') }],
    });
    expect(started.size).toBe(0);
  });

  it('are for operators alone, and unknown ones are 404', async () => {
    const { app, post, started } = build();
    expect((await post({}, { key: shopKey })).status).toBe(403);
    expect(started.size).toBe(0);
    expect((await send(app, 'GET', `/order-acts/${someOrder}`, { key: shopKey })).status).toBe(403);
    for (const actId of [someOrder, 'x', '..%2f']) {
      const response = await send(app, 'GET', `/order-acts/${actId}`, { key: operatorKey });
      expect(response.status).toBe(404);
    }
  });
});
