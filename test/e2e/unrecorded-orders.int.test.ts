import { describe, expect, test } from 'vitest';
import { checkout, checkoutBody } from '../../api/testing/fake-deps.ts';
import { workflowIdOf, type OrderId } from '../../domain/ids.ts';
import type { Store } from '../../ports/store.ts';
import { until } from '../setup/saga-environment.ts';
import { casesFixture } from '../support/cases-fixture.ts';
import { apiFixture } from './api-fixture.ts';
import { booksOf, sagaSuite, type StartedOrder } from './saga-suite.ts';
import { createStoreSwitch } from './switchable-store.ts';

describe('orders that Temporal knows and SQL does not', () => {
  const sql = createStoreSwitch();
  const saga = sagaSuite({ wrap: sql.wrap });
  const caseFixture = () => casesFixture(saga());
  const httpApi = apiFixture(saga);

  /** Workers have found SQL away. */
  const triedInVain = (run: Pick<StartedOrder, 'describe'>) =>
    until(
      async () => (await run.describe()).raw.pendingActivities?.[0]?.attempt ?? 0,
      (attempt) => attempt > 1,
    );

  /** The sweep asks Temporal's list, which comes some time later. */
  const found = (orderId: OrderId, which: (one: { failure: string } | undefined) => boolean, store?: Store) =>
    until(
      async () => {
        await caseFixture().sweepUnrecorded(store);
        return (await caseFixture().list()).body.cases?.find((one) => one.orderId === orderId);
      },
      which,
      20_000,
    );
  const gauge = async () => (await saga().deps.store.upkeep.standing()).unrecordedOrders;

  test('one that was terminated before SQL knew it is found, shown, restarted and forgotten again', async () => {
    sql.away = true;
    const order = await saga().start();
    const { orderId } = order;
    await triedInVain(order);
    await order.terminate('by an operator');
    /* Workers find SQL away until the restart: an attempt that was sent before would record the order now. */
    const listed = await found(orderId, (one) => one !== undefined);
    expect(listed).toMatchObject({
      status: 'received',
      acts: ['restart', 'compensate'],
      failure:
        'Temporal closed its run (TERMINATED) before SQL had taken it; nothing was reserved or charged',
    });
    expect(await gauge()).toBe(1);
    expect((await caseFixture().ask('GET', `/orders/${orderId}`)).body).toMatchObject({
      source: 'temporal',
      sagaState: 'parked',
      parked: { activity: 'run', failure: expect.stringContaining('TERMINATED') },
    });
    expect((await caseFixture().ask('GET', `/orders/${orderId}/why`)).body).toMatchObject({
      next: expect.stringMatching(/stopped before it was taken in: nothing was set aside or charged/),
    });
    sql.away = false;
    expect((await caseFixture().act(orderId, 'restart')).status).toBe(202);
    expect(await caseFixture().end(orderId)).toMatchObject({ status: 'completed' });
    await found(orderId, (one) => one === undefined);
    expect(await gauge()).toBe(0);
    expect((await booksOf(saga(), orderId)).provider.charged).toHaveLength(1);
    await saga().check(orderId);
  });

  test('the checkout of one that was terminated is refused when it is repeated, until it is restarted', async () => {
    const body = { ...checkoutBody(), items: [{ productId: 'keyboard-mx', quantity: 1 }] };
    const key = `k-${crypto.randomUUID()}`;
    const place = async () => {
      const response = await checkout(httpApi().app, body, { 'idempotency-key': key });
      return {
        code: response.status,
        answer: (await response.json()) as { orderId: OrderId; detail?: string },
      };
    };
    sql.away = true;
    const { code, answer } = await place();
    expect(code).toBe(202);
    const { orderId } = answer;
    const run = saga().client.workflow.getHandle(workflowIdOf(orderId));
    await triedInVain(run);
    await run.terminate('by an operator');
    expect(await place()).toMatchObject({
      code: 409,
      answer: {
        type: '/docs/problems#run-lost',
        detail: expect.stringContaining(`/cases/${orderId}/restart`),
      },
    });
    sql.away = false;
    expect((await caseFixture().act(orderId, 'restart')).status).toBe(202);
    expect(await place()).toMatchObject({ code: 202, answer: { orderId } });
    expect(await caseFixture().end(orderId)).toMatchObject({ status: 'completed' });
    await saga().check(orderId);
  });

  test('one that is parked at receive, as earlier policies had it, is found as long as it is', async () => {
    sql.away = true;
    const order = await saga().start({}, { steps: { receive: { budgetMs: 300 } } });
    const { orderId } = order;
    await saga().until(orderId, ({ sagaState }) => sagaState === 'parked');
    sql.away = false;
    expect(await found(orderId, (one) => one !== undefined)).toMatchObject({
      acts: [],
      failure: expect.stringMatching(/^Its run is open and SQL has not taken it/),
    });
    await order.executeUpdate('resolve', {
      args: [{ actor: 'ana', reason: 'SQL is back', action: 'retry' }],
    });
    await order.result();
    await found(orderId, (one) => one === undefined);
    await saga().check(orderId);
  });

  test('one that ended while SQL has lost its row has no act: SQL is behind', async () => {
    const order = await saga().start();
    const { orderId } = order;
    await order.result();
    const { store } = saga().deps;
    const lossy: Store = {
      ...store,
      upkeep: {
        ...store.upkeep,
        recorded: async (ids) => (await store.upkeep.recorded(ids)).filter((id) => id !== orderId),
      },
      transaction: (work) =>
        store.transaction((tx) => work({ ...tx, orders: { ...tx.orders, find: async () => undefined } })),
    };
    expect(await found(orderId, (one) => one !== undefined, lossy)).toMatchObject({
      status: 'completed',
      acts: ['take-note'],
      failure: expect.stringMatching(/had come to completed, and SQL has no row of it: SQL is behind/),
    });
    expect((await caseFixture().act(orderId, 'restart')).status).toBe(409);
    await found(orderId, (one) => one === undefined);
  });
});
