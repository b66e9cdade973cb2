import { setTimeout as sleep } from 'node:timers/promises';
import type { ResolveAction } from '../domain/order.ts';
import type { OrderAct } from '../domain/order-acts.ts';
import { isAway, type ApiClient } from './api-client.ts';
import type { CliDeps } from './deps.ts';
import {
  dryRunText,
  orderLine,
  ordersText,
  progressText,
  type DryRunAnswer,
  type OrderAnswer,
  type ProgressAnswer,
} from './order-tables.ts';
import { namedAct } from './named-act.ts';
import { orderIdOf } from './order-ids.ts';
import { parseWhere } from './order-where.ts';

export type Kind = OrderAct['kind'];

export interface ActOptions {
  reason: string;
  customerMessage?: string;
  actor: string;
  where?: string;
  dryRun?: boolean;
  yes?: boolean;
  wait: boolean;
  rate?: number;
  key?: string;
  json?: boolean;
  /** resolve */
  action?: ResolveAction;
  service?: string;
  paymentMethod?: string;
  reference?: string;
  confirmDifferences?: boolean;
  /** extend */
  until?: string;
  minutes?: number;
}

const POLL_MS = 500;
/** How long somebody who waits for the end puts up with no answer. */
const PATIENCE_MS = 60_000;
const base = '/order-acts';

/** One order by its own update, which answers at once; more of them by a workflow, after a question. */
export async function actOnOrders(
  deps: CliDeps,
  kind: Kind,
  ids: readonly string[],
  options: ActOptions,
): Promise<void> {
  if (ids.length > 0 === (options.where !== undefined)) {
    throw new Error('Expected either orders or --where');
  }
  const [only] = ids;
  if (only !== undefined && ids.length === 1) {
    const { reference, confirmDifferences } = options;
    const body = { ...fieldsOf(kind, options), reference, confirmDifferences };
    return actOnOne(deps, only, { ...options, path: kind, body });
  }
  for (const [option, value] of ofOne(options)) {
    if (value !== undefined) throw new Error(`${option} belongs to one order: name that order alone`);
  }
  return actInBulk(deps, kind, ids, options);
}

const ofOne = ({ reference, confirmDifferences, paymentMethod }: ActOptions): [string, unknown][] => [
  ['--reference', reference],
  ['--confirm-differences', confirmDifferences],
  ['--payment-method', paymentMethod],
];

/** An act on one order: the order right after it, or why it was refused. */
export async function actOnOne(
  deps: CliDeps,
  text: string,
  act: {
    reason: string;
    customerMessage?: string;
    actor: string;
    dryRun?: boolean;
    json?: boolean;
    key?: string;
    method?: 'PUT';
    path: string;
    body: object;
  },
): Promise<void> {
  const { reason, customerMessage, actor, dryRun, json, method = 'POST', path, body } = act;
  const client = deps.client();
  const id = await orderIdOf(client, text);
  const address = `/orders/${encodeURIComponent(id)}/${path}`;
  const sent = { ...body, ...(dryRun ? { dryRun } : {}), reason, customerMessage, actor };
  const named = dryRun ? {} : namedAct(deps, act.key);
  const order = await client.send<OrderAnswer>(method, address, sent, named);
  const said = dryRun ? 'would be accepted' : saidOf(order);
  deps.print(json ? JSON.stringify(order, null, 2) : `${said}: ${orderLine(order)}`);
}

/** What a repeated act has done already was accepted as well. */
const saidOf = ({ act: { state, reason } = { state: 'accepted' } }: OrderAnswer): string =>
  state === 'done' ? 'accepted' : reason === undefined ? state : `${state} (${reason})`;

async function actInBulk(
  deps: CliDeps,
  kind: Kind,
  texts: readonly string[],
  options: ActOptions,
): Promise<void> {
  const client = deps.client();
  const ids = await Promise.all(texts.map((text) => orderIdOf(client, text)));
  const what = [kind, options.action && `(${options.action})`].filter(Boolean).join(' ');
  const say = (text: string, answer: unknown) =>
    deps.print(options.json ? JSON.stringify(answer, null, 2) : text);
  const body = bodyOf(kind, ids, options);
  const dry = await client.send<DryRunAnswer>('POST', base, { ...body, dryRun: true });
  /* Under a key that was used the act is told, also where it has left nothing open. */
  const nothing = dry.count === 0 && options.key === undefined;
  if (options.dryRun || nothing) return say(dryRunText(what, dry), dry);
  if (dry.count > 1 && !options.yes) {
    if (!options.json) deps.print(dryRunText(what, dry));
    const agreed = await deps.confirm(`${capital(what)} ${ordersText(dry.count)}?`);
    if (!agreed) throw new Error(`${ordersText(dry.count)} left as they are: confirm, or give --yes`);
  }
  const started = await client.send<ProgressAnswer>('POST', base, body, namedAct(deps, options.key));
  if (!options.wait)
    return say(`${progressText(what, started)}\nFollow it: orders progress ${started.actId}`, started);
  const end = await untilEnd(client, started, (now) => {
    if (!options.json) deps.print(progressLine(what, now, dry.count));
  });
  say(progressText(what, end), end);
  const left = end.refused + end.unanswered;
  if (left > 0) throw new Error(`${ordersText(left)} did not take it`);
}

/** `orders progress`: the report as it is now. */
export async function followAct(
  deps: CliDeps,
  actId: string,
  { stop, json }: { stop?: boolean; json?: boolean },
): Promise<void> {
  const path = `${base}/${encodeURIComponent(actId)}`;
  const answer = stop
    ? await deps.client().send<ProgressAnswer>('POST', `${path}/cancel`)
    : await deps.client().send<ProgressAnswer>('GET', path);
  deps.print(json ? JSON.stringify(answer, null, 2) : progressText(answer.act, answer));
}

async function untilEnd(
  client: ApiClient,
  started: ProgressAnswer,
  onChange: (now: ProgressAnswer) => void,
): Promise<ProgressAnswer> {
  let now = started;
  while (!['completed', 'cancelled'].includes(now.status)) {
    await sleep(POLL_MS);
    const before = settled(now);
    now = await patiently(started, () => client.send<ProgressAnswer>('GET', started.links.self));
    if (now.status === 'running' && settled(now) !== before) onChange(now);
  }
  return now;
}

/** The act goes on whoever looks: what is away for a while is asked again. */
async function patiently(
  { actId }: ProgressAnswer,
  ask: () => Promise<ProgressAnswer>,
): Promise<ProgressAnswer> {
  const giveUpAtMs = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isAway(error)) throw error;
      if (Date.now() < giveUpAtMs) await sleep(POLL_MS);
      else throw new Error(`The act goes on; follow it: orders progress ${actId}`, { cause: error });
    }
  }
}

const settled = ({ accepted, refused, gone, unanswered }: ProgressAnswer): number =>
  accepted + refused + gone + unanswered;

const progressLine = (what: string, now: ProgressAnswer, count: number): string =>
  `${what}: ${settled(now)} of about ${count}, ${now.accepted} accepted`;

function bodyOf(kind: Kind, ids: readonly string[], options: ActOptions): object {
  const { where, rate, reason, customerMessage, actor } = options;
  return {
    where: where === undefined ? { orderIds: ids } : parseWhere(where),
    act: { kind, ...fieldsOf(kind, options) },
    ...(rate === undefined ? {} : { ratePerSecond: rate }),
    reason,
    customerMessage,
    actor,
  };
}

/** What an act takes besides who and why; JSON leaves out what is undefined. */
function fieldsOf(kind: Kind, options: ActOptions): object {
  const { action, service, paymentMethod, until, minutes } = options;
  switch (kind) {
    case 'resolve': {
      const input = { service, paymentMethodId: paymentMethod };
      return { action, ...(service || paymentMethod ? { input } : {}) };
    }
    case 'extend':
      return { untilUtc: until, minutes };
    case 'cancel':
    case 'approve':
      return {};
  }
}

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
