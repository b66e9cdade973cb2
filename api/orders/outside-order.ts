import { outsideActor, outsideFailure, outsideReason, outsideRow } from '../../domain/outside-words.ts';
import type { AuditRow } from '../../domain/audit.ts';
import type { ApiCaller } from '../app-deps.ts';
import { withoutUndefined } from './checkout-request.ts';
import type { OrderBody } from './order-body.ts';

/** The order as that caller may read it. Field by field for shops: what is added later is for operators until it is here. */
export function shownTo(caller: ApiCaller, order: OrderBody): OrderBody {
  if (caller.role === 'operator') return order;
  const { orderId, status, sagaState, customerId, source, step, items, total, shipping } = order;
  const { shipment, money, pending, startedAtUtc, updatedAtUtc, links } = order;
  return withoutUndefined({
    orderId,
    status,
    sagaState,
    customerId,
    source,
    step,
    items,
    total,
    shipping,
    ...waits(order),
    ...ends(order, caller.callerId),
    shipment,
    owed: order.owed?.map(({ failure: _, ...owed }) => owed),
    money,
    pending,
    startedAtUtc,
    updatedAtUtc,
    links,
  });
}

/** What it waits for. */
const waits = ({ hold, parked, retrying, waitingFor }: OrderBody) => ({
  hold: hold && { ...hold, reason: outsideFailure(hold.failureType, hold.reason) },
  parked: parked && withoutUndefined({ step: parked.step, sinceUtc: parked.sinceUtc }),
  /* Its reason is in words for shops already. */
  retrying: retrying && withoutUndefined({ ...retrying, lastFailure: undefined }),
  waitingFor: waitingFor && { ...waitingFor, reason: 'It takes no requests at the moment.' },
});

/** Why it is taken back. */
const ends = ({ failure, cancelRequested }: OrderBody, reader: string) => ({
  failure:
    failure &&
    withoutUndefined({
      type: failure.type,
      reason: failure.reason === undefined ? undefined : outsideFailure(failure.type, failure.reason),
    }),
  cancelRequested: cancelRequested && {
    actor: outsideActor(cancelRequested.actor, reader),
    reason: outsideReason(cancelRequested.reason, cancelRequested.actor, reader),
  },
});

/** The audit trail as that caller may read it. */
export const rowsFor = (caller: ApiCaller, rows: readonly AuditRow[]): AuditRow[] =>
  caller.role === 'operator' ? [...rows] : rows.map((row) => outsideRow(row, caller.callerId));
