import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { listening } from './listening.ts';

/** Resolves when the dependency can be used, rejects with the reason when it cannot. */
export type HealthCheck = () => Promise<void> | void;

export interface HealthServer {
  port: number;
  close(): Promise<void>;
}

interface CheckResult {
  name: string;
  status: 'up' | 'down';
  reason?: string;
}

const checkTimeoutMs = 2_000;

/**
 * `/healthz` (200 while the process runs), `/readyz` (200 when every check resolves, 503 otherwise; JSON with one entry
 * per dependency) and `/metrics` for a process without an API. `port` 0 takes a free one; one that is taken is an error
 * that names `setting`. Checks run side by side, each for at most 2 s.
 */
export async function startHealthServer(input: {
  host: string;
  port: number;
  setting: string;
  checks: Readonly<Record<string, HealthCheck>>;
  registry: Registry;
  /** Text that `/metrics` prints after the registry's; its metrics have other names. */
  more?: () => Promise<string>;
  /** What `/readyz` tells besides its checks, and what does not count. */
  facts?: () => Record<string, unknown>;
}): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    answer({ path, response, ...input }).catch((error: unknown) => {
      sendJson(response, 500, { status: 'error', reason: String(error) });
    });
  });
  await listening(server, input);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(input: {
  path: string;
  response: ServerResponse;
  checks: Readonly<Record<string, HealthCheck>>;
  registry: Registry;
  more?: () => Promise<string>;
  facts?: () => Record<string, unknown>;
}): Promise<void> {
  const { response, registry, more = async () => '', facts = () => ({}) } = input;
  switch (input.path) {
    case '/healthz':
      return sendJson(response, 200, { status: 'ok' });
    case '/readyz': {
      const readiness = await readinessOf(input.checks);
      return sendJson(response, readiness.status === 'ready' ? 200 : 503, { ...readiness, ...facts() });
    }
    case '/metrics': {
      const parts = await Promise.all([registry.metrics(), more()]);
      response.writeHead(200, { 'content-type': registry.contentType }).end(parts.join('\n'));
      return;
    }
    default:
      return sendJson(response, 404, { status: 'not found', paths: ['/healthz', '/readyz', '/metrics'] });
  }
}

/** The API's shape, and why a dependency is down. */
async function readinessOf(checks: Readonly<Record<string, HealthCheck>>) {
  const results = await Promise.all(Object.entries(checks).map(run));
  const down = results.filter(({ status }) => status === 'down');
  return {
    status: down.length === 0 ? 'ready' : 'not ready',
    checks: Object.fromEntries(results.map(({ name, status }) => [name, status])),
    reasons: Object.fromEntries(down.map(({ name, reason }) => [name, reason])),
  };
}

async function run([name, check]: [string, HealthCheck]): Promise<CheckResult> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer in ${checkTimeoutMs} ms`)), checkTimeoutMs);
  try {
    await Promise.race([check(), late.promise]);
    return { name, status: 'up' };
  } catch (error) {
    return { name, status: 'down', reason: (error as Error).message };
  } finally {
    clearTimeout(timer);
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
