import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Address, EndStatus, OrderView, ResolveAction, ResolveInput, ActView } from '../domain/order.ts';
import type { FailureType } from '../domain/failures.ts';
import type { Act } from '../domain/order-run.ts';

/** Result of a closed run. `cancelled` by Temporal's own cancel closes as Canceled instead. */
export interface OrderResult {
  orderId: string;
  status: EndStatus;
  failure?: { type: FailureType; reason: string };
}

export interface CancelOrder extends Act {}
export interface UpdatePayment extends Act {
  paymentMethodId: string;
}
export interface SetShippingAddress extends Act {
  address: Address;
}
/** Lets an order pass that waits for approval (`awaiting_approval`). */
export interface ApproveOrder extends Act {}
/** Gives a hold another deadline: in the future, and within the policy's longest hold. */
export interface ExtendHold extends Act {
  /** ISO 8601 in UTC, for example `2026-01-03T12:00:00Z`. */
  untilUtc: string;
}
export interface ResolveParked extends Act {
  action: ResolveAction;
  /** What `retry-with` changes. */
  input?: ResolveInput;
  /** The provider's id of what was done, for `mark-done`: payment, refund or shipment. */
  reference?: string;
  /** For `mark-done` of a label: its name, street or city differ from the order's, and it is the order's all the same. */
  confirmDifferences?: boolean;
}

/*
 * Updates answer with the order as it is right after the act was accepted. A refused act fails with the type
 * `ActRefused` and changes nothing, not even the history.
 */
export const cancelOrder = defineUpdate<OrderView, [CancelOrder]>('cancel');
export const updatePayment = defineUpdate<OrderView, [UpdatePayment]>('payment');
export const setShippingAddress = defineUpdate<OrderView, [SetShippingAddress]>('shipping-address');
export const approveOrder = defineUpdate<OrderView, [ApproveOrder]>('approve');
export const extendHold = defineUpdate<OrderView, [ExtendHold]>('extend');
export const resolveParked = defineUpdate<OrderView, [ResolveParked]>('resolve');

/*
 * Signals with the same effect, for people who have only Temporal's own tools. A signal has no answer: a refused one
 * is written to the audit trail and the current details.
 */
export const cancelSignal = defineSignal<[Partial<CancelOrder>?]>('cancel');
export const paymentSignal = defineSignal<[Partial<UpdatePayment>?]>('payment');
export const shippingAddressSignal = defineSignal<[Partial<SetShippingAddress>?]>('shipping-address');
export const approveSignal = defineSignal<[Partial<ApproveOrder>?]>('approve');
export const extendSignal = defineSignal<[Partial<ExtendHold>?]>('extend');
export const resolveSignal = defineSignal<[Partial<ResolveParked>?]>('resolve');

/** The payment provider reported a change: look it up now instead of at the next poll. */
export const paymentNotice = defineSignal<[{ eventId: string }]>('payment-notice');

export const getOrder = defineQuery<OrderView>('order');

/** What has come of an act, by its id; null when this run does not know it. */
export const getAct = defineQuery<ActView | null, [{ id: string }]>('act');

/** Why an act would be refused now, by name of its update; null when it would be taken. Changes nothing. */
export const getRefusal = defineQuery<string | null, [{ name: string; input: Partial<Act> }]>('refusal');

/** Failure type of a refused update; the API answers it with 409. */
export const actRefused = 'ActRefused';

/** Name under which the workflow is registered and started. */
export const fulfillOrderName = 'fulfillOrder';
