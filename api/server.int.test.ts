import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, connect, type AddressInfo, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { uniqueName } from '../test/setup/isolation.ts';
import { checkoutBody } from './testing/fake-deps.ts';

const entry = fileURLToPath(new URL('server.ts', import.meta.url));
const children: ChildProcess[] = [];
const servers: Server[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
  for (const server of servers.splice(0)) server.close();
});

function run(env: Record<string, string>) {
  const child = spawn(process.execPath, [entry], {
    env: {
      PATH: process.env['PATH'] ?? '',
      API_PORT: '0',
      TASK_QUEUE_PREFIX: uniqueName('api'),
      /* Nothing of these exists: checkout must not care. */
      SQL_URL: 'sqlite:/dev/null/orders.sqlite',
      REDIS_URL: 'redis://127.0.0.1:1',
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  return { child, exited, output: () => output };
}

async function start(env: Record<string, string> = {}) {
  const api = run(env);
  for (;;) {
    const url = /"url":"(http:[^"]+)"/.exec(api.output())?.[1];
    if (url) return { ...api, url };
    const early = await Promise.race([api.exited, new Promise((resolve) => setTimeout(resolve, 20))]);
    if (early !== undefined) throw new Error(`The API ended at its start: ${api.output()}`);
  }
}

const post = (url: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/checkout`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': uniqueName('key'), ...headers },
    body: JSON.stringify(checkoutBody()),
  });

/** Sends raw bytes and returns what came back until the server closed or `ms` passed. */
async function raw(url: string, text: string, ms: number): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let answer = '';
  socket.on('data', (chunk) => (answer += chunk.toString()));
  socket.on('error', () => {});
  socket.write(text);
  await Promise.race([once(socket, 'close'), new Promise((resolve) => setTimeout(resolve, ms))]);
  socket.destroy();
  return answer;
}

describe('the API process', () => {
  test('takes checkouts with workers, SQL and Redis away', async () => {
    const { url, output } = await start();
    expect((await post(url)).status).toBe(202);
    for (let read = 0; read < 2; read += 1) expect((await fetch(`${url}/products`)).status).toBe(503);
    await expect.poll(() => output().match(/the store that SQL_URL names cannot be opened/g)).toHaveLength(1);
    expect(output()).toContain('/dev/null/orders.sqlite');
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([
      200,
      { status: 'ready', checks: { temporal: 'up', store: 'down' } },
    ]);
  });

  test('says at its start that a key or the webhook secret is wrong, and serves', async () => {
    const provider = createHttpServer((_, response) => response.writeHead(401).end('{}')).listen(
      0,
      '127.0.0.1',
    );
    servers.push(provider);
    await once(provider, 'listening');
    const base = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
    const { url, output } = await start({
      STRIPE_SECRET_KEY: 'sk_test_51abc',
      STRIPE_API_BASE: base,
      STRIPE_WEBHOOK_SECRET: 'we_1abc',
      EASYPOST_API_KEY: 'EZTKabc',
      EASYPOST_API_BASE: base,
    });
    for (const words of [
      'STRIPE_WEBHOOK_SECRET is no signing secret',
      'Stripe refuses STRIPE_SECRET_KEY',
      'EasyPost refuses EASYPOST_API_KEY',
    ]) {
      await expect.poll(output, { timeout: 10_000 }).toContain(words);
    }
    expect(output()).not.toMatch(/51abc|we_1abc|EZTKabc/);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  test.each(['refuses connections', 'is silent'])('answers 503 within 2 s while Temporal %s', async (how) => {
    let address = '127.0.0.1:1';
    if (how === 'is silent') {
      const silent = createServer(() => {}).listen(0, '127.0.0.1');
      servers.push(silent);
      await once(silent, 'listening');
      address = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    }
    const { url, output } = await start({ TEMPORAL_ADDRESS: address });
    for (let i = 0; i < 2; i++) {
      const begin = performance.now();
      const response = await post(url);
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('2');
      expect(performance.now() - begin).toBeLessThan(2_000);
    }
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const line = /not ready: [^"]*TEMPORAL_ADDRESS/;
    await expect.poll(output, { timeout: 10_000 }).toMatch(line);
  });

  test('ends slow requests with 408, survives aborted ones, and cuts endless bodies at 413', async () => {
    const { url, output } = await start();
    const head =
      'POST /checkout HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nidempotency-key: a\r\n';
    const slowHead = raw(url, head, 9_000);
    const slowBody = raw(url, `${head}content-length: 100\r\n\r\n{`, 14_000);
    await raw(url, `${head}content-length: 100\r\n\r\n{`, 50);
    await raw(url, `${head}transfer-encoding: chunked\r\n\r\n5\r\n{"cus\r\n`, 50);
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
    const endless = await raw(url, `${head}transfer-encoding: chunked\r\n\r\n${chunk.repeat(6)}`, 1_000);
    expect(endless).toMatch(/^HTTP\/1.1 413 /);
    expect(endless.toLowerCase()).toContain('connection: close');
    expect(await slowHead).toMatch(/^HTTP\/1.1 408 /);
    expect(await slowBody).toMatch(/^HTTP\/1.1 408 /);
    expect((await post(url)).status).toBe(202);
    expect(output()).not.toMatch(/"level":"(error|fatal)"/);
  });

  test('drains on SIGTERM: a waiting checkout is answered, new connections are not, and it exits 0', async () => {
    const { url, child, exited } = await start();
    const waiting = post(url, { prefer: 'wait=20' });
    await new Promise((resolve) => setTimeout(resolve, 600));
    const begin = performance.now();
    child.kill('SIGTERM');
    expect((await waiting).status).toBe(202);
    await expect(exited).resolves.toBe(0);
    expect(performance.now() - begin).toBeLessThan(3_000);
    await expect(post(url)).rejects.toThrow('fetch failed');
  });

  test('refuses to bind where others reach it without callers, naming the fix', async () => {
    const { exited, output } = run({ API_HOST: '0.0.0.0' });
    await expect(exited).resolves.toBe(1);
    expect(output()).toContain('Set API_CALLERS=');
  });

  test('binds elsewhere with callers, and asks for their keys', async () => {
    const callers = JSON.stringify([{ key: 'shop-key-0123456789', callerId: 'shop-a', role: 'shop' }]);
    const { url } = await start({ API_HOST: '0.0.0.0', API_CALLERS: callers });
    const local = url.replace('0.0.0.0', '127.0.0.1');
    expect((await post(local)).status).toBe(401);
    expect((await post(local, { authorization: 'Bearer shop-key-0123456789' })).status).toBe(202);
  });

  test('names the port that is taken', async () => {
    const { url } = await start();
    const { exited, output } = run({ API_PORT: new URL(url).port });
    await expect(exited).resolves.toBe(1);
    expect(output()).toContain('set API_PORT');
  });
});
