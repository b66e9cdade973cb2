import { createNdjsonSink } from '../adapters/ndjson/ndjson-sink.ts';
import { createSegmentSink } from '../adapters/segment/segment-sink.ts';
import { createSlackChat } from '../adapters/slack/slack-chat.ts';
import type { Config } from '../config/config.ts';
import { startAnalytics } from '../messaging/analytics.ts';
import { startHelpDesk } from '../messaging/help-desk.ts';
import { createSubscribe } from '../messaging/subscribe.ts';
import type { AnalyticsSink } from '../ports/analytics.ts';
import type { Broker } from '../ports/broker.ts';
import { systemClock } from '../ports/clock.ts';
import type { SeenFilter } from '../ports/locks.ts';
import type { Store, StoreTransaction } from '../ports/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** Help desk and analytics, as soon as the broker is there; closing the broker ends them. */
export function startEventConsumers(input: {
  config: Config;
  broker: Broker;
  store: Store;
  seen: SeenFilter;
  logger: Logger;
  metrics: Metrics;
}): void {
  const { config, broker, store, seen, logger, metrics } = input;
  const subscribe = createSubscribe<StoreTransaction>({
    broker,
    seen,
    store,
    clock: systemClock,
    logger,
    metrics,
  });
  const { HELP_DESK_CHAT_URL: url } = config;
  const started = {
    'help desk': startHelpDesk({
      subscribe,
      read: store.read,
      mailTo: config.HELP_DESK_EMAIL,
      chat: url === undefined ? undefined : createSlackChat({ url }),
      apiUrl: config.PUBLIC_API_URL,
      clock: systemClock,
    }),
    analytics: startAnalytics({ broker, sink: analyticsSink(config), logger, metrics }),
  };
  for (const [name, start] of Object.entries(started)) {
    start.catch((error: unknown) => logger.error({ err: error }, `the ${name} did not start`));
  }
}

function analyticsSink(config: Config): AnalyticsSink {
  const folder = /^ndjson:(.+)$/.exec(config.ANALYTICS_SINK)?.[1];
  return folder === undefined
    ? createSegmentSink({ url: config.ANALYTICS_SINK, writeKey: config.ANALYTICS_WRITE_KEY })
    : createNdjsonSink({ folder, clock: systemClock });
}
