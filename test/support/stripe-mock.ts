import { copyFile, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findOnPath, firstExecutable } from '../../infra/dependencies/find-binary.ts';
import { runCommand } from '../../infra/dependencies/run-command.ts';
import { waitUntilReady } from '../../infra/dependencies/wait-until.ts';
import { freePort } from '../../infra/ports.ts';
import { startProcess } from '../../infra/processes.ts';
import { binFolder, sharedBinFolder } from '../../infra/runtime-folder.ts';

const VERSION = 'v0.203.0';
const BUILD_TIMEOUT_MS = 180_000;

/**
 * The program that checks requests against Stripe's own description of its API: from PATH, from an earlier build, or
 * built with Go (7 s, once). `missing` says why there is none.
 */
export async function findStripeMock(): Promise<{ path: string } | { missing: string }> {
  const shared = join(sharedBinFolder(process.env), `stripe-mock-${VERSION}`);
  const found = (await findOnPath('stripe-mock', process.env)) ?? (await firstExecutable([shared]));
  if (found !== undefined) return { path: found };
  const go = await findOnPath('go', process.env, ['/usr/local/go/bin']);
  if (go === undefined) return { missing: 'no stripe-mock and no go on PATH to build it with' };
  try {
    await mkdir(binFolder, { recursive: true });
    const args = ['install', `github.com/stripe/stripe-mock@${VERSION}`];
    const env = { ...process.env, GOBIN: binFolder };
    await runCommand({ command: go, args, env, timeoutMs: BUILD_TIMEOUT_MS });
  } catch (error) {
    return { missing: `stripe-mock could not be built: ${String(error)}` };
  }
  await mkdir(dirname(shared), { recursive: true });
  await copyFile(join(binFolder, 'stripe-mock'), `${shared}.${process.pid}`);
  await rename(`${shared}.${process.pid}`, shared);
  return { path: shared };
}

/** Runs it on a free loopback port until `stop`. */
export async function startStripeMock(path: string): Promise<{ url: string; stop(): Promise<void> }> {
  const address = `127.0.0.1:${await freePort()}`;
  const child = await startProcess({
    name: 'stripe-mock',
    command: path,
    args: ['-http-addr', address],
    output: { onLine: () => {} },
  });
  const url = `http://${address}`;
  await waitUntilReady(child, () => fetch(url).then(() => undefined), 15_000);
  return { url, stop: () => child.stop() };
}
