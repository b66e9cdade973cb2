import { existsSync } from 'node:fs';
import type { LaunchContext } from './dependency.ts';
import { findOnPath } from './find-binary.ts';
import { runCommand } from './run-command.ts';

/**
 * Stops and disables the service that a package just installed and started, under systemd, OpenRC or plain init scripts.
 * Nothing is done where the package brought no service or no init system runs.
 */
export async function stopInstalledServices(options: {
  service: string;
  prefix: readonly string[];
  context: LaunchContext;
}): Promise<void> {
  for (const command of await commands(options.service, options.context.env)) {
    const [program = '', ...args] = [...options.prefix, ...command];
    try {
      await runCommand({ command: program, args });
    } catch (error) {
      options.context.say(`${options.service}: could not stop the system's service: ${String(error)}`);
    }
  }
}

async function commands(service: string, env: NodeJS.ProcessEnv): Promise<string[][]> {
  if (existsSync('/run/systemd/system')) return [['systemctl', 'disable', '--now', service]];
  if (!existsSync(`/etc/init.d/${service}`)) return [];
  const found: string[][] = [['/etc/init.d/' + service, 'stop']];
  if (await findOnPath('update-rc.d', env)) found.push(['update-rc.d', service, 'disable']);
  return found;
}
