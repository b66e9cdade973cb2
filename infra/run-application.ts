import { join } from 'node:path';
import { applicationProcesses, waitForReadiness } from './application.ts';
import type { ApplicationPorts } from './application-environment.ts';
import type { LogFollower } from './log-follower.ts';
import { isPortFree } from './ports.ts';
import { projectFolder } from './runtime-folder.ts';
import { type Supervised, supervise } from './supervisor.ts';

const READY_TIMEOUT_MS = 90_000;

const PORT_ATTEMPTS = 5;

const portTaken = Symbol('portTaken');

/** Whether a process could not listen on the port that was chosen for it. */
const isPortTaken = (error: unknown): error is Error => error instanceof Error && portTaken in error;

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
 * Runs the four processes until they are ready, at most five times: on other ports where somebody was quicker to listen
 * on one of theirs. Answers the ports and what `run` told of that time; what failed otherwise still runs.
 */
export async function runOnOwnPorts<Run extends { application: readonly Supervised[] }>(input: {
  choosePorts: () => Promise<ApplicationPorts>;
  run: (ports: ApplicationPorts) => Promise<Run>;
  isOver: () => boolean;
  say: (line: string) => void;
  patient: boolean;
}): Promise<Run & { ports: ApplicationPorts }> {
  for (let attempt = 1; ; attempt += 1) {
    const ports = await input.choosePorts();
    const run = await input.run(ports);
    try {
      await waitForApplication({ ...input, ports, application: run.application });
      return { ...run, ports };
    } catch (error) {
      if (!isPortTaken(error) || attempt === PORT_ATTEMPTS) throw error;
      input.say(`${error.message}; choosing other ports`);
      for (const { stop } of run.application) await stop();
    }
  }
}

/**
 * Waits until all four answer `GET /readyz`, without Redis where that is the only thing that is missing. Fails with the
 * name and the last answer of one that does not; `patient` waits without end, for somebody else's servers. Fails with
 * `isPortTaken` when somebody was quicker to listen on one of their ports.
 */
async function waitForApplication(input: {
  application: readonly Supervised[];
  ports: ApplicationPorts;
  isOver: () => boolean;
  say: (line: string) => void;
  patient: boolean;
}): Promise<void> {
  const { application, ports, isOver, say, patient } = input;
  let hasFailed = false;
  await Promise.all(
    applicationProcesses.map(({ name }) =>
      waitForReadiness({
        name,
        baseUrl: `http://127.0.0.1:${ports[name]}`,
        timeoutMs: patient ? Number.POSITIVE_INFINITY : READY_TIMEOUT_MS,
        isOver: () => hasFailed || isOver(),
        say,
        without: ['redis'],
        async mustGoOn() {
          const hasEnded = application.find((process) => process.name === name)?.current() === undefined;
          if (hasEnded) await requireOwnPorts(name, ports);
        },
      }).catch((error: unknown) => {
        // Nobody asks the others any more.
        hasFailed = true;
        throw error;
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
