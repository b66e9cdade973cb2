import { join } from 'node:path';
import { applicationProcesses, waitForReadiness } from '../../infra/application.ts';
import { startProcess, type OwnedProcess } from '../../infra/processes.ts';
import { projectFolder } from '../../infra/runtime-folder.ts';
import { freePort } from '../setup/isolation.ts';

type Name = 'api' | 'worker' | 'relay';

/** API, worker and relay as processes of their own, with every line they print kept. */
export async function startProduct(env: Record<string, string>) {
  const ports = { api: await freePort(), worker: await freePort(), relay: await freePort() };
  const lines: string[] = [];
  const running = new Map<Name, OwnedProcess>();

  async function start(name: Name): Promise<void> {
    const { script = '', graceMs } = applicationProcesses.find((one) => one.name === name) ?? {};
    const owned = await startProcess({
      name,
      command: process.execPath,
      args: [join(projectFolder, script)],
      env: {
        PATH: process.env['PATH'],
        API_PORT: String(ports.api),
        WORKER_PORT: String(ports.worker),
        RELAY_PORT: String(ports.relay),
        ...env,
      },
      output: { onLine: (line) => void lines.push(line) },
      ...(graceMs === undefined ? {} : { graceMs }),
    });
    running.set(name, owned);
    await waitForReadiness({
      name,
      baseUrl: `http://127.0.0.1:${ports[name]}`,
      timeoutMs: 60_000,
      isOver: owned.hasExited,
    }).catch((error: Error) => {
      throw new Error(`${error.message}\n${owned.lastLines()}`);
    });
  }

  await Promise.all([start('api'), start('worker'), start('relay')]);
  return {
    api: `http://127.0.0.1:${ports.api}`,
    /** Where each process shows its metrics. */
    metrics: {
      api: `http://127.0.0.1:${ports.api}/metrics`,
      worker: `http://127.0.0.1:${ports.worker}/metrics`,
      relay: `http://127.0.0.1:${ports.relay}/metrics`,
    },
    lines: (): readonly string[] => lines,
    /** Puts another process in the place of one, which is killed as by a crash or ends gracefully. */
    async replace(name: Name, how: 'killed' | 'ended'): Promise<void> {
      const owned = running.get(name);
      if (how === 'killed' && owned) process.kill(owned.pid, 'SIGKILL');
      await owned?.stop();
      await start(name);
    },
    /** Ends all of them gracefully, so that nothing that they know stays untold. */
    async stop(): Promise<void> {
      for (const name of ['api', 'worker', 'relay'] as const) await running.get(name)?.stop();
    },
  };
}
