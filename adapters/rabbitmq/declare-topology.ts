import type { Channel, Options } from 'amqplib';
import type { QueueDeclaration, Topology } from '../../ports/broker.ts';

/**
 * Declares everything in `topology`; what exists already with the same arguments stays as it is. Rejects with the
 * broker's PRECONDITION_FAILED when it exists with other arguments; the channel is closed then.
 */
export async function declareTopology(channel: Channel, topology: Topology): Promise<void> {
  for (const { name, type, alternateExchange } of topology.exchanges) {
    await channel.assertExchange(name, type, {
      durable: true,
      ...(alternateExchange === undefined ? {} : { alternateExchange }),
    });
  }
  for (const queue of topology.queues) await channel.assertQueue(queue.name, queueOptions(queue));
  for (const { queue, exchange, routingKey } of topology.unbindings ?? []) {
    await channel.unbindQueue(queue, exchange, routingKey);
  }
  for (const { queue, exchange, routingKey } of topology.bindings) {
    await channel.bindQueue(queue, exchange, routingKey);
  }
}

function queueOptions(queue: QueueDeclaration): Options.AssertQueue {
  const { deadLetter } = queue;
  const all = {
    'x-queue-type': queue.kind,
    'x-max-priority': queue.maxPriority,
    'x-message-ttl': queue.messageTtlMs,
    'x-max-length': queue.maxLength,
    'x-overflow': queue.overflow,
    'x-delivery-limit': queue.deliveryLimit,
    'x-dead-letter-exchange': deadLetter?.exchange,
    'x-dead-letter-routing-key': deadLetter?.routingKey,
    'x-dead-letter-strategy': deadLetter?.strategy,
    'x-single-active-consumer': queue.singleActiveConsumer,
  };
  const given = Object.entries(all).filter(([, value]) => value !== undefined);
  return { durable: queue.durable, arguments: Object.fromEntries(given) };
}
