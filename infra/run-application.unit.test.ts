import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { applicationProcesses } from './application.ts';
import type { ApplicationPorts } from './application-environment.ts';
import type { OwnedProcess } from './processes.ts';
import { freePort } from './ports.ts';
import { runOnOwnPorts } from './run-application.ts';

const alive = {} as OwnedProcess;

/** Answers 404 to everything, or as a part that is ready from the `readyFrom`th time on that somebody asks. */
async function listen(readyFrom?: number): Promise<{ server: Server; port: number }> {
  let asked = 0;
  const status = () => (readyFrom === undefined ? 404 : ++asked < readyFrom ? 503 : 200);
  const server = createServer((_, response) => response.writeHead(status()).end('{}')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

describe('the application, when a port was free while it was chosen', () => {
  let others: Awaited<ReturnType<typeof listen>>;
  let ours: Awaited<ReturnType<typeof listen>>;
  beforeEach(async () => {
    others = await listen();
    ours = await listen(1);
  });
  afterEach(() => {
    for (const { server } of [others, ours]) {
      server.close();
      server.closeAllConnections();
    }
  });

  const everywhere = (port: number): ApplicationPorts => ({
    api: port,
    worker: port,
    relay: port,
    sandbox: port,
    smtp: port,
  });

  /** Runs on one set of ports after the other, then on the last. `ended` has ended whenever it runs on the first set. */
  function launch(sets: [ApplicationPorts, ...ApplicationPorts[]], ended: string) {
    const told: string[] = [];
    const looks = new Map<string, number>();
    let attempt = 0;
    let over = false;
    const result = runOnOwnPorts({
      choosePorts: async () => sets[attempt++] ?? sets[0],
      async run(ports) {
        const now = attempt;
        told.push(`run ${now}`);
        const application = applicationProcesses.map(({ name }) => ({
          name,
          current() {
            looks.set(`${name} ${now}`, (looks.get(`${name} ${now}`) ?? 0) + 1);
            return name === ended && ports === sets[0] ? undefined : alive;
          },
          stop: async () => void told.push(`stop ${name} ${now}`),
        }));
        return { application, attempt: now };
      },
      isOver: () => over,
      say: (line) => told.push(line),
      patient: true,
    });
    return { result, told, looks, end: () => (over = true) };
  }

  test.each<[string, keyof ApplicationPorts]>([
    ['api', 'api'],
    ['relay', 'relay'],
    ['sandbox', 'smtp'],
  ])('runs on others when %s has ended and another program listens on its %s port', async (name, taken) => {
    const own = { [name]: await freePort(), [taken]: others.port };
    const first = { ...everywhere(ours.port), ...own };
    const second = everywhere(ours.port);
    const { result, told } = launch([first, second], name);
    expect(await result).toMatchObject({ ports: second, attempt: 2 });
    expect(told).toEqual([
      'run 1',
      `${name}: port ${others.port} was taken by another program; choosing other ports`,
      ...applicationProcesses.map((process) => `stop ${process.name} 1`),
      'run 2',
    ]);
  });

  test('waits for nobody on the first ports any more', async () => {
    const late = await listen(4 * 5);
    const first = { ...everywhere(ours.port), worker: await freePort(), api: others.port };
    const { result, looks } = launch([first, everywhere(late.port)], 'api');
    await result;
    late.server.close();
    expect(looks.get('worker 2')).toBeGreaterThanOrEqual(4);
    expect(looks.get('worker 1')).toBeLessThan(4);
  });

  test('gives up after five times, and leaves what runs then to the caller', async () => {
    const { result, told } = launch([everywhere(others.port)], 'api');
    await expect(result).rejects.toThrow(`api: port ${others.port} was taken by another program`);
    expect(told.filter((line) => line.startsWith('run'))).toHaveLength(5);
    expect(told).toContain('stop sandbox 4');
    expect(told).not.toContain('stop sandbox 5');
  });

  test('is waited for on the same ports when a process ends for another reason', async () => {
    const first = { ...everywhere(ours.port), api: await freePort() };
    const { result, told, looks, end } = launch([first], 'api');
    result.catch(() => {});
    await expect.poll(() => looks.get('api 1'), { timeout: 10_000 }).toBeGreaterThan(2);
    end();
    await expect(result).rejects.toThrow('api was not ready');
    expect(told).toEqual(['run 1']);
  });
});
