import type { AuditRow } from '../../../domain/audit.ts';
import { customerSentence } from '../../../domain/customer-words.ts';
import type { DomainEvent } from '../../../domain/events.ts';
import { foundAtProvider } from '../../../domain/failures.ts';
import { notedRunState, refundWithoutRun, storeBehindText } from '../../../domain/recovery.ts';
import { isChargeTold, type Told } from './order-story-money.ts';
import {
  afterEvent,
  amountText,
  because,
  brief,
  pathSentences,
  plainFailure,
  stepWords,
} from './order-story-words.ts';
import { isPathStatus, isRefusedCheckout, isSagaState, type OrderPlace } from './order-trail.ts';

/** The order itself moved. */
export function orderText(row: AuditRow, told: Told, events: readonly DomainEvent[]): string {
  const { from, to, reason } = row;
  if (isRefusedCheckout(row)) return `the order was placed, and could not be accepted${because(reason)}`;
  if (isPathStatus(to)) return pathText(row, told);
  const text = pathSentences[to] ?? `the order became ${to}`;
  const cause = from === to ? '' : afterEvent(row.causingEventId, events);
  /* Why we look at an order twice is not for the customer; a dispute has told its reason. */
  if (to === 'awaiting_approval' || to === 'payment_disputed') return `${cause}${text}`;
  if (to !== 'cancelled' && to !== 'failed') return `${cause}${text}${because(brief(reason))}`;
  if (to === 'failed' && reason === '') return `${cause}${text}${because(failureWords(events))}`;
  /* The walk back, or the refused checkout, has told why. */
  if (reason === told.reason || (told.last && isRefusedCheckout(told.last) && told.last.reason === reason))
    return `${cause}${text}`;
  return `${cause}${text}${to === 'cancelled' ? requested(row) : because(brief(reason))}`;
}

/** What the event tells of the kind, where the reason is not for the reader. */
function failureWords(events: readonly DomainEvent[]): string {
  const failed = events.find(({ eventType }) => eventType === 'order.failed.v1');
  const type: unknown = failed?.payload['failureType'];
  return (typeof type === 'string' && customerSentence(type)) || '';
}

/** A person's reference stands in the reason where the step was found to be done. */
function pathText({ to, reason }: AuditRow, { money }: Told): string {
  const [, why] = /^marked as done by \S+, which the provider confirms: ([^]*)$/.exec(reason) ?? [];
  const found = why === undefined ? '' : `; our staff found it at the provider${because(why)}`;
  if (to === 'payment_processed' && isChargeTold(money))
    return `the order took the payment that had gone through${found}`;
  if (to === 'payment_processed' && money.payment > 0)
    return `the payment of ${amountText(money.payment, money.currency)} went through${found}`;
  return `${pathSentences[to] ?? `the order became ${to}`}${found}`;
}

/** Whoever used the tools of this system has given no reason of their own. */
const requested = ({ actor, reason }: AuditRow): string =>
  actor === 'temporal' ? ': our staff asked for it' : because(reason);

/** The saga's own states: it waits, goes on, or takes back. */
export function stateText(row: AuditRow, told: Told, events: readonly DomainEvent[]): string | undefined {
  const { from, to, reason } = row;
  if (to === 'parked') return parkedText(row, told, events);
  if (to === notedRunState)
    return `our staff took note that our records of the order are behind${because(reason)}`;
  if (from === refundWithoutRun) return 'the refund had been stopped by mistake and goes on';
  if (from === 'parked' && isSagaState(to)) return unparkedText(row);
  if (to === 'compensating') return takeBackText(row, told);
  if (from === 'held' && to === 'running') return mendedText(row, told.place);
  if (from === 'held' && to === 'extended') return `there is more time to mend it${because(reason)}`;
  if (from === 'held' && to === 'reminded') return 'those who can mend it were reminded';
  if (to === 'running' && isSagaState(from)) return `the address was changed${because(reason)}`;
  return undefined;
}

function parkedText(row: AuditRow, { place }: Told, events: readonly DomainEvent[]): string {
  const { from, step, reason, actor } = row;
  /* Nobody was at work on a step: what drives the order was found gone. */
  if (actor === 'sweep' && reason.startsWith(storeBehindText))
    return 'our records of the order are behind what was done for it, and our staff have to mend them first';
  if (actor === 'sweep')
    return 'a technical problem stopped the order: what moves it was lost, and our staff have to start it again';
  const cause = afterEvent(row.causingEventId, events);
  const back = from === 'compensating' || place.takenBack;
  if (reason.startsWith(foundAtProvider)) {
    const where = reason.includes('at the carrier') ? 'the carrier' : 'the payment provider';
    return `${cause}somebody was found to have acted for the order at ${where} by hand, and our staff have to look at that first`;
  }
  const failed = plainFailure(reason, back ? '' : step);
  return `${cause}a technical problem stopped ${back ? 'the taking back' : stepWords(step)}: ${failed}`;
}

function unparkedText({ to, reason, actor }: AuditRow): string {
  const where =
    to === 'compensating'
      ? 'the taking back went on'
      : to === 'held'
        ? 'the order waits again'
        : 'the order went on';
  return actor === 'saga' ? `the technical problem was over and ${where}` : resolvedText(reason, where);
}

function takeBackText(row: AuditRow, { place, reason: before }: Told): string {
  const { from, reason } = row;
  /* Another run goes on with it, or does it. */
  if (place.takenBack)
    return before === '' ? 'everything done so far is being taken back' : 'the taking back went on';
  const why = from === 'fail' ? 'the order could not go on' : 'a cancellation was accepted';
  const asked = from === 'fail' ? because(brief(reason)) : requested(row);
  return `${why}${asked}. Everything done so far is being taken back`;
}

/** What was given to an order that waited. */
function mendedText({ reason, actor }: AuditRow, { status }: OrderPlace): string {
  const acts: Record<string, string> = {
    payment_failed: 'another payment method was given, and the order',
    payment_action_required: 'another payment method was given, and the order',
    address_rejected: 'the address was corrected, and the order',
    awaiting_approval: 'the order was approved and',
    payment_disputed: 'the address was corrected, and the order',
  };
  const act = actor === 'provider' ? undefined : acts[status];
  return `${act ?? 'the order'} went on${because(reason)}`;
}

/** What was done about a parked step stands before the reason where it was more than another try. */
function resolvedText(reason: string, where: string): string {
  const [, action, , input, why = reason] =
    /^(retry-with|mark-done|skip)( \(([^)]*)\))?: ([^]*)$/.exec(reason) ?? [];
  const acts: Record<string, string> = {
    'retry-with': `tried it with ${input ?? 'other input'}`,
    'mark-done': 'found that it had been done',
    skip: 'left it out',
  };
  return `our staff ${acts[action ?? ''] ?? 'looked at it'} and ${where}${because(why)}`;
}
