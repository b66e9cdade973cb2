import { join } from 'node:path';
import { startProcess, type ProcessSpec } from '../processes.ts';
import type { Dependency, LaunchContext, Source } from './dependency.ts';
import { keepRunning } from './keep-running.ts';
import { onOwnPorts } from './own-ports.ts';
import { waitUntilReady } from './wait-until.ts';

/** A program that listens on one port of its own. */
interface OwnServer {
  /** As people read it. */
  name: string;
  /** Of its process, its port and its log file. */
  process: string;
  command: string;
  args(port: number): string[];
  url(port: number): string;
  /** Proves that it answers. */
  versionOf(url: string): Promise<string>;
  source: Source;
  graceMs?: number;
}

/** Starts it on a free port, waits until it answers, and starts it again whenever it ends. */
export const runOnOwnPort = (
  context: LaunchContext,
  { name, process, command, args, url, versionOf, source, graceMs }: OwnServer,
): Promise<Dependency<{ url: string }>> =>
  onOwnPorts(context, { name, ports: { port: process } }, async ({ port }) => {
    const spec: ProcessSpec = {
      name: process,
      command,
      args: args(port),
      output: { file: join(context.folder, 'logs', `${process}.log`) },
      pidFolder: join(context.folder, 'processes'),
      ...(graceMs === undefined ? {} : { graceMs }),
    };
    const server = await startProcess(spec);
    const addresses = { url: url(port) };
    let version = '';
    await waitUntilReady(server, async () => void (version = await versionOf(addresses.url)));
    const { stop } = keepRunning(context, { ready: server, spec, ports: [port] });
    return { name, source, version, addresses, pid: server.pid, stop };
  });
