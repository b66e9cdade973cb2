import type { UpdateDefinition } from '@temporalio/common';
import type { OrderId } from '../domain/ids.ts';
import type { OrderFilter, BulkOrderAct, BulkOrderProgress } from '../domain/order-acts.ts';
import type { Retrying } from '../domain/retries.ts';
import type { OrderStatus, OrderView, SagaState, ActView } from '../domain/order.ts';
import type { OrderMemo } from '../domain/search-attributes.ts';
import type { Act, FulfillOrder, EarlierAct } from '../domain/order-run.ts';

import type { PaymentSubject, RefundAnswer, RequestRefund } from '../domain/refunds.ts';
import type { BulkAct, BulkProgress } from '../domain/dead-letters.ts';

import type { RunEffects } from '../domain/recovery.ts';
import type { BulkKind } from '../domain/lost-bulk.ts';

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

/** Runs of orders as the API sees them. Every method rejects with TemporalUnavailable when Temporal is away. */
export interface RestartableRuns extends OrderRuns {
  /** With what the last run was started; undefined when Temporal has forgotten it. At most 2 s. */
  input(id: OrderId): Promise<FulfillOrder | undefined>;
  /**
   * What the last run had accepted by its history; undefined where Temporal has forgotten it. Only where it is closed does
   * nothing come to it any more. At most 10 s.
   */
  acts(id: OrderId, runId: string): Promise<EarlierAct[] | undefined>;
  /**
   * Starts another run of the order under its workflow id; 'running' when one is open: of several that start at the same
   * time Temporal lets one through. At most 1.4 s.
   */
  startAgain(order: StartOrder): Promise<'started' | 'running'>;
}

/** Refunds and the provider's notices as the API sees them. Every method rejects with TemporalUnavailable when Temporal is away. */
export interface RefundWorkflows {
  /**
   * Starts the refund; it goes on whatever becomes of this process. A second one of the same id is not started: then the
   * fingerprint of the first tells whether it was the same request. One that was merely refused is judged again, whatever
   * it asks for. At most 4 s.
   */
  start(refund: RequestRefund): Promise<{ status: 'started' } | { status: 'exists'; fingerprint: string }>;
  /** Its end; undefined when it has not ended within `waitMs`. */
  end(refund: Pick<RequestRefund, 'orderId' | 'refundId'>, waitMs: number): Promise<RefundAnswer | undefined>;
  /** Has the provider asked about what a notice names, without end. Once per event. At most 1.4 s. */
  follow(notice: { eventId: string; subject: PaymentSubject }): Promise<void>;
}

/** Acts on dead letters as the API sees them. Every method rejects with TemporalUnavailable when Temporal is away. */
export interface DeadLetterWorkflows {
  /**
   * Starts the act; it goes on whatever becomes of this process. `repeated` when the same request started it before,
   * `conflict` when another one did under this id. At most 2.4 s.
   */
  start(bulk: BulkAct, fingerprint: string): Promise<'started' | 'repeated' | 'conflict'>;
  /**
   * How far it has come; undefined when there is no such act; rejects with NoWorker without one, with RunClosed where its
   * run was closed from outside. At most 2 s.
   */
  progress(replayId: string): Promise<BulkProgress | undefined>;
  /** Its end; undefined when it has not ended within `waitMs`. */
  end(replayId: string, waitMs: number): Promise<BulkProgress | undefined>;
  /** Asks it to stop; false when there is no running one. At most 2 s. */
  cancel(replayId: string): Promise<boolean>;
}

/** Temporal closed the run of an act on many from outside. */
export class RunClosed extends Error {
  readonly workflowId: string;
  readonly closedAs: string;
  constructor(workflowId: string, closedAs: string) {
    super(`Temporal closed run ${workflowId} (${closedAs})`);
    this.name = 'RunClosed';
    this.workflowId = workflowId;
    this.closedAs = closedAs;
  }
}

/** Nobody runs the operators' task queue. */
export class NoWorker extends Error {
  constructor(what: string, cause: unknown) {
    super(`No worker answered: ${what}`, { cause });
    this.name = 'NoWorker';
  }
}

/** Acts on many orders as the API sees them. Every method rejects with TemporalUnavailable when Temporal is away. */
export interface OrderActWorkflows {
  /**
   * Starts the act; it goes on whatever becomes of this process. `repeated` when the same request started it before,
   * `conflict` when another one did under this id. At most 2.4 s.
   */
  start(bulk: BulkOrderAct, fingerprint: string): Promise<'started' | 'repeated' | 'conflict'>;
  /**
   * How far it has come; undefined when there is no such act; rejects with NoWorker without one, with RunClosed where its
   * run was closed from outside. At most 2 s.
   */
  progress(actId: string): Promise<BulkOrderProgress | undefined>;
  /** Asks it to stop; false when there is no running one. At most 2 s. */
  cancel(actId: string): Promise<boolean>;
}

/** Lost runs of acts on many as the API sees them. Every method rejects with TemporalUnavailable when Temporal is away. */
export interface RestartableBulkRuns extends BulkRuns {
  /**
   * Starts the act once more under its workflow id, with what its last run was started with: `running` when somebody else
   * has, `forgotten` when Temporal no longer knows it. What was done is not done again: orders know the act's updates by
   * their ids, dead letters by the replay that settled them. At most 4 s.
   */
  startAgain(
    lost: LostBulkRun,
    by: { actor: string; reason: string },
  ): Promise<'started' | 'running' | 'forgotten'>;
}

/** The run of an order that Temporal knows best: the last one. */
export interface LastRun {
  runId: string;
  /** How it closed, for example `TERMINATED`; absent while it is open. */
  closedAs?: string;
  /** The order's status as the run shows it. */
  orderStatus?: OrderStatus;
}

/** Runs of orders, for whoever finds one closed while its order is open. */
export interface OrderRuns {
  /**
   * The last run as Temporal itself has it, not as its list shows it later; undefined when Temporal knows none (any
   * more). Rejects when Temporal does not answer. At most 2 s.
   */
  last(id: OrderId): Promise<LastRun | undefined>;
  /**
   * What the history of a run says that was done at providers, as far as it is read: a few thousand events at most. What
   * is true there was done; nothing where Temporal has forgotten the run. Rejects when Temporal does not answer. At most 5 s.
   */
  effects(id: OrderId, runId: string): Promise<RunEffects>;
}

/** Runs that settle debts. */
export interface DebtRuns {
  /** Lets one run settle the debt: begun now, or going on already. Rejects when Temporal does not answer. At most 2 s. */
  ensure(debt: { orderId: OrderId; n: number }): Promise<'started' | 'running'>;
}

/** Runs of acts on many that ended otherwise than by themselves: nobody goes on with what they hold. */

/** The last run of one act on many orders or dead letters, where Temporal has closed it from outside. */
export interface LostBulkRun {
  workflowId: string;
  kind: BulkKind;
  /** The act's id. */
  id: string;
  runId: string;
  /** `TERMINATED`, `TIMED_OUT` or `FAILED`. */
  closedAs: string;
  closedAtUtc: string;
  /** What it was to do and why, in a line; empty where Temporal does not say. */
  summary: string;
}

export interface BulkRuns {
  /**
   * The newest ones, by Temporal's own description: at most `limit` closed runs are looked at. Its list, which says where
   * to look, comes late. Rejects when Temporal does not answer. At most 5 s.
   */
  lost(input: { limit: number }): Promise<LostBulkRun[]>;
  /** Undefined where the act's last run is open, ended by itself, or is not known. At most 2 s. */
  find(workflowId: string): Promise<LostBulkRun | undefined>;
}
