import { connect } from 'node:net';
import { join } from 'node:path';
import { startProcess } from '../processes.ts';
import type { LaunchContext } from './dependency.ts';
import { findOnPath } from './find-binary.ts';
import { keepRunning } from './keep-running.ts';
import { waitUntilReady } from './wait-until.ts';

/**
 * Erlang's port mapper for one private broker, on a port of its own: the one that Erlang would start by itself
 * is shared by the whole machine and outlives the broker. Undefined when the machine keeps `epmd` off PATH.
 */
export async function startEpmd(options: {
  context: LaunchContext;
  port: number;
}): Promise<{ stop: () => Promise<void> } | undefined> {
  const { context, port } = options;
  const binary = await findOnPath('epmd', context.env, [
    '/usr/local/bin',
    '/usr/lib/erlang/bin',
    '/opt/homebrew/bin',
  ]);
  if (binary === undefined) return undefined;
  const spec = {
    name: 'epmd',
    command: binary,
    args: ['-port', String(port), '-address', '127.0.0.1'],
    env: { ...context.env, ERL_EPMD_RELAXED_COMMAND_CHECK: '' },
    output: { file: join(context.folder, 'logs', 'epmd.log') },
    pidFolder: join(context.folder, 'processes'),
  };
  const server = await startProcess(spec);
  await waitUntilReady(server, () => canConnect(port), 10_000);
  return keepRunning(context, { ready: server, spec, ports: [port] });
}

function canConnect(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port }, () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}
