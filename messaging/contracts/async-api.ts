import { version } from '../../telemetry/version.ts';
import { eventsExchange } from '../../domain/destinations.ts';
import { messageHeaders } from '../../domain/message-headers.ts';
import { exampleOf, jsonSchemaOf, type EventContract } from './event-contract.ts';

const headers = {
  type: 'object',
  required: [messageHeaders.eventType, messageHeaders.source, messageHeaders.orderId],
  properties: {
    [messageHeaders.eventType]: { type: 'string', description: 'The event type.' },
    [messageHeaders.source]: { type: 'string', description: 'Who published it: order-saga.' },
    [messageHeaders.orderId]: { type: 'string', format: 'uuid' },
    [messageHeaders.traceparent]: { type: 'string', description: 'W3C Trace Context.' },
  },
};

/** The AsyncAPI 3 document of all events, with AMQP 0-9-1 bindings: what the product sends and where to receive it. */
export function asyncApiOf(contracts: Record<string, EventContract>) {
  const types = Object.entries(contracts);
  const each = <T>(make: (eventType: string, contract: EventContract) => T) =>
    Object.fromEntries(types.map(([eventType, contract]) => [keyOf(eventType), make(eventType, contract)]));
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Order Saga events',
      version,
      description:
        'Facts about orders, published to a topic exchange with the event type as routing key. At least once; ' +
        'duplicates carry the same eventId; metadata.sequence tells the order of events of one order.',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: {
      broker: {
        host: '{host}:{port}',
        protocol: 'amqp',
        protocolVersion: '0.9.1',
        variables: { host: { default: '127.0.0.1' }, port: { default: '5672' } },
      },
    },
    channels: each(channelOf),
    operations: each(operationOf),
    components: { messages: each(messageOf) },
  };
}

/** Keys of AsyncAPI objects may hold neither dots nor versions that read like paths. */
const keyOf = (eventType: string): string => eventType.replaceAll('.', '-');

const channelOf = (eventType: string, contract: EventContract) => ({
  address: eventType,
  description: contract.summary,
  messages: { [keyOf(eventType)]: { $ref: `#/components/messages/${keyOf(eventType)}` } },
  bindings: {
    amqp: {
      is: 'routingKey',
      exchange: { name: eventsExchange, type: 'topic', durable: true, autoDelete: false, vhost: '/' },
      bindingVersion: '0.3.0',
    },
  },
});

const operationOf = (eventType: string, contract: EventContract) => ({
  action: 'send',
  summary: contract.summary,
  channel: { $ref: `#/channels/${keyOf(eventType)}` },
  messages: [{ $ref: `#/channels/${keyOf(eventType)}/messages/${keyOf(eventType)}` }],
  bindings: { amqp: { deliveryMode: 2, mandatory: true, timestamp: true, bindingVersion: '0.3.0' } },
});

function messageOf(eventType: string, contract: EventContract) {
  const { $schema: _draft, examples: _examples, ...schema } = jsonSchemaOf(eventType, contract);
  return {
    name: eventType,
    title: eventType,
    summary: contract.summary,
    contentType: 'application/json',
    correlationId: { location: '$message.payload#/metadata/correlationId' },
    headers,
    payload: { schemaFormat: 'application/schema+json;version=draft-2020-12', schema },
    bindings: { amqp: { messageType: eventType, bindingVersion: '0.3.0' } },
    examples: [{ name: 'example', payload: exampleOf(eventType, contract) }],
  };
}
