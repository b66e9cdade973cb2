import type { OrderId } from '../../domain/ids.ts';
import type { OrderView } from '../../domain/order.ts';
import type { FaultRuleInput } from '../../sandbox/faults/fault-rules.ts';
import { newOrderId, type StartedOrder } from '../e2e/saga-suite.ts';
import type { SagaEnvironment } from '../setup/saga-environment.ts';

/** Leads one order to an end, or to where it waits; the run's history is what is recorded. */
export type Fate = (saga: SagaEnvironment) => Promise<StartedOrder>;

/** For a step that is meant to park. */
export const small = { attemptTimeoutMs: 400, budgetMs: 800, maximumIntervalMs: 100 };

export const isParked = ({ sagaState }: OrderView): boolean => sagaState === 'parked';

/** Starts an order and waits until it is where the condition says. */
export const startUntil = async (
  saga: SagaEnvironment,
  condition: (view: OrderView) => boolean,
  ...start: Parameters<SagaEnvironment['start']>
): Promise<StartedOrder> => {
  const order = await saga.start(...start);
  await saga.until(order.orderId, condition);
  return order;
};

/** An order id with faults of its own. */
export const breaking = async (saga: SagaEnvironment, ...faults: FaultRuleInput[]): Promise<OrderId> => {
  const orderId = newOrderId();
  for (const [index, fault] of faults.entries()) {
    await saga.addFault({ ...fault, id: `${orderId}-${index}`, match: { orderId } });
  }
  return orderId;
};
/** Ends the first of the order's faults. */
export const mend = (saga: SagaEnvironment, { orderId }: StartedOrder) => saga.removeFault(`${orderId}-0`);
