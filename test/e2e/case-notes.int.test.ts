import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectSqliteStore } from '../../adapters/sqlite/sqlite-store.ts';
import type { OrderId } from '../../domain/ids.ts';
import type { RunEffects } from '../../domain/recovery.ts';
import { systemClock } from '../../ports/clock.ts';
import type { LastRun } from '../../ports/temporal.ts';
import type { Store } from '../../ports/store.ts';
import { givenCharge, givenOrder, newOrder, time } from '../contract/store-fixtures.ts';
import { sweepCases } from '../../workers/jobs/sweep-cases.ts';
import { sweepUnrecorded } from '../../workers/jobs/sweep-unrecorded.ts';
import { createApp } from '../../api/app.ts';
import { fakeDeps, fakeRuns, operatorKey, send, shopKey, summaryOf } from '../../api/testing/fake-deps.ts';

describe('cases on which no act but taking note is safe', () => {
  let folder: string;
  let store: Store;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'order-saga-cases-'));
    store = await connectSqliteStore({ path: join(folder, 'orders.sqlite') });
  });
  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** The API and the sweeps over this store, where Temporal describes every run as given. */
  function given(run: LastRun | undefined, effects: RunEffects = { charged: false, labelBought: false }) {
    const runs = { ...fakeRuns().runs, last: async () => run, effects: async () => effects };
    const app = createApp(fakeDeps({ store, runs, clock: systemClock }));
    const act = async (id: OrderId, name: string, key = operatorKey, more: { dryRun?: true } = {}) => {
      const body = { reason: 'the backup of 3 o’clock was put back', actor: 'ana', ...more };
      const options = { key, body };
      const response = await send(app, 'POST', `/cases/${id}/${name}`, options);
      return { status: response.status, body: (await response.json()) as { detail?: string } };
    };
    const listed = async (id: OrderId) => {
      const response = await send(app, 'GET', '/cases', { key: operatorKey });
      const { cases } = (await response.json()) as {
        cases: { orderId: string; acts: string[]; failure: string }[];
      };
      return cases.find(({ orderId }) => orderId === id);
    };
    const deps = { store, runs, clock: systemClock, bell: { ring: () => {} } };
    const sweep = () => sweepCases({ ...deps, unchangedForMs: 0 });
    const sweepRunsOf = (orderId: OrderId) => {
      const summary = summaryOf({ orderId, running: false, status: run?.orderStatus ?? 'received' });
      const list = async () => ({ orders: [summary], nextPageToken: undefined });
      return sweepUnrecorded({ ...deps, workflows: { list } });
    };
    return { act, listed, sweep, sweepRunsOf };
  }

  test('an order whose run had come further than SQL is told once, and noted once', async () => {
    const { orderId } = await givenOrder(store);
    const { act, listed, sweep } = given({ runId: 'run-1', closedAs: 'COMPLETED', orderStatus: 'completed' });
    await sweep();
    expect(await listed(orderId)).toMatchObject({
      acts: ['take-note'],
      failure: expect.stringMatching(
        /^SQL is behind: run run-1 \(COMPLETED\) had come to completed, SQL only to/,
      ),
    });
    for (const name of ['restart', 'compensate']) {
      expect(await act(orderId, name)).toMatchObject({
        status: 409,
        body: { detail: expect.stringContaining('SQL is behind') },
      });
    }
    expect((await act(orderId, 'take-note', shopKey)).status).toBe(403);
    expect((await act(orderId, 'take-note', operatorKey, { dryRun: true })).status).toBe(200);
    expect((await act(orderId, 'take-note')).status).toBe(200);
    await sweep();
    expect(await listed(orderId)).toBeUndefined();
    expect((await act(orderId, 'take-note', operatorKey, { dryRun: true })).status).toBe(409);
    expect((await act(orderId, 'take-note')).status).toBe(409);
    const audit = await store.read.audit(`order:${orderId}`);
    expect(audit.map(({ from, to }) => `${from} ${to}`)).toEqual(['running parked', 'case noted']);
    expect(audit.at(-1)?.actor).toBe('ana (help-desk)');
    const events = await store.read.events({ orderId, afterSequence: 0 });
    expect(events.map(({ eventType }) => eventType)).toEqual(['order.parked.v1']);
    expect((await store.upkeep.standing()).inFlight).toMatchObject([{ parked: { activity: 'run (noted)' } }]);
  });

  test.each([
    ['had bought a label', { charged: true, labelBought: true }],
    ['had charged the customer', { charged: true, labelBought: false }],
  ])('an order whose run %s of which SQL knows nothing is noted only', async (what, effects) => {
    const { orderId } = await givenOrder(store);
    const { act, listed, sweep } = given({ runId: 'run-1', closedAs: 'TERMINATED' }, effects);
    expect(await act(orderId, 'restart')).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining(`${what}, of which SQL knows nothing`) },
    });
    await sweep();
    expect(await listed(orderId)).toMatchObject({
      acts: ['take-note'],
      failure: expect.stringContaining(`run run-1 (TERMINATED) ${what}, of which SQL knows nothing`),
    });
    expect((await act(orderId, 'compensate')).status).toBe(409);
    expect((await act(orderId, 'take-note')).status).toBe(200);
    await sweep();
    expect(await listed(orderId)).toBeUndefined();
  });

  test('a charge that SQL has hinders no act', async () => {
    const { orderId } = await givenOrder(store);
    await givenCharge(store, orderId);
    const run = { runId: 'run-1', closedAs: 'TERMINATED' };
    const { listed, sweep } = given(run, { charged: true, labelBought: false });
    await sweep();
    expect((await listed(orderId))?.acts).toEqual(['restart', 'compensate']);
  });

  test('a case says where the history of its run is gone, also when that is so since it was found', async () => {
    const { orderId } = await givenOrder(store);
    const found = given({ runId: 'run-1', closedAs: 'TERMINATED', orderStatus: 'received' });
    await found.sweep();
    const gone =
      'the history of its last run is gone: what that one had accepted and not yet recorded is not known';
    expect((await found.listed(orderId))?.failure).not.toContain(gone);
    const forgotten = given(undefined);
    const before = (await store.read.audit(`order:${orderId}`)).length;
    for (let n = 0; n < 2; n += 1) {
      await forgotten.sweep();
      expect(await forgotten.listed(orderId)).toMatchObject({
        acts: ['restart', 'compensate'],
        failure: `Temporal closed run run-1 (TERMINATED) while the order was open; nothing was taken back; ${gone}`,
      });
    }
    expect(await store.read.audit(`order:${orderId}`)).toHaveLength(before);
    const other = await givenOrder(store);
    await forgotten.sweep();
    const { failure } = (await forgotten.listed(other.orderId)) ?? {};
    expect(failure).toBe(`Temporal no longer knows run ${other.runId} of the order, which is open: ${gone}`);
  });

  test('a case that has other acts takes no note', async () => {
    const { orderId } = await givenOrder(store);
    const { act, listed, sweep } = given({ runId: 'run-1', closedAs: 'TERMINATED', orderStatus: 'received' });
    await sweep();
    expect((await listed(orderId))?.acts).toEqual(['restart', 'compensate']);
    expect((await act(orderId, 'take-note')).status).toBe(409);
    expect(await listed(orderId)).toBeDefined();
  });

  test('an order that SQL has lost is noted, and the same run is not found again', async () => {
    const { orderId } = newOrder();
    const { act, listed, sweepRunsOf } = given({
      runId: 'r',
      closedAs: 'COMPLETED',
      orderStatus: 'completed',
    });
    expect(await sweepRunsOf(orderId)).toMatchObject({ found: 1 });
    expect((await listed(orderId))?.acts).toEqual(['take-note']);
    expect((await act(orderId, 'take-note')).status).toBe(200);
    expect(await listed(orderId)).toBeUndefined();
    expect(await sweepRunsOf(orderId)).toMatchObject({ found: 0 });
    expect((await act(orderId, 'take-note')).status).toBe(409);
  });

  test('an order that is recorded after all is forgotten by the sweep', async () => {
    const order = newOrder();
    const { listed, sweepRunsOf } = given({ runId: 'r', orderStatus: 'received' });
    await sweepRunsOf(order.orderId);
    expect((await listed(order.orderId))?.acts).toEqual([]);
    await store.transaction((tx) => tx.orders.insert({ ...order, createdAtUtc: time(1) }));
    await sweepRunsOf(order.orderId);
    expect(await listed(order.orderId)).toBeUndefined();
  });
});
