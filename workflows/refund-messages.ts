import { defineSignal } from '@temporalio/workflow';
import type { OrderId, TaskQueues } from '../domain/ids.ts';
import type { SagaPolicy } from '../domain/policy.ts';
import type { PaymentSubject, RequestRefund } from '../domain/refunds.ts';

/** Input of the workflow `refundOrder`; its result is a `RefundAnswer`. */
export interface RefundOrder {
  refund: RequestRefund;
  policy: SagaPolicy;
  taskQueues: TaskQueues;
}

/** Name under which the workflow is registered and started. */
export const refundOrderName = 'refundOrder';

/** Input of the workflow `followPayment`: what the payment provider told of. */
export interface FollowPayment {
  subject: PaymentSubject;
  policy: SagaPolicy;
  taskQueues: TaskQueues;
}

/** Name under which the workflow is registered and started. */
export const followPaymentName = 'followPayment';

/** Input of the workflow `settleDebt`. */
export interface SettleDebt {
  orderId: OrderId;
  /** Number of the payment that it is owed from. */
  n: number;
  policy: SagaPolicy;
  taskQueues: TaskQueues;
  /** Of a run that goes on: how long it waits next. */
  pauseMs?: number;
}

/** Name under which the workflow is registered and started. */
export const settleDebtName = 'settleDebt';

/** To an order's own run: a charge that nothing waited for is on record, and the payment's stored answer has changed. */
export const paymentFound = defineSignal<[]>('payment-found');

/** Tells a debt that the dispute it waits for has changed. */
export const debtChanged = defineSignal('debtChanged');
