import { createWebhookSecrets } from '../adapters/webhook-http/webhook-secrets.ts';
import { connectWebhookSender } from '../adapters/webhook-http/webhook-sender.ts';
import type { Config } from '../config/config.ts';
import { retryDelaysMs } from '../messaging/queue-parts.ts';
import { startWebhookConsumer } from '../messaging/webhook-consumer.ts';
import { startWebhookUpkeep } from '../messaging/webhook-upkeep.ts';
import type { Broker } from '../ports/broker.ts';
import { systemClock } from '../ports/clock.ts';
import type { Store } from '../ports/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { tracedWebhookSender } from './traced-webhook-sender.ts';

/** Delivers events to partners until it is closed; needs neither broker nor SQL to start. */
export function startWebhooks(input: {
  config: Pick<Config, 'WEBHOOK_SECRET_KEY' | 'WEBHOOK_ALLOW_PRIVATE' | 'WEBHOOK_SLOW_RETRIES_SECONDS'>;
  broker: Broker;
  store: Store;
  logger: Logger;
  metrics: Metrics;
}): { close(): Promise<void> } {
  const { config, ...deps } = input;
  const sender = tracedWebhookSender(connectWebhookSender({ allowPrivate: config.WEBHOOK_ALLOW_PRIVATE }));
  const slowDelaysMs = config.WEBHOOK_SLOW_RETRIES_SECONDS.map((seconds) => seconds * 1_000);
  const consumer = startWebhookConsumer({
    ...deps,
    sender,
    secrets: createWebhookSecrets({ key: config.WEBHOOK_SECRET_KEY }),
    clock: systemClock,
    settings: { delaysMs: [...retryDelaysMs, ...slowDelaysMs] },
  });
  const upkeep = startWebhookUpkeep({ ...deps, openCircuits: consumer.openCircuits, clock: systemClock });
  return {
    async close() {
      await Promise.all([consumer.close(), upkeep.close()]);
      await sender.close();
    },
  };
}
