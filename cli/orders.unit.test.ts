import { Command } from 'commander';
import { expect, it } from 'vitest';
import type { ApiClient } from './api-client.ts';
import { ordersCommand } from './orders.ts';

async function refund(...options: string[]) {
  const seen: string[] = [];
  const send = async (_method: string, path: string, _body?: unknown, headers?: Record<string, string>) => {
    seen.push(`sent ${path} ${headers?.['idempotency-key']}`);
    throw new Error('the connection is gone');
  };
  const command = ordersCommand({
    client: () => ({ send }) as unknown as ApiClient,
    print: (text) => seen.push(text),
    confirm: async () => true,
  });
  const failed = new Command()
    .exitOverride()
    .addCommand(command)
    .parseAsync(['orders', 'refund', 'order-1', '--reason', 'late', ...options], { from: 'user' });
  await expect(failed).rejects.toThrow('repeat the command with --key');
  return seen;
}

it('a refund says the key that it has made before it sends it, and none that was given', async () => {
  const [said = '', sent = ''] = await refund();
  const key = /Key of this refund: ([0-9a-f-]{36})\./.exec(said)?.[1];
  expect(sent).toBe(`sent /orders/order-1/refunds ${key}`);
  expect(await refund('--key', 'ticket-1')).toEqual(['sent /orders/order-1/refunds ticket-1']);
});
