import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { connectSqlServerStore } from './sqlserver-store.ts';

describe('a SQL Server that cannot be reached', () => {
  const servers: Server[] = [];
  const sockets: Socket[] = [];
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  });

  async function listen(onSocket: (socket: Socket) => void): Promise<number> {
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      onSocket(socket);
    });
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  const connect = (port: number, options = '') =>
    connectSqlServerStore({
      url: `mssql://app:very-secret@127.0.0.1:${port}/shop?connectTimeoutMs=400${options}`,
    });

  async function refusal(connecting: Promise<unknown>): Promise<{ error: Error; ms: number }> {
    const started = performance.now();
    const error = await connecting.then(
      () => new Error('it connected'),
      (reason: unknown) => reason as Error,
    );
    return { error, ms: performance.now() - started };
  }

  it.each([
    ['takes connections and says nothing', () => {}],
    ['hangs up at once', (socket: Socket) => socket.destroy()],
    ['speaks another protocol', (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('is reported within the connect time-out when it %s', async (_, onSocket) => {
    const port = await listen(onSocket);
    const { error, ms } = await refusal(connect(port));
    expect(error).toMatchObject({ type: 'StoreUnavailable' });
    expect(error.message).toContain(`127.0.0.1:${port}/shop`);
    expect(error.message).not.toContain('very-secret');
    expect(ms).toBeLessThan(2_500);
  });

  it('is reported at once when nothing listens', async () => {
    const port = await listen(() => {});
    await new Promise((resolve) => servers.splice(0)[0]?.close(resolve));
    const { error, ms } = await refusal(connect(port));
    expect(error).toMatchObject({ type: 'StoreUnavailable', message: expect.stringContaining('check that') });
    expect(ms).toBeLessThan(2_500);
  });

  it('asks for TLS before it says who it is, unless encryption is switched off by name', async () => {
    const first: Buffer[] = [];
    const port = await listen((socket) => socket.once('data', (data) => first.push(data)));
    await refusal(connect(port));
    await refusal(connect(port, '&encrypt=false'));
    expect(first.map(encryptionWanted)).toEqual([1, 2]);
    expect(Buffer.concat(first).includes(Buffer.from('very-secret', 'utf16le'))).toBe(false);
  });
});

/** The ENCRYPTION option of a TDS PRELOGIN packet: 1 is on, 2 is not supported. */
function encryptionWanted(packet: Buffer): number | undefined {
  for (let at = 8; packet[at] !== 0xff && at < packet.length; at += 5) {
    if (packet[at] === 1) return packet[8 + packet.readUInt16BE(at + 1)];
  }
  return undefined;
}
