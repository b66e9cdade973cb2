import { setTimeout as sleep } from 'node:timers/promises';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import type { Consumer, Delivery, HandlerResult } from '../../ports/broker.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Failure } from './failed-message.ts';
import { ifOpen } from './if-open.ts';
import { tracedHandling } from './message-spans.ts';
import { deliveryOf } from './wire-message.ts';
import { withTimeout } from './with-timeout.ts';

export interface QueueConsumerInput {
  queue: string;
  prefetch: number;
  ordered?: boolean;
  batched?: boolean;
  handler: (delivery: Delivery) => Promise<HandlerResult>;
  /** Resolves with the next usable connection; rejects when the broker was closed. */
  connection: () => Promise<ChannelModel>;
  /** Puts back what somebody deleted. */
  redeclare: (model: ChannelModel) => Promise<void>;
  /** Publishes to the delay queue or the dead-letter queue; resolves true when the broker has confirmed it. */
  passOn: (message: ConsumeMessage, failure: Failure) => Promise<boolean>;
  logger: Logger;
  operationTimeoutMs: number;
}

/** Consuming on one channel ended: how long to wait before it starts on a new one, and why. */
interface End {
  ms: number;
  reason: string;
}

const retryMs = 1_000;
/** Handlers still at work when consuming ends get this long to acknowledge; then the broker delivers again. */
const drainMs = 10_000;

/**
 * Consumes for as long as it is not closed: each stretch has a channel of its own, and after a lost connection, a
 * deleted queue, a failover or a pause a new stretch begins.
 */
export function createQueueConsumer(input: QueueConsumerInput): Consumer {
  const closing = new AbortController();
  const stopped = run();

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      const end = await stretch().catch((error: Error) => ({ ms: retryMs, reason: error.message }));
      if (closing.signal.aborted) return;
      input.logger.warn({ queue: input.queue, reason: end.reason, resumesInMs: end.ms }, 'consumer paused');
      await sleep(end.ms, undefined, { signal: closing.signal }).catch(() => {});
    }
  }

  async function stretch(): Promise<End> {
    const model = await untilClosing(input.connection());
    await input.redeclare(model);
    const channel = await withTimeout(model.createChannel(), input.operationTimeoutMs, 'opening a channel');
    return consumeOn({ ...input, channel, closing: closing.signal });
  }

  function untilClosing<T>(work: Promise<T>): Promise<T> {
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(new Error('the consumer is closing'));
    closing.signal.addEventListener('abort', abort, { once: true });
    return Promise.race([work, aborted.promise]).finally(() =>
      closing.signal.removeEventListener('abort', abort),
    );
  }

  return {
    async close() {
      closing.abort();
      await stopped;
    },
  };
}

/** Consumes until the channel breaks, the broker cancels (null delivery), a handler asks for a pause, or it is closed. */
async function consumeOn(
  input: QueueConsumerInput & { channel: Channel; closing: AbortSignal },
): Promise<End> {
  const { channel, queue } = input;
  const { promise: over, resolve: end } = Promise.withResolvers<End>();
  const atWork = new Set<Promise<void>>();
  const ended = new AbortController();
  void over.then(() => ended.abort());
  channel.on('error', (error: Error) => end({ ms: retryMs, reason: error.message }));
  channel.on('close', () => end({ ms: retryMs, reason: 'the channel was closed' }));
  const close = () => end({ ms: 0, reason: 'closing' });
  input.closing.addEventListener('abort', close, { once: true });
  if (input.closing.aborted) close();

  const receive = (message: ConsumeMessage | null): void => {
    if (message === null) return end({ ms: retryMs, reason: 'the broker canceled the consumer' });
    if (ended.signal.aborted) return giveBack(input, channel, message);
    const work = handle({ ...input, message, end, over: ended.signal })
      .catch((error: Error) => {
        end({ ms: retryMs, reason: `a delivery could not be settled: ${error.message}` });
        giveBack(input, channel, message);
      })
      .finally(() => atWork.delete(work));
    atWork.add(work);
  };

  try {
    await withTimeout(channel.prefetch(input.prefetch), input.operationTimeoutMs, 'setting the prefetch');
    const subscribed = await withTimeout(
      channel.consume(queue, receive),
      input.operationTimeoutMs,
      'subscribing',
    );
    const result = await over;
    if (input.ordered !== true) await leave(channel, subscribed.consumerTag, input.operationTimeoutMs);
    await Promise.race([Promise.all(atWork), sleep(drainMs, undefined, { ref: false })]);
    return result;
  } finally {
    ended.abort();
    input.closing.removeEventListener('abort', close);
    await quietly(() => withTimeout(channel.close(), input.operationTimeoutMs, 'closing the channel'));
  }
}

async function leave(channel: Channel, consumerTag: string, timeoutMs: number): Promise<void> {
  await quietly(() => withTimeout(channel.cancel(consumerTag), timeoutMs, 'canceling'));
}

async function handle(
  input: QueueConsumerInput & {
    channel: Channel;
    message: ConsumeMessage;
    end: (end: End) => void;
    over: AbortSignal;
  },
): Promise<void> {
  const { channel, message, end } = input;
  const result = await decided(input, message);
  switch (result.status) {
    case 'done':
      return acknowledge(channel, message);
    case 'retry':
    case 'dead-letter':
      if (await input.passOn(message, result)) return acknowledge(channel, message);
      end({ ms: retryMs, reason: `a ${result.status} could not be stored` });
      return giveBack(input, channel, message);
    case 'pause':
      end({ ms: result.ms, reason: result.reason });
      return giveBack(input, channel, message);
  }
}

async function decided(
  input: QueueConsumerInput & { over: AbortSignal },
  message: ConsumeMessage,
): Promise<HandlerResult> {
  try {
    const delivery = deliveryOf(input.queue, message, input.over);
    return await (input.batched === true ? input.handler(delivery) : tracedHandling(delivery, input.handler));
  } catch (error) {
    input.logger.error(
      { err: error, queue: input.queue },
      'a handler failed; its message is delivered again',
    );
    return { status: 'pause', ms: retryMs, reason: `the handler failed: ${(error as Error).message}` };
  }
}

const acknowledge = (channel: Channel, message: ConsumeMessage): void => ifOpen(() => channel.ack(message));

/**
 * Puts a delivery back. In an ordered queue it is left alone: closing the channel gives it back and ends the consumer at
 * once, so that nothing that follows it goes out in between.
 */
function giveBack({ ordered }: QueueConsumerInput, channel: Channel, message: ConsumeMessage): void {
  if (ordered !== true) ifOpen(() => channel.nack(message, false, true));
}

async function quietly(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch {
    // The channel is gone, which is what was wanted.
  }
}
