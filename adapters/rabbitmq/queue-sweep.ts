import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { withTimeout } from './with-timeout.ts';

export interface SweepInput {
  queue: string;
  /** Most messages held at once. */
  maximum: number;
  /** Says for each message whether it leaves the queue. */
  onPage: (page: readonly ConsumeMessage[]) => Promise<readonly boolean[]>;
  operationTimeoutMs: number;
}

const pageSize = 500;
/** Somebody else reads this queue as well when what was announced does not come for so long. */
const quietMs = 1_000;

/**
 * Takes a queue's messages in pages on a channel of its own, acknowledges those that leave and closes the channel, by
 * which the broker puts all others back in their places.
 */
export async function sweepQueue(
  model: ChannelModel,
  input: SweepInput,
): Promise<{ kept: number; removed: number; complete: boolean }> {
  const within = <T>(work: Promise<T>, what: string) => withTimeout(work, input.operationTimeoutMs, what);
  const channel = await within(model.createChannel(), 'opening a channel');
  const broken = brokenOf(channel);
  const counts = { kept: 0, removed: 0, complete: false };
  try {
    while (counts.kept < input.maximum) {
      const { messageCount } = await within(channel.checkQueue(input.queue), 'asking for the depth');
      if (messageCount === 0) {
        counts.complete = true;
        break;
      }
      const wanted = Math.min(messageCount, pageSize, input.maximum - counts.kept);
      const page = await Promise.race([takePage(channel, input.queue, wanted), broken.promise]);
      if (page.length === 0) break;
      const leaves = await input.onPage(page);
      for (const [index, message] of page.entries()) {
        if (leaves[index] === true) channel.ack(message);
        counts[leaves[index] === true ? 'removed' : 'kept'] += 1;
      }
    }
  } finally {
    // The answer to the close comes after everything was acknowledged and put back.
    broken.expected();
    await within(channel.close(), 'closing the channel').catch(() => {});
  }
  return counts;
}

/** At most `wanted` messages; fewer when no more come. They stay with the channel after their consumer has gone. */
async function takePage(channel: Channel, queue: string, wanted: number): Promise<ConsumeMessage[]> {
  const page: ConsumeMessage[] = [];
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  let timer = setTimeout(end, quietMs);
  await channel.prefetch(wanted);
  const { consumerTag } = await channel.consume(queue, (message) => {
    if (message === null) return end();
    page.push(message);
    clearTimeout(timer);
    if (page.length === wanted) return end();
    timer = setTimeout(end, quietMs);
  });
  await over;
  clearTimeout(timer);
  await channel.cancel(consumerTag);
  return page;
}

/** Rejects when the channel ends before it was to. */
function brokenOf(channel: Channel): { promise: Promise<never>; expected: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  let isExpected = false;
  const fail = (error: Error) => void (isExpected || reject(error));
  channel.on('error', fail);
  channel.on('close', () => fail(new Error('the channel was closed')));
  return { promise, expected: () => void (isExpected = true) };
}
