import { EventEmitter } from 'node:events';
import type { ConfirmChannel } from 'amqplib';
import { expect, it } from 'vitest';
import { createPublishSession } from './publish-session.ts';

const message = { exchange: '', routingKey: 'q', content: Buffer.from('{}'), properties: {} };

it('has at most 200 messages unconfirmed; the others wait for their turn', async () => {
  const confirms: ((error: unknown) => void)[] = [];
  const channel = Object.assign(new EventEmitter(), {
    publish: (...args: unknown[]) => confirms.push(args.at(-1) as (error: unknown) => void),
    close: async () => {},
  });
  const session = createPublishSession({
    channel: channel as unknown as ConfirmChannel,
    confirmTimeoutMs: 5_000,
    onStuck: () => {},
  });
  const answers = Promise.all(Array.from({ length: 500 }, () => session.send(message)));
  await turn();
  expect(confirms.length).toBe(200);
  for (const confirm of confirms.slice(0, 50)) confirm(null);
  await turn();
  expect(confirms.length).toBe(250);
  for (let n = 50; n < 500; n += 1) {
    confirms[n]?.(null);
    await turn();
  }
  expect(new Set((await answers).map(({ status }) => status))).toEqual(new Set(['confirmed']));
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
