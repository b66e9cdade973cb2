import type { FailureType } from '../domain/failures.ts';
import type { Money } from '../domain/money.ts';
import {
  isEnded,
  type Actor,
  type Address,
  type Hold,
  type OrderStatus,
  type OrderView,
  type Parked,
  type SagaState,
  type ShipmentView,
  type StepName,
} from '../domain/order.ts';
import type { Act, FulfillOrder, ResolveParked, UpdatePayment } from './messages.ts';

/** The order inside its workflow: what handlers read and set, and the story acts on. */
export interface OrderState {
  readonly input: FulfillOrder;
  status: OrderStatus;
  sagaState: SagaState;
  step: StepName;
  total?: Money;
  hold?: Hold;
  parked?: Parked;
  failure?: { type: FailureType; reason: string };
  shipment?: ShipmentView;
  updatedAtUtc: string;

  /** A stop was asked for and accepted; the saga walks back at its next safe point. */
  cancelRequested?: { actor: Actor; reason: string };
  /** Ends what is running interruptibly. */
  interrupt?: () => void;
  pivotPassed: boolean;
  /** SQL knows the order. */
  recorded: boolean;

  address: { value: Address; n: number };
  /** Number of the address that the carrier has verified, or could not be asked about. */
  settledAddress: number;
  /** An accepted address update that is not yet in SQL. */
  addressAct?: Act;
  paymentUpdates: number;
  paymentAct?: UpdatePayment;
  /** The payment provider reported a change. */
  paymentNoticed: boolean;
  resolve?: ResolveParked;
  /** Facts for the Web UI that belong to no field, for example a refused signal. */
  remarks: string[];
  /** Counts the notes of this order (holds, parks, refused signals): part of their operation keys. */
  notes: number;
}

export function openOrder(input: FulfillOrder, nowUtc: string): OrderState {
  return {
    input,
    status: 'received',
    sagaState: 'running',
    step: 'receive',
    updatedAtUtc: nowUtc,
    pivotPassed: false,
    recorded: false,
    address: { value: input.checkout.shippingAddress, n: 1 },
    settledAddress: 0,
    paymentUpdates: 0,
    paymentNoticed: false,
    remarks: [],
    notes: 0,
  };
}

/** The order as everybody may see it: no address, no email. */
export function viewOf(order: OrderState): OrderView {
  const { orderId, callerId, customerId, items } = order.input.checkout;
  const { status, sagaState, step, updatedAtUtc, total, hold, parked, failure, cancelRequested, shipment } =
    order;
  return {
    orderId,
    callerId,
    customerId,
    status,
    sagaState,
    step,
    items,
    ...(total ? { total } : {}),
    ...(hold ? { hold } : {}),
    ...(parked ? { parked } : {}),
    ...(failure ? { failure } : {}),
    ...(cancelRequested ? { cancelRequested } : {}),
    ...(shipment ? { shipment } : {}),
    updatedAtUtc,
  };
}

/** Why an act is refused in the order's present state; undefined when it is legal. */
type Refused = string | undefined;

const closing = (order: OrderState): Refused => {
  if (isEnded(order.status)) return `The order has ended (${order.status}).`;
  if (order.sagaState === 'compensating') return 'The order is being taken back already.';
  if (order.cancelRequested)
    return `The order is being cancelled already, by ${order.cancelRequested.actor}.`;
  return undefined;
};

/** Shipping has started when the label is being bought; a held or parked label is not on its way. */
const shippingStarted = ({ step, sagaState, pivotPassed }: OrderState): boolean =>
  pivotPassed || (step === 'shipping' && sagaState === 'running');

export const refuseCancel = (order: OrderState): Refused =>
  closing(order) ??
  (shippingStarted(order)
    ? 'Shipping has started: the order can no longer be cancelled. It goes on; ask for a return instead.'
    : undefined);

export const refuseAddress = (order: OrderState): Refused =>
  closing(order) ??
  (shippingStarted(order) || (order.step === 'shipping' && order.sagaState === 'parked')
    ? 'Shipping has started: the address can no longer be changed.'
    : undefined);

export function refusePayment(order: OrderState): Refused {
  const { hold, input } = order;
  if (closing(order)) return closing(order);
  if (!hold || hold.status === 'address_rejected') {
    return `The order is ${order.status}: a payment method is accepted only while its payment is held.`;
  }
  if (order.paymentAct) return 'Another payment method has just been accepted and is being tried.';
  return order.paymentUpdates < input.policy.maximumPaymentUpdates
    ? undefined
    : `${order.paymentUpdates} payment methods were tried already; no more are accepted.`;
}

export function refuseResolve(order: OrderState, { action }: Pick<ResolveParked, 'action'>): Refused {
  if (!order.parked) return `The order is not parked (${order.sagaState}); there is nothing to resolve.`;
  if (order.resolve) return `Another operator, ${order.resolve.actor}, has just resolved it.`;
  const legal = order.parked.actions;
  return legal.includes(action)
    ? undefined
    : `"${action}" is not possible for ${order.parked.activity}; possible now: ${legal.join(', ')}.`;
}
