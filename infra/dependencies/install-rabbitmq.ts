import { isPortFree } from '../ports.ts';
import type { LaunchContext } from './dependency.ts';
import { findOnPath } from './find-binary.ts';
import { installPackages } from './package-manager.ts';
import { runCommand } from './run-command.ts';

/** Where Erlang's shared port mapper listens unless told otherwise. */
const SHARED_EPMD_PORT = 4369;

/** Installs RabbitMQ's package and ends the machine-wide port mapper that the installation leaves running, unless it ran before. */
export async function installRabbitmq(context: LaunchContext): Promise<void> {
  const ranBefore = !(await isPortFree(SHARED_EPMD_PORT));
  await installPackages('rabbitmq', context);
  if (!ranBefore) await stopSharedEpmd(context);
}

/** Asks the port mapper to end; it refuses while a node of somebody else is registered with it. */
async function stopSharedEpmd(context: LaunchContext): Promise<void> {
  const epmd = await findOnPath('epmd', context.env);
  if (epmd === undefined || (await isPortFree(SHARED_EPMD_PORT))) return;
  await runCommand({ command: epmd, args: ['-kill'], env: context.env }).catch(() => {});
}
