import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { replaceFile } from './whole-file.ts';

/** Below Linux's range for outgoing connections, so that no client socket takes a port between choosing and listening. */
const FIRST_PRIVATE_PORT = 20_000;
const LAST_PRIVATE_PORT = 32_000;
const ATTEMPTS = 200;

export type PortProbe = (port: number) => Promise<boolean>;

/** Whether this process could listen on the loopback port right now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** A free loopback port, chosen at random so that launchers running side by side rarely meet. */
export async function freePort(isFree: PortProbe = isPortFree): Promise<number> {
  const span = LAST_PRIVATE_PORT - FIRST_PRIVATE_PORT;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = FIRST_PRIVATE_PORT + Math.floor(Math.random() * span);
    if (await isFree(port)) return port;
  }
  throw new Error(
    `No free loopback port between ${FIRST_PRIVATE_PORT} and ${LAST_PRIVATE_PORT} in ${ATTEMPTS} attempts.`,
  );
}

/** `first` when it is free, else the next free one above it. */
export async function firstFreePort(first: number, isFree: PortProbe = isPortFree): Promise<number> {
  for (let port = first; port < first + ATTEMPTS; port++) {
    if (await isFree(port)) return port;
  }
  throw new Error(`No free loopback port between ${first} and ${first + ATTEMPTS - 1}.`);
}

export type TakePort = (name: string) => Promise<number>;

/**
 * Hands out one port per name and remembers it in `file`, so that addresses (a bookmarked Web UI) survive a restart.
 * A remembered port that something else has taken meanwhile is replaced by a free one. A book that cannot be written
 * changes nothing but the addresses after a restart, which is said.
 */
export function createPortBook(
  file: string,
  isFree: PortProbe = isPortFree,
  say: (line: string) => void = () => {},
): TakePort {
  const taken = new Set<number>();
  let queue = Promise.resolve(0);
  let saidSo = false;
  const choose = async (name: string): Promise<number> => {
    const book = await readBook(file);
    const usable = (port: number) => (taken.has(port) ? Promise.resolve(false) : isFree(port));
    const remembered = book[name];
    const port = remembered !== undefined && (await usable(remembered)) ? remembered : await freePort(usable);
    taken.add(port);
    try {
      mkdirSync(dirname(file), { recursive: true });
      replaceFile(file, JSON.stringify({ ...book, [name]: port }, null, 2));
    } catch (error) {
      if (!saidSo) say(`Addresses will be others after the next start: ${String(error)}`);
      saidSo = true;
    }
    return port;
  };
  return (name) => (queue = queue.catch(() => 0).then(() => choose(name)));
}

async function readBook(file: string): Promise<Record<string, number>> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Record<string, number>;
  } catch {
    return {};
  }
}
