import { join } from 'node:path';
import { applicationProcesses, waitForReadiness } from './application.ts';
import type { ApplicationPorts } from './application-environment.ts';
import type { LogFollower } from './log-follower.ts';
import { projectFolder } from './runtime-folder.ts';
import { type Supervised, supervise } from './supervisor.ts';

const READY_TIMEOUT_MS = 90_000;

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

/** Waits until all four answer `GET /readyz`. Fails with the name and the last answer of one that does not. */
export async function waitForApplication(ports: ApplicationPorts, isOver: () => boolean): Promise<void> {
  await Promise.all(
    applicationProcesses.map(({ name }) =>
      waitForReadiness({
        name,
        baseUrl: `http://127.0.0.1:${ports[name]}`,
        timeoutMs: READY_TIMEOUT_MS,
        isOver,
      }),
    ),
  );
}
