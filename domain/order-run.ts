import type { Actor, Checkout } from './order.ts';
import type { SagaPolicy } from './policy.ts';
import type { TaskQueues } from './ids.ts';

/** Input of the workflow `fulfillOrder`. */
export interface FulfillOrder {
  checkout: Checkout;
  policy: SagaPolicy;
  taskQueues: TaskQueues;
  /** W3C `traceparent` of the checkout request; every event of the order carries its trace id. */
  traceparent: string;
  /** Names the request, so that SQL can tell it from another one under the same key; absent in earlier runs. */
  fingerprint?: string;
  /** Why this run goes on with an order whose last run has closed; `takeBack`: only to take the order back. */
  recovered?: Act & { takeBack?: true; acts?: readonly EarlierAct[]; historyGone?: true };
}

/** An act that the run before had accepted, as it was given. */
export interface EarlierAct {
  name: string;
  id: string;
  input: unknown;
}

/** Every act names who and why; both end up in the audit trail. */
export interface Act {
  actor: Actor;
  /** 1-500 characters. */
  reason: string;
  /** Of the request that asks for it, so that another one under the same id is told apart. */
  fingerprint?: string;
}
