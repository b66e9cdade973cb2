import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startRedis, type RedisAddresses } from '../../infra/dependencies/redis.ts';
import type { Dependency, LaunchContext } from '../../infra/dependencies/dependency.ts';
import { freePort } from '../../infra/ports.ts';

/** A Redis of one suite's own, to be killed, emptied and started again on the same port. */
export interface PrivateRedis {
  url: string;
  /** SIGKILL; connections break at once. */
  kill(): Promise<void>;
  /** Starts it again, with what was on disk. */
  start(): Promise<void>;
  /** Everything it knows is gone, as after a failover to an empty replica. */
  loseData(): Promise<void>;
  remove(): Promise<void>;
}

export async function startPrivateRedis(): Promise<PrivateRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'order-saga-redis-'));
  const port = await freePort();
  const context: LaunchContext = {
    env: process.env,
    folder,
    keepsData: true,
    takePort: () => Promise.resolve(port),
    say: () => {},
    useConfigured: false,
    installWithSudo: false,
  };
  let server: Dependency<RedisAddresses> = await startRedis(context);
  return {
    url: server.addresses.url,
    async kill() {
      if (server.pid === undefined) throw new Error('the private Redis has no process of its own');
      process.kill(server.pid, 'SIGKILL');
      await server.stop();
    },
    async start() {
      server = await startRedis(context);
    },
    async loseData() {
      const client = new Redis(server.addresses.url);
      await client.flushall();
      client.disconnect();
    },
    async remove() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
