import type { OrderId } from '../../domain/ids.ts';
import type { Money } from '../../domain/money.ts';
import type { ProviderDispute } from '../../ports/payment-gateway.ts';
import type { Attempt, Settled } from '../provider-operation.ts';
import type { PaymentRow } from '../../ports/store/money.ts';

export interface ProcessPayment {
  orderId: OrderId;
  /** Number of the accepted payment update: 1 for the checkout's own payment method. */
  n: number;
  paymentMethodId: string;
  /** A person may have charged at the provider meanwhile: it is asked for that first. */
  asked?: true;
  attemptTimeoutMs: number;
}

export interface PaymentProcessed {
  intentId: string;
  amount: Money;
}

/** A charge as it is recorded; `byHand`: found at the provider, where a person had made it. */
export interface Charge extends PaymentProcessed {
  byHand?: true;
  /** What banks said of a charge that no attempt of ours has made. */
  disputes?: readonly ProviderDispute[];
}

export type SettledPayment = Settled<Charge>;

/** What an attempt knows before its first request. */
export interface PaymentFacts {
  payment: PaymentRow;
  /** Payments of earlier methods that could still charge, or have: settled before a new one is tried. */
  earlier: PaymentRow[];
  /** Every intent of the order that SQL knows. */
  known: readonly string[];
}

export interface PaymentProtocol {
  input: ProcessPayment;
  key: string;
  attempt: Attempt<PaymentFacts>;
}
