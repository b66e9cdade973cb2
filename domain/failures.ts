/**
 * Every failure type: who raises it, whether it is retried, what happens, what an operator does.
 * Business failures are answers; technical failures are retried by Temporal and park beyond their budget.
 */
export const businessFailures = {
  OutOfStock: {
    step: 'inventory',
    outcome: 'fail',
    act: 'none: stock is added and the customer orders again',
  },
  UnknownProduct: {
    step: 'receive',
    outcome: 'fail',
    act: 'none: the shop offers a product that is not in the catalog',
  },
  ProductWithdrawn: {
    step: 'receive',
    outcome: 'fail',
    act: 'none: the shop offers a product that was withdrawn from sale',
  },
  ParcelTooLarge: {
    step: 'receive',
    outcome: 'fail',
    act: 'none: no carrier service takes so much as one parcel; the customer orders less at once',
  },
  CustomsIncomplete: {
    step: 'receive',
    outcome: 'fail',
    act: 'the catalog gets what customs asks for, or the customer gives a phone number; then it is ordered again',
  },
  PriceChanged: {
    step: 'receive',
    outcome: 'fail',
    act: 'none: the shop shows the new price and checks out again',
  },
  AmountNotPayable: {
    step: 'receive',
    outcome: 'fail',
    act: "none: the total is outside the payment provider's limits for that currency",
  },
  CardDeclined: { step: 'payment', outcome: 'hold', act: 'the customer gives another payment method' },
  CustomerActionRequired: { step: 'payment', outcome: 'hold', act: 'the customer authenticates the payment' },
  AddressUndeliverable: {
    step: 'address',
    outcome: 'hold',
    act: 'the customer or help desk corrects the address',
  },
  ApprovalMissing: {
    step: 'payment',
    outcome: 'hold',
    act: 'an operator looks at the order and approves or cancels it',
  },
  PaymentDisputed: {
    step: 'shipping',
    outcome: 'hold',
    act: "an operator answers the customer's bank; won: it ships, lost: it is taken back",
  },
  PaymentRefunded: {
    step: 'shipping',
    outcome: 'fail',
    act: 'none: the charge went back before the order had a label',
  },
  KeyReused: {
    step: 'receive',
    outcome: 'fail',
    act: 'none: the Idempotency-Key belongs to an order with another body; the shop takes a new key',
  },
  OrderClosed: { step: 'receive', outcome: 'fail', act: 'none: an order of this id had already ended' },
  OperationCompensated: {
    step: 'payment',
    outcome: 'ignore',
    act: 'none: a late attempt found the compensation of its step and undid its own effect',
  },
} as const;

export type FailureType = keyof typeof businessFailures;

export const isFailureType = (value: string): value is FailureType => Object.hasOwn(businessFailures, value);

/** A business answer that is not success. Stored with the operation, so that every later attempt gives the same. */
export interface Refusal {
  type: FailureType;
  /** One sentence for the customer or the help desk. */
  reason: string;
  details?: Record<string, string>;
  /**
   * Something of the step may still take effect, or an earlier attempt of it may have: its compensation has to make sure.
   * Absent: nothing happened and nothing will.
   */
  unsettled?: true;
}

/**
 * Technical failure types (retried): names under which activities report what Temporal retries.
 * - OperationInProgress: another attempt holds the operation's lock or lease; come back soon.
 * - StaleAttempt: a newer attempt of the same operation began; that one settles it.
 * - ProviderUnavailable: the provider answered 429, 5xx or not at all and the outcome is settled as "not done".
 * - OutcomeUnknown: the effect may have happened; the next attempt asks the provider first.
 * - StoreUnavailable: SQL is busy, unreachable or full.
 * - ProviderMisconfigured: credentials or request refused by the provider (401, 403, 400): retried, parks, needs a person.
 */
export const technicalFailures = [
  'OperationInProgress',
  'StaleAttempt',
  'ProviderUnavailable',
  'OutcomeUnknown',
  'StoreUnavailable',
  'ProviderMisconfigured',
] as const;

export type TechnicalFailureType = (typeof technicalFailures)[number];

/**
 * Answers to an operator's `resolve`, never retried by themselves.
 * - ServiceNotOffered: the carrier has no such service for the shipment; the step is parked again, with the services it has.
 * - ReferenceNotConfirmed: the provider does not say that what the reference names was done for this order.
 * - FoundAtProvider: somebody has done at the provider what the step does, in a way that a person has to judge; the step is
 *   parked again.
 */
export const serviceNotOffered = 'ServiceNotOffered';
export const referenceNotConfirmed = 'ReferenceNotConfirmed';
export const foundAtProvider = 'FoundAtProvider';

/**
 * SQL answers that it has no row of an order that was recorded, as after a backup was put back: no retry cures that. Steps
 * park on it at once; what is retried without end goes on once the row is back.
 */
export const orderNotInStore = 'OrderNotInStore';

/** What a failed attempt leaves as its heartbeat for people to read; it decides nothing. */
export interface FailedAttempt {
  attempt: number | undefined;
  type: string;
  message: string;
}

/** A failure that retrying may cure, raised by adapters; Temporal's retry policy decides how often. */
export class TechnicalFailure extends Error {
  readonly type: TechnicalFailureType;
  /** Earliest useful time for another attempt, milliseconds from now. */
  readonly retryAfterMs: number | undefined;
  /** The provider refused our key (401): every other request will be refused as well, until a person mends it. */
  readonly keyRefused: boolean;
  /** The same in our own words alone, for where other orders read it: a provider's may quote a customer. Default: the message. */
  readonly summary: string;
  constructor(
    type: TechnicalFailureType,
    message: string,
    options: { cause?: unknown; retryAfterMs?: number; keyRefused?: boolean; summary?: string } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = type;
    this.type = type;
    this.retryAfterMs = options.retryAfterMs;
    this.keyRefused = options.keyRefused ?? false;
    this.summary = options.summary ?? message;
  }
}
