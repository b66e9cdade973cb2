import { isEnded } from '../../domain/order.ts';
import type { OrderBooks } from './books.ts';
import { endEvents } from './event-rules.ts';

/** Status, saga state, detail and acts say the same thing. */
export function stateViolations({ ledger, view, events, acts }: OrderBooks): string[] {
  const violations: string[] = [];
  const { status, sagaState } = ledger;
  if (isEnded(status) !== (sagaState === 'ended')) {
    violations.push(`the order is ${status} and its saga ${sagaState}`);
  }
  if (isEnded(status)) {
    const ends = events.filter(({ eventType }) => Object.values<string>(endEvents).includes(eventType));
    if (ends.length !== 1 || ends[0]?.eventType !== endEvents[status]) {
      violations.push(
        `a ${status} order has one event ${endEvents[status]}; it has ${ends.length} end events`,
      );
    }
    if (view.hold || view.parked) violations.push(`a ${status} order is shown as held or parked`);
    for (const { actId, name, state } of acts) {
      if (state === 'accepted')
        violations.push(`an accepted act without effect: ${name} ${actId} of an order that is ${status}`);
    }
    if ((status === 'failed') !== (view.failure !== undefined)) {
      violations.push(
        `a ${status} order ${view.failure ? 'names the failure ' + view.failure.type : 'names no failure'}`,
      );
    }
  }
  if (status === 'completed' && !view.shipment) violations.push('a completed order shows no shipment');
  if (sagaState === 'held' && !view.hold) violations.push('a held order does not say what it waits for');
  if (sagaState === 'parked' && !view.parked) violations.push('a parked order does not say where');
  return violations;
}
