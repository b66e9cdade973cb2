/**
 * Every attribute a span may have: OpenTelemetry's semantic conventions where they name one, our own under `order.`
 * and `temporal.`. The list is closed so that nothing personal gets in by the way: ids, names of ours, codes, counts.
 */
export type SpanAttribute =
  | 'order.id'
  /** Step of the saga, as in the audit trail. */
  | 'order.step'
  /** Number of the attempt, from 1. */
  | 'order.attempt'
  /** `done`, `refused` (a business answer), `failed` (technical, tried again), `canceled`; of a run how it closed. */
  | 'order.outcome'
  /** Business failure type of a refusal. */
  | 'order.failure_type'
  | 'temporal.workflow.id'
  | 'temporal.run.id'
  | 'temporal.task_queue'
  | 'temporal.activity.local'
  | 'error.type'
  | 'http.request.method'
  | 'http.response.status_code'
  | 'http.route'
  | 'server.address'
  | 'server.port'
  | 'db.system.name'
  | 'db.operation.name'
  | 'rpc.system.name'
  | 'rpc.method'
  | 'messaging.system'
  | 'messaging.operation.name'
  | 'messaging.operation.type'
  | 'messaging.destination.name'
  | 'messaging.rabbitmq.destination.routing_key'
  | 'messaging.message.id'
  | 'messaging.message.conversation_id'
  | 'messaging.batch.message_count'
  | 'messaging.rabbitmq.message.redelivered'
  /** What the handler decided, or the broker answered. */
  | 'messaging.outcome'
  | 'webhook.endpoint.id';

export type SpanAttributes = { [Name in SpanAttribute]?: string | number | boolean | undefined };
