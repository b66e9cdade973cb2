import type { ConsumeMessage } from 'amqplib';
import type { Broker, Consumer, PublishAnswer, Topology } from '../../ports/broker.ts';
import type { DeadLetterQueues } from '../../ports/dead-letters.ts';
import type { OutboxMessage } from '../../ports/store/messages.ts';
import { createDeadLetterQueues } from './dead-letter-queues.ts';
import { createQueueConsumer } from './queue-consumer.ts';
import {
  openRabbitmqConnection,
  type RabbitmqConnection,
  type RabbitmqOptions,
} from './rabbitmq-connection.ts';
import { bareFailedMessageOf, failedMessageOf, type Failure } from './failed-message.ts';
import { tracedPublish } from './message-spans.ts';
import { wireMessageOf, type WireMessage } from './wire-message.ts';

/** Larger bodies are refused here: the broker would close the channel on all the others. */
const maximumBodyBytes = 16 * 1024 * 1024;

/**
 * RabbitMQ as a Broker. Resolves at once, also when RabbitMQ is away: `state()` says `disconnected` and `publish`
 * answers `unavailable` until it is there. Reconnects for ever; no call takes longer than its time-outs.
 */
export async function connectRabbitmqBroker(
  options: RabbitmqOptions,
): Promise<Broker & { deadLetters: DeadLetterQueues }> {
  const { logger, operationTimeoutMs = 5_000 } = options;
  const connection = await openRabbitmqConnection(options);
  const consumers = new Set<Consumer>();

  async function send(message: OutboxMessage): Promise<PublishAnswer> {
    const wire = wireMessageOf(message);
    if (wire === undefined) return { status: 'refused', reason: `no destination: ${message.destination}` };
    const reason = refusalOf(wire, connection.topology());
    if (reason !== undefined) return { status: 'refused', reason };
    const answer = await connection.send(wire);
    return answer.status === 'unroutable' ? unrouted({ wire, answer, connection }) : answer;
  }

  /** What is wrong with a message must not keep it in the queue for ever: then it goes on without most of its headers. */
  async function passOn(queue: string, message: ConsumeMessage, failure: Failure): Promise<boolean> {
    const facts = { queue, failure, failedAtUtc: new Date().toISOString() };
    const full = await connection.send(failedMessageOf(message, facts));
    const answer =
      full.status === 'refused' ? await connection.send(bareFailedMessageOf(message, facts)) : full;
    if (answer.status === 'confirmed') return true;
    logger.warn(
      { queue, to: failure.status, answer },
      'a message could not be passed on; it stays in its queue',
    );
    if (answer.status === 'unroutable') await connection.mend();
    return false;
  }

  return {
    publish: (message) => tracedPublish(message, send),
    state: connection.state,
    declare: connection.declare,
    deadLetters: createDeadLetterQueues({
      connection,
      managementUrl: options.managementUrl,
      virtualHost: decodeURIComponent(new URL(options.url).pathname.slice(1)) || '/',
      logger,
      operationTimeoutMs,
    }),
    async consume(input) {
      const consumer = createQueueConsumer({
        ...input,
        connection: connection.model,
        redeclare: connection.redeclare,
        passOn: (message, failure) => passOn(input.queue, message, failure),
        logger,
        operationTimeoutMs,
      });
      consumers.add(consumer);
      return {
        async close() {
          consumers.delete(consumer);
          await consumer.close();
        },
      };
    },
    async close() {
      await Promise.all([...consumers].map((consumer) => consumer.close()));
      await connection.close();
    },
  };
}

/**
 * Somebody deleted a queue: declared again, it is there for the next attempt. An event is never unroutable by itself,
 * since the alternate exchange takes it; so that is the broker's trouble and no attempt of the message.
 */
async function unrouted(input: {
  wire: WireMessage;
  answer: PublishAnswer & { status: 'unroutable' };
  connection: RabbitmqConnection;
}): Promise<PublishAnswer> {
  const { wire, answer, connection } = input;
  const isEvent = wire.exchange !== '';
  if (isEvent || connection.topology().queues.some(({ name }) => name === wire.routingKey))
    await connection.mend();
  return isEvent ? { status: 'unavailable', reason: `no alternate route: ${answer.reason}` } : answer;
}

/** What the broker would answer by closing the channel on everybody. */
function refusalOf(message: WireMessage, topology: Topology): string | undefined {
  const known = message.exchange === '' || topology.exchanges.some(({ name }) => name === message.exchange);
  if (!known) return `exchange ${message.exchange} is not in the topology`;
  return message.content.length > maximumBodyBytes
    ? `body of ${message.content.length} bytes, at most ${maximumBodyBytes} are sent`
    : undefined;
}
