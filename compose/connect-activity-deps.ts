import { hostname } from 'node:os';
import { guardedCarrier, guardedPayments } from '../adapters/cockatiel/guarded-gateways.ts';
import { connectEasyPostCarrier } from '../adapters/easypost/easypost-carrier.ts';
import { createFlatQuotes } from '../adapters/quotes/flat-quotes.ts';
import { connectStripeGateway } from '../adapters/stripe/stripe-gateway.ts';
import type { ActivityDeps } from '../activities/deps.ts';
import { readCarrierLimits, type Config } from '../config/config.ts';
import { systemClock } from '../ports/clock.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { connectMeasuredRedis } from './connect-measured-redis.ts';
import { connectStore, connectStoreWhenThere, storeHooks } from './connect-store.ts';
import { watchProviders } from './provider-watch.ts';
import { providerSpans } from './provider-spans.ts';
import type { Startup } from './startup.ts';

export interface ConnectedDeps extends ActivityDeps {
  ping: { redis(): Promise<void>; store(): Promise<void> };
  close(): Promise<void>;
}

/**
 * Connects everything the activities need, by configuration. With `startup` it waits for the store; rejects when its
 * schema is not one that this code can bring up.
 */
export async function connectActivityDeps(
  config: Config,
  metrics: Metrics,
  { startup, warn = () => {} }: { startup?: Startup; warn?: (message: string) => void } = {},
): Promise<ConnectedDeps> {
  const hooks = storeHooks(metrics, warn);
  const store = startup
    ? await connectStoreWhenThere(config, hooks, startup)
    : await connectStore(config, hooks);
  const redis = await connectMeasuredRedis(config, metrics, warn);
  const providers = await watchProviders({
    store,
    clock: systemClock,
    policy: config.providerPolicy,
    metrics,
    process: `${hostname()}:${process.pid}`,
    warn,
  });
  const observe = (provider: 'payments' | 'carrier', apiBase: string | undefined) => {
    const trace = providerSpans(provider, apiBase);
    return (facts: { operation: string; result: string; seconds: number }) => {
      const { operation, result, seconds } = facts;
      metrics.providerRequestDuration.observe({ provider, operation, result }, seconds);
      trace(facts);
    };
  };
  const payments = connectStripeGateway({
    secretKey: config.STRIPE_SECRET_KEY,
    apiBase: config.STRIPE_API_BASE,
    webhookSecret: config.STRIPE_WEBHOOK_SECRET,
    onRequest: observe('payments', config.STRIPE_API_BASE),
  });
  const carrier = connectEasyPostCarrier({
    apiKey: config.EASYPOST_API_KEY,
    apiBase: config.EASYPOST_API_BASE,
    from: config.SHIP_FROM,
    onRequest: observe('carrier', config.EASYPOST_API_BASE),
  });
  return {
    store,
    helpDeskMailTo: config.HELP_DESK_EMAIL,
    payments: guardedPayments(payments, providers.circuits.payments),
    carrier: guardedCarrier(carrier, providers.circuits.carrier),
    providers,
    locks: redis.locks,
    bell: redis.bell,
    shipping: { from: config.SHIP_FROM, limits: readCarrierLimits(config.CARRIER_LIMITS_FILE) },
    quotes: createFlatQuotes({ shippingFees: config.shippingFees }),
    clock: systemClock,
    ping: { redis: () => redis.ping(), store: () => store.ping() },
    async close() {
      await providers.close();
      carrier.close();
      await Promise.allSettled([store.close(), redis.close()]);
    },
  };
}
