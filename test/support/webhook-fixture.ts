import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Channel, type GetMessage } from 'amqplib';
import { connectRabbitmqBroker } from '../../adapters/rabbitmq/rabbitmq-broker.ts';
import { connectSqliteStore } from '../../adapters/sqlite/sqlite-store.ts';
import { createWebhookSecrets } from '../../adapters/webhook-http/webhook-secrets.ts';
import { connectWebhookSender } from '../../adapters/webhook-http/webhook-sender.ts';
import { eventsDestination } from '../../domain/destinations.ts';
import { buildEvent, type DomainEvent, type EventType } from '../../domain/events.ts';
import { orderId } from '../../domain/ids.ts';
import { rotatedSecrets, type WebhookEndpoint, type WebhookEndpointId } from '../../domain/webhooks.ts';
import { topology } from '../../messaging/topology.ts';
import { startWebhookConsumer, type WebhookSettings } from '../../messaging/webhook-consumer.ts';
import { webhookGateDefaults } from '../../messaging/webhook-gate.ts';
import { systemClock } from '../../ports/clock.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { createVhost } from '../setup/isolation.ts';

export type WebhookWorld = Awaited<ReturnType<typeof startWebhookWorld>>;

/** Quick tiers, so that a test sees a delivery's whole life in a second. */
export const quickSettings: Partial<WebhookSettings> = {
  delaysMs: [300, 600, 1_200],
  gate: { ...webhookGateDefaults, overflowMs: { short: 100, long: 400 }, openMs: 1_500, slowMs: 400 },
};

export const webhookSecretKey = 'a-key-of-32-characters-for-tests';

/** A broker's vhost, a SQLite store and the webhook consumer between them, in this process. */
export async function startWebhookWorld() {
  const folder = await mkdtemp(join(tmpdir(), 'order-saga-webhooks-'));
  const path = join(folder, 'orders.sqlite');
  const vhost = await createVhost('webhooks');
  const logger = createLogger({ process: 'test', level: 'silent' });
  const metrics = createMetrics();
  const store = await connectSqliteStore({ path });
  const broker = await connectRabbitmqBroker({ url: vhost.amqpUrl, topology, logger });
  // Resolves when the broker is there.
  await broker.declare({ exchanges: [], queues: [], bindings: [] });
  while (broker.state() !== 'connected') await sleep(20);
  const connection = await connect(vhost.amqpUrl);
  const channel = await connection.createChannel();
  const secrets = createWebhookSecrets({ key: webhookSecretKey });
  const nowUtc = () => new Date().toISOString();

  return {
    sqlUrl: `sqlite:${path}`,
    vhost,
    store,
    broker,
    channel,
    metrics,

    /** Starts a consumer; closed by `close()` of what is returned. */
    consume(settings: Partial<WebhookSettings> = quickSettings, timeoutMs = 2_000) {
      const sender = connectWebhookSender({ allowPrivate: ['127.0.0.1/32'], timeoutMs });
      const deps = { broker, store, sender, secrets, clock: systemClock, logger, metrics, settings };
      const consumer = startWebhookConsumer(deps);
      return {
        openCircuits: consumer.openCircuits,
        async close() {
          await consumer.close();
          await sender.close();
        },
      };
    },

    /** Registers an endpoint as the API does; returns it with its secret. */
    async register(url: string, events: EventType[] = ['order.created.v1']) {
      const endpointId: WebhookEndpointId = `we_${randomUUID().replaceAll('-', '')}`;
      const { secret, sealed } = secrets.create(endpointId);
      const endpoint: WebhookEndpoint = {
        endpointId,
        url,
        events,
        description: '',
        state: 'enabled',
        disabledReason: '',
        secrets: [{ sealed, createdAtUtc: nowUtc() }],
        createdAtUtc: nowUtc(),
        updatedAtUtc: nowUtc(),
      };
      await store.transaction((tx) => tx.webhooks.put(endpoint));
      return { endpointId, secret };
    },

    async change(id: WebhookEndpointId, change: Partial<WebhookEndpoint>) {
      await store.transaction(async (tx) => {
        const endpoint = await tx.webhooks.find(id);
        if (!endpoint) throw new Error(`No endpoint ${id}`);
        await tx.webhooks.put({ ...endpoint, ...change });
      });
    },

    /** Returns the new secret. */
    async rotate(id: WebhookEndpointId, overlapSeconds: number): Promise<string> {
      const { secret, sealed } = secrets.create(id);
      const endpoint = await store.read.webhooks.find(id);
      const rotated = rotatedSecrets({
        secrets: endpoint?.secrets ?? [],
        sealed,
        nowUtc: nowUtc(),
        overlapSeconds,
      });
      await this.change(id, { secrets: rotated });
      return secret;
    },

    /** Publishes an event of a new order, as the relay does. */
    async publish(eventType: EventType = 'order.created.v1'): Promise<DomainEvent> {
      const event = newEvent(eventType);
      const answer = await broker.publish({
        id: event.eventId,
        occurredAtUtc: event.occurredAtUtc,
        type: eventType,
        payload: JSON.stringify(event),
        destination: eventsDestination,
        orderId: orderId(event.payload.orderId),
        sequence: 1,
        traceparent: '',
      });
      if (answer.status !== 'confirmed') throw new Error(`Not published: ${JSON.stringify(answer)}`);
      return event;
    },

    attempts: async (endpointId: WebhookEndpointId) =>
      (await store.read.webhooks.attempts({ endpointId, limit: 1_000 })).toReversed(),

    deadLetters: (count: number, timeoutMs = 10_000) => take(channel, count, timeoutMs),

    async depth(queue: string): Promise<number> {
      return (await channel.checkQueue(queue)).messageCount;
    },

    async close() {
      await connection.close();
      await broker.close();
      await store.close();
      await vhost.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** An event of a new order. */
export function newEvent(eventType: EventType): DomainEvent {
  const id = orderId(randomUUID());
  return buildEvent({
    eventId: randomUUID(),
    eventType,
    occurredAtUtc: new Date().toISOString(),
    order: {
      orderId: id,
      customerId: 'customer-1',
      total: { amountMinor: 149_900, currency: 'INR' },
      currency: 'INR',
      items: [],
    },
    details: {},
    traceId: '0af7651916cd43dd8448eb211c80319c',
    causationId: 'checkout',
    sequence: 1,
  });
}

/** Takes so many dead letters of webhooks out of their queue. */
async function take(channel: Channel, count: number, timeoutMs: number): Promise<GetMessage[]> {
  const taken: GetMessage[] = [];
  const deadline = Date.now() + timeoutMs;
  while (taken.length < count && Date.now() < deadline) {
    const message = await channel.get('webhook-queue.dlq', { noAck: true });
    if (message) taken.push(message);
    else await sleep(50);
  }
  if (taken.length < count)
    throw new Error(`Expected ${count} dead letters within ${timeoutMs} ms, ${taken.length} came`);
  return taken;
}
