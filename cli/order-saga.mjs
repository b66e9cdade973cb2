#!/usr/bin/env node
/**
 * `order-saga <command>`, and what the npm scripts of operators call: any Node from 20 on runs it, from any folder, and it
 * runs the program under the Node that came with the packages, with the settings of the clone's `.env`. It prints nothing
 * itself, so that `--json` is JSON.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Programs of their own; everything else is a command of cli/ops.ts. */
const programs = new Map([
  ['temporal', 'infra/temporal.ts'],
  ['catalog', 'workers/catalog.ts'],
  ['audit:verify', 'workers/audit-verify.ts'],
  ['db:purge', 'workers/db-purge.ts'],
]);

const project = join(dirname(fileURLToPath(import.meta.url)), '..');
const ourNode = join(project, 'node_modules', 'node', 'bin', 'node');
if (!existsSync(ourNode)) {
  console.error(`The packages are not installed: run npm start or npm ci in ${project} first.`);
  process.exit(1);
}

const settings = join(project, '.env');
const [first = '', ...rest] = process.argv.slice(2);
const own = programs.get(first);
const [script, args] = own === undefined ? ['cli/ops.ts', process.argv.slice(2)] : [own, rest];
const child = spawn(
  ourNode,
  [...(existsSync(settings) ? [`--env-file=${settings}`] : []), join(project, script), ...args],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      ORDER_SAGA_ADDRESSES:
        process.env['ORDER_SAGA_ADDRESSES'] ?? join(project, '.runtime', 'addresses.json'),
    },
  },
);
const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
for (const signal of signals) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`${ourNode} cannot be run: ${error.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code ?? 1);
  for (const name of signals) process.removeAllListeners(name);
  process.kill(process.pid, signal);
});
