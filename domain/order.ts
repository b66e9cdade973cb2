import type { CustomerId, OrderId, ProductId } from './ids.ts';
import type { Currency, Money } from './money.ts';
import type { FailureType } from './failures.ts';
import type { WaitingFor } from './providers.ts';

/** On the path, held for a person, or ended. */
export const orderStatuses = [
  'received',
  'inventory_reserved',
  'payment_processed',
  'fulfillment_created',
  'shipment_generated',
  'completed',
  'payment_failed',
  'payment_action_required',
  'address_rejected',
  'awaiting_approval',
  'payment_disputed',
  'cancelled',
  'failed',
] as const;

export type OrderStatus = (typeof orderStatuses)[number];

/** Statuses in which the order waits for a person until a deadline. */
export const heldStatuses = [
  'payment_failed',
  'payment_action_required',
  'address_rejected',
  'awaiting_approval',
  'payment_disputed',
] as const satisfies readonly OrderStatus[];
export type HeldStatus = (typeof heldStatuses)[number];

export type EndStatus = Extract<OrderStatus, 'completed' | 'cancelled' | 'failed'>;

export const isEnded = (status: OrderStatus): status is EndStatus =>
  status === 'completed' || status === 'cancelled' || status === 'failed';

export const sagaStates = ['running', 'held', 'parked', 'compensating', 'ended'] as const;
export type SagaState = (typeof sagaStates)[number];

/** The steps a person sees in the parked list, the audit trail and the metrics. */
export const stepNames = [
  'receive',
  'inventory',
  'address',
  'payment',
  'fulfillment',
  'shipping',
  'notification',
  'completion',
] as const;
export type StepName = (typeof stepNames)[number];

export interface Address {
  name: string;
  street1: string;
  street2?: string;
  /** Which of these an address has, its country's rules say: `domain/address.ts`. */
  city?: string;
  state?: string;
  postalCode?: string;
  /** ISO 3166-1 alpha-2. */
  country: string;
  /** The recipient's, E.164. */
  phone?: string;
}

export interface OrderItem {
  productId: ProductId;
  /** Whole units, 1 to 1,000. */
  quantity: number;
}

/** What a shop asks for; the saga's input besides its policy. Holds personal data. */
export interface Checkout {
  orderId: OrderId;
  /** Who placed it: the API caller's id. Another caller's order does not exist for you. */
  callerId: string;
  customerId: CustomerId;
  customerEmail: string;
  /** One entry per product; at most 100. */
  items: OrderItem[];
  /** The payment provider's id of the customer's payment method, for example `pm_card_visa`. */
  paymentMethodId: string;
  shippingAddress: Address;
  currency: Currency;
  /** Guards against price changes: another total fails the order with PriceChanged. */
  expectedTotal?: Money;
  /** The shop's own name for why it distrusts the order; 1-64 characters, no personal data. */
  riskMark?: string;
}

/** One line of what an order costs. Discounts are negative. */
export interface OrderLine {
  kind: 'item' | 'shipping' | 'tax' | 'discount';
  productId?: ProductId;
  quantity?: number;
  amountMinor: number;
}

/** Who did something: an API caller, an operator's name, `customer`, `saga`, `signal`, `temporal` or `provider`. */
export type Actor = string;

/** A hold: the order waits for a person until the deadline. */
export interface Hold {
  status: HeldStatus;
  failureType: FailureType;
  reason: string;
  sinceUtc: string;
  untilUtc: string;
  /** When people are reminded; absent once they were. */
  remindAtUtc?: string;
  /** What the customer has to do (payment_action_required), as the provider gave it. */
  nextAction?: NextAction;
}

export interface NextAction {
  type: string;
  /** Lets the customer's browser continue with the provider's own library. */
  clientSecret?: string;
  redirectUrl?: string;
}

/** A parked step: a technical failure beyond its budget waits for an operator's `resolve`. */
export interface Parked {
  step: StepName;
  /** The activity that failed: a forward step or a compensation. */
  activity: string;
  failure: string;
  /** Type of the technical failure that parked it, for example `ProviderUnavailable`; Temporal's own for a time-out. */
  failureType?: string;
  /** Whole budgets of attempts that were used up, people's retries included. */
  budgets: number;
  /** Attempts in these budgets, as far as they are known: one that was cut off by its time limit tells no number. */
  attempts?: number;
  sinceUtc: string;
  /** What `resolve` accepts now. */
  actions: ResolveAction[];
  /** What an action needs besides who and why. */
  needs?: Partial<Record<ResolveAction, ResolveNeed>>;
}

/**
 * - retry: again at once, with a fresh retry window.
 * - retry-with: the same with changed input.
 * - mark-done: it has happened at the provider; checked there by its reference.
 * - skip: goes on without it.
 * - cancel: takes the order back.
 */
export const resolveActions = ['retry', 'retry-with', 'mark-done', 'skip', 'cancel'] as const;
export type ResolveAction = (typeof resolveActions)[number];

/** A field of `resolve` that an action needs. */
export type ResolveNeed = 'input.service' | 'input.paymentMethodId' | 'reference';

/** Changed input of `retry-with`: exactly the field that the step needs. */
export interface ResolveInput {
  /** The carrier's name of a service, as its rates have it. */
  service?: string;
  paymentMethodId?: string;
}

/** An order as seen from outside; the answer of the workflow's query and of SQL alike. No address, no email. */
export interface OrderView {
  orderId: OrderId;
  callerId: string;
  customerId: CustomerId;
  status: OrderStatus;
  sagaState: SagaState;
  /** Step that runs, waits or ended the order. */
  step: StepName;
  items: OrderItem[];
  /** Absent until the order has been priced. */
  total?: Money;
  /** What of the total is for shipping; absent where that is free. */
  shipping?: Money;
  hold?: Hold;
  parked?: Parked;
  /** The present step's provider takes no steps now. */
  waitingFor?: WaitingFor;
  failure?: { type: FailureType; reason: string };
  cancelRequested?: { actor: Actor; reason: string };
  shipment?: ShipmentView;
  /** Acts that wait for SQL: names of updates. */
  pending?: string[];
  /** In the answer to an act: what is known of it. */
  act?: ActView;
  updatedAtUtc: string;
}

export interface ShipmentView {
  carrier: string;
  service: string;
  trackingCode: string;
  labelUrl: string;
}

/**
 * What has come of an act: `pending` until SQL has it, `accepted` until it has its effect, `done`, `overtaken` by something
 * else that was accepted, or `refused` after its call was answered.
 */
export const actStates = ['pending', 'accepted', 'done', 'overtaken', 'refused'] as const;

export type ActState = (typeof actStates)[number];

/** An act as whoever asked for it may see it. */
export interface ActView {
  actId: string;
  /** Name of its update and signal. */
  name: string;
  state: ActState;
  /** Why it was refused or came to nothing. */
  reason?: string;
  /** Of the request that asked for it. */
  fingerprint?: string;
}
