import { once } from 'node:events';
import type { Server } from 'node:net';

/** Listens; a port that cannot be had is an error that names the setting to change. */
export async function listening(
  server: Server,
  { host, port, setting }: { host: string; port: number; setting: string },
): Promise<void> {
  server.listen(port, host);
  await once(server, 'listening').catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'EADDRINUSE' ? 'another program listens there' : cause.message;
    const act = `free it, or set ${setting} to another port (0 takes a free one)`;
    throw new Error(`Cannot listen on ${host}:${port} (${setting}): ${why}; ${act}`, { cause });
  });
}
