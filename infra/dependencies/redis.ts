import { join } from 'node:path';
import { Redis } from 'ioredis';
import { configuredServer, hostOf } from './configured.ts';
import {
  type Candidate,
  createNotHere,
  type Dependency,
  firstThatWorks,
  type LaunchContext,
} from './dependency.ts';
import { dockerCandidate } from './docker.ts';
import { findOnPath } from './find-binary.ts';
import { installCommandFor, installPackages } from './package-manager.ts';
import { placeFiles } from './place-files.ts';
import { runOnOwnPort } from './run-on-own-port.ts';

export type RedisAddresses = { url: string };

const NAME = 'Redis';
const CONNECT_TIMEOUT_MS = 2_000;

/** Redis for locks and fast duplicate checks: REDIS_URL, `redis-server` on PATH, the package manager, Docker. */
export async function startRedis(context: LaunchContext): Promise<Dependency<RedisAddresses>> {
  return firstThatWorks({
    name: NAME,
    candidates: redisCandidates(context),
    installCommand: await installCommandFor('redis', context.env),
    say: context.say,
  });
}

/** In the order they are tried. */
export function redisCandidates(context: LaunchContext): Candidate<RedisAddresses>[] {
  return [
    { source: 'configured', start: () => useConfigured(context) },
    { source: 'path', start: () => runPrivate(context, 'path') },
    {
      source: 'package manager',
      start: async () => {
        await installPackages('redis', context);
        return runPrivate(context, 'package manager');
      },
    },
    dockerCandidate({
      name: NAME,
      services: ['redis'],
      context,
      addresses: { url: 'redis://127.0.0.1:6379' },
      version: (addresses) => versionOf(addresses.url),
    }),
  ];
}

async function useConfigured(context: LaunchContext): Promise<Dependency<RedisAddresses>> {
  const url = context.env['REDIS_URL'];
  if (!context.useConfigured || !url) throw createNotHere('REDIS_URL is not set');
  return configuredServer(context, {
    name: NAME,
    setting: 'REDIS_URL',
    shown: hostOf(url),
    addresses: { url },
    ask: () => versionOf(url),
  });
}

async function runPrivate(
  context: LaunchContext,
  source: 'path' | 'package manager',
): Promise<Dependency<RedisAddresses>> {
  const binary = await findOnPath('redis-server', context.env);
  if (binary === undefined) throw createNotHere('no redis-server on PATH');
  const data = join(context.folder, 'redis');
  await placeFiles(context, data);
  return runOnOwnPort(context, {
    name: NAME,
    process: 'redis',
    command: binary,
    args: (port) => [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      data,
      '--save',
      '',
      '--appendonly',
      context.keepsData ? 'yes' : 'no',
    ],
    url: (port) => `redis://127.0.0.1:${port}`,
    versionOf,
    source,
    graceMs: context.keepsData ? 10_000 : 0,
  });
}

/** Connects once and asks for the server's version; proves that it answers. */
async function versionOf(url: string): Promise<string> {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: () => null,
  });
  let failure: Error | undefined;
  client.on('error', (error: Error) => (failure = error));
  try {
    await client.connect();
    return /redis_version:(\S+)/.exec(await client.info('server'))?.[1] ?? 'unknown';
  } catch (error) {
    throw failure ?? error;
  } finally {
    client.disconnect();
  }
}
