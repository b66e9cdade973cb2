import { expect, test } from 'vitest';
import type { ApiClient } from './api-client.ts';
import { deadLettersCommand } from './dead-letters.ts';
import { ordersCommand } from './orders.ts';

/** What a command said and sent, in turn. */
async function steps(args: string[]): Promise<string[]> {
  const log: string[] = [];
  const answer = { dryRun: true, count: 2, orders: [], refused: [], checked: 0, actId: 'a', replayId: 'r' };
  const send = async (method: string, path: string, body?: object, headers: Record<string, string> = {}) => {
    const dry = body !== undefined && 'dryRun' in body ? ' dry' : '';
    log.push(`${method} ${path.replace(/\?.*/, '')}${dry} ${headers['idempotency-key'] ?? ''}`.trim());
    return { ...answer, left: 0, settled: 0, toGo: 0, status: 'completed', refusals: [] };
  };
  const deps = {
    client: () => ({ send }) as unknown as ApiClient,
    print: () => {},
    say: (text: string) => void log.push(text),
    confirm: async () => true,
    atTerminal: false,
  };
  const [name = '', ...rest] = args;
  const command = name === 'orders' ? ordersCommand(deps) : deadLettersCommand(deps);
  await command.parseAsync(rest, { from: 'user' });
  return log;
}

const why = ['--reason', 'the carrier is back', '--yes', '--no-wait'];

test.each([
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
