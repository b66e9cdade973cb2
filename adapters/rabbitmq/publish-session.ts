import type { ConfirmChannel, Message } from 'amqplib';
import type { PublishAnswer } from '../../ports/broker.ts';
import { ifOpen } from './if-open.ts';
import type { WireMessage } from './wire-message.ts';

/** Publishing on one confirm channel, from its opening to its end. A channel that has ended is never used again. */
export interface PublishSession {
  /** Resolves with the broker's answer, always within the confirm time-out once the message has been sent. */
  send(message: WireMessage): Promise<PublishAnswer>;
  /** Ends the session and its channel: everything in flight and waiting is answered `unavailable`. */
  end(reason: string): void;
}

interface InFlight {
  key: string;
  returned?: string;
  settle(answer: PublishAnswer): void;
}

/** Beyond about 200 unconfirmed messages the rate does not grow any more, only the number that has to be repeated. */
const maximumInFlight = 200;

/**
 * @param input.confirmTimeoutMs a message without confirm for so long is answered `unavailable`, and `onStuck` is called
 */
export function createPublishSession(input: {
  channel: ConfirmChannel;
  confirmTimeoutMs: number;
  onStuck: () => void;
}): PublishSession {
  const { channel } = input;
  const inFlight = new Set<InFlight>();
  const waiting: (() => void)[] = [];
  let ended: string | undefined;

  // The broker returns a message it cannot route and confirms it afterwards: the confirm alone says nothing.
  channel.on('return', (message: Message) => {
    const key = keyOf(message.fields, message.properties.messageId);
    for (const entry of inFlight) if (entry.key === key) entry.returned = returnText(message);
  });
  channel.on('close', () => end('the channel was closed'));

  function end(reason: string): void {
    if (ended !== undefined) return;
    ended = reason;
    for (const entry of inFlight) entry.settle({ status: 'unavailable', reason });
    for (const go of waiting.splice(0)) go();
    ifOpen(() => void channel.close().catch(() => {}));
  }

  async function send(message: WireMessage): Promise<PublishAnswer> {
    while (ended === undefined && inFlight.size >= maximumInFlight) {
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    return ended === undefined ? sendNow(message) : { status: 'unavailable', reason: ended };
  }

  function sendNow(message: WireMessage): Promise<PublishAnswer> {
    const { promise, resolve } = Promise.withResolvers<PublishAnswer>();
    const timer = setTimeout(() => {
      entry.settle({ status: 'unavailable', reason: `no confirm within ${input.confirmTimeoutMs} ms` });
      input.onStuck();
    }, input.confirmTimeoutMs);
    const entry: InFlight = {
      key: keyOf(message, message.properties.messageId),
      settle(answer) {
        clearTimeout(timer);
        inFlight.delete(entry);
        waiting.shift()?.();
        resolve(answer);
      },
    };
    inFlight.add(entry);
    write(message, entry);
    return promise;
  }

  function write({ exchange, routingKey, content, properties }: WireMessage, entry: InFlight): void {
    try {
      channel.publish(exchange, routingKey, content, { ...properties, mandatory: true }, (error: unknown) =>
        entry.settle(confirmAnswer(error, entry.returned)),
      );
    } catch (error) {
      entry.settle(thrownAnswer(error));
    }
  }

  return { send, end };
}

/** A return names exchange, routing key and message id; together they are the same only for copies of one message. */
const keyOf = (where: { exchange: string; routingKey: string }, messageId: unknown): string =>
  `${where.exchange}\n${where.routingKey}\n${typeof messageId === 'string' ? messageId : ''}`;

const returnText = (message: Message): string =>
  (message.fields as { replyText?: string }).replyText ?? 'NO_ROUTE';

function confirmAnswer(error: unknown, returned: string | undefined): PublishAnswer {
  if (returned !== undefined) return { status: 'unroutable', reason: returned };
  // A nack (queue full, internal error) or a channel that closed: nobody knows, so it is sent again.
  return error ? { status: 'unavailable', reason: (error as Error).message } : { status: 'confirmed' };
}

/** Thrown before anything was written: a closed channel is nobody's fault, anything else (too long, too large) is the message's. */
function thrownAnswer(error: unknown): PublishAnswer {
  const { name, message } = error as Error;
  return { status: name === 'IllegalOperationError' ? 'unavailable' : 'refused', reason: message };
}
