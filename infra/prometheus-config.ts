import type { Addresses } from './addresses.ts';

/** Prometheus' configuration for the servers of one `npm start`, as JSON (which is YAML). */
export function prometheusConfig(metrics: Addresses['metrics']): string {
  const jobs = Object.entries(metrics).filter(([, address]) => address !== '');
  return JSON.stringify(
    {
      global: { scrape_interval: '5s' },
      scrape_configs: jobs.map(([job, address]) => ({
        job_name: job,
        metrics_path: new URL(address).pathname,
        static_configs: [{ targets: [new URL(address).host] }],
      })),
    },
    null,
    2,
  );
}
