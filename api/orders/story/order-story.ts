import type { AuditRow } from '../../../domain/audit.ts';
import type { DomainEvent } from '../../../domain/events.ts';
import { isEnded, type OrderStatus } from '../../../domain/order.ts';
import { moneyStanding, type MoneyStanding } from '../../../domain/money-standing.ts';
import type { MoneyNow } from '../../../domain/money-act.ts';
import type { OrderBooks } from '../../../domain/owed.ts';
import {
  chargeTold,
  moneyText,
  nothingTold,
  standingSentence,
  type ToldMoney,
  type Told,
} from './order-story-money.ts';
import { deadlineText, nextSentence } from './order-story-next.ts';
import { otherText, partText, requestText } from './order-story-parts.ts';
import { orderText, stateText } from './order-story-states.ts';
import { momentTexts, pathSentences, sentence } from './order-story-words.ts';
import {
  isLate,
  isOfOrder,
  isSuccess,
  lateReason,
  placeAfter,
  placeOf,
  unknownPlace,
  type OrderPlace,
} from './order-trail.ts';

/** An order's life in sentences for whoever asks about it: no names, no addresses, no words of ours. */
export interface OrderStory {
  /** One sentence for everything that happened, in order; then what stands, where the order has left its path. */
  story: string[];
  /** What happens next, by itself or by whom. */
  next: string;
}

/**
 * Tells the story from the audit rows and the order's money; of the events only their names are used, for what caused
 * what, the deadline of a hold, and the kind of a failure. What may be done with the money is told where it is known. A status that is recorded again at once is told once.
 */
export function tellOrder(
  rows: readonly AuditRow[],
  books: OrderBooks,
  events: readonly DomainEvent[],
  money?: MoneyNow,
): OrderStory {
  const moved: { atUtc: string; text: string }[] = [];
  let told: Told = { place: unknownPlace, money: nothingTold(books), reason: '' };
  for (const row of rows) {
    const { text, money } = textOf(row, told, events);
    if (text !== undefined) moved.push({ atUtc: row.occurredAtUtc, text: sentence(text) });
    const reason = row.to === 'compensating' && row.from !== 'parked' ? row.reason : told.reason;
    told = { place: placeAfter(told.place, row), money: money ?? told.money, reason, last: row };
  }
  const moments = momentTexts(moved.map(({ atUtc }) => atUtc));
  const story = moved.map(({ text }, index) => `${moments[index]}: ${text}`);
  const place = placeOf(rows);
  const standing = moneyStanding({ ...books, status: place.status as OrderStatus }, takenBack(place));
  return {
    story: [...story, ...whatStands(rows, place, standing)],
    next: [nextSentence(place, standing, deadlineText(rows, events)), ...mayBeDone(money)].join(' '),
  };
}

/** What is to be waited for, or goes by itself, has been told. */
const mayBeDone = (money: MoneyNow | undefined): string[] =>
  money && money.act !== 'wait' && money.act !== 'nothing' ? [money.text] : [];

/** Its money is the customer's, whether the walk back is on record or the order has ended without shipping. */
const takenBack = ({ status, takenBack: back }: OrderPlace): boolean =>
  status !== 'completed' && (back || isEnded(status as OrderStatus));

function textOf(
  row: AuditRow,
  told: Told,
  events: readonly DomainEvent[],
): { text: string | undefined; money?: ToldMoney } {
  if (isLate(row)) return { text: lateText(row) };
  if (isOfOrder(row)) return textOfOrder(row, told, events);
  const money = row.step === 'payment' ? moneyText(row, told.money, told.place.charged) : undefined;
  if (money) return money;
  return { text: stateText(row, told, events) ?? partText(row) ?? requestText(row) ?? otherText(row) };
}

function textOfOrder(
  row: AuditRow,
  told: Told,
  events: readonly DomainEvent[],
): { text: string | undefined; money?: ToldMoney } {
  if (isRepeated(row, told)) return { text: undefined };
  const text = orderText(row, told, events);
  return row.to === 'payment_processed' ? { text, money: chargeTold(told.money) } : { text };
}

/** The step's own row and the hold's say the same. */
const isRepeated = ({ from, to, reason }: AuditRow, { last }: Told): boolean =>
  from === to && last?.to === to && last.reason === reason;

/** What the saga noted too late says nothing; what a person asked for came to nothing. */
const lateText = (row: AuditRow): string | undefined =>
  row.actor === 'saga' ? undefined : `a request came too late and changed nothing: ${lateReason(row)}`;

/** For an order that left its path: the last step that stands; and where its money is. */
function whatStands(
  rows: readonly AuditRow[],
  place: OrderPlace,
  standing: MoneyStanding | undefined,
): string[] {
  const { status, sagaState } = place;
  const left = status !== '' && status !== 'completed' && sagaState !== 'running';
  const success = left ? rows.findLast(isSuccess) : undefined;
  const lastStep = success && pathSentences[success.to];
  const money = standingSentence(place, standing);
  const tells = left || (standing !== undefined && standing.kept < standing.charged);
  return [
    ...(lastStep ? [`The last step that succeeded: ${lastStep}.`] : []),
    ...(money && tells ? [money] : []),
  ];
}
