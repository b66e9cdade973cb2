import type { OrderId } from './ids.ts';
import type { Actor, OrderStatus, ResolveAction, ResolveInput, SagaState, StepName } from './order.ts';

/** What may be said for many orders at once. All else, such as a payment method, an address or a reference, is of one. */
const allowedInBulk: ReadonlySet<string> = new Set(['kind', 'action', 'input', 'service', 'untilUtc']);

/** The field of the act that belongs to one order, and why it is refused for many; undefined where all may be said. */
export function refuseInBulk(act: OrderAct): { field: string; reason: string } | undefined {
  const input = 'input' in act ? act.input : undefined;
  const fields = [...Object.keys(act), ...Object.keys(input ?? {}).map((name) => `input/${name}`)];
  const field = fields.find((name) => !allowedInBulk.has(name.replace('input/', '')));
  return field === undefined
    ? undefined
    : { field, reason: 'belongs to one order and its customer: act on that order alone' };
}

/** Which orders, as Temporal's search attributes know them; every condition given must hold. */
export interface OrderFilter {
  status?: OrderStatus;
  sagaState?: SagaState;
  /** Step at which the order is parked. */
  step?: StepName;
  /** Business failure of a held or failed order, or technical failure of a parked one. */
  failureType?: string;
  /** Several where its key was changed: any of them. */
  customerHash?: string | readonly string[];
  startedBeforeUtc?: string;
  startedAfterUtc?: string;
  /** Only these, or running ones of these statuses. */
  amongst?: { orderIds: readonly OrderId[]; orRunning?: readonly OrderStatus[] };
}

/** An act that makes sense on many orders alike. */
export type OrderAct =
  | { kind: 'resolve'; action: ResolveAction; input?: ResolveInput }
  | { kind: 'cancel' }
  | { kind: 'approve' }
  | { kind: 'extend'; untilUtc: string };

/** Named ones, or all open ones that fit a filter and were placed before its cutoff. */
export type OrderChoice =
  { orderIds: readonly OrderId[] } | { filter: OrderFilter & { startedBeforeUtc: string } };

/** One act on many orders: input of the workflow `actOnOrders`. */
export interface BulkOrderAct {
  actId: string;
  act: OrderAct;
  choice: OrderChoice;
  /** Most orders a second. */
  ratePerSecond: number;
  actor: Actor;
  reason: string;
}

/** Acts a second where nobody says otherwise: what comes after an outage should not knock the provider over again. */
export const defaultActsPerSecond = 10;

/**
 * What came of the act on one order. `refused`: the order's own validator says why. `gone`: it had ended or never was.
 * `unanswered`: no worker took the act in time, again and again; it may still take effect.
 */
export type OrderActResult =
  | { orderId: OrderId; result: 'accepted' }
  | { orderId: OrderId; result: 'refused' | 'unanswered'; reason: string }
  | { orderId: OrderId; result: 'gone' };

/** Not accepted, and why; shown to people. */
export interface OrderActRefusal {
  orderId: OrderId;
  reason: string;
}

export interface BulkOrderProgress {
  actId: string;
  act: OrderAct['kind'];
  status: 'running' | 'cancelling' | 'cancelled' | 'completed';
  accepted: number;
  refused: number;
  gone: number;
  unanswered: number;
  /** Refused or unanswered ones, the first 100. */
  refusals: OrderActRefusal[];
  startedAtUtc: string;
  updatedAtUtc: string;
}

export const maximumShownRefusals = 100;

export const orderActSubject = (actId: string): string => `order-act:${actId}`;
