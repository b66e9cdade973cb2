import { operationKeys, workflowIdOf, type OrderId } from '../../domain/ids.ts';
import type { OrderView } from '../../domain/order.ts';
import type { PolicyChanges } from '../../domain/policy.ts';
import {
  approveOrder,
  cancelOrder,
  cancelSignal,
  resolveParked,
  type ResolveParked,
} from '../../workflows/messages.ts';
import { createBreakableDeps, type BreakableDeps } from '../e2e/breakable-deps.ts';
import { act, newOrderId, type StartedOrder } from '../e2e/saga-suite.ts';
import { goodAddress, workflowInput, type SagaEnvironment } from '../setup/saga-environment.ts';
import { isParked, small, startUntil, type Fate } from './lead-order.ts';
import { again } from './second-run-fates.ts';

/** Wraps the dependencies of the environment in which these fates are led. */
export const breakable: BreakableDeps = createBreakableDeps();

/** A local activity that has no time goes on as an ordinary one. */
const noTime: PolicyChanges = { localActivityMs: 1 };
const hurried: PolicyChanges = {
  localActivityMs: 300,
  steps: { receive: small, inventory: small, fulfillment: small, completion: small },
};
const refusedAtLabel = { shippingAddress: { ...goodAddress, street1: 'LABEL-REFUSED 1' } };
const declined = { paymentMethodId: 'pm_card_chargeDeclined' };

const isHeld = ({ hold }: OrderView): boolean => hold !== undefined;

const cancel = (order: StartedOrder) => order.executeUpdate(cancelOrder, { args: [act] });
const resolve = (order: StartedOrder, action: ResolveParked['action'] = 'retry') =>
  order.executeUpdate(resolveParked, { args: [{ ...act, action }] });

type KeyOf = (id: OrderId) => string;
const mend = (keyOf: KeyOf, { orderId }: StartedOrder): boolean => breakable.keys.delete(keyOf(orderId));

/** An order that is parked because one of its operations cannot begin in SQL. */
async function park(
  saga: SagaEnvironment,
  keyOf: KeyOf,
  ...[overrides, policy]: Parameters<SagaEnvironment['start']>
): Promise<StartedOrder> {
  const orderId = newOrderId();
  breakable.keys.add(keyOf(orderId));
  return startUntil(saga, isParked, { ...overrides, orderId }, { ...hurried, ...policy });
}

/** Parked, mended, and tried again. */
const parkedAt =
  (keyOf: KeyOf, ...start: Parameters<SagaEnvironment['start']>): Fate =>
  async (saga) => {
    const order = await park(saga, keyOf, ...start);
    mend(keyOf, order);
    await resolve(order);
    return order;
  };

/** An order whose label is bought, and whose run is parked before it was completed. */
const shipped = async (saga: SagaEnvironment): Promise<StartedOrder> => {
  const order = await park(saga, operationKeys.completeOrder);
  mend(operationKeys.completeOrder, order);
  return order;
};

/** A run that is to take the order back, begun without asking SQL whether it may. */
async function takeBack(
  saga: SagaEnvironment,
  { orderId }: StartedOrder,
  workflowId: string = workflowIdOf(orderId),
): Promise<StartedOrder> {
  const input = workflowInput(saga.config, { orderId });
  const handle = await saga.client.workflow.start('fulfillOrder', {
    workflowId,
    taskQueue: input.taskQueues.orders,
    args: [{ ...input, recovered: { ...act, takeBack: true } }],
  });
  return Object.assign(handle, { orderId });
}

/**
 * Paths that need SQL to be away for one operation, or two runs of one order. Their histories are kept; nobody tells
 * a story of them.
 */
export const storeFates: Record<string, Fate> = {
  'completed-local-steps-as-ordinary': (saga) => saga.start({}, noTime),
  'cancelled-local-steps-as-ordinary': async (saga) => {
    const order = await startUntil(saga, isHeld, refusedAtLabel, noTime);
    await cancel(order);
    return order;
  },
  'completed-parked-at-receive': async (saga) => {
    const order = await park(saga, operationKeys.recordOrder);
    await order.signal('refnd', act);
    mend(operationKeys.recordOrder, order);
    await resolve(order);
    return order;
  },
  'cancelled-recorded-at-its-end': async (saga) => {
    const order = await park(saga, operationKeys.recordOrder);
    await cancel(order);
    await saga.until(order.orderId, ({ cancelRequested }) => cancelRequested !== undefined);
    mend(operationKeys.recordOrder, order);
    await resolveWhereParked(saga, order);
    return order;
  },
  'failed-recorded-at-its-end': async (saga) => {
    const order = await park(saga, operationKeys.recordOrder, {
      expectedTotal: { amountMinor: 1, currency: 'INR' },
    });
    await order.signal(cancelSignal, act);
    await saga.until(order.orderId, ({ cancelRequested }) => cancelRequested !== undefined);
    mend(operationKeys.recordOrder, order);
    await resolveWhereParked(saga, order);
    return order;
  },
  'completed-parked-at-inventory': parkedAt(operationKeys.reserveInventory),
  'cancelled-parked-at-inventory': async (saga) => {
    const order = await park(saga, operationKeys.reserveInventory);
    await cancel(order);
    return order;
  },
  'completed-parked-at-fulfillment': parkedAt(operationKeys.createFulfillment),
  'completed-parked-at-completion': async (saga) => {
    const order = await park(saga, operationKeys.completeOrder);
    await order.signal(cancelSignal, act);
    mend(operationKeys.completeOrder, order);
    await resolve(order);
    return order;
  },
  'failed-parked-at-closing': parkedAt(operationKeys.closeOrder, {
    expectedTotal: { amountMinor: 1, currency: 'INR' },
  }),
  'cancelled-parked-at-release': async (saga) => {
    const orderId = newOrderId();
    const compensation = { attemptTimeoutMs: 400, budgetMs: 2_000, maximumIntervalMs: 100 };
    const policy = { ...hurried, compensation };
    const order = await startUntil(saga, isHeld, { ...declined, orderId }, policy);
    breakable.keys.add(operationKeys.releaseInventory(orderId));
    await cancel(order);
    await saga.until(orderId, isParked);
    mend(operationKeys.releaseInventory, order);
    await resolve(order);
    return order;
  },
  'completed-restarted-after-shipping': async (saga) => again(saga, await shipped(saga), 'restart'),
  'completed-not-taken-back-after-shipping': async (saga) => {
    const order = await shipped(saga);
    await order.terminate('to be gone on with');
    return takeBack(saga, order);
  },
  'completed-restarted-after-approval': async (saga) => {
    const approval = { aboveMinor: { INR: 0 } };
    const orderId = newOrderId();
    breakable.keys.add(operationKeys.createFulfillment(orderId));
    const order = await startUntil(saga, isHeld, { orderId }, { ...hurried, approval });
    await order.executeUpdate(approveOrder, { args: [act] });
    await saga.until(orderId, isParked);
    mend(operationKeys.createFulfillment, order);
    return again(saga, order, 'restart');
  },
  'cancelled-in-another-run': async (saga) => {
    const order = await startUntil(saga, isHeld, refusedAtLabel, { holdAddressMs: 5_000 });
    const other = await takeBack(saga, order, `${order.workflowId}-besides`);
    await other.result();
    return order;
  },
};

/** The walk back may park the order once more before SQL is asked again. */
async function resolveWhereParked(saga: SagaEnvironment, order: StartedOrder): Promise<void> {
  const ended = order.result().then(
    () => true,
    () => true,
  );
  while (!(await Promise.race([ended, passed(200)]))) {
    const { parked } = await saga.view(order.orderId);
    if (parked) await resolve(order).catch(() => undefined);
  }
}

const passed = (ms: number): Promise<false> => new Promise((done) => setTimeout(() => done(false), ms));
