import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem, type as osType } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { Redis } from 'ioredis';
import { projectFolder } from '../infra/runtime-folder.ts';

const BYTES_PER_GIB = 1024 ** 3;

/** What the figures were measured on. */
export async function describeMachine(client: Client, env: NodeJS.ProcessEnv) {
  const { dependencies } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const { serverVersion } = await client.workflowService.getSystemInfo({});
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / BYTES_PER_GIB),
    system: `${osType()} ${release()}`,
    /** Mean number of running processes in the last minute, before anything was measured: above 0.5 the machine was not quiet. */
    loadBefore: loadavg()[0] ?? Number.NaN,
    versions: {
      node: process.version,
      temporalServer: serverVersion,
      temporalSdk: dependencies['@temporalio/worker'],
      redis: await redisVersion(env['REDIS_URL'] ?? ''),
      rabbitmq: await rabbitmqVersion(env['RABBITMQ_MANAGEMENT_URL'] ?? ''),
      sqlite: process.versions['sqlite'],
    },
  };
}

async function redisVersion(url: string): Promise<string> {
  const redis = new Redis(url);
  const info = await redis.info('server');
  redis.disconnect();
  return /redis_version:(\S+)/.exec(info)?.[1] ?? 'unknown';
}

async function rabbitmqVersion(managementUrl: string): Promise<string> {
  const { origin, username, password } = new URL(managementUrl);
  const response = await fetch(`${origin}/api/overview`, {
    headers: { authorization: `Basic ${btoa(`${username}:${password}`)}` },
  });
  return ((await response.json()) as { rabbitmq_version?: string }).rabbitmq_version ?? 'unknown';
}
