import { moneyStanding } from '../../domain/money-standing.ts';
import { owedInAll, owedOf } from '../../domain/owed.ts';
import { heldStatuses, isEnded } from '../../domain/order.ts';
import type { WalkReading } from './order-walk.ts';

/** What somebody believes who has heard the sentences one after another. */
interface Believed {
  accepted: boolean;
  goods: boolean;
  charged: boolean;
  warehouse: boolean;
  label: boolean;
  /** The order's last status that was told of. */
  end: '' | 'completed' | 'cancelled' | 'failed';
}

type Claim = [RegExp, Partial<Believed>, Partial<Believed>?];

/** A sentence, what it makes true, and what has to have been true for it not to deny an earlier one. */
const claims: Claim[] = [
  [/^The order was placed and accepted\.$/, { accepted: true }, { accepted: false, end: '' }],
  [/^The order was placed, and could not be accepted/, {}, { accepted: false, end: '' }],
  [/^The goods were set aside\.$/, { goods: true }, { accepted: true, goods: false, end: '' }],
  [/^The reserved goods were given back\.$/, { goods: false }, { goods: true, end: '' }],
  [/^The payment of .* had gone through after all; /, { charged: true }, { charged: false }],
  [/^The payment of .* went through/, { charged: true }, { goods: true, charged: false, end: '' }],
  [/^The warehouse got the order\.$/, { warehouse: true }, { charged: true, warehouse: false, end: '' }],
  [/^The warehouse was told to stop\.$/, { warehouse: false }, { warehouse: true, end: '' }],
  [/^The shipping label was bought/, { label: true }, { charged: true, warehouse: true, label: false }],
  [/^The order was completed/, { end: 'completed' }, { charged: true, label: true, end: '' }],
  [/the order was canceled/i, { end: 'cancelled' }, { end: '', label: false, warehouse: false }],
  [/the order was closed without/i, { end: 'failed' }, { end: '', label: false, warehouse: false }],
  [/nothing of it was charged|Nothing was charged|nothing was charged\.$/, {}, { charged: false }],
];

/** What is wrong about a story, held against what SQL says of the order; empty where nothing is. */
export function wrongIn({ story, next }: { story: readonly string[]; next: string }, reading: WalkReading) {
  const sentences = story.map((line) => line.replace(/^\w+ \d+, \d+ at \d\d:\d\d(:\d\d)? UTC: /, ''));
  return [
    ...wrongClaims(sentences, reading),
    ...wrongSums(sentences, reading),
    ...wrongNext(next, reading),
    ...wrongEvent(reading),
    ...[...sentences, next].flatMap(wrongWords),
  ];
}

function wrongClaims(sentences: readonly string[], { ledger, view }: WalkReading): string[] {
  const wrong: string[] = [];
  let believed: Believed = {
    accepted: false,
    goods: false,
    charged: false,
    warehouse: false,
    label: false,
    end: '',
  };
  for (const line of sentences) {
    for (const [pattern, makes, needs = {}] of claims) {
      if (!pattern.test(line)) continue;
      for (const [name, value] of Object.entries(needs))
        if (believed[name as keyof Believed] !== value)
          wrong.push(`“${line}” after ${name} was ${String(believed[name as keyof Believed])}`);
      believed = { ...believed, ...makes };
    }
    if (/last step that succeeded: the order was placed and accepted/.test(line) && !believed.accepted)
      wrong.push(`“${line}” of an order that was not accepted`);
  }
  const truth: Partial<Believed> = {
    goods: ledger.reservedUnits > 0 || ledger.consumedUnits > 0,
    charged: ledger.payments.some(({ state }) => state === 'charged' || state === 'refunded'),
    warehouse: ledger.fulfillment === 'open',
    label: ledger.shipments.some(({ state }) => state === 'bought'),
    end: isEnded(view.status) ? view.status : '',
  };
  for (const [name, value] of Object.entries(truth))
    if (believed[name as keyof Believed] !== value)
      wrong.push(`${name} is ${String(value)}, told: ${String(believed[name as keyof Believed])}`);
  return wrong;
}

/** The order's money as the sentences tell it, one after another, in minor units. */
function retell(sentences: readonly string[]) {
  const wrong: string[] = [];
  const onTheWay: number[] = [];
  let [charged, refunded, held, taken] = [0, 0, 0, 0];
  const arrive = (amount: number): void => {
    const at = onTheWay.indexOf(amount);
    if (at >= 0) onTheWay.splice(at, 1);
  };
  const amountIn = (line: string, pattern: RegExp): number => {
    const [, text] = pattern.exec(line) ?? [];
    return text === undefined ? 0 : Math.round(Number(text) * 100);
  };
  for (const line of sentences) {
    charged += amountIn(line, /^The payment of (\S+) INR (?:went|had gone) through/);
    const done = amountIn(line, /^(?:.*after all; )?(\S+) INR were refunded/);
    const failed = amountIn(line, /^A refund of (\S+) INR did not reach/);
    const asked = amountIn(line, /^A refund of (\S+) INR was asked for/);
    if (asked > 0) onTheWay.push(asked);
    if (done > 0) arrive(done);
    if (failed > 0) arrive(failed);
    refunded += done - amountIn(line, /^A refund of (\S+) INR came back/);
    /* One dispute at a time; what is lost without having been open was never held. */
    const opened = amountIn(line, /disputed the payment .* holds (\S+) INR/);
    const lost = amountIn(line, /the bank has given them (\S+) INR/);
    if (opened > 0) held = opened;
    if (lost > 0 || line.includes('decided for us')) held = 0;
    taken += lost;
    const left = charged - refunded - sum(onTheWay) - held - taken;
    const stays = amountIn(line, /(\S+) INR of the payment stay with us/);
    if (stays > 0 && stays !== left) wrong.push(`“${line}”: ${left} are left`);
    if (line.includes('nothing of the payment is left with us') && left > 0)
      wrong.push(`“${line}”: ${left} are left`);
  }
  return { wrong, charged, refunded, onTheWay: sum(onTheWay), atBank: held + taken };
}

const sum = (amounts: readonly number[]): number => amounts.reduce((one, other) => one + other, 0);

/** Amounts that were told one after another, and those of the last sentence, are the books'. */
function wrongSums(sentences: readonly string[], { money, view }: WalkReading): string[] {
  const takenBack =
    view.sagaState === 'compensating' || view.status === 'cancelled' || view.status === 'failed';
  const books = moneyStanding({ ...money, status: view.status }, takenBack);
  const { wrong, ...told } = retell(sentences);
  const expected = {
    charged: books?.charged ?? 0,
    refunded: books?.refunded ?? 0,
    onTheWay: books?.onTheWay ?? 0,
    atBank: (books?.heldByBank ?? 0) + (books?.takenByBank ?? 0),
  };
  for (const [name, minor] of Object.entries(expected))
    if (told[name as keyof typeof told] !== minor)
      wrong.push(`${name} is ${minor}, told: ${told[name as keyof typeof told]}`);
  const last = sentences.find((line) => /^(Of the|The) \S+ INR that were charged/.test(line));
  const amounts = [...(last ?? '').matchAll(/(\d+\.\d\d) INR/g)].map(([, text]) =>
    Math.round(Number(text) * 100),
  );
  const [charged = 0, ...parts] = amounts;
  const excess = last?.includes('more than was charged') ? (parts.pop() ?? 0) : 0;
  if (parts.length > 0 && sum(parts) !== charged + excess) wrong.push(`“${last}” does not add up`);
  if (last && charged !== expected.charged) wrong.push(`“${last}”: ${expected.charged} were charged`);
  return wrong;
}

/** The event that has just told of a failed refund says what is owed now. */
function wrongEvent({ rows, events, money, view }: WalkReading): string[] {
  const event = events.at(-1);
  if (rows.at(-1)?.to !== 'refund_failed' || event?.eventType !== 'refund.failed.v1') return [];
  const owed = owedInAll(owedOf({ ...money, status: view.status }))?.amountMinor ?? 0;
  const told = event.payload['owed'];
  return told === owed / 100 ? [] : [`${owed} are owed, the event says ${String(told)}`];
}

function wrongNext(next: string, { view, money, rows }: WalkReading): string[] {
  const takenBack = rows.some(({ to }) => to === 'compensating');
  const expected = {
    /* A step that was refused has told so before the hold is on record. */
    running: takenBack
      ? /taken back/
      : isHeld(view.status)
        ? /tried again|next|otherwise/
        : /next|tried again/,
    held: /otherwise the order is taken back/,
    parked: takenBack ? /^The taking back is tried again by itself/ : /^Our staff have been told/,
    compensating: /^What was done is being taken back/,
    ended: view.status === 'completed' ? /the order is complete/i : /the order has ended/i,
  }[view.sagaState];
  const standing = moneyStanding(
    { ...money, status: view.status },
    isEnded(view.status) && view.status !== 'completed',
  );
  const open = standing ? standing.owed + standing.onTheWay + standing.heldByBank : 0;
  return [
    ...(expected.test(next) ? [] : [`${view.status} (${view.sagaState}): “${next}”`]),
    ...(rows.length > 0 && next.includes('being taken in')
      ? [`“${next}” of an order that was taken in`]
      : []),
    ...(next.includes('Nothing more') && open > 0 ? [`“${next}” while ${open} are open`] : []),
    ...(standing && standing.owed > 0 && view.sagaState === 'ended' && !next.includes('still owed')
      ? [`${standing.owed} are owed: “${next}”`]
      : []),
  ];
}

const isHeld = (status: string): boolean => (heldStatuses as readonly string[]).includes(status);

/** Simple sentences in nobody's code. */
const wrongWords = (line: string): string[] =>
  !/^[A-Z0-9].*\.$/.test(line) || /_|undefined|NaN|\.\.|  |::|: \.|compensation/.test(line)
    ? [`not a sentence: “${line}”`]
    : [];
