import { existsSync } from 'node:fs';
import { createNotHere, type LaunchContext } from './dependency.ts';
import { findOnPath } from './find-binary.ts';
import { runCommand } from './run-command.ts';
import { stopInstalledServices } from './system-services.ts';

export type Installable = 'redis' | 'rabbitmq' | 'prometheus' | 'alertmanager' | 'chromium';

type PackageManager = {
  command: string;
  /** Brought up to date before an install that failed for want of a package list. */
  refresh: readonly string[];
  install: readonly string[];
  packages: Record<Installable, string>;
  /** Homebrew refuses root and needs no sudo. */
  asRoot: boolean;
};

/** In the order they are looked for. */
const packageManagers: readonly PackageManager[] = [
  {
    command: 'apt-get',
    refresh: ['update'],
    install: ['install', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120'],
    packages: {
      redis: 'redis-server',
      rabbitmq: 'rabbitmq-server',
      prometheus: 'prometheus',
      alertmanager: 'prometheus-alertmanager',
      chromium: 'chromium',
    },
    asRoot: true,
  },
  {
    command: 'dnf',
    refresh: ['makecache'],
    install: ['install', '-y'],
    packages: {
      redis: 'redis',
      rabbitmq: 'rabbitmq-server',
      prometheus: 'golang-github-prometheus',
      alertmanager: 'golang-github-prometheus-alertmanager',
      chromium: 'chromium',
    },
    asRoot: true,
  },
  {
    command: 'apk',
    refresh: ['update'],
    install: ['add'],
    packages: {
      redis: 'redis',
      rabbitmq: 'rabbitmq-server',
      prometheus: 'prometheus',
      alertmanager: 'alertmanager',
      chromium: 'chromium',
    },
    asRoot: true,
  },
  {
    command: 'brew',
    refresh: ['update'],
    install: ['install'],
    packages: {
      redis: 'redis',
      rabbitmq: 'rabbitmq',
      prometheus: 'prometheus',
      alertmanager: 'alertmanager',
      chromium: 'chromium',
    },
    asRoot: false,
  },
];

const INSTALL_TIMEOUT_MS = 600_000;

/** What a person would type on this machine to install a dependency. */
export async function installCommandFor(dependency: Installable, env: NodeJS.ProcessEnv): Promise<string> {
  const manager = (await findManager(env)) ?? packageManagers[0];
  if (manager === undefined) throw new Error('No package manager is described.');
  const command = `${manager.command} ${manager.install.slice(0, 1).join(' ')} ${manager.packages[dependency]}`;
  return manager.asRoot ? `sudo ${command}` : command;
}

// Package managers hold one lock for the whole machine, so that installs of several dependencies queue here instead of failing there.
let queue: Promise<unknown> = Promise.resolve();

/**
 * Installs a dependency's package: by itself as root, with sudo only when `installWithSudo` allows it.
 * A service that the install started is stopped and disabled again; the launcher runs private instances.
 */
export function installPackages(dependency: Installable, context: LaunchContext): Promise<void> {
  const installed = queue.catch(() => {}).then(() => installNow(dependency, context));
  queue = installed;
  return installed;
}

async function installNow(dependency: Installable, context: LaunchContext): Promise<void> {
  const manager = await findManager(context.env);
  if (manager === undefined) throw createNotHere('no known package manager (apt-get, dnf, apk, brew)');
  const isRoot = process.getuid?.() === 0;
  const prefix = installPrefix({ manager, isRoot, installWithSudo: context.installWithSudo });
  if (prefix === undefined) {
    const command = await installCommandFor(dependency, context.env);
    throw createNotHere(`not installed without permission: add --install, or type ${command}`);
  }
  const name = manager.packages[dependency];
  context.say(`${dependency}: installing the package ${name} with ${manager.command}`);
  const run = (args: readonly string[]) => {
    const [command = '', ...rest] = [...prefix, manager.command, ...args];
    return runCommand({
      command,
      args: rest,
      env: { ...context.env, DEBIAN_FRONTEND: 'noninteractive' },
      timeoutMs: INSTALL_TIMEOUT_MS,
      // sudo asks for the password on the terminal.
      interactive: command === 'sudo',
      onProgress: (seconds, line) => context.say(`${dependency}: installing ${name}, ${seconds} s: ${line}`),
    });
  };
  try {
    await run([...manager.install, name]);
  } catch {
    await run(manager.refresh);
    await run([...manager.install, name]);
  }
  /* A browser brings no service. */
  if (manager.asRoot && dependency !== 'chromium')
    await stopInstalledServices({ service: name, prefix, context });
}

/** What an install command is prefixed with; undefined where it may not run: root installs by itself, others only when asked to. */
export function installPrefix(who: {
  manager: Pick<PackageManager, 'asRoot'>;
  isRoot: boolean;
  installWithSudo: boolean;
}): readonly string[] | undefined {
  const { manager, isRoot, installWithSudo } = who;
  if (isRoot) return manager.asRoot ? [] : undefined;
  if (!installWithSudo) return undefined;
  return manager.asRoot ? ['sudo'] : [];
}

async function findManager(env: NodeJS.ProcessEnv): Promise<PackageManager | undefined> {
  for (const manager of packageManagers) {
    const path = await findOnPath(manager.command, env);
    if (path !== undefined && existsSync(path)) return manager;
  }
  return undefined;
}
