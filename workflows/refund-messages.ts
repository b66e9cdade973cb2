import type { TaskQueues } from '../domain/ids.ts';
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
