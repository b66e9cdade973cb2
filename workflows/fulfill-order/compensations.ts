import type { CompensationName } from '../../domain/ids.ts';
import type { OrderStatus, StepName } from '../../domain/order.ts';
import type { OrderActivities } from '../../activities/create-activities.ts';
import { isoNow, type OrderContext } from './context.ts';
import { refundPayment } from './pay.ts';
import type { Compensation } from '../saga.ts';
import { voidShipment } from './ship.ts';

export const sqlStep =
  <Result>(
    { steps, policyOf }: OrderContext,
    step: StepName,
    summary: string,
    call: (activities: OrderActivities) => Promise<Result>,
  ) =>
  (): Promise<Result> =>
    steps.sql({ policy: policyOf(step), summary }, call);

const sqlCompensation = (
  { steps, order, orderId }: OrderContext,
  step: StepName,
  name: 'releaseInventory' | 'cancelFulfillment',
  summary: string,
): Compensation => ({
  name,
  step,
  run: async () => {
    await steps.sql({ policy: order.input.policy.compensation, summary }, (a) => a[name]({ orderId }));
  },
});

export const releaseInventory = (context: OrderContext): Compensation =>
  sqlCompensation(context, 'inventory', 'releaseInventory', 'Give the stock back');

export const cancelFulfillment = (context: OrderContext): Compensation =>
  sqlCompensation(context, 'fulfillment', 'cancelFulfillment', 'Cancel the fulfillment');

export const compensationOf = (context: OrderContext, name: CompensationName): Compensation =>
  ({ releaseInventory, refundPayment, cancelFulfillment, voidShipment })[name](context);

export function moveTo({ order }: OrderContext, status: OrderStatus): void {
  Object.assign(order, { status, updatedAtUtc: isoNow() });
}
