import { hostname } from 'node:os';
import { guardedCarrier, guardedPayments } from '../adapters/cockatiel/guarded-gateways.ts';
import { connectEasyPostCarrier } from '../adapters/easypost/easypost-carrier.ts';
import { createFlatQuotes } from '../adapters/quotes/flat-quotes.ts';
import { connectRedis } from '../adapters/redis/connect-redis.ts';
import { connectStripeGateway } from '../adapters/stripe/stripe-gateway.ts';
import type { ActivityDeps } from '../activities/deps.ts';
import type { Config } from '../config/config.ts';
import { systemClock } from '../ports/clock.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { connectStore, storeHooks } from './connect-store.ts';
import { watchProviders } from './provider-watch.ts';
import { warehouse } from './warehouse.ts';

export interface ConnectedDeps extends ActivityDeps {
  ping: { redis(): Promise<void>; store(): Promise<void> };
  close(): Promise<void>;
}

/** Connects everything the activities need, by configuration. Rejects when the store's schema cannot be brought up. */
export async function connectActivityDeps(
  config: Config,
  metrics: Metrics,
  warn: (message: string) => void = () => {},
): Promise<ConnectedDeps> {
  const store = await connectStore(config, storeHooks(metrics, warn));
  const redis = await connectRedis({
    url: config.REDIS_URL,
    keyPrefix: `${config.TASK_QUEUE_PREFIX}:`,
    onDegraded: (call) => metrics.redisDegraded.inc({ call }),
  });
  const providers = await watchProviders({
    store,
    clock: systemClock,
    policy: config.providerPolicy,
    metrics,
    process: `${hostname()}:${process.pid}`,
    warn,
  });
  const observe = (provider: string) => (facts: { operation: string; result: string; seconds: number }) =>
    metrics.providerRequestDuration.observe(
      { provider, operation: facts.operation, result: facts.result },
      facts.seconds,
    );
  const payments = connectStripeGateway({
    secretKey: config.STRIPE_SECRET_KEY,
    apiBase: config.STRIPE_API_BASE,
    webhookSecret: config.STRIPE_WEBHOOK_SECRET,
    onRequest: observe('payments'),
  });
  const carrier = connectEasyPostCarrier({
    apiKey: config.EASYPOST_API_KEY,
    apiBase: config.EASYPOST_API_BASE,
    from: warehouse,
    onRequest: observe('carrier'),
  });
  return {
    store,
    payments: guardedPayments(payments, providers.circuits.payments),
    carrier: guardedCarrier(carrier, providers.circuits.carrier),
    providers,
    locks: redis.locks,
    bell: redis.bell,
    quotes: createFlatQuotes({ shippingFeeMinor: config.SHIPPING_FEE_MINOR }),
    clock: systemClock,
    ping: { redis: () => redis.ping(), store: () => store.ping() },
    async close() {
      await providers.close();
      carrier.close();
      await Promise.allSettled([store.close(), redis.close()]);
    },
  };
}
