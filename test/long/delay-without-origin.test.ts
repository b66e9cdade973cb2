import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'amqplib';
import { expect, it } from 'vitest';
import { connectRabbitmqBroker } from '../../adapters/rabbitmq/rabbitmq-broker.ts';
import { delayQueueOf } from '../../domain/destinations.ts';
import { delayParts, joinParts } from '../../messaging/queue-parts.ts';
import { topology } from '../../messaging/topology.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createVhost } from '../setup/isolation.ts';

const queue = 'tasks';
const parts = joinParts([
  { exchanges: [], queues: [{ name: queue, kind: 'classic', durable: true }], bindings: [] },
  delayParts(queue, [200]),
]);

it('loses no message whose delay ends while the queue it came from is gone: it arrives once the queue is back', async () => {
  const vhost = await createVhost('origin');
  const logger = createLogger({ process: 'test', level: 'silent' });
  const broker = await connectRabbitmqBroker({ url: vhost.amqpUrl, topology, logger });
  await broker.declare(parts);
  const connection = await connect(vhost.amqpUrl);
  const channel = await connection.createChannel();
  await channel.deleteQueue(queue);
  channel.sendToQueue(delayQueueOf(queue, 200), Buffer.from('{}'), { messageId: 'kept', persistent: true });
  await sleep(2_000);
  await broker.declare(parts);
  // RabbitMQ tries to route such a message again every 3 minutes.
  const depth = async () => (await channel.checkQueue(queue)).messageCount;
  await expect.poll(depth, { timeout: 240_000, interval: 1_000 }).toBe(1);
  await connection.close();
  await broker.close();
  await vhost.remove();
});
