import type { UpdateDefinition } from '@temporalio/common';
import type { OrderId } from '../domain/ids.ts';
import type { OrderFilter } from '../domain/order-acts.ts';
import type { Retrying } from '../domain/retries.ts';
import type { ActView } from '../domain/given-act.ts';
import type { OrderStatus, OrderView, SagaState } from '../domain/order.ts';
import type { OrderMemo } from '../domain/search-attributes.ts';
import type { Act, FulfillOrder } from '../workflows/messages.ts';

/**
 * The orders' workflows as the API sees them. Every method answers within its time; when Temporal cannot be reached
 * it rejects with TemporalUnavailable.
 */
export interface OrderWorkflows {
  /**
   * Starts the order's workflow. `exists` when one of this order was started before, running or closed: Temporal lets
   * one of several racing starts through. At most 1.4 s.
   */
  start(input: StartOrder): Promise<'started' | 'exists'>;
  /** The workflow's own answer, from a worker; undefined when there is no such workflow. At most 300 ms. */
  query(id: OrderId): Promise<OrderView | undefined>;
  /** What Temporal itself knows, without a worker; undefined when there is no such workflow. At most 500 ms. */
  describe(id: OrderId): Promise<OrderSummary | undefined>;
  /**
   * The order's step that has failed and is tried again, as Temporal has it; undefined when there is none or Temporal
   * does not say. Never rejects. At most 500 ms.
   */
  retrying(id: OrderId): Promise<Retrying | undefined>;
  /**
   * Asks the workflow to accept an act; at most 4 s. A repeated `updateId` gives the answer of the accepted one, also
   * after the run has closed.
   */
  update<Input extends Act>(
    id: OrderId,
    definition: UpdateDefinition<OrderView, [Input]>,
    act: Input,
    options?: { updateId?: string },
  ): Promise<UpdateAnswer>;
  /** What has come of an act, as its run tells; undefined where no run answers or knows it. Never rejects. At most 1 s. */
  act(id: OrderId, actId: string): Promise<ActView | undefined>;
  /**
   * Why the order would refuse an act now, by its own validator; null when it would take it, undefined when nobody
   * answers. Changes nothing. At most 3 s.
   */
  refusal(id: OrderId, act: { name: string; input: Act }): Promise<string | null | undefined>;
  /** Tells the workflow to look up its payment; false when there is no running one. At most 2 s. */
  notifyPayment(id: OrderId, eventId: string): Promise<boolean>;
  /** One page of orders by search attributes, eventually consistent. At most 2 s. */
  list(input: ListOrders): Promise<{ orders: OrderSummary[]; nextPageToken: Uint8Array | undefined }>;
  /** How many there are, eventually consistent. At most 2 s. */
  count(input: OrderScope): Promise<number>;
  /** Resolves when Temporal answers; at most 1 s. */
  ping(): Promise<void>;
}

export interface StartOrder {
  input: FulfillOrder;
  memo: OrderMemo;
  customerHash: string;
}

/** An order as its memo and search attributes show it. */
export interface OrderSummary {
  orderId: OrderId;
  memo: OrderMemo;
  status: OrderStatus;
  sagaState: SagaState;
  parkedStep?: string;
  failureType?: string;
  /** Whether the run has not closed. */
  running: boolean;
  /** How Temporal closed the run, for example `TERMINATED`; absent while it is open. */
  closedAs?: string;
  startedAtUtc: string;
}

export type UpdateAnswer =
  | { status: 'accepted'; view: OrderView }
  /** `legalActs` names what the order takes now, for example `resolve retry`. */
  | { status: 'refused'; reason: string; code: string | undefined; legalActs?: string[] }
  /** The run has closed or never was. */
  | { status: 'gone' }
  /** Too many updates in flight or in all. */
  | { status: 'limited'; reason: string }
  /** No worker answered in time; the act may still take effect. */
  | { status: 'unanswered' };

/** Which orders somebody may and wants to see. */
export interface OrderScope extends OrderFilter {
  /** Only these. */
  orderIds?: readonly OrderId[];
  /** Whose id begins so. */
  idPrefix?: string;
  /** Placed by this caller, or by nobody knows whom (orders of earlier versions): the memo says. */
  callerId?: string;
  /** Only those whose run has not closed. */
  open?: boolean;
  /** Only those whose run has closed. */
  closed?: boolean;
}

export interface ListOrders extends OrderScope {
  pageSize: number;
  pageToken?: Uint8Array;
}

/** Temporal did not answer, or not in a way that says anything about the order. */
export class TemporalUnavailable extends Error {
  constructor(what: string, cause: unknown) {
    super(`Temporal did not answer: ${what}`, { cause });
    this.name = 'TemporalUnavailable';
  }
}
