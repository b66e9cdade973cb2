import type { ConsumeMessage } from 'amqplib';
import type { KeptProperties } from '../../domain/dead-letters.ts';
import type { DeadLetterQueues, QueuedMessage } from '../../ports/dead-letters.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { sweepQueue } from './queue-sweep.ts';
import type { RabbitmqConnection } from './rabbitmq-connection.ts';
import { withTimeout } from './with-timeout.ts';

const suffix = '.dlq';
const askAgainMs = 3_000;

/**
 * Dead-letter queues of this connection's topology and, with the management API, every other queue of the virtual host
 * that ends in `.dlq`: subscribers in other processes declare theirs without asking anybody.
 */
export function createDeadLetterQueues(input: {
  connection: RabbitmqConnection;
  managementUrl?: string | undefined;
  virtualHost: string;
  logger: Logger;
  operationTimeoutMs: number;
}): DeadLetterQueues {
  const { connection, operationTimeoutMs, logger } = input;
  let found: { names: string[]; atMs: number } = { names: [], atMs: 0 };

  const model = () => withTimeout(connection.model(), operationTimeoutMs, 'waiting for the broker');

  /** Without an answer the names of the last one stay. */
  async function others(): Promise<string[]> {
    if (input.managementUrl === undefined || Date.now() - found.atMs < askAgainMs) return found.names;
    const names = await queueNames(input.managementUrl, input.virtualHost).catch((error: unknown) => {
      logger.warn({ err: error }, 'the management API did not name the queues');
      return found.names;
    });
    found = { names: names.filter((name) => name.endsWith(suffix)), atMs: Date.now() };
    return found.names;
  }

  return {
    async list() {
      const own = connection.topology().queues.map(({ name }) => name);
      return [...new Set([...own.filter((name) => name.endsWith(suffix)), ...(await others())])].sort();
    },
    async depth(queue) {
      const channel = await withTimeout(
        (await model()).createChannel(),
        operationTimeoutMs,
        'opening a channel',
      );
      channel.on('error', () => {});
      try {
        return (await withTimeout(channel.checkQueue(queue), operationTimeoutMs, 'asking for the depth'))
          .messageCount;
      } catch (error) {
        if ((error as { code?: number }).code === 404) return 0;
        throw error;
      } finally {
        await channel.close().catch(() => {});
      }
    },
    async sweep({ queue, maximum, onPage }) {
      return sweepQueue(await model(), {
        queue,
        maximum,
        operationTimeoutMs,
        onPage: (page) => onPage(page.map((message) => queuedMessageOf(queue, message))),
      });
    },
    send: ({ queue, message }) =>
      connection.send({
        exchange: '',
        routingKey: queue,
        content: Buffer.from(message.content),
        properties: {
          ...message.properties,
          headers: message.headers,
          persistent: true,
          timestamp: Math.floor(Date.now() / 1_000),
        },
      }),
  };
}

function queuedMessageOf(queue: string, { content, properties }: ConsumeMessage): QueuedMessage {
  const kept = ['messageId', 'type', 'correlationId', 'contentType', 'contentEncoding', 'appId', 'replyTo'];
  const texts = kept.flatMap((name) => {
    const value = (properties as unknown as Record<string, unknown>)[name];
    return typeof value === 'string' && value !== '' ? [[name, value] as const] : [];
  });
  const { priority, timestamp, headers } = properties as {
    priority?: unknown;
    timestamp?: unknown;
    headers?: object;
  };
  return {
    queue,
    content,
    properties: {
      ...(Object.fromEntries(texts) as KeptProperties),
      ...(typeof priority === 'number' && { priority }),
    },
    headers: plain(headers ?? {}) as Record<string, unknown>,
    ...(typeof timestamp === 'number' && { sentAtUtc: new Date(timestamp * 1_000).toISOString() }),
  };
}

/** As JSON can hold it: whole numbers beyond 2^53 and bytes become texts. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (Buffer.isBuffer(value)) return value.toString('utf8');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]));
}

async function queueNames(managementUrl: string, virtualHost: string): Promise<string[]> {
  const { origin, username, password } = new URL(managementUrl);
  const path = `/api/queues/${encodeURIComponent(virtualHost)}?columns=name&disable_stats=true`;
  const response = await fetch(origin + path, {
    headers: {
      authorization: `Basic ${btoa(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)}`,
    },
    signal: AbortSignal.timeout(5_000),
  });
  if (!response.ok) throw new Error(`GET ${path} answered ${response.status}`);
  return ((await response.json()) as { name: string }[]).map(({ name }) => name);
}
