import { join } from 'node:path';
import { prometheusConfig } from '../prometheus-config.ts';
import {
  type Candidate,
  createNotHere,
  type Dependency,
  firstThatWorks,
  type LaunchContext,
} from './dependency.ts';
import { configuredServer, hostOf } from './configured.ts';
import { findOnPath } from './find-binary.ts';
import { installCommandFor, installPackages } from './package-manager.ts';
import { placeFiles } from './place-files.ts';
import { runOnOwnPort } from './run-on-own-port.ts';

export type PrometheusAddresses = { url: string };

/** Whose metrics it reads, how often, and who is told of alerts. */
type Scraped = Parameters<typeof prometheusConfig>[0];

const NAME = 'Prometheus';
const PROBE_TIMEOUT_MS = 2_000;

/** Prometheus with the product's rules, which scrapes every process of this start: PROMETHEUS_URL, `prometheus` on PATH, the package manager. The product works without it. */
export async function startPrometheus(
  context: LaunchContext,
  scraped: Scraped,
): Promise<Dependency<PrometheusAddresses>> {
  const installCommand = await installCommandFor('prometheus', context.env);
  const candidates = prometheusCandidates(context, scraped);
  return firstThatWorks({ name: NAME, candidates, installCommand, say: context.say });
}

/** In the order they are tried. */
export function prometheusCandidates(
  context: LaunchContext,
  scraped: Scraped,
): Candidate<PrometheusAddresses>[] {
  return [
    { source: 'configured', start: () => useConfigured(context) },
    { source: 'path', start: () => runPrivate({ context, scraped, source: 'path' }) },
    {
      source: 'package manager',
      start: async () => {
        await installPackages('prometheus', context);
        return runPrivate({ context, scraped, source: 'package manager' });
      },
    },
  ];
}

async function useConfigured(context: LaunchContext): Promise<Dependency<PrometheusAddresses>> {
  const url = context.env['PROMETHEUS_URL'];
  if (!context.useConfigured || !url) throw createNotHere('PROMETHEUS_URL is not set');
  return configuredServer(context, {
    name: NAME,
    setting: 'PROMETHEUS_URL',
    shown: hostOf(url),
    addresses: { url },
    ask: () => versionOf(url),
  });
}

async function runPrivate(options: {
  context: LaunchContext;
  scraped: Scraped;
  source: 'path' | 'package manager';
}): Promise<Dependency<PrometheusAddresses>> {
  const { context, scraped, source } = options;
  const binary = await findOnPath('prometheus', context.env);
  if (binary === undefined) throw createNotHere('no prometheus on PATH');
  const folder = join(context.folder, 'prometheus');
  await placeFiles(context, folder, { 'prometheus.json': prometheusConfig(scraped) });
  return runOnOwnPort(context, {
    name: NAME,
    process: 'prometheus',
    command: binary,
    args: (port) => [
      `--config.file=${join(folder, 'prometheus.json')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      '--storage.tsdb.retention.time=7d',
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    url: (port) => `http://127.0.0.1:${port}`,
    versionOf,
    source,
  });
}

async function versionOf(url: string): Promise<string> {
  const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
  const response = await fetch(new URL('/api/v1/status/buildinfo', url), { signal });
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  const { data } = (await response.json()) as { data?: { version?: string } };
  return data?.version ?? 'unknown';
}
