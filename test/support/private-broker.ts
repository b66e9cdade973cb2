import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RabbitmqAddresses } from '../../infra/dependencies/rabbitmq-private.ts';
import { startRabbitmq } from '../../infra/dependencies/rabbitmq.ts';
import type { Dependency, LaunchContext } from '../../infra/dependencies/dependency.ts';
import { freePort } from '../../infra/ports.ts';

/** A RabbitMQ of one suite's own, to be killed, frozen and started again on the same ports with the same data. */
export interface PrivateBroker {
  url: string;
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Stops all its threads, as a machine that hangs does; connections stay open. */
  freeze(): void;
  thaw(): void;
  /** Raises or clears the memory alarm, under which the broker takes no messages. */
  setMemoryAlarm(raised: boolean): Promise<void>;
  remove(): Promise<void>;
}

const run = promisify(execFile);

export async function startPrivateBroker(): Promise<PrivateBroker> {
  const folder = await mkdtemp(join(tmpdir(), 'order-saga-broker-'));
  const ports = new Map<string, number>();
  const context: LaunchContext = {
    env: process.env,
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
  let server: Dependency<RabbitmqAddresses> = await startRabbitmq(context);
  const pid = (): number => {
    if (server.pid === undefined) throw new Error('the private broker has no process of its own');
    return server.pid;
  };

  return {
    url: server.addresses.url,
    async kill() {
      process.kill(pid(), 'SIGKILL');
      await server.stop();
    },
    async start() {
      server = await startRabbitmq(context);
    },
    freeze: () => void process.kill(pid(), 'SIGSTOP'),
    thaw: () => void process.kill(pid(), 'SIGCONT'),
    async setMemoryAlarm(raised) {
      const { origin, username, password } = new URL(server.addresses.managementUrl);
      const authorization = `Basic ${btoa(`${username}:${password}`)}`;
      const overview = await fetch(`${origin}/api/overview`, { headers: { authorization } });
      const { node } = (await overview.json()) as { node: string };
      const env = {
        PATH: process.env['PATH'],
        HOME: join(folder, 'rabbitmq'),
        ERL_EPMD_PORT: String(ports.get('epmd')),
        LANG: 'C.UTF-8',
      };
      const watermark = raised ? '0.0000001' : '0.4';
      await run(
        '/usr/lib/rabbitmq/bin/rabbitmqctl',
        ['-n', node, 'set_vm_memory_high_watermark', watermark],
        {
          env,
        },
      );
    },
    async remove() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
