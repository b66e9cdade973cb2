import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { startPrometheus } from '../../infra/dependencies/prometheus.ts';
import { freePort } from '../setup/isolation.ts';
import { startOwnProduct } from './own-product.ts';

/** One series of an instant query's answer. */
export interface Sample {
  metric: Record<string, string>;
  value: number;
}

/**
 * A product of its own, and a real Prometheus with the product's rules that scrapes them, the broker, Temporal and the sandbox every second.
 */
export async function startWatchedProduct(env: Record<string, string> = {}) {
  const own = await startOwnProduct('watched', { WEBHOOK_ALLOW_PRIVATE: '127.0.0.1/32', ...env });
  const { saga, product } = own;
  const folder = await mkdtemp(join(tmpdir(), 'order-saga-prometheus-'));
  const prometheus = await startPrometheus(
    {
      env: process.env,
      folder,
      keepsData: false,
      takePort: () => freePort(),
      say: () => {},
      useConfigured: false,
      installWithSudo: false,
    },
    {
      everySeconds: 1,
      metrics: {
        ...product.metrics,
        sandbox: `${saga.sandbox.url}/metrics`,
        rabbitmq: inject('rabbitmqMetricsUrl'),
        temporal: inject('temporalMetricsUrl'),
      },
    },
  );
  const ask = async (path: string) => {
    const response = await fetch(`${prometheus.addresses.url}/api/v1/${path}`);
    return (await response.json()) as { status: string; error?: string; data: never };
  };
  return {
    saga,
    product,
    /** An instant query; throws what Prometheus says about an expression that it does not take. */
    async query(expression: string): Promise<Sample[]> {
      const { status, error, data } = await ask(`query?query=${encodeURIComponent(expression)}`);
      if (status !== 'success') throw new Error(`${expression}: ${error}`);
      const { resultType, result } = data as { resultType: string; result: unknown };
      if (resultType === 'scalar') return [{ metric: {}, value: Number((result as [number, string])[1]) }];
      return (result as { metric: Record<string, string>; value: [number, string] }[]).map(
        ({ metric, value }) => ({ metric, value: Number(value[1]) }),
      );
    },
    /** What is wrong with the rules, as Prometheus found out while it evaluated them. */
    async ruleErrors(): Promise<string[]> {
      const { data } = await ask('rules');
      const { groups } = data as { groups: { rules: { name: string; lastError?: string }[] }[] };
      return groups.flatMap(({ rules }) =>
        rules.flatMap(({ name, lastError }) => (lastError ? [`${name}: ${lastError}`] : [])),
      );
    },
    /** The whole of what one process shows. */
    async metricsOf(name: keyof typeof product.metrics): Promise<string> {
      return (await fetch(product.metrics[name])).text();
    },
    async close(): Promise<void> {
      await prometheus.stop();
      await own.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type WatchedProduct = Awaited<ReturnType<typeof startWatchedProduct>>;
