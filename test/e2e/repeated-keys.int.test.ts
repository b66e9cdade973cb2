import { describe, expect, test } from 'vitest';
import { createApp } from '../../api/app.ts';
import { fingerprintOf } from '../../api/orders/order-identity.ts';
import { createOrderRuns } from '../../adapters/temporal/runs.ts';
import { createOrderWorkflows } from '../../adapters/temporal/orders.ts';
import {
  checkout,
  checkoutBody,
  fakeDeps,
  operatorKey,
  send,
  settings,
} from '../../api/testing/fake-deps.ts';
import { customerId, taskQueues, workflowIdOf, type OrderId } from '../../domain/ids.ts';
import { defaultPolicy, withPolicy } from '../../domain/policy.ts';
import type { Store } from '../../ports/store.ts';
import { getOrder } from '../../workflows/messages.ts';
import { quickPolicy, until, workflowInput } from '../setup/saga-environment.ts';
import { casesFixture } from '../support/cases-fixture.ts';
import { booksOf, sagaSuite } from './saga-suite.ts';

const keyboard = { productId: 'keyboard-mx', quantity: 1 };
const own = { ...checkoutBody(), items: [keyboard], paymentMethodId: 'pm_card_chargeDeclined' };
const anothers = { ...own, customerId: 'intruder', items: [{ ...keyboard, quantity: 7 }] };

describe('an Idempotency-Key that is repeated after Temporal has forgotten its run', () => {
  const saga = sagaSuite();

  /** The real API; `forgetful`: Temporal knows no closed run; `sql`: whether SQL answers the checkout at once. */
  function httpApi() {
    const { client, config, deps } = saga();
    const queues = taskQueues(config.TASK_QUEUE_PREFIX);
    const known = createOrderWorkflows(client, queues);
    const runs = createOrderRuns(client, queues);
    const state = { forgetful: false, sql: true };
    const never = new Promise<never>(() => {});
    const store: Store = {
      ...deps.store,
      read: { ...deps.store.read, placed: (id) => (state.sql ? deps.store.read.placed(id) : never) },
    };
    const start: typeof known.start = async (order) =>
      state.forgetful && (await runs.startAgain(order)) === 'started' ? 'started' : known.start(order);
    const app = createApp(
      fakeDeps({
        workflows: { ...known, start },
        runs,
        store,
        payments: deps.payments,
        settings: settings({ taskQueues: queues, policy: withPolicy(defaultPolicy, quickPolicy) }),
      }),
    );
    const key = `k-${crypto.randomUUID()}`;
    const ask = async (body: object, headers: Record<string, string> = {}) => {
      const response = await checkout(app, body, { 'idempotency-key': key, ...headers });
      const answer = (await response.json()) as { type?: string; orderId: OrderId; status: string | number };
      return { code: response.status, ...answer };
    };
    const read = async (path: string) =>
      (await (await send(app, 'GET', path, { key: operatorKey })).json()) as object;
    const runOf = async (id: OrderId) => {
      const handle = client.workflow.getHandle(workflowIdOf(id));
      const { runId, status } = await handle.describe();
      return { runId, status: status.name, handle };
    };
    return { state, ask, read, runOf };
  }

  /** A declined card holds the order; then its run is gone. */
  async function lost() {
    const fixture = httpApi();
    const { code, orderId } = await fixture.ask(own);
    expect(code).toBe(202);
    await saga().until(orderId, ({ status }) => status === 'payment_failed');
    const { handle, runId } = await fixture.runOf(orderId);
    await handle.terminate('retention');
    fixture.state.forgetful = true;
    return { ...fixture, orderId, runId };
  }

  const reused = { code: 422, type: '/docs/problems#idempotency-key-reused' };

  test('with another body begins no run where SQL answers', async () => {
    const { ask, runOf, orderId, runId } = await lost();
    expect(await ask(anothers)).toMatchObject(reused);
    expect((await runOf(orderId)).runId).toBe(runId);
  });

  test('with another body ends without effect, shows nothing of it, and the order goes on with its own', async () => {
    const { state, ask, read, runOf, orderId } = await lost();
    state.sql = false;
    expect(await ask(anothers, { prefer: 'wait=1' })).toMatchObject({ code: 202, orderId });
    const ended = await until(
      () => runOf(orderId),
      ({ status }) => status === 'FAILED',
    );
    state.forgetful = false;
    await expect(ended.handle.result()).rejects.toMatchObject({ cause: { type: 'KeyReused' } });
    expect(await ended.handle.query(getOrder)).toMatchObject({
      items: [],
      customerId: '',
      failure: { type: 'KeyReused' },
    });
    expect(await ask(anothers, { prefer: 'wait=5' })).toMatchObject(reused);

    const shown = await read(`/orders/${orderId}`);
    expect(shown).toMatchObject({
      source: 'store',
      customerId: 'customer-42',
      items: [keyboard],
      parked: { activity: 'run', failure: expect.stringContaining('started for another request') },
    });
    const caseFixture = casesFixture(saga());
    await caseFixture.sweep();
    const { cases = [] } = (await caseFixture.list()).body;
    const listed = cases.find((one) => one.orderId === orderId);
    expect(listed).toMatchObject({ acts: ['restart', 'compensate'] });
    const pages = await Promise.all(['', '/audit', '/why'].map((page) => read(`/orders/${orderId}${page}`)));
    const events = await saga().deps.store.read.events({ orderId, afterSequence: 0 });
    expect(JSON.stringify([pages, listed, events])).not.toMatch(/intruder|"quantity":7/);
    const failed = `WorkflowId = '${workflowIdOf(orderId)}' AND ExecutionStatus = 'Failed' AND FailureType IS NOT NULL`;
    await until(
      () => saga().client.workflow.count(failed),
      ({ count }) => count === 1,
    );
    expect(JSON.stringify(await read('/orders?limit=100'))).not.toContain('intruder');

    expect((await ask(own)).code).toBe(503);
    state.sql = true;
    expect(await ask(own)).toMatchObject({ code: 202, orderId });
    await saga().until(orderId, ({ sagaState, hold }) => sagaState === 'held' && hold !== undefined);
    const { handle } = await runOf(orderId);
    await handle.executeUpdate('payment', {
      args: [{ actor: 'customer', reason: 'another card', paymentMethodId: 'pm_card_visa' }],
    });
    expect(await handle.result()).toMatchObject({ status: 'completed' });
    expect(await ask(anothers)).toMatchObject(reused);
    expect(await booksOf(saga(), orderId)).toMatchObject({ provider: { charged: [expect.anything()] } });
    await saga().check(orderId);
  });

  test('and whose order an operator restarts goes on as the order, and takes its own key again', async () => {
    const { state, ask, runOf, orderId } = await lost();
    state.sql = false;
    await ask(anothers);
    await until(
      () => runOf(orderId),
      ({ status }) => status === 'FAILED',
    );
    expect((await casesFixture(saga()).act(orderId, 'restart')).status).toBe(202);
    const view = await saga().until(orderId, ({ sagaState }) => sagaState === 'held');
    expect(view).toMatchObject({ customerId: 'customer-42', items: [keyboard] });
    state.forgetful = false;
    for (const sql of [true, false]) {
      state.sql = sql;
      expect(await ask(own)).toMatchObject({ code: 202, orderId });
      expect(await ask(anothers)).toMatchObject(reused);
    }
    const { handle } = await runOf(orderId);
    await handle.executeUpdate('cancel', { args: [{ actor: 'ana', reason: 'asked for' }] });
    await handle.result();
    await saga().check(orderId);
  });

  test('answers with the end where the order has ended, and another body is refused', async () => {
    const { state, ask, read, runOf } = httpApi();
    const paid = { ...own, paymentMethodId: 'pm_card_visa' };
    const { orderId } = await ask(paid);
    const { runId, handle } = await runOf(orderId);
    await handle.result();
    state.forgetful = true;
    expect(await ask(paid, { prefer: 'wait=5' })).toMatchObject({ code: 200, status: 'completed' });
    expect(await ask(anothers)).toMatchObject(reused);
    expect((await runOf(orderId)).runId).toBe(runId);
    state.sql = false;
    expect(await ask(anothers)).toMatchObject({ code: 202 });
    await until(
      () => runOf(orderId),
      ({ status }) => status === 'FAILED',
    );
    expect(await read(`/orders/${orderId}`)).toMatchObject({
      status: 'completed',
      customerId: 'customer-42',
    });
    await casesFixture(saga()).sweep();
    expect((await saga().deps.store.read.cases({ limit: 500 })).some((one) => one.orderId === orderId)).toBe(
      false,
    );
    await saga().check(orderId);
  });

  test('a cancel that the other request took over is on record as overtaken', async () => {
    const { orderId } = await lost();
    const { client, config } = saga();
    const input = workflowInput(config, { orderId, callerId: 'shop-a', customerId: customerId('intruder') });
    const handle = await client.workflow.signalWithStart('fulfillOrder', {
      workflowId: workflowIdOf(orderId),
      taskQueue: input.taskQueues.orders,
      args: [{ ...input, fingerprint: fingerprintOf(input.checkout) }],
      signal: 'cancel',
      signalArgs: [{ actor: 'ana', reason: 'asked for by phone' }],
    });
    await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'KeyReused' } });
    const audit = await saga().deps.store.read.audit(`order:${orderId}`);
    expect(audit.find(({ from }) => from === 'cancel')).toMatchObject({ to: 'overtaken', actor: 'ana' });
  });

  test('and whose run is given acts before SQL has answered writes none of them onto the order', async () => {
    const { orderId, runId } = await lost();
    const { client, config } = saga();
    const before = await saga().deps.store.read.placed(orderId);
    const input = workflowInput(config, { orderId, callerId: 'shop-a', customerId: customerId('intruder') });
    const handle = await client.workflow.signalWithStart('fulfillOrder', {
      workflowId: workflowIdOf(orderId),
      taskQueue: input.taskQueues.orders,
      args: [{ ...input, fingerprint: fingerprintOf(input.checkout) }],
      signal: 'shipping-address',
      signalArgs: [
        {
          actor: 'ana',
          reason: 'moved',
          address: { name: 'B', street1: '9 Way', city: 'Delhi', postalCode: '110001', country: 'IN' },
        },
      ],
    });
    await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'KeyReused' } });
    const after = await saga().deps.store.transaction(async (tx) => ({
      order: await tx.orders.find(orderId),
      acts: await tx.acts.list(orderId),
    }));
    expect(after.order).toMatchObject({ runId, shippingAddress: before?.order.shippingAddress });
    expect(after.acts).toEqual([]);
    const audit = await saga().deps.store.read.audit(`order:${orderId}`);
    const told = audit.filter(({ from }) => from === 'shipping-address');
    expect(told).toMatchObject([{ to: 'overtaken', actor: 'ana' }]);
  });
});
