import { join } from 'node:path';
import { applicationProcesses, waitForReadiness } from './application.ts';
import type { ApplicationPorts } from './application-environment.ts';
import type { LogFollower } from './log-follower.ts';
import { isPortFree } from './ports.ts';
import { projectFolder } from './runtime-folder.ts';
import { type Supervised, supervise } from './supervisor.ts';

const READY_TIMEOUT_MS = 90_000;

const portTaken = Symbol('portTaken');

/** Whether a process could not listen on the port that was chosen for it. */
export const isPortTaken = (error: unknown): boolean => error instanceof Error && portTaken in error;

/** Starts API, worker, relay and sandbox side by side and keeps them running. Returns them in the order they are to be stopped. */
export function runApplication(input: {
  environment: NodeJS.ProcessEnv;
  dataFolder: string;
  logs: LogFollower;
}): Supervised[] {
  return applicationProcesses.map(({ name, script, color, graceMs }) =>
    supervise({
      say: input.logs.say,
      spec: {
        name,
        command: process.execPath,
        args: [join(projectFolder, script)],
        env: input.environment,
        folder: projectFolder,
        output: { onLine: input.logs.follow({ name, color }) },
        pidFolder: join(input.dataFolder, 'processes'),
        graceMs,
      },
    }),
  );
}

/**
 * Waits until all four answer `GET /readyz`, without Redis where that is the only thing that is missing. Fails with the
 * name and the last answer of one that does not; `patient` waits without end, for somebody else's servers. Fails with
 * `isPortTaken` when somebody was quicker to listen on one of their ports.
 */
export async function waitForApplication(input: {
  application: readonly Supervised[];
  ports: ApplicationPorts;
  isOver: () => boolean;
  say: (line: string) => void;
  patient: boolean;
}): Promise<void> {
  const { application, ports, isOver, say, patient } = input;
  await Promise.all(
    applicationProcesses.map(({ name }) =>
      waitForReadiness({
        name,
        baseUrl: `http://127.0.0.1:${ports[name]}`,
        timeoutMs: patient ? Number.POSITIVE_INFINITY : READY_TIMEOUT_MS,
        isOver,
        say,
        without: ['redis'],
        async mustGoOn() {
          const hasEnded = application.find((process) => process.name === name)?.current() === undefined;
          if (hasEnded) await requireOwnPorts(name, ports);
        },
      }),
    ),
  );
}

/** Of a process that has ended: throws when another program listens where it wanted to. */
async function requireOwnPorts(
  name: (typeof applicationProcesses)[number]['name'],
  ports: ApplicationPorts,
): Promise<void> {
  for (const port of name === 'sandbox' ? [ports.sandbox, ports.smtp] : [ports[name]]) {
    if (await isPortFree(port)) continue;
    const error = new Error(`${name}: port ${port} was taken by another program`);
    throw Object.assign(error, { [portTaken]: true });
  }
}
