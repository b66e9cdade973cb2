import { describe, expect, test } from 'vitest';
import type { PolicyChanges } from '../../domain/policy.ts';
import { approveOrder, approveSignal, cancelOrder, setShippingAddress } from '../../workflows/messages.ts';
import { goodAddress, until } from '../setup/saga-environment.ts';
import {
  act,
  auditedActs,
  eventsOf,
  expectEnd,
  refusalOf,
  sagaSuite,
  shownOf,
  type StartedOrder,
} from './saga-suite.ts';

/** One keyboard costs 7499.00 INR. */
const above: PolicyChanges = { approval: { aboveMinor: { INR: 749_899 } } };
const asked = ['order.created', 'inventory.reserved', 'order.approval_requested'];
const shipped = ['payment.processed', 'fulfillment.created', 'shipment.generated', 'order.completed'];

describe('an order that needs approval', () => {
  const saga = sagaSuite();

  const start = async (policy: PolicyChanges = above, overrides = {}) => {
    const order = await saga().start(overrides, policy);
    await saga().until(order.orderId, ({ hold }) => hold?.status === 'awaiting_approval');
    return order;
  };
  const approve = (order: StartedOrder, actor = act.actor) =>
    order.executeUpdate(approveOrder, { args: [{ ...act, actor }] });

  test.concurrent(
    'waits before anything is charged, says why, and completes when it is approved',
    async () => {
      const order = await start();
      const { hold, sagaState, step } = await saga().view(order.orderId);
      expect({ sagaState, step }).toEqual({ sagaState: 'held', step: 'payment' });
      expect(hold).toMatchObject({
        failureType: 'ApprovalMissing',
        reason: 'The total of 7499.00 INR is above 7498.99 INR: it needs approval.',
      });
      expect(Date.parse(hold?.untilUtc ?? '') - Date.parse(hold?.sinceUtc ?? '')).toBe(24 * 3_600_000);
      expect(await shownOf(order)).toMatchObject({
        run: 'RUNNING',
        orderStatus: 'awaiting_approval',
        sagaState: 'held',
        failureType: 'ApprovalMissing',
        details: expect.stringMatching(
          /Mend it: `npm run -s temporal -- workflow signal .* --name approve --input/,
        ),
      });
      await until(
        () => eventsOf(saga(), order.orderId),
        (events) => events.includes('order.approval_requested'),
      );
      expect(await saga().deps.store.read.order(order.orderId)).toMatchObject({ hold });
      await saga().check(order.orderId);
      await approve(order);
      const { audit, provider } = await expectEnd(saga(), order, {
        status: 'completed',
        events: [...asked, ...shipped],
      });
      expect(provider.charged).toHaveLength(1);
      expect(audit.find(({ actor, to }) => actor === act.actor && to !== 'accepted')).toMatchObject({
        from: 'held',
        to: 'running',
        reason: act.reason,
      });
      expect(await shownOf(order)).toMatchObject({ orderStatus: 'completed', failureType: undefined });
    },
  );

  test.concurrent('waits for its risk mark where marks count, and is approved by signal', async () => {
    const marked = { riskMark: 'new-account' };
    const order = await start({ approval: { riskMarked: true } }, marked);
    expect((await saga().view(order.orderId)).hold?.reason).toMatch(
      /marked the order as a risk \(new-account\)/,
    );
    await order.signal(approveSignal, act);
    await expectEnd(saga(), order, { status: 'completed', events: [...asked, ...shipped] });
  });

  test.concurrent.each<[string, PolicyChanges, object]>([
    ['its total is not above the limit', { approval: { aboveMinor: { INR: 749_900 } } }, {}],
    ['its currency has no limit', { approval: { aboveMinor: { USD: 0 } } }, {}],
    ['it is marked and marks do not count', { approval: { aboveMinor: {} } }, { riskMark: 'x' }],
    ['nothing asks for it', {}, { riskMark: 'x' }],
  ])('is no order of which %s', async (_, policy, overrides) => {
    const order = await saga().start(overrides, policy);
    const events = ['order.created', 'inventory.reserved', ...shipped];
    await expectEnd(saga(), order, { status: 'completed', events });
  });

  test.concurrent('fails at the deadline without any charge', async () => {
    const order = await saga().start({}, { ...above, holdApprovalMs: 400 });
    const { provider, view } = await expectEnd(saga(), order, {
      status: 'failed',
      failure: 'ApprovalMissing',
      events: [...asked, 'inventory.released', 'order.failed'],
    });
    expect(view.failure?.reason).toMatch(/Nobody approved it before the deadline/);
    expect(provider).toMatchObject({ charged: [], intents: [] });
  });

  test.concurrent('is cancelled without any charge', async () => {
    const order = await start();
    await order.executeUpdate(cancelOrder, { args: [act] });
    const { provider } = await expectEnd(saga(), order, {
      status: 'cancelled',
      events: [...asked, 'inventory.released', 'order.cancelled'],
    });
    expect(provider.intents).toEqual([]);
  });

  test.concurrent('takes one approval of two at the same time; the other is told who was first', async () => {
    const order = await start();
    const answers = await Promise.allSettled([approve(order, 'first'), approve(order, 'second')]);
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const [loser] = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
    const told = await refusalOf(Promise.reject(loser as Error));
    expect(told).toMatch(/has just been approved by (first|second)|only an order that waits for approval/);
    const { audit } = await expectEnd(saga(), order, { status: 'completed' });
    expect(audit.filter(({ from, to }) => `${from} ${to}` === 'held running')).toHaveLength(1);
  });

  test.concurrent('ships to an address that was changed while it waited', async () => {
    const order = await start();
    const address = { ...goodAddress, street1: '99 New Street' };
    await order.executeUpdate(setShippingAddress, { args: [{ ...act, address }] });
    expect((await saga().view(order.orderId)).hold?.status).toBe('awaiting_approval');
    await approve(order);
    await expectEnd(saga(), order, { status: 'completed' });
    const stored = await saga().deps.store.transaction((tx) => tx.orders.find(order.orderId));
    expect(stored?.shippingAddress.street1).toBe('99 New Street');
  });

  test.concurrent('is held again by a declined card, for which no approval helps', async () => {
    const order = await start(above, { paymentMethodId: 'pm_card_chargeDeclined' });
    await approve(order);
    await saga().until(order.orderId, ({ hold }) => hold?.status === 'payment_failed');
    expect(await refusalOf(approve(order))).toBe(
      'The order is payment_failed: only an order that waits for approval can be approved.',
    );
    await order.signal(approveSignal, act);
    const refused = await until(
      () => auditedActs(saga(), order.orderId, 'approve'),
      (rows) => rows.length > 1,
    );
    expect(refused.slice(1)).toEqual([expect.stringMatching(/^refused: The order is payment_failed/)]);
    await order.executeUpdate(cancelOrder, { args: [act] });
    await expectEnd(saga(), order, { status: 'cancelled' });
  });
});
