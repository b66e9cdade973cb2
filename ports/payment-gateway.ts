import type { TechnicalFailure } from '../domain/failures.ts';
import type { OrderId } from '../domain/ids.ts';
import type { Money } from '../domain/money.ts';
import type { NextAction } from '../domain/order.ts';
import type { DisputeState, PaymentSubject } from '../domain/refunds.ts';

/**
 * The payment provider, one request per method; protocol and bookkeeping are the payment activity's.
 * Technical failures: ProviderUnavailable (429, and nothing was done), OutcomeUnknown (5xx, time-out, broken
 * connection), ProviderMisconfigured (401, 403, and requests the provider cannot understand).
 * ProviderUnavailable means that nothing was done. A failure under a *spent* key (`isKeySpent`) is known to be the
 * idempotency key's answer for 24 h: the caller looks the effect up and, when it did not happen, uses the next key
 * number. Every other failure is retried under the same key, also a 5xx of which nobody knows yet whether it was stored.
 * An answer that is `replayed` from under its key says how things were: the caller retrieves how they are.
 * No method retries by itself. Every call ends within `timeoutMs`.
 */
export interface PaymentGateway {
  /**
   * Creates an unconfirmed payment intent. `idempotencyKey` is the provider's: the same key and content gives the same
   * answer for 24 h, errors 500 included. `metadata` carries orderId and operationKey, by which `findByOperation` finds it.
   */
  create(input: {
    idempotencyKey: string;
    operationKey: string;
    orderId: OrderId;
    amount: Money;
    paymentMethodId: string;
    timeoutMs: number;
  }): Promise<CreateAnswer>;
  /** Confirms: charges, or is declined, or needs the customer. */
  confirm(input: { idempotencyKey: string; intentId: string; timeoutMs: number }): Promise<PaymentAnswer>;
  /** The intent as it is now. */
  retrieve(input: { intentId: string; timeoutMs: number }): Promise<PaymentAnswer>;
  /**
   * Intents with this operation key in their metadata. Finding none proves nothing: the provider's search lags, Stripe's
   * by a minute or, in an outage, an hour, and Stripe does not offer it to accounts in India (ProviderMisconfigured).
   */
  findByOperation(input: { operationKey: string; timeoutMs: number }): Promise<PaymentAnswer[]>;
  /**
   * One page of the order's intents, whoever made them, newest first: those whose metadata carries the order's id. The
   * provider has no filter by metadata: its list from a time on is read, and read to its end only where no `afterId`
   * comes back. Complete and up to date, unlike a search.
   */
  listIntents(input: {
    orderId: OrderId;
    sinceUtc: string;
    afterId?: string;
    timeoutMs: number;
  }): Promise<{ intents: ListedIntent[]; afterId?: string }>;
  /** Makes a later charge impossible; answers the intent's state when it could not be canceled (charged, processing). */
  cancel(input: { idempotencyKey: string; intentId: string; timeoutMs: number }): Promise<PaymentAnswer>;
  /**
   * Refunds `amount` of the charge; idempotent by its key, for 24 h. The refund carries orderId and operationKey, by which
   * `refunds` shows it: look there before a second request, for two requests under two keys are two refunds.
   */
  refund(input: {
    idempotencyKey: string;
    operationKey: string;
    orderId: OrderId;
    intentId: string;
    amount: Money;
    timeoutMs: number;
  }): Promise<RefundRequested>;
  /** All refunds of the intent's charge, newest first; complete and up to date, unlike a search. */
  refunds(input: { intentId: string; timeoutMs: number }): Promise<ProviderRefund[]>;
  /** One refund as it is now. */
  findRefund(input: { refundId: string; timeoutMs: number }): Promise<ProviderRefund>;
  /** All disputes of the intent's charge, newest first; complete and up to date. */
  disputes(input: { intentId: string; timeoutMs: number }): Promise<ProviderDispute[]>;
  /** A dispute as it is now. */
  findDispute(input: { disputeId: string; timeoutMs: number }): Promise<ProviderDispute>;
  /** Whether that amount is inside the provider's limits for its currency. */
  payable(amount: Money): { ok: true } | { ok: false; reason: string };
  /**
   * Checks a webhook's signature over its raw body, and that it was made within five minutes of now; undefined when it
   * does not hold. A signed event that says nothing we can read has the type `unusableNotice`.
   */
  verifyWebhook(input: { rawBody: string; signature: string }): PaymentNotice | undefined;
}

/** Type of a notice whose signature holds and whose content cannot be used: no JSON, null, a list, a thin event. */
export const unusableNotice = 'unusable';

/** Refused at creation: the payment method does not exist or cannot be used. */
export type CreateAnswer =
  | ({ status: 'created'; intentId: string } & Replayable)
  | { status: 'refused'; reason: string; declineCode?: string };

/** `replayed`: the provider has kept this answer under the request's key; the state may have changed since. */
interface Replayable {
  replayed?: true;
}

export type PaymentAnswer = PaymentStateAnswer & Replayable;

type PaymentStateAnswer =
  /** `orderId`: ours, from its metadata; absent on payments that were made at the provider's own desk without it. */
  | { status: 'charged'; intentId: string; amount: Money; orderId?: OrderId }
  | { status: 'unconfirmed'; intentId: string }
  | { status: 'declined'; intentId: string; reason: string; declineCode?: string }
  | { status: 'action_required'; intentId: string; nextAction: NextAction }
  | { status: 'canceled'; intentId: string };

/** `operationKey`: ours, from its metadata; absent on payments that were made at the provider's own desk. */
export type ListedIntent = PaymentAnswer & { operationKey?: string };

/** Refused for good as things are now: nothing was refunded. `disputed`: until the dispute is won. */
export type RefundRequested =
  | { status: 'taken'; refund: ProviderRefund }
  | {
      status: 'refused';
      code: 'nothing_left' | 'amount_too_large' | 'disputed' | 'not_refundable';
      reason: string;
    };

/** A refund at the provider. One that succeeded may fail later. */
export interface ProviderRefund {
  refundId: string;
  intentId: string;
  status: 'pending' | 'succeeded' | 'failed';
  amount: Money;
  createdAtUtc: string;
  /** Why it failed. */
  failure?: string;
  /** Ours, from its metadata; absent on refunds that were made at the provider's own desk. */
  operationKey?: string;
  /** The order of the payment; absent for a payment that is not ours. */
  orderId?: OrderId;
}

export interface ProviderDispute {
  disputeId: string;
  intentId: string;
  state: DisputeState;
  amount: Money;
  /** The bank's reason. */
  reason: string;
  createdAtUtc: string;
  /** Until then the bank can be answered; absent where it cannot (any more). */
  dueByUtc?: string;
  /** The order of the payment; absent for a payment that is not ours. */
  orderId?: OrderId;
}

/** What a webhook says happened: only where to look, never what to believe. */
export interface PaymentNotice {
  eventId: string;
  type: string;
  intentId: string | undefined;
  orderId: OrderId | undefined;
  /** The refund or dispute that the notice is about. */
  subject?: PaymentSubject;
}

/** A failure that the provider has stored under the request's idempotency key and replays for 24 h. */
export type SpentKeyFailure = TechnicalFailure & { keySpent: true };

/**
 * Whether the provider says that this failure (a 5xx of its own, a refusal, a refund that failed) is stored under the
 * key it came by. After a look-up that finds no effect, the next key number is the only way on.
 */
export const isKeySpent = (failure: unknown): failure is SpentKeyFailure =>
  failure instanceof Error && 'keySpent' in failure && failure.keySpent === true;

/** Whether the provider says that what was asked for does not exist there. */
export const isUnknownThere = (failure: unknown): boolean =>
  failure instanceof Error && 'unknownThere' in failure && failure.unknownThere === true;
