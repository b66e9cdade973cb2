import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

export type AlertmanagerAddresses = { url: string };

const NAME = 'Alertmanager';
const PROBE_TIMEOUT_MS = 2_000;
const configFile = fileURLToPath(new URL('../alertmanager/alertmanager.yml', import.meta.url));

/** Alertmanager, which Prometheus tells of alerts: ALERTMANAGER_URL, the program on PATH, the package manager. The product works without it. */
export async function startAlertmanager(context: LaunchContext): Promise<Dependency<AlertmanagerAddresses>> {
  return firstThatWorks({
    name: NAME,
    candidates: alertmanagerCandidates(context),
    installCommand: await installCommandFor('alertmanager', context.env),
    say: context.say,
  });
}

/** In the order they are tried. */
export function alertmanagerCandidates(context: LaunchContext): Candidate<AlertmanagerAddresses>[] {
  return [
    { source: 'configured', start: () => useConfigured(context) },
    { source: 'path', start: () => runPrivate(context, 'path') },
    {
      source: 'package manager',
      start: async () => {
        await installPackages('alertmanager', context);
        return runPrivate(context, 'package manager');
      },
    },
  ];
}

async function useConfigured(context: LaunchContext): Promise<Dependency<AlertmanagerAddresses>> {
  const url = context.env['ALERTMANAGER_URL'];
  if (!context.useConfigured || !url) throw createNotHere('ALERTMANAGER_URL is not set');
  return configuredServer(context, {
    name: NAME,
    setting: 'ALERTMANAGER_URL',
    shown: hostOf(url),
    addresses: { url },
    ask: () => versionOf(url),
  });
}

async function runPrivate(
  context: LaunchContext,
  source: 'path' | 'package manager',
): Promise<Dependency<AlertmanagerAddresses>> {
  // Debian's name, and the one of everybody else.
  const names = ['prometheus-alertmanager', 'alertmanager'];
  const found = await Promise.all(names.map((name) => findOnPath(name, context.env)));
  const binary = found.find((path) => path !== undefined);
  if (binary === undefined) throw createNotHere('no alertmanager on PATH');
  const folder = join(context.folder, 'alertmanager');
  await placeFiles(context, folder);
  return runOnOwnPort(context, {
    name: NAME,
    process: 'alertmanager',
    command: binary,
    args: (port) => [
      `--config.file=${configFile}`,
      `--storage.path=${folder}`,
      `--web.listen-address=127.0.0.1:${port}`,
      // Alone: no gossip with others on the network.
      '--cluster.listen-address=',
    ],
    url: (port) => `http://127.0.0.1:${port}`,
    versionOf,
    source,
  });
}

async function versionOf(url: string): Promise<string> {
  const response = await fetch(new URL('/api/v2/status', url), {
    signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  const { versionInfo } = (await response.json()) as { versionInfo?: { version?: string } };
  return versionInfo?.version ?? 'unknown';
}
