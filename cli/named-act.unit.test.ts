import { expect, test } from 'vitest';
import type { ApiClient } from './api-client.ts';
import { deadLettersCommand } from './dead-letters.ts';
import { ordersCommand } from './orders.ts';

/** What a command said and sent, in turn. */
async function steps(
  args: string[],
  { answer: more = {}, printed = [] as string[] } = {},
): Promise<string[]> {
  const log: string[] = [];
  const answer = { dryRun: true, count: 2, orders: [], refused: [], checked: 0, actId: 'a', replayId: 'r' };
  const send = async (method: string, path: string, body?: object, headers: Record<string, string> = {}) => {
    const dry = body !== undefined && 'dryRun' in body ? ' dry' : '';
    log.push(`${method} ${path.replace(/\?.*/, '')}${dry} ${headers['idempotency-key'] ?? ''}`.trim());
    return { ...answer, left: 0, settled: 0, toGo: 0, status: 'completed', refusals: [], ...more };
  };
  const deps = {
    client: () => ({ send }) as unknown as ApiClient,
    print: (text: string) => void printed.push(text),
    say: (text: string) => void log.push(text),
    confirm: async () => true,
    atTerminal: false,
  };
  const [name = '', ...rest] = args;
  const command = name === 'orders' ? ordersCommand(deps) : deadLettersCommand(deps);
  await command.parseAsync(rest, { from: 'user' });
  return log;
}

const reason = ['--reason', 'the carrier is back'];
const why = [...reason, '--yes', '--no-wait'];

const order = '0b9d1f6e-2a43-5c1c-8e7f-6f1f1d6f0a11';

test.each([
  [`POST /orders/${order}/cancel`, ['orders', 'cancel', order, ...why]],
  [`POST /orders/${order}/approve`, ['orders', 'approve', order, ...why]],
  [`POST /orders/${order}/resolve`, ['orders', 'resolve', order, ...why]],
  [`POST /orders/${order}/extend`, ['orders', 'extend', order, '--minutes', '5', ...why]],
  [`POST /orders/${order}/payment`, ['orders', 'retry-payment', order, '--payment-method', 'pm', ...reason]],
  [
    `PUT /orders/${order}/shipping-address`,
    ['orders', 'set-address', order, '--name', 'A', '--street1', '1 Road', '--country', 'IN', ...reason],
  ],
  ['POST /order-acts', ['orders', 'cancel', '--where', 'state=held', ...why]],
  ['POST /dead-letters/replay', ['dead-letters', 'replay', '--all', ...why]],
  ['POST /dead-letters/discard', ['dead-letters', 'discard', '--all', ...why]],
  ['POST /dead-letters/one/replay', ['dead-letters', 'replay', 'one', ...why]],
  ['DELETE /dead-letters/one', ['dead-letters', 'discard', 'one', ...why]],
])('%s: the key that the command makes is said before it is sent', async (request, args) => {
  const [last, said] = (await steps(args)).toReversed();
  const key = /^Key of this act: (\S+)\. Repeated with --key/.exec(said ?? '')?.[1];
  expect(key).toBeDefined();
  expect(last).toBe(`${request} ${key}`);
  const given = await steps([...args, '--key', 'ticket-1']);
  expect(given.filter((line) => line.startsWith('Key of'))).toEqual([]);
  expect(given.at(-1)).toBe(`${request} ticket-1`);
});

test.each([
  [['orders', 'cancel', '--where', 'state=held'], 'POST /order-acts'],
  [['dead-letters', 'replay', '--all'], 'POST /dead-letters/replay'],
])('%j that leaves nothing to act on is sent where its key may know it', async (args, request) => {
  const nothing = { answer: { count: 0 } };
  expect((await steps([...args, ...why], nothing)).at(-1)).toBe(`${request} dry`);
  expect((await steps([...args, ...why, '--key', 'ticket-1'], nothing)).at(-1)).toBe(`${request} ticket-1`);
});

test('a dry run has no key', async () => {
  const said = await steps(['orders', 'cancel', order, ...reason, '--dry-run']);
  expect(said).toEqual([`POST /orders/${order}/cancel dry`]);
});

test.each([
  [undefined, 'accepted'],
  [{ state: 'accepted' }, 'accepted'],
  [{ state: 'done' }, 'accepted'],
  [{ state: 'pending' }, 'pending'],
  [{ state: 'overtaken', reason: 'the order failed' }, 'overtaken (the order failed)'],
])('what has come of an act is said: %j', async (act, said) => {
  const printed: string[] = [];
  await steps(['orders', 'cancel', order, ...reason], { answer: { orderId: order, act }, printed });
  expect(printed).toEqual([expect.stringMatching(new RegExp(`^${said.replace(/[()]/g, '\\$&')}: `))]);
});
