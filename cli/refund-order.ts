import { formatAmount, isCurrency, parseAmount, sumMinor } from '../domain/money.ts';
import { isRefusedFor, type ApiClient } from './api-client.ts';
import type { CliDeps } from './deps.ts';
import { orderIdOf } from './order-ids.ts';
import type { OrderAnswer, RefundAnswer } from './order-tables.ts';

export interface RefundOptions {
  reason: string;
  customerMessage?: string;
  actor: string;
  amount?: string;
  currency?: string;
  paidOtherwise?: boolean;
  key?: string;
  confirmSameAmount?: boolean;
  dryRun?: boolean;
  yes?: boolean;
  json?: boolean;
}

interface MoneyAnswer {
  amount: string;
  currency: string;
}

interface RefundsAnswer {
  charged: MoneyAnswer | null;
  left: MoneyAnswer | null;
  refunds: (RefundAnswer & { reason: string; actor: string; requestedAtUtc?: string })[];
}

/**
 * `orders refund`: gives money back once. Repeated without a key it would be another refund, so without a terminal the
 * key must be given; at a terminal it shows what was charged and refunded, asks, and says the key before it sends it. The
 * API decides: it refuses the amount of the last 24 hours until that is confirmed.
 */
export async function refund(deps: CliDeps, text: string, options: RefundOptions): Promise<void> {
  const { key, dryRun, json } = options;
  if (key === undefined && !dryRun && !deps.atTerminal) {
    throw new Error(
      'Without a terminal --key is required: it names this refund, for example by its ticket, and refunds once however ' +
        'often the command is repeated.',
    );
  }
  const client = deps.client();
  const id = await orderIdOf(client, text);
  const told = options.amount === undefined || (deps.atTerminal && !options.yes);
  const money = told ? await client.send<RefundsAnswer>('GET', `${pathOf(id)}/refunds`) : undefined;
  const amount = await amountOf(client, id, options, money);
  const shown = amount ?? money?.left ?? undefined;
  if (money) deps.say(moneyText(money));
  if (dryRun) {
    const would = await send(client, id, {
      ...options,
      key: key ?? crypto.randomUUID(),
      amount,
    });
    return deps.print(json ? JSON.stringify(would, null, 2) : `would be: ${refundText(would)}`);
  }
  const what = `${shown ? `${shown.amount} ${shown.currency}` : 'all that is left'} of order ${id}`;
  if (money) deps.say(`To be refunded: ${what}${amount ? '' : ', all that is left'}.`);
  if (deps.atTerminal && !options.yes && !(await deps.confirm(`Refund ${what}?`))) {
    throw new Error('Nothing was refunded: confirm, or give --yes');
  }
  const named = { ...options, key: key ?? crypto.randomUUID(), amount };
  /* Whoever stops the command, or loses its connection, has the key to ask again with. */
  if (key === undefined) {
    deps.say(`Key of this refund: ${named.key}. Repeated with --key ${named.key} it refunds once.`);
  }
  const answer = await sendOnce(deps, client, id, named);
  deps.print(json ? JSON.stringify(answer, null, 2) : refundText(answer));
}

type Named = Omit<RefundOptions, 'amount'> & { key: string; amount: MoneyAnswer | undefined };

/** An amount that went back within 24 hours is asked about in words of its own: `--yes` does not answer that. */
async function sendOnce(deps: CliDeps, client: ApiClient, id: string, named: Named): Promise<RefundAnswer> {
  try {
    return await send(client, id, named);
  } catch (error) {
    if (!isRefusedFor(error, 'same_amount')) throw error;
    const { message } = error as Error;
    if (!deps.atTerminal || named.yes) {
      throw new Error(`${message}\nIf it is to go back once more, repeat with --confirm-same-amount.`, {
        cause: error,
      });
    }
    deps.say(message);
    if (!(await deps.confirm('Refund the same amount once more?'))) {
      throw new Error('Nothing was refunded', { cause: error });
    }
    return send(client, id, { ...named, confirmSameAmount: true });
  }
}

async function send(client: ApiClient, id: string, named: Named): Promise<RefundAnswer> {
  const { key, amount, paidOtherwise, confirmSameAmount, dryRun, reason, customerMessage, actor } = named;
  const body = {
    ...(amount ? { amount } : {}),
    ...(paidOtherwise ? { paidOtherwise } : {}),
    ...(confirmSameAmount ? { confirmSameAmount } : {}),
    ...(dryRun ? { dryRun } : {}),
    reason,
    ...(customerMessage ? { customerMessage } : {}),
    actor,
  };
  const headers = { 'idempotency-key': key };
  return client.send<RefundAnswer>('POST', `${pathOf(id)}/refunds`, body, headers).catch((error: unknown) => {
    throw dryRun || isRefusal(error)
      ? error
      : new Error(`${String(error)}\n${inDoubt(key)}`, { cause: error });
  });
}

/** The API has said no: nothing was taken. Anything else may have been taken all the same. */
const isRefusal = (error: unknown): boolean =>
  error instanceof Error && 'status' in error && Number(error.status) < 500;

const inDoubt = (key: string): string =>
  `The refund may have been taken all the same: repeat the command with --key ${key}, which refunds once.`;

async function amountOf(
  client: ApiClient,
  id: string,
  { amount, currency }: Pick<RefundOptions, 'amount' | 'currency'>,
  money: RefundsAnswer | undefined,
): Promise<MoneyAnswer | undefined> {
  if (amount === undefined) return undefined;
  const known = currency ?? money?.charged?.currency;
  if (known !== undefined) return { amount, currency: known };
  const { total } = await client.send<OrderAnswer>('GET', pathOf(id));
  if (!total) throw new Error(`Order ${id} has no total to take the currency from: give --currency`);
  return { amount, currency: total.currency };
}

const pathOf = (id: string): string => `/orders/${encodeURIComponent(id)}`;

/** States of refunds that the customer gets nothing of, or not by themselves. */
const notBack = new Set(['failed', 'canceled', 'owed']);

function moneyText({ charged, refunds }: RefundsAnswer): string {
  if (!charged) return 'Charged: nothing.';
  const back = refunds.filter(({ state, amount }) => amount && !notBack.has(state));
  const minor = back.map(({ amount }) => minorOf(amount));
  const sum = isCurrency(charged.currency)
    ? formatAmount({ amountMinor: sumMinor(minor), currency: charged.currency })
    : '';
  return [
    `Charged: ${charged.amount} ${charged.currency}. Refunded so far: ${sum} ${charged.currency}.`,
    ...refunds.map(
      (one) => `  ${one.requestedAtUtc ?? ''}  ${refundText(one)}, by ${one.actor}: ${one.reason}`,
    ),
  ].join('\n');
}

function minorOf(money: MoneyAnswer | undefined): number {
  if (!money || !isCurrency(money.currency)) return 0;
  const parsed = parseAmount(money.amount, money.currency);
  return parsed.ok ? parsed.money.amountMinor : 0;
}

const refundText = ({ refundId, state, amount, failure }: RefundAnswer): string =>
  `refund ${refundId}: ${state}${amount ? `, ${amount.amount} ${amount.currency}` : ''}${failure ? `: ${failure}` : ''}`;
