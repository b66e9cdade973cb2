import type { OrderId } from '../domain/ids.ts';
import type { Money } from '../domain/money.ts';
import type { Dispute, Refund } from '../domain/refunds.ts';

/** A refund as it is kept; its amount counts as given back from the moment the row is there, until it fails. */
export interface RefundRow extends Refund {
  /** Of what was asked for; empty where nobody asked by a key. */
  fingerprint: string;
  /** Suffix number of the provider's idempotency key: the next is used after a stored failure and a look-up. */
  keyNumber: number;
}

/** Call these after the order's row is locked (`orders.find`): what is left to refund is counted under that lock. */
export interface RefundStatements {
  /** The order's refunds, oldest first. */
  list(orderId: OrderId): Promise<RefundRow[]>;
  /** Inserts or replaces the row of (orderId, refundId). */
  put(row: RefundRow): Promise<void>;
}

export interface DisputeStatements {
  /** The order's disputes, oldest first. */
  list(orderId: OrderId): Promise<Dispute[]>;
  /** Inserts or replaces the row of (orderId, disputeId). */
  put(row: Dispute): Promise<void>;
}

/** A refund in the state `owed`: of an order that was taken back while its charge was disputed. */
export interface Debt {
  orderId: OrderId;
  /** Number of the payment it is owed from. */
  n: number;
  amount: Money;
  sinceUtc: string;
}

export interface DebtReads {
  /** Debts that are not settled, oldest first, after the given one, at most `limit`. */
  list(input: { after?: Pick<Debt, 'sinceUtc' | 'orderId' | 'n'>; limit: number }): Promise<Debt[]>;
  /** Refunds asked for by a key before the time and not decided, oldest first, after the given one, at most `limit`. */
  undecided(input: {
    requestedBeforeUtc: string;
    after?: Pick<RefundRow, 'requestedAtUtc' | 'orderId' | 'refundId'>;
    limit: number;
  }): Promise<RefundRow[]>;
}
