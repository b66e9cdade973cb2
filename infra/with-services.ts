import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeAbandonedFolders } from './abandoned-folders.ts';
import { serviceAddresses, type Services, startServices } from './dependencies/start-services.ts';
import { freePort } from './ports.ts';
import { stopAllProcesses } from './processes.ts';
import { runtimeFolder } from './runtime-folder.ts';
import { untilSignal } from './until-signal.ts';

/** Exit code of a command ended by Ctrl-C: 128 and the number of SIGINT, as shells have it. */
const INTERRUPTED = 130;

export type ServicesForUse = {
  services: Services;
  /** JSON of `serviceAddresses`, for child processes. */
  addressFile: string;
};

/**
 * Starts private Temporal, RabbitMQ and Redis on empty data, lets `use` work with them and stops them afterwards, also on failure and Ctrl-C.
 * Returns the exit code: what `use` returned, 1 when something failed.
 */
export async function withServices(options: {
  /** Folder below `.runtime`, emptied first. */
  name: string;
  args: readonly string[];
  use: (started: ServicesForUse) => Promise<number>;
}): Promise<number> {
  let over = false;
  const interrupted = untilSignal().then(() => {
    over = true;
    return INTERRUPTED;
  });
  try {
    return await Promise.race([run(options, () => over), interrupted]);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  } finally {
    await stopAllProcesses();
  }
}

async function run(options: Parameters<typeof withServices>[0], isOver: () => boolean): Promise<number> {
  await removeAbandonedFolders(runtimeFolder);
  const folder = join(runtimeFolder, `${options.name}-${process.pid}`);
  const services = await startServices({
    env: process.env,
    folder,
    keepsData: false,
    takePort: () => freePort(),
    // What is stopped while it starts complains; nobody needs to read that.
    say: (line) => void (isOver() || console.log(line)),
    useConfigured: false,
    installWithSudo: options.args.includes('--install'),
  });
  const addressFile = join(folder, 'addresses.json');
  writeFileSync(addressFile, JSON.stringify(serviceAddresses(services)));
  try {
    return await options.use({ services, addressFile });
  } finally {
    await services.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
