import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTemporal, type TemporalAddresses } from '../../infra/dependencies/temporal.ts';
import type { Dependency, LaunchContext } from '../../infra/dependencies/dependency.ts';
import { freePort } from '../../infra/ports.ts';

/** A Temporal of one suite's own with a file database, to be killed and started again on the same ports. */
export interface PrivateTemporal {
  address: string;
  /** SIGKILL: nothing is flushed, every connection breaks. */
  kill(): Promise<void>;
  /** Starts it again with the same database. */
  start(): Promise<void>;
  remove(): Promise<void>;
}

/** `cli` is the `temporal` program that the run has found. */
export async function startPrivateTemporal({ cli }: { cli: string }): Promise<PrivateTemporal> {
  const folder = await mkdtemp(join(tmpdir(), 'order-saga-temporal-'));
  const ports = new Map<string, number>();
  const context: LaunchContext = {
    env: { ...process.env, PATH: `${join(cli, '..')}:${process.env['PATH']}` },
    folder,
    keepsData: true,
    takePort: async (name) => {
      const port = ports.get(name) ?? (await freePort());
      ports.set(name, port);
      return port;
    },
    say: () => {},
    useConfigured: false,
    installWithSudo: false,
  };
  let server: Dependency<TemporalAddresses> = await startTemporal(context);
  return {
    address: server.addresses.address,
    async kill() {
      if (server.pid === undefined) throw new Error('the private Temporal has no process of its own');
      process.kill(server.pid, 'SIGKILL');
      await server.stop();
    },
    async start() {
      server = await startTemporal(context);
    },
    async remove() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
