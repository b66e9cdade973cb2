import { collectDefaultMetrics, Registry } from 'prom-client';
import { createHttpMetrics } from './metrics/http-metrics.ts';
import { createMessageMetrics } from './metrics/message-metrics.ts';
import { createMetricFactory, type ProcessName } from './metrics/metric-factory.ts';
import { createOrderGauges } from './metrics/order-gauges.ts';
import { createOrderMetrics } from './metrics/order-metrics.ts';
import { createProcessMetrics } from './metrics/process-metrics.ts';
import { createProviderMetrics } from './metrics/provider-metrics.ts';
import { createRedisMetrics } from './metrics/redis-metrics.ts';
import { createStepMetrics } from './metrics/step-metrics.ts';
import { createStoreMetrics } from './metrics/store-metrics.ts';
import { createTemporalMetrics } from './metrics/temporal-metrics.ts';
import { createWebhookMetrics } from './metrics/webhook-metrics.ts';

/**
 * One registry per process; `/metrics` prints it. With the process's name it shows what that process knows of; without,
 * everything. docs/metrics.md is the table of it all.
 */
export function createMetrics(process?: ProcessName) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const define = createMetricFactory({ registry, ...(process && { process }) });
  return {
    registry,
    ...createHttpMetrics(define),
    ...createOrderMetrics(define),
    ...createOrderGauges(define),
    ...createStepMetrics(define),
    ...createMessageMetrics(define),
    ...createWebhookMetrics(define),
    ...createStoreMetrics(define),
    ...createRedisMetrics(define),
    ...createProviderMetrics(define),
    ...createTemporalMetrics(define),
    ...createProcessMetrics(define),
    /** What was defined, for the documentation and its tests. */
    specs: define.specs,
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
