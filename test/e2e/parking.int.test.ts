import { describe, expect, test } from 'vitest';
import type { FaultRuleInput } from '../../sandbox/faults/fault-rules.ts';
import type { PolicyChanges } from '../../domain/policy.ts';
import {
  cancelOrder,
  resolveParked,
  resolveSignal,
  setShippingAddress,
  type ResolveParked,
} from '../../workflows/messages.ts';
import { goodAddress, until } from '../setup/saga-environment.ts';
import {
  act,
  auditedActs,
  detailsOf,
  eventsOf,
  expectEnd,
  newOrderId,
  refusalOf,
  sagaSuite,
  shownOf,
  type StartedOrder,
} from './saga-suite.ts';

/** For the step that is meant to park: soon enough, and still time to get through on a busy machine once mended. */
const small = { attemptTimeoutMs: 1_200, budgetMs: 2_000, maximumIntervalMs: 100 };
const smallBudgets: PolicyChanges = { steps: { shipping: small } };
const smallPaymentBudget: PolicyChanges = { steps: { payment: small } };

const down = { kind: 'outage', mode: '503' } as const;
const paid = ['order.created', 'inventory.reserved', 'payment.processed', 'fulfillment.created'];
const backAgain = ['fulfillment.cancelled', 'payment.refunded', 'inventory.released', 'order.cancelled'];

describe('an order whose step is beyond its budget', () => {
  const saga = sagaSuite();

  const startWith = async (
    faults: FaultRuleInput[],
    policy: PolicyChanges = smallBudgets,
    overrides = {},
  ) => {
    const orderId = newOrderId();
    for (const [index, fault] of faults.entries()) {
      await saga().addFault({ ...fault, id: `${orderId}-${index}`, match: { orderId } });
    }
    return saga().start({ ...overrides, orderId }, policy);
  };
  const mend = (order: StartedOrder, fault = 0) => saga().removeFault(`${order.orderId}-${fault}`);
  const parked = async (order: StartedOrder, activity: string) => {
    const view = await saga().until(order.orderId, (one) => one.parked?.activity === activity);
    await until(
      () => eventsOf(saga(), order.orderId),
      (events) => events.includes('order.parked'),
    );
    return view;
  };
  const resolve = (order: StartedOrder, action = 'retry') =>
    order.executeUpdate(resolveParked, { args: [{ ...act, action: action as ResolveParked['action'] }] });

  test.concurrent('is parked where people look, and completes when they say to try again', async () => {
    const order = await startWith([{ ...down, provider: 'easypost', operation: 'shipments.create' }]);
    expect(await refusalOf(resolve(order))).toMatch(/not parked/);
    const { parked: where } = await parked(order, 'shipping');
    expect(where).toMatchObject({
      step: 'shipping',
      actions: ['retry', 'retry-with', 'mark-done', 'cancel'],
      needs: { 'retry-with': 'input.service', 'mark-done': 'reference' },
      budgets: 1,
    });
    expect(where?.failure).toMatch(/^(OutcomeUnknown: .*EasyPost|TimeoutFailure)/);
    expect(await shownOf(order)).toMatchObject({
      run: 'RUNNING',
      sagaState: 'parked',
      parkedStep: 'shipping',
      orderStatus: 'fulfillment_created',
      failureType: where?.failureType,
    });
    const details = await detailsOf(order);
    expect(details).toMatch(
      /Parked at shipping since .*, after (\d+ attempt\(s\) in one retry window|one retry window of attempts): (.*EasyPost|Timeout)/,
    );
    for (const action of where?.actions ?? []) {
      const command = `npm run -s temporal -- workflow signal --workflow-id ${order.workflowId} --name resolve --input '{"action":"${action}",`;
      expect(details).toContain(command);
    }
    expect(await saga().deps.store.read.order(order.orderId)).toMatchObject({
      sagaState: 'parked',
      parked: where,
    });
    await saga().check(order.orderId);
    expect(await refusalOf(resolve(order, 'skip'))).toMatch(
      /"skip" is not possible for shipping: without it the order would not be shipped; possible now: retry, /,
    );
    await order.signal(resolveSignal, { ...act, action: 'give-up' as 'retry' });
    const refused = await until(
      () => auditedActs(saga(), order.orderId, 'resolve'),
      (rows) => rows.length > 0,
    );
    expect(refused).toEqual([expect.stringMatching(/^refused: "give-up" is no action of resolve/)]);
    expect(await detailsOf(order)).toMatch(/Refused signal resolve at .*"give-up"/);
    await mend(order);
    await resolve(order);
    const events = [...paid, 'order.parked', 'shipment.generated', 'order.completed'];
    const { audit } = await expectEnd(saga(), order, { status: 'completed', events });
    expect(audit.find(({ from }) => from === 'parked')).toMatchObject({ to: 'running', ...act });
    const { parkedStep, failureType } = await shownOf(order);
    expect({ parkedStep, failureType }).toEqual({ parkedStep: undefined, failureType: undefined });
  });

  test.concurrent('is parked again while nothing is mended, and resolved by signal', async () => {
    const order = await startWith(
      [{ ...down, provider: 'stripe', operation: 'payment_intents.create' }],
      smallPaymentBudget,
    );
    await parked(order, 'payment');
    await resolve(order);
    await saga().until(order.orderId, ({ sagaState }) => sagaState === 'running');
    const again = await saga().until(order.orderId, ({ sagaState }) => sagaState === 'parked');
    expect(again.parked).toMatchObject({ budgets: 2 });
    await mend(order);
    await order.signal(resolveSignal, { action: 'retry' });
    const { provider } = await expectEnd(saga(), order, { status: 'completed' });
    expect(provider.charged).toHaveLength(1);
    expect((await eventsOf(saga(), order.orderId)).filter((type) => type === 'order.parked')).toHaveLength(2);
  });

  test.concurrent('at payment can be cancelled, and nothing is charged', async () => {
    const order = await startWith(
      [{ ...down, provider: 'stripe', operation: 'payment_intents.create' }],
      smallPaymentBudget,
    );
    await parked(order, 'payment');
    await order.executeUpdate(cancelOrder, { args: [act] });
    const { provider } = await expectEnd(saga(), order, { status: 'cancelled' });
    expect(provider.charged).toEqual([]);
  });

  const lostLabel: FaultRuleInput[] = [
    { provider: 'easypost', operation: 'shipments.retrieve', ...down },
    { provider: 'easypost', operation: 'shipments.buy', kind: 'hang-after' },
  ];

  test.concurrent('with a label of unknown outcome takes it back when cancelled', async () => {
    const order = await startWith(lostLabel);
    await parked(order, 'shipping');
    await order.executeUpdate(cancelOrder, { args: [act] });
    await mend(order);
    const events = [...paid, 'order.parked', 'shipment.voided', ...backAgain];
    const { provider } = await expectEnd(saga(), order, { status: 'cancelled', events });
    expect(provider.labels).toEqual([expect.objectContaining({ refundStatus: 'submitted' })]);
  });

  test.concurrent(
    'with a label of unknown outcome keeps it when tried again, and refuses another address',
    async () => {
      const order = await startWith(lostLabel);
      await parked(order, 'shipping');
      const change = order.executeUpdate(setShippingAddress, { args: [{ ...act, address: goodAddress }] });
      expect(await refusalOf(change)).toMatch(/address can no longer be changed/);
      await mend(order);
      await resolve(order);
      const { provider } = await expectEnd(saga(), order, { status: 'completed' });
      expect(provider.labels).toHaveLength(1);
    },
  );

  describe('while it is taken back', () => {
    const startCompensating = async () => {
      const order = await startWith(
        [{ ...down, provider: 'stripe', operation: 'refunds.create' }],
        { compensation: { budgetMs: 1_000 } },
        { shippingAddress: { ...goodAddress, street1: 'LABEL-REFUSED' } },
      );
      await saga().until(order.orderId, ({ hold }) => hold !== undefined);
      await order.executeUpdate(cancelOrder, { args: [act] });
      await parked(order, 'refundPayment');
      return order;
    };
    const events = [...paid, 'order.held', 'fulfillment.cancelled', 'order.parked', ...backAgain.slice(1)];

    test.concurrent('is parked once, tries again by itself and goes on', async () => {
      const order = await startCompensating();
      expect(await shownOf(order)).toMatchObject({ sagaState: 'parked', parkedStep: 'payment' });
      await saga().until(order.orderId, ({ parked: now }) => (now?.budgets ?? 0) >= 2);
      await mend(order);
      const { audit } = await expectEnd(saga(), order, { status: 'cancelled', events });
      expect(audit.find(({ from }) => from === 'parked')).toMatchObject({
        to: 'compensating',
        actor: 'saga',
      });
    });

    test.concurrent('goes on at once when somebody says so', async () => {
      const order = await startCompensating();
      await mend(order);
      await resolve(order);
      const { audit } = await expectEnd(saga(), order, { status: 'cancelled', events });
      expect(audit.find(({ from }) => from === 'parked')).toMatchObject({ to: 'compensating', ...act });
    });
  });
});
