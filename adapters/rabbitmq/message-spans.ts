import { parseDestination } from '../../domain/destinations.ts';
import { messageHeaders } from '../../domain/message-headers.ts';
import type { Delivery, HandlerResult, PublishAnswer } from '../../ports/broker.ts';
import type { OutboxMessage } from '../../ports/store/messages.ts';
import { activeTraceparent, traced } from '../../telemetry/tracing.ts';
import { textOf } from './retry-headers.ts';

/**
 * A producer span for one publication, child of where the message was written; the message goes out with the span as
 * its `traceparent`. A message without a trace gets no span.
 */
export function tracedPublish(
  message: OutboxMessage,
  publish: (message: OutboxMessage) => Promise<PublishAnswer>,
): Promise<PublishAnswer> {
  const destination = parseDestination(message.destination)?.name ?? '';
  return traced(
    {
      name: `publish ${destination}`,
      kind: 'producer',
      parent: message.traceparent,
      inside: true,
      attributes: {
        'messaging.system': 'rabbitmq',
        'messaging.operation.name': 'publish',
        'messaging.operation.type': 'send',
        'messaging.destination.name': destination,
        'messaging.rabbitmq.destination.routing_key': message.type,
        'messaging.message.id': message.id,
        'messaging.message.conversation_id': message.orderId,
        'order.id': message.orderId,
      },
    },
    async (span) => {
      const traceparent = activeTraceparent() ?? message.traceparent;
      const answer = await publish({ ...message, traceparent });
      span.set({ 'messaging.outcome': answer.status });
      if (answer.status !== 'confirmed') span.fail(answer.status);
      return answer;
    },
  );
}

/**
 * A consumer span for the handling of one delivery, child of its publication. Each attempt is one: what comes back
 * through a delay queue has the same parent.
 */
export const tracedHandling = (
  delivery: Delivery,
  handle: (delivery: Delivery) => Promise<HandlerResult>,
): Promise<HandlerResult> =>
  traced(
    {
      name: `process ${delivery.queue}`,
      kind: 'consumer',
      parent: textOf(delivery.headers[messageHeaders.traceparent]),
      attributes: {
        'messaging.system': 'rabbitmq',
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.destination.name': delivery.queue,
        'messaging.rabbitmq.destination.routing_key': delivery.routingKey,
        'messaging.rabbitmq.message.redelivered': delivery.redelivered,
        'messaging.message.id': delivery.messageId,
        'order.id': textOf(delivery.headers[messageHeaders.orderId]) || undefined,
        'order.attempt': delivery.attempt,
      },
    },
    async (span) => {
      const result = await handle(delivery);
      span.set({ 'messaging.outcome': result.status });
      if (result.status !== 'done') span.fail(result.status === 'pause' ? 'pause' : result.reason);
      return result;
    },
  );
