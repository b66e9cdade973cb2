import { deadLetterQueueOf, eventsExchange } from '../../domain/destinations.ts';
import type { QueueDeclaration, Topology } from '../../ports/broker.ts';
import { exampleOf, jsonSchemaOf, type EventContract, type JsonSchema } from './event-contract.ts';

/** docs/messages.md: every event, its fields and an example, the headers, and what is declared at the broker. */
export function messagesPage(contracts: Record<string, EventContract>, topology: Topology): string {
  const types = Object.entries(contracts);
  const [first] = types;
  if (first === undefined) throw new Error('No event contract: expected at least one');
  return `<!-- Generated from messaging/contracts by \`npm run generate\`. -->

# Messages

Events are facts about orders, published to the topic exchange \`${eventsExchange}\` with the event type as routing key.
How to receive them: [subscribing.md](subscribing.md). Schemas (JSON Schema, draft 2020-12):
[messaging/contracts/schemas](../messaging/contracts/schemas). AsyncAPI 3: [asyncapi.yaml](asyncapi.yaml).

| event | published when |
| --- | --- |
${types.map(([type, { summary }]) => `| [\`${type}\`](#${anchor(type)}) | ${summary} |`).join('\n')}

## Every event

AMQP properties carry the same facts as the body: messageId = eventId, type, correlationId, timestamp, contentType
\`application/json\`, headers \`event-type\`, \`source\`, \`order-id\` and, when the order is traced, \`traceparent\`.
Objects may gain fields within \`.v1\`: ignore those you do not know. No personal data beyond \`customerId\`.

${fieldTable(withoutDetails(...first))}

## Payload by event

${types.map(([type, contract]) => eventSection(type, contract)).join('\n\n')}

## What a failure adds

Headers on a message that comes back for another attempt, and on a dead letter.

${headerTable}

## At the broker

| queue | kind | facts |
| --- | --- | --- |
${topology.queues.map((queue) => `| \`${queue.name}\` | ${queue.kind}${queue.durable ? '' : ', not durable'} | ${queueFacts(queue)} |`).join('\n')}
| \`<service>.<subscription>.q\` | quorum | one per subscription: [subscribing.md](subscribing.md) |
| \`<queue>.delay.<ms>ms\` | quorum | holds a message for that long and gives it back to \`<queue>\` |
`;
}

const headerTable = `| header | says |
| --- | --- |
| \`x-attempt\` | number of this attempt, from 1; on a dead letter: attempts made |
| \`x-reason\`, \`x-error\` | why the last attempt failed: one word for the kind, and the text |
| \`x-first-failed-at\`, \`x-last-failed-at\` | when, UTC |
| \`x-origin-queue\` | queue whose consumer failed |
| \`x-original-exchange\`, \`x-original-routing-key\` | how the message first came to that queue |
| \`x-replay-of\` | on a replay: id of the dead letter it was made of |
| \`x-headers-dropped\` | true when the message's own headers left no room for these |
| \`x-death\` | the broker's own record; to look at only, its counts are not relied on |`;

const anchor = (heading: string): string => heading.replaceAll('.', '');

function withoutDetails(eventType: string, contract: EventContract): JsonSchema {
  const schema = jsonSchemaOf(eventType, { ...contract, details: {} });
  const { const: _one, ...type } = schema.properties?.['eventType'] ?? {};
  return { ...schema, properties: { ...schema.properties, eventType: type } };
}

function eventSection(eventType: string, contract: EventContract): string {
  const payload = jsonSchemaOf(eventType, contract).properties?.['payload'] ?? {};
  const own = Object.keys(contract.details);
  const fields = Object.entries(payload.properties ?? {}).filter(([name]) => own.includes(name));
  const schema = { properties: Object.fromEntries(fields), required: payload.required ?? [] };
  const table = own.length === 0 ? "Only the order's own facts." : fieldTable(schema);
  return `### ${eventType}

${contract.summary} Schema: [${eventType}.schema.json](../messaging/contracts/schemas/${eventType}.schema.json).

${table}

\`\`\`json
${JSON.stringify(exampleOf(eventType, contract), null, 2)}
\`\`\``;
}

const fieldTable = (schema: JsonSchema): string =>
  ['| field | type | meaning |', '| --- | --- | --- |', ...fieldRows(schema, '')].join('\n');

function fieldRows(schema: JsonSchema, prefix: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const optional = schema.required?.includes(name) ? '' : ' (optional)';
    const row = `| \`${prefix}${name}\` | ${typeName(field)}${optional} | ${meaning(field)} |`;
    const inner =
      field.type === 'array'
        ? fieldRows(field.items ?? {}, `${prefix}${name}[].`)
        : fieldRows(field, `${prefix}${name}.`);
    return [row, ...inner];
  });
}

const typeName = ({ type, format, enum: values }: JsonSchema): string => {
  if (values) return values.map((value) => `\`${value}\``).join(', ');
  return [type].flat().join(' or ') + (format === undefined ? '' : ` (${format})`);
};

const meaning = ({ description = '', examples, const: only }: JsonSchema): string =>
  [
    description,
    only === undefined ? '' : `Always \`${only}\`.`,
    examples ? `Now: ${examples.map((value) => `\`${String(value as string)}\``).join(', ')}.` : '',
  ]
    .filter(Boolean)
    .join(' ');

function queueFacts(queue: QueueDeclaration): string {
  const { maxPriority, messageTtlMs, maxLength, overflow, deadLetter } = queue;
  const facts = [
    maxPriority === undefined ? '' : `priorities up to ${maxPriority}`,
    messageTtlMs === undefined ? '' : `messages live ${messageTtlMs / 1_000} s from first enqueue`,
    maxLength === undefined ? '' : `at most ${maxLength} messages, ${overflow ?? 'drop-head'}`,
    deadLetter ? `dead letters to \`${deadLetterQueueOf(queue.name)}\`` : '',
  ].filter(Boolean);
  return facts.join('; ') || 'keeps what it has';
}
