import type { Info } from '@temporalio/activity';
import type { StepName } from '../domain/order.ts';

/** What logs and spans say of one attempt of an activity. */
export interface ActivityFacts {
  /** Undefined where the activity is not one of a single order. */
  orderId: string | undefined;
  step: string;
  activity: string;
  attempt: number;
  workflowId: string | undefined;
  runId: string | undefined;
}

type Attempt = Pick<Info, 'activityType' | 'attempt' | 'workflowExecution'>;

/** `input`: the activity's, of which nothing is read but the order's id and the step that a note is about. */
export const activityFacts = (
  { activityType, attempt, workflowExecution }: Attempt,
  input?: unknown,
): ActivityFacts => ({
  orderId: orderIdOf(workflowExecution?.workflowId) ?? textIn(input, 'orderId'),
  step: steps[activityType] ?? textIn(input, 'step') ?? activityType,
  activity: activityType,
  attempt,
  workflowId: workflowExecution?.workflowId,
  runId: workflowExecution?.runId,
});

/** The order whose saga has this workflow id. */
export const orderIdOf = (workflowId: unknown): string | undefined =>
  typeof workflowId === 'string' && workflowId.startsWith('order-') ? workflowId.slice(6) : undefined;

/** The saga's step that an activity belongs to; the activity's own name where it belongs to none. */
export const stepOf = (activityType: string): string => steps[activityType] ?? activityType;

const textIn = (input: unknown, field: 'orderId' | 'step'): string | undefined => {
  const value =
    typeof input === 'object' && input !== null ? (input as Record<string, unknown>)[field] : undefined;
  return typeof value === 'string' ? value : undefined;
};

const steps: Readonly<Record<string, StepName>> = {
  recordOrder: 'receive',
  reserveInventory: 'inventory',
  releaseInventory: 'inventory',
  verifyAddress: 'address',
  verifyAddressAtOnce: 'address',
  processPayment: 'payment',
  refundPayment: 'payment',
  seekCharges: 'payment',
  createFulfillment: 'fulfillment',
  cancelFulfillment: 'fulfillment',
  generateShipment: 'shipping',
  voidShipment: 'shipping',
  seekLabels: 'shipping',
  markShipmentDone: 'shipping',
  markVoidDone: 'shipping',
  requestEmail: 'notification',
  completeOrder: 'completion',
  closeOrder: 'completion',
};
