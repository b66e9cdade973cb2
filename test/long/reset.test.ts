import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, inject, test } from 'vitest';
import type { WorkflowHandle } from '@temporalio/client';
import { operationKeys, type OrderId } from '../../domain/ids.ts';
import type { EndStatus, OrderView } from '../../domain/order.ts';
import type { FaultRuleInput } from '../../sandbox/faults/fault-rules.ts';
import {
  cancelOrder,
  getOrder,
  resolveParked,
  setShippingAddress,
  updatePayment,
} from '../../workflows/messages.ts';
import type { fulfillOrder } from '../../workflows/index.ts';
import { createBreakableDeps } from '../e2e/breakable-deps.ts';
import { act, booksOf, newOrderId, refusalOf, sagaSuite, type StartedOrder } from '../e2e/saga-suite.ts';
import { goodAddress, until } from '../setup/saga-environment.ts';

const small = { attemptTimeoutMs: 1_000, budgetMs: 1_000, maximumIntervalMs: 100 };
const declined = { paymentMethodId: 'pm_card_chargeDeclined' };
const labelRefused = { shippingAddress: { ...goodAddress, street1: 'LABEL-REFUSED 1' } };
const breakable = createBreakableDeps();

const held = ({ hold }: OrderView): boolean => hold !== undefined;

type Fate = (id: OrderId) => Promise<StartedOrder>;
type Ends = readonly EndStatus[];

describe("an order that Temporal's own reset takes back to an earlier point", () => {
  const saga = sagaSuite({ wrap: breakable.wrap });

  /** Where a run can be reset to: after each of its workflow tasks. */
  async function resetPoints(order: StartedOrder): Promise<string[]> {
    const { events } = await order.fetchHistory();
    const completed = (events ?? []).filter((event) => event.workflowTaskCompletedEventAttributes);
    return completed.map(({ eventId }) => String(eventId));
  }

  /** The command of the operations page. */
  async function reset({ workflowId }: StartedOrder, eventId: string, more: string[] = []): Promise<void> {
    const args = ['workflow', 'reset', '--address', inject('temporalAddress'), '--workflow-id', workflowId];
    await promisify(execFile)(inject('temporalCli'), [
      ...args,
      '--event-id',
      eventId,
      '--reason',
      'repair',
      ...more,
    ]);
  }

  const lastRun = ({ workflowId }: StartedOrder) =>
    saga().client.workflow.getHandle<typeof fulfillOrder>(workflowId);

  const endOf = async (order: StartedOrder): Promise<EndStatus> => (await lastRun(order).result()).status;

  /** Mends whatever the new run is held for, as people would, until it ends. */
  async function helpToItsEnd(order: StartedOrder): Promise<EndStatus> {
    const run = lastRun(order);
    let ended: EndStatus | undefined;
    const end = endOf(order).then((status) => (ended = status));
    while (!ended) {
      const view = await run.query(getOrder).catch(() => undefined);
      if (view?.hold ?? view?.parked) await mend(run, view).catch(() => undefined);
      await Promise.race([end, new Promise((resolve) => setTimeout(resolve, 100))]);
    }
    return ended;
  }

  function mend(run: WorkflowHandle<typeof fulfillOrder>, { hold, parked: stuck }: OrderView) {
    if (stuck) return run.executeUpdate(resolveParked, { args: [{ ...act, action: 'retry' }] });
    return hold?.status === 'address_rejected'
      ? run.executeUpdate(setShippingAddress, { args: [{ ...act, address: goodAddress }] })
      : run.executeUpdate(updatePayment, { args: [{ ...act, paymentMethodId: 'pm_card_visa' }] });
  }

  const block = (key: string): void => void breakable.keys.add(key);

  /** Shipping is down until the reset: the order is parked there. */
  async function parked(orderId: OrderId, checkout = {}): Promise<StartedOrder> {
    const down: FaultRuleInput = {
      provider: 'easypost',
      operation: 'shipments.create',
      kind: 'outage',
      mode: '503',
    };
    await saga().addFault({ ...down, id: orderId, match: { orderId } });
    return saga().start({ ...checkout, orderId }, { steps: { shipping: small } });
  }

  /** What brings an order somewhere, where it is reset, and which ends it may have then. */
  const fates: Record<string, { lead: Fate; at: (view: OrderView) => boolean; ends: Ends }> = {
    'parked at shipping': {
      lead: (orderId) => parked(orderId),
      at: ({ sagaState }) => sagaState === 'parked',
      ends: ['completed'],
    },
    'parked at shipping after a declined card': {
      async lead(orderId) {
        const order = await parked(orderId, declined);
        await saga().until(orderId, ({ hold }) => hold !== undefined);
        await order.executeUpdate(updatePayment, { args: [{ ...act, paymentMethodId: 'pm_card_visa' }] });
        return order;
      },
      at: ({ sagaState }) => sagaState === 'parked',
      ends: ['completed'],
    },
    'held for its address after payment': {
      lead: (orderId) => saga().start({ ...labelRefused, orderId }),
      at: ({ hold }) => hold !== undefined,
      ends: ['completed'],
    },
    'being taken back': {
      async lead(orderId) {
        block(operationKeys.releaseInventory(orderId));
        const order = await saga().start({ ...labelRefused, orderId });
        await saga().until(orderId, ({ hold }) => hold !== undefined);
        await order.executeUpdate(cancelOrder, { args: [act] });
        return order;
      },
      at: ({ sagaState }) => sagaState === 'compensating',
      ends: ['cancelled', 'failed'],
    },
    completed: {
      lead: (orderId) => saga().start({ orderId }),
      at: ({ status }) => status === 'completed',
      ends: ['completed'],
    },
    'completed after a declined card': {
      async lead(orderId) {
        const order = await saga().start({ ...declined, orderId });
        await saga().until(orderId, ({ hold }) => hold !== undefined);
        await order.executeUpdate(updatePayment, { args: [{ ...act, paymentMethodId: 'pm_card_visa' }] });
        return order;
      },
      at: ({ status }) => status === 'completed',
      ends: ['completed'],
    },
    'failed at a deadline': {
      lead: (orderId) => saga().start({ ...declined, orderId }, { holdPaymentMs: 300 }),
      at: ({ status }) => status === 'failed',
      ends: ['failed'],
    },
    'cancelled after payment': {
      async lead(orderId) {
        const order = await saga().start({ ...labelRefused, orderId });
        await saga().until(orderId, ({ hold }) => hold !== undefined);
        await order.executeUpdate(cancelOrder, { args: [act] });
        return order;
      },
      at: ({ status }) => status === 'cancelled',
      ends: ['cancelled'],
    },
  };

  async function arrive({ lead, at }: (typeof fates)[string]): Promise<StartedOrder> {
    const orderId = newOrderId();
    const order = await lead(orderId);
    await until(() => order.query(getOrder), at);
    await new Promise((resolve) => setTimeout(resolve, 500));
    return order;
  }

  async function free({ orderId }: StartedOrder): Promise<void> {
    for (const key of breakable.keys) if (key.includes(orderId)) breakable.keys.delete(key);
    await saga()
      .removeFault(orderId)
      .catch(() => undefined);
  }

  test.each(Object.entries(fates))('%s: from every point, without a double effect', async (_, fate) => {
    const unharmed = await arrive(fate);
    const count = (await resetPoints(unharmed)).length;
    await free(unharmed);
    const ends: EndStatus[] = [];
    for (let point = 0; point < count; point += 1) {
      const order = await arrive(fate);
      const points = await resetPoints(order);
      const eventId = points[Math.min(point, points.length - 1)] ?? '';
      await reset(order, eventId);
      await free(order);
      const end = await helpToItsEnd(order);
      expect(fate.ends, `reset to event ${eventId} of ${order.workflowId}`).toContain(end);
      await saga().check(order.orderId);
      const { provider } = await booksOf(saga(), order.orderId);
      expect(provider.charged.length).toBeLessThanOrEqual(1);
      ends.push(end);
    }
    expect(ends.length).toBeGreaterThan(1);
  });

  /** The last point before the first update was accepted: in the hold that it ended. */
  async function pointInHold(order: StartedOrder): Promise<string> {
    const { events } = await order.fetchHistory();
    const all = events ?? [];
    const end = all.findIndex((event) => event.workflowExecutionUpdateAcceptedEventAttributes);
    const before = all.slice(0, end - 1).findLast((event) => event.workflowTaskCompletedEventAttributes);
    return String(before?.eventId);
  }

  test('a shipped order that is reset to a hold after payment and canceled there stays shipped and paid', async () => {
    const order = await saga().start(labelRefused);
    await saga().until(order.orderId, held);
    await order.executeUpdate(setShippingAddress, { args: [{ ...act, address: goodAddress }] });
    await order.result();
    await reset(order, await pointInHold(order), ['--reapply-exclude', 'All']);
    const run = lastRun(order);
    await until(() => run.query(getOrder), held);
    expect(await refusalOf(run.executeUpdate(cancelOrder, { args: [act] }))).toMatch(
      /has ended \(completed\)/,
    );
    expect(await endOf(order)).toBe('completed');
    await saga().check(order.orderId);
    const { provider } = await booksOf(saga(), order.orderId);
    expect(provider).toMatchObject({ charged: [{}], refunded: [], labels: [{ refundStatus: null }] });
  });

  test('an order that is being taken back, reset to its hold and mended there, does not ship', async () => {
    const fate = fates['being taken back'];
    if (!fate) throw new Error('The fate is gone');
    const order = await arrive(fate);
    await reset(order, await pointInHold(order), ['--reapply-exclude', 'All']);
    const run = lastRun(order);
    await until(() => run.query(getOrder), held);
    await free(order);
    const corrected = run.executeUpdate(setShippingAddress, { args: [{ ...act, address: goodAddress }] });
    expect(await refusalOf(corrected)).toMatch(/taken back already/);
    expect(['failed', 'cancelled']).toContain(await endOf(order));
    await saga().check(order.orderId);
    expect((await booksOf(saga(), order.orderId)).provider.labels).toEqual([]);
  });

  test('notes of the part that is replayed stay; what the new run notes is written beside them', async () => {
    const fate = fates['parked at shipping after a declined card'];
    if (!fate) throw new Error('The fate is gone');
    const order = await arrive(fate);
    const before = (await booksOf(saga(), order.orderId)).audit;
    const points = await resetPoints(order);
    await reset(order, points.at(1) ?? '');
    await free(order);
    expect(await helpToItsEnd(order)).toBe('completed');
    const { audit } = await booksOf(saga(), order.orderId);
    expect(audit.slice(0, before.length)).toEqual(before);
    const holds = audit.filter(({ to }) => to === 'payment_failed');
    const runs = new Set(holds.map(({ runId }) => runId));
    expect(runs.size).toBe(2);
    await saga().check(order.orderId);
  });
});
