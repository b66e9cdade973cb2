import { createRequire } from 'node:module';
import type * as PromClient from 'prom-client';
import type * as TemporalWorker from '@temporalio/worker';

/*
 * Loaded before one of the product's processes (`node --import`): its metrics then count nothing, and the worker's SDK
 * keeps none. Only to compare with; the product has no such switch.
 */
const require = createRequire(import.meta.url);
const client = require('prom-client') as typeof PromClient;
const nothing = (): void => {};
const noTimer = () => nothing;
for (const { prototype } of [client.Counter, client.Gauge, client.Histogram]) {
  Object.assign(prototype, {
    inc: nothing,
    dec: nothing,
    set: nothing,
    observe: nothing,
    startTimer: noTimer,
  });
}
(client as { collectDefaultMetrics: unknown }).collectDefaultMetrics = nothing;

if (process.argv[1]?.endsWith('/workers/worker.ts')) {
  const { Runtime } = require('@temporalio/worker') as typeof TemporalWorker;
  const install = Runtime.install.bind(Runtime);
  Runtime.install = (options) => {
    const { metrics: _, ...telemetryOptions } = options.telemetryOptions ?? {};
    return install({ ...options, telemetryOptions });
  };
}
