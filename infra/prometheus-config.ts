import { fileURLToPath } from 'node:url';
import type { Addresses } from './addresses.ts';

/** Alerts and what they stand on; the same for a start on one machine and for the compose file. */
const rulesFile = fileURLToPath(new URL('prometheus/rules.yml', import.meta.url));

/**
 * Prometheus' configuration for the servers of one `npm start`, as JSON (which is YAML): a job for each of them, the
 * rules, and Alertmanager where there is one.
 */
export function prometheusConfig(input: {
  metrics: Addresses['metrics'];
  alertmanagerUrl?: string | undefined;
  /** How often is scraped and evaluated, seconds. Default 5. */
  everySeconds?: number;
}): string {
  const { metrics, alertmanagerUrl, everySeconds = 5 } = input;
  const jobs = Object.entries(metrics).filter(([, address]) => address !== '');
  const every = `${everySeconds}s`;
  return JSON.stringify(
    {
      global: { scrape_interval: every, evaluation_interval: every },
      rule_files: [rulesFile],
      ...(alertmanagerUrl && {
        alerting: { alertmanagers: [{ static_configs: [{ targets: [new URL(alertmanagerUrl).host] }] }] },
      }),
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
