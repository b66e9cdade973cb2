import type { HeldStatus, Hold, Parked } from '../domain/order.ts';
import type { BulkOrderProgress, OrderActRefusal } from '../domain/order-acts.ts';
import { factsText, tableText, type Column } from './table.ts';
import { ageText, cut } from './text.ts';

interface MoneyAnswer {
  amount: string;
  currency: string;
}

/** An order as the API shows it; less of it in lists. */
export interface OrderAnswer {
  orderId: string;
  status: string;
  sagaState: string;
  customerId?: string;
  source: string;
  step?: string;
  items?: { productId: string; quantity: number }[];
  total?: MoneyAnswer;
  shipping?: MoneyAnswer;
  hold?: Hold;
  parked?: Partial<Parked>;
  retrying?: RetryingAnswer;
  waitingFor?: { provider: string; state: string; sinceUtc: string; reason: string };
  failure?: { type: string; reason?: string };
  cancelRequested?: { actor: string; reason: string };
  shipment?: { carrier: string; service: string; trackingCode: string };
  act?: { state: string; reason?: string };
  owed?: OwedAnswer[];
  money?: { act: string; text: string };
  startedAtUtc?: string;
  updatedAtUtc?: string;
}

interface RetryingAnswer {
  step: string;
  attempt: number;
  failures: number;
  reason: string;
  lastFailure?: string;
  nextAttemptAtUtc?: string;
  waitsFor?: string;
}

interface OwedAnswer {
  amount: MoneyAnswer;
  why: string;
  act: string;
  sinceUtc?: string;
  disputeId?: string;
  respondByUtc?: string;
}

export interface OrderListAnswer {
  orders: OrderAnswer[];
  nextCursor?: string;
}

export interface WhyAnswer {
  story: string[];
  next: string;
}

export interface DryRunAnswer {
  dryRun: true;
  count: number;
  orders: OrderAnswer[];
  checked: number;
  refused: OrderActRefusal[];
}

export type ProgressAnswer = BulkOrderProgress & { links: { self: string } };

export interface RefundAnswer {
  refundId: string;
  state: string;
  amount?: MoneyAnswer;
  failure?: string;
}

export function listText({ orders, nextCursor }: OrderListAnswer): string {
  const more = nextCursor === undefined ? [] : [`More: --cursor ${nextCursor}`];
  if (orders.length === 0) return ['No orders match.', ...more].join('\n\n');
  return [ordersTable(orders), ...more].join('\n\n');
}

function ordersTable(orders: readonly OrderAnswer[]): string {
  const owing = orders.some(({ owed }) => owed !== undefined);
  const failing = orders.some(({ retrying }) => retrying !== undefined);
  /* Of a debt Temporal may have forgotten the order, and then no one finds it by its first characters. */
  const columns: Column[] = [
    { name: 'order', kind: owing ? 'whole' : 'order' },
    { name: 'status' },
    { name: 'state' },
    { name: 'parked at' },
    { name: 'failure' },
    { name: 'placed' },
    { name: 'customer', kind: 'optional' },
    ...(failing ? [{ name: 'retried' }] : []),
    ...(owing ? [{ name: 'owed' }] : []),
  ];
  const rows = orders.map(
    ({ orderId, status, sagaState, customerId, parked, failure, startedAtUtc, retrying, owed }) => [
      orderId,
      status,
      sagaState,
      parked?.step ?? '',
      failure?.type ?? '',
      startedAtUtc ? `${ageText(secondsSince(startedAtUtc))} ago` : '',
      cut(customerId ?? '', 24),
      ...(failing ? [retrying ? retriedText(retrying) : ''] : []),
      ...(owing ? [(owed ?? []).map(owedText).join('\n')] : []),
    ],
  );
  return tableText(columns, rows);
}

const retriedText = ({ step, failures, waitsFor }: RetryingAnswer): string =>
  `${step} ${failures}×${waitsFor ? `, ${waitsFor}` : ''}`;

const secondsSince = (utc: string): number => Math.max(0, Math.floor((Date.now() - Date.parse(utc)) / 1_000));

/** What a person needs to see of one order: where it is, why it waits, and what may be done. */
export function orderText(order: OrderAnswer, why?: WhyAnswer): string {
  const known = facts(order).flatMap(([name, value]) => (value ? [[name, value] as const] : []));
  const story = why ? ['What happened:', ...why.story.map((line) => `  ${line}`), `Next: ${why.next}`] : [];
  return [factsText(known), ...(story.length > 0 ? [story.join('\n')] : [])].join('\n\n');
}

function facts(order: OrderAnswer): [string, string | undefined][] {
  const { hold, parked, failure, cancelRequested, shipment, total, shipping, items } = order;
  return [
    ['order', order.orderId],
    ['status', `${order.status} (${order.sagaState}${order.step ? `, step ${order.step}` : ''})`],
    ['customer', order.customerId],
    ['items', items?.map(({ productId, quantity }) => `${quantity} × ${productId}`).join(', ')],
    ['total', total && `${total.amount} ${total.currency}${shipping ? `, shipping ${shipping.amount}` : ''}`],
    ['held', hold && `until ${hold.untilUtc}: ${hold.reason}`],
    ['parked', parked && parkedText(parked)],
    ['retried', order.retrying && retryText(order.retrying)],
    ['waits for', order.waitingFor && waitText(order.waitingFor)],
    ['allowed actions', takes(order).join('\n')],
    ['failure', failure && [failure.type, failure.reason].filter(Boolean).join(': ')],
    ['cancel', cancelRequested && `asked for by ${cancelRequested.actor}: ${cancelRequested.reason}`],
    ['shipment', shipment && `${shipment.carrier} ${shipment.service}, tracking ${shipment.trackingCode}`],
    ['owed', order.owed?.map(owedText).join('\n')],
    ['money', order.money && `${order.money.act}: ${order.money.text}`],
    ['placed', order.startedAtUtc],
    ['updated', order.updatedAtUtc],
    ['read from', order.source],
  ];
}

/** What the customer has to get, for how long, and who pays it. */
function owedText({ amount, why, act, sinceUtc, disputeId, respondByUtc }: OwedAnswer): string {
  const since = sinceUtc ? `, for ${ageText(secondsSince(sinceUtc))}` : '';
  const dispute = disputeId ? `, waits for dispute ${disputeId}` : '';
  const until = respondByUtc ? ` (answer the bank until ${respondByUtc})` : '';
  const next = act === 'refund' ? '; pay it: refund, or refund --paid-otherwise' : '';
  return `${amount.amount} ${amount.currency}: ${why}${since}${dispute}${until}${next}`;
}

/** The commands that move a waiting order on, as they are typed after `orders`. */
function takes({ hold, parked }: OrderAnswer): string[] {
  if (parked) {
    const { actions = [], needs = {} } = parked;
    return actions.map((action) => `resolve --action ${action}${optionOf[needs[action] ?? ''] ?? ''}`);
  }
  if (!hold) return [];
  const mends = hold.reason.includes('phone number')
    ? menders[hold.status].map(withPhone)
    : menders[hold.status];
  return [...mends, 'extend --minutes …', 'cancel'];
}

/** The papers lack it: `domain/customs.ts`. */
const withPhone = (act: string): string => (act.startsWith('set-address') ? `${act} --phone …` : act);

const optionOf: Record<string, string> = {
  'input.service': ' --service …',
  'input.paymentMethodId': ' --payment-method …',
  reference: ' --reference …',
};

const menders: Record<HeldStatus, string[]> = {
  payment_failed: ['retry-payment --payment-method …'],
  payment_action_required: ['retry-payment --payment-method …'],
  address_rejected: ['set-address --name … --street1 … --city … --postal-code … --country …'],
  awaiting_approval: ['approve'],
  payment_disputed: [],
};

/** The operator reads what the provider said; a shop's key gets the words alone. */
const retryText = ({ step, failures, reason, lastFailure, nextAttemptAtUtc }: RetryingAnswer): string =>
  [
    `${step} failed ${failures} times, attempt ${failures + 1} ${nextAttemptAtUtc ? `at ${nextAttemptAtUtc}` : 'is under way'}`,
    cut(lastFailure ?? reason, 200),
  ].join('\n');

const waitText = ({ provider, state, sinceUtc, reason }: NonNullable<OrderAnswer['waitingFor']>): string =>
  `${provider}, ${state} since ${sinceUtc}: ${cut(reason, 200)}`;

const parkedText = ({ activity, step, sinceUtc, failure }: Partial<Parked>): string =>
  [`at ${activity ?? step}`, sinceUtc && `since ${sinceUtc}`, failure && `\n${cut(failure, 200)}`]
    .filter(Boolean)
    .join(' ');

/** One line, for `watch` and after an act. */
export function orderLine(order: OrderAnswer): string {
  const { orderId, status, sagaState, step, hold, parked, failure, retrying } = order;
  const where = sagaState === 'ended' || !step ? '' : `, step ${step}`;
  const why =
    (hold && `until ${hold.untilUtc}: ${hold.reason}`) ??
    (parked?.failure && `at ${parked.activity ?? step}: ${cut(parked.failure, 120)}`) ??
    (failure?.reason && `${failure.type}: ${failure.reason}`) ??
    (retrying && `failed ${retrying.failures} times: ${cut(retrying.reason, 120)}`);
  return `${orderId}  ${status} (${sagaState}${where})${why ? ` ${why}` : ''}`;
}

export function dryRunText(what: string, { count, orders, checked, refused }: DryRunAnswer): string {
  if (count === 0) return 'No open orders match.';
  const rest = count > orders.length ? [`… and ${count - orders.length} more`] : [];
  const refusals =
    checked === 0
      ? ['None could be asked whether it would take that now.']
      : refused.length === 0
        ? [`All ${checked} that were asked would take it.`]
        : [`${refused.length} of the ${checked} that were asked would refuse:`, ...refusalLines(refused)];
  return [`Would ${what} ${ordersText(count)}.`, ordersTable(orders), ...rest, ...refusals].join('\n');
}

export function progressText(what: string, progress: ProgressAnswer): string {
  const { status, accepted, refused, gone, unanswered, refusals } = progress;
  const counts = [
    `${accepted} accepted`,
    `${refused} refused`,
    ...(gone > 0 ? [`${gone} had ended`] : []),
    ...(unanswered > 0 ? [`${unanswered} unanswered`] : []),
  ].join(', ');
  return [`${status}: ${what}: ${counts}`, ...refusalLines(refusals)].join('\n');
}

const refusalLines = (refusals: readonly OrderActRefusal[]): string[] =>
  refusals.map(({ orderId, reason }) => `  ${orderId}: ${reason}`);

export const ordersText = (count: number): string => `${count} ${count === 1 ? 'order' : 'orders'}`;
