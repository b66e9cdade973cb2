import { describe, expect, test } from 'vitest';
import { operationKeys, type OrderId } from '../../domain/ids.ts';
import type { Checkout, EndStatus, OrderView } from '../../domain/order.ts';
import type { PolicyChanges } from '../../domain/policy.ts';
import type { FaultRuleInput } from '../../sandbox/faults/fault-rules.ts';
import { cancelOrder, updatePayment } from '../../workflows/messages.ts';
import { goodAddress, until } from '../setup/saga-environment.ts';
import { createBreakableDeps } from '../e2e/breakable-deps.ts';
import { casesFixture, type CaseAct } from '../support/cases-fixture.ts';
import { act, booksOf, newOrderId, sagaSuite, type StartedOrder } from '../e2e/saga-suite.ts';

const small = { attemptTimeoutMs: 1_000, budgetMs: 1_000, maximumIntervalMs: 100 };
const down = { kind: 'outage', mode: '503' } as const;
const declined = { paymentMethodId: 'pm_card_chargeDeclined' };
const refusedLabel = { shippingAddress: { ...goodAddress, street1: 'LABEL-REFUSED 1' } };

interface Stage {
  name: string;
  /** SQL operation that cannot begin until the order is restarted. */
  blocked?: (id: OrderId) => string;
  faults?: FaultRuleInput[];
  checkout?: Partial<Checkout>;
  policy?: PolicyChanges;
  /** When the run is terminated; the act leads the order there. */
  lead?: (order: StartedOrder) => Promise<unknown>;
  reached: (view: OrderView) => boolean;
  restarted: EndStatus | 'payment_failed';
  compensated: EndStatus | 'refused';
}

const stages: Stage[] = [
  {
    name: 'after its reservation',
    blocked: (id) => operationKeys.processPayment(id, 1),
    reached: ({ step }) => step === 'payment',
    restarted: 'completed',
    compensated: 'cancelled',
  },
  {
    name: 'while a charge is on its way',
    faults: [{ provider: 'stripe', operation: 'payment_intents.confirm', kind: 'latency', ms: 1_200 }],
    reached: ({ step }) => step === 'payment',
    restarted: 'completed',
    compensated: 'cancelled',
  },
  {
    name: 'after its charge',
    blocked: operationKeys.createFulfillment,
    reached: ({ step }) => step === 'fulfillment',
    restarted: 'completed',
    compensated: 'cancelled',
  },
  {
    name: 'while it is held',
    checkout: declined,
    reached: ({ hold }) => hold !== undefined,
    restarted: 'payment_failed',
    compensated: 'cancelled',
  },
  {
    name: 'after another card was given',
    checkout: declined,
    blocked: (id) => operationKeys.processPayment(id, 2),
    lead: (order) =>
      order.executeUpdate(updatePayment, { args: [{ ...act, paymentMethodId: 'pm_card_visa' }] }),
    reached: ({ status, sagaState }) => status === 'inventory_reserved' && sagaState === 'running',
    restarted: 'completed',
    compensated: 'cancelled',
  },
  {
    name: 'while it is parked',
    faults: [{ provider: 'easypost', operation: 'shipments.create', ...down }],
    policy: { steps: { shipping: small } },
    reached: ({ sagaState }) => sagaState === 'parked',
    restarted: 'completed',
    compensated: 'cancelled',
  },
  {
    name: 'with a label of unknown outcome',
    faults: [
      { provider: 'easypost', operation: 'shipments.retrieve', ...down },
      { provider: 'easypost', operation: 'shipments.buy', kind: 'hang-after' },
    ],
    policy: { steps: { shipping: small } },
    reached: ({ sagaState }) => sagaState === 'parked',
    restarted: 'completed',
    compensated: 'cancelled',
  },
  {
    name: 'after its label',
    blocked: operationKeys.completeOrder,
    reached: ({ shipment }) => shipment !== undefined,
    restarted: 'completed',
    compensated: 'refused',
  },
  {
    name: 'while it is taken back',
    checkout: refusedLabel,
    blocked: operationKeys.releaseInventory,
    lead: (order) => order.executeUpdate(cancelOrder, { args: [act] }),
    reached: ({ sagaState }) => sagaState === 'compensating',
    restarted: 'cancelled',
    compensated: 'cancelled',
  },
  {
    name: 'before it was recorded',
    blocked: operationKeys.recordOrder,
    reached: ({ step }) => step === 'receive',
    restarted: 'completed',
    compensated: 'cancelled',
  },
];

const stageNamed = (wanted: string): Stage => {
  const stage = stages.find(({ name }) => name === wanted);
  if (!stage) throw new Error(`There is no stage ${wanted}`);
  return stage;
};

const breakable = createBreakableDeps();

describe('an order whose run was terminated', () => {
  const saga = sagaSuite({ wrap: breakable.wrap });

  /** Leads an order to the stage, terminates its run there, and mends what had kept it. */
  async function terminate({ blocked, faults = [], checkout, policy, lead, reached }: Stage) {
    const orderId = newOrderId();
    const key = blocked?.(orderId);
    if (key) breakable.keys.add(key);
    for (const [index, fault] of faults.entries()) {
      await saga().addFault({ ...fault, id: `${orderId}-${index}`, match: { orderId } });
    }
    const order = await saga().start({ ...checkout, orderId }, policy);
    if (lead) {
      await saga().until(orderId, ({ hold }) => hold !== undefined);
      await lead(order);
    }
    await saga().until(orderId, reached);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await order.terminate('by an operator');
    /* What the run had under way ends; then the way is free. */
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    if (key) breakable.keys.delete(key);
    for (const index of faults.keys()) await saga().removeFault(`${orderId}-${index}`);
    return order;
  }

  const chargedOnceOrNever = async (orderId: OrderId) => {
    const { provider } = await booksOf(saga(), orderId);
    expect(provider.charged.length).toBeLessThanOrEqual(1);
  };

  async function expectAfter(
    order: StartedOrder,
    name: CaseAct,
    expected: Stage['restarted' | 'compensated'],
  ) {
    const { orderId } = order;
    const cases = casesFixture(saga());
    const { status, body } = await cases.act(orderId, name);
    if (expected === 'refused') {
      expect({ status, detail: body.detail }).toMatchObject({
        status: 409,
        detail: expect.stringContaining('restart it'),
      });
      expect((await cases.act(orderId, 'restart')).status).toBe(202);
    } else expect(status, JSON.stringify(body)).toBe(202);
    if (expected === 'payment_failed') {
      await saga().until(orderId, ({ hold }) => hold?.status === 'payment_failed');
      const run = saga().client.workflow.getHandle(order.workflowId);
      await run.executeUpdate(updatePayment, { args: [{ ...act, paymentMethodId: 'pm_card_visa' }] });
    }
    const end = expected === 'refused' || expected === 'payment_failed' ? 'completed' : expected;
    expect(await cases.end(orderId)).toMatchObject({ status: end });
    await saga().check(orderId);
    await chargedOnceOrNever(orderId);
    const { audit } = await booksOf(saga(), orderId);
    const row = audit.find(
      ({ from, to }) => from === (expected === 'refused' ? 'restart' : name) && to === 'begun',
    );
    expect(row).toMatchObject({ actor: 'ana (help-desk)', reason: 'the run was terminated by mistake' });
    expect(row?.runId).not.toBe(order.firstExecutionRunId);
  }

  test.concurrent.each(stages)('$name goes on when it is restarted', async (stage) => {
    await expectAfter(await terminate(stage), 'restart', stage.restarted);
  });

  test.concurrent.each(stages)('$name is taken back when it is compensated', async (stage) => {
    await expectAfter(await terminate(stage), 'compensate', stage.compensated);
  });

  test('one that Temporal has forgotten is found by the sweep and restarted from SQL alone', async () => {
    const { orderId, workflowId } = await terminate(stageNamed('after its charge'));
    const { client, namespace } = saga();
    const cases = casesFixture(saga());
    await client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId } });
    const forgotten = (run: unknown) => run === undefined;
    await until(() => cases.runs.last(orderId), forgotten, 240_000);
    await cases.sweep();
    const { cases: listed = [] } = (await cases.list()).body;
    expect(listed.find((one) => one.orderId === orderId)).toMatchObject({
      failure: expect.stringContaining('no longer knows run'),
    });
    expect((await cases.act(orderId, 'restart')).status).toBe(202);
    expect(await cases.end(orderId)).toMatchObject({ status: 'completed' });
    await saga().check(orderId);
  });
});
