import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createPortBook, firstFreePort, freePort, isPortFree } from './ports.ts';

describe('firstFreePort', () => {
  test('takes the wanted port when it is free', async () => {
    expect(await firstFreePort(3000, async () => true)).toBe(3000);
  });

  test('takes the next free one above it otherwise', async () => {
    expect(await firstFreePort(3000, async (port) => port >= 3002)).toBe(3002);
  });

  test('gives up with the range it looked at', async () => {
    await expect(firstFreePort(3000, async () => false)).rejects.toThrow('between 3000 and 3199');
  });
});

test('freePort stays below the range of outgoing connections', async () => {
  const port = await freePort(async () => true);
  expect(port).toBeGreaterThanOrEqual(20_000);
  expect(port).toBeLessThan(32_000);
});

test('isPortFree sees a listening server', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  expect(await isPortFree(port)).toBe(false);
  await new Promise((resolve) => server.close(resolve));
  expect(await isPortFree(port)).toBe(true);
});

describe('the port book', () => {
  let folder: string;
  const file = () => join(folder, 'ports.json');
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'order-saga-ports-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('gives every name a port of its own, also when asked at the same time', async () => {
    const take = createPortBook(file(), async () => true);
    const ports = await Promise.all(['a', 'b', 'c', 'd'].map((name) => take(name)));
    expect(new Set(ports).size).toBe(4);
  });

  test('gives the same port again after a restart', async () => {
    const before = await createPortBook(file(), async () => true)('api');
    expect(await createPortBook(file(), async () => true)('api')).toBe(before);
  });

  test('replaces a remembered port that something else has taken', async () => {
    const before = await createPortBook(file(), async () => true)('api');
    const after = await createPortBook(file(), async (port) => port !== before)('api');
    expect(after).not.toBe(before);
    expect(await createPortBook(file(), async () => true)('api')).toBe(after);
  });
});
