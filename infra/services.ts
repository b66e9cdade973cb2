import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serviceAddresses, startServices } from './dependencies/start-services.ts';
import { createPortBook } from './ports.ts';
import { runtimeFolder } from './runtime-folder.ts';
import { untilSignal } from './until-signal.ts';

/**
 * `npm run -s node -- infra/services.ts`: private Temporal, RabbitMQ and Redis in the foreground, for work on the code.
 * Prints their addresses as JSON, writes them to `.runtime/services.json`, and stops everything on SIGINT or SIGTERM.
 */
const folder = join(runtimeFolder, 'services');
const addressFile = join(runtimeFolder, 'services.json');
await mkdir(folder, { recursive: true });
const services = await startServices({
  env: process.env,
  folder,
  keepsData: true,
  takePort: createPortBook(join(folder, 'ports.json')),
  say: (line) => console.error(line),
  useConfigured: false,
  installWithSudo: process.argv.includes('--install'),
});
const addresses = { ...serviceAddresses(services), pid: process.pid };
await writeFile(addressFile, JSON.stringify(addresses, null, 2));
console.log(JSON.stringify(addresses, null, 2));

await untilSignal();
await services.stop();
await rm(addressFile, { force: true });
process.exit();
