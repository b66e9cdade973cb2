import type { AuditRow } from '../../../domain/audit.ts';
import { foundAtProvider } from '../../../domain/failures.ts';
import {
  isEnded,
  orderStatuses,
  sagaStates,
  type OrderStatus,
  type SagaState,
} from '../../../domain/order.ts';

const statuses: readonly string[] = orderStatuses;
const path: readonly string[] = orderStatuses.slice(0, orderStatuses.indexOf('completed') + 1);

/**
 * A row tells of the order itself when it moves from status to status; other rows (a fulfillment that was cancelled, a
 * payment that was refunded, an act that was taken) tell of its parts.
 */
export const isOfOrder = ({ from, to }: AuditRow): boolean =>
  statuses.includes(to) && (from === '' || statuses.includes(from));

/** A status on the way from checkout to completed. */
export const isPathStatus = (status: string): boolean => path.includes(status);

const accepted = 'checkout accepted';

/** A checkout that was recorded and refused: the row says why. */
export const isRefusedCheckout = ({ from, to, reason }: AuditRow): boolean =>
  from === '' && to === 'received' && reason !== accepted;

/** A step of the order's path succeeded. */
export const isSuccess = (row: AuditRow): boolean =>
  isOfOrder(row) && isPathStatus(row.to) && row.from !== row.to && !isRefusedCheckout(row);

/** What the order waited for was given: it is on its path again. */
export const isMended = ({ from, to }: AuditRow): boolean => from === 'held' && to === 'running';

/** Where the order is, by its rows. */
export interface OrderPlace {
  /** Last status that the order itself moved to; empty before the first row. */
  status: string;
  sagaState: SagaState;
  /** Step of the last row that moved it. */
  step: string;
  charged: boolean;
  /** The walk back has begun: what follows takes back, whatever run does it. */
  takenBack: boolean;
  /** Somebody was found to have charged at the payment provider by hand, and maybe a person has left that as it is. */
  strangersCharge?: 'found' | 'left';
  /** Its provider takes no requests; the row's own words. */
  waitsFor?: string | undefined;
}

export const unknownPlace: OrderPlace = {
  status: '',
  sagaState: 'running',
  step: '',
  charged: false,
  takenBack: false,
};

export const placeOf = (rows: readonly AuditRow[]): OrderPlace => rows.reduce(placeAfter, unknownPlace);

/** Where the order is after a row. */
export function placeAfter(place: OrderPlace, row: AuditRow): OrderPlace {
  const { from, to, step } = row;
  if (isLate(row)) return place;
  if (isAboutCharge(row)) return { ...place, charged: true };
  if (to === 'waits') return { ...place, waitsFor: from };
  if (isOfOrder(row)) {
    const sagaState = stateAfter(place, to);
    const charged = place.charged || to === 'payment_processed';
    return { ...place, status: to, sagaState, step, charged, waitsFor: undefined };
  }
  if (isEnded(place.status as OrderStatus)) return place;
  const moved = { ...place, step, waitsFor: undefined };
  if (to === 'begun') {
    const takenBack = place.takenBack || from === 'compensate';
    return { ...moved, takenBack, sagaState: takenBack ? 'compensating' : 'running' };
  }
  if (!isSagaState(to) || !(isSagaState(from) || to === 'compensating')) return place;
  const takenBack = place.takenBack || to === 'compensating';
  return { ...moved, ...strangersChargeAfter(place, row), sagaState: to, takenBack };
}

/** The carrier's strangers are labels. */
function strangersChargeAfter(
  { strangersCharge }: OrderPlace,
  { from, to, step, reason }: AuditRow,
): Pick<OrderPlace, 'strangersCharge'> {
  if (to === 'parked' && step === 'payment' && reason.startsWith(foundAtProvider))
    return { strangersCharge: 'found' };
  return from === 'parked' && strangersCharge === 'found' && reason.startsWith('skip: ')
    ? { strangersCharge: 'left' }
    : {};
}

/** A refund, a dispute or a late charge: there was a charge, whatever was told of it. */
export const isAboutCharge = ({ step, to }: AuditRow): boolean =>
  step === 'payment' && /^(refunded$|refund_|dispute_|charged_late$)/.test(to);

export const isSagaState = (text: string): text is SagaState =>
  (sagaStates as readonly string[]).includes(text);

function stateAfter({ sagaState, takenBack }: OrderPlace, status: string): SagaState {
  if (isEnded(status as OrderStatus)) return 'ended';
  if (takenBack) return sagaState;
  return isPathStatus(status) ? 'running' : 'held';
}

const late = 'too late to move the order: ';

/** A note that came after what it tells of: it moved nothing. */
export const isLate = ({ reason }: AuditRow): boolean => reason.startsWith(late);

export const lateReason = ({ reason }: AuditRow): string => reason.slice(late.length);
