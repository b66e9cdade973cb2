import { join } from 'node:path';
import { projectFolder } from '../runtime-folder.ts';
import { type Candidate, createNotHere, type LaunchContext } from './dependency.ts';
import { runCommand } from './run-command.ts';

const composeFile = join(projectFolder, 'infra', 'temporal-compose.yml');
const UP_TIMEOUT_MS = 600_000;

/**
 * Services of infra/temporal-compose.yml, when a Docker engine answers. The first one is started with all it depends on and waited for;
 * all of them are stopped at the end. Their data stays in named volumes.
 */
export function dockerCandidate<Addresses>(options: {
  name: string;
  services: readonly [string, ...string[]];
  context: LaunchContext;
  addresses: Addresses;
  version: (addresses: Addresses) => Promise<string>;
}): Candidate<Addresses> {
  const { name, context, addresses } = options;
  const [service] = options.services;
  const compose = (...args: string[]) => ['compose', '-f', composeFile, ...args];
  return {
    source: 'docker',
    start: async () => {
      await requireEngine(context.env);
      await runCommand({
        command: 'docker',
        args: compose('up', '--detach', '--wait', service),
        env: context.env,
        timeoutMs: UP_TIMEOUT_MS,
        onProgress: (seconds, line) =>
          context.say(`${name}: docker compose up ${service}, ${seconds} s: ${line}`),
      });
      const stop = async () => {
        await runCommand({ command: 'docker', args: compose('stop', ...options.services), env: context.env });
      };
      return { name, source: 'docker', version: await options.version(addresses), addresses, stop };
    },
  };
}

async function requireEngine(env: NodeJS.ProcessEnv): Promise<void> {
  try {
    await runCommand({
      command: 'docker',
      args: ['info', '--format', '{{.ServerVersion}}'],
      env,
      timeoutMs: 10_000,
    });
  } catch {
    throw createNotHere('no Docker engine answers');
  }
}
