import { connectRabbitmqBroker } from '../adapters/rabbitmq/rabbitmq-broker.ts';
import type { Config } from '../config/config.ts';
import { createDeadLetterService } from '../messaging/dead-letters-service.ts';
import { topology } from '../messaging/topology.ts';
import { systemClock } from '../ports/clock.ts';
import type { DeadLetterService } from '../ports/dead-letters.ts';
import type { Store } from '../ports/store.ts';
import type { Logger } from '../telemetry/logger.ts';

/** The dead-letter service with a connection of its own to the broker, which may be away: then replays wait. */
export async function connectOpsService(input: {
  config: Pick<Config, 'AMQP_URL'>;
  store: Store;
  logger: Logger;
}): Promise<{ deadLetters: DeadLetterService; close(): Promise<void> }> {
  const { config, store, logger } = input;
  const broker = await connectRabbitmqBroker({ url: config.AMQP_URL, topology, logger });
  const deadLetters = createDeadLetterService({ store, queues: broker.deadLetters, clock: systemClock });
  return { deadLetters, close: () => broker.close() };
}
