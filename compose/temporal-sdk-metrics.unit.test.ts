import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { Runtime } from '@temporalio/worker';
import { afterAll, describe, expect, test } from 'vitest';
import { installSdkMetrics } from './temporal-sdk-metrics.ts';

describe('the metrics of the Temporal SDK', () => {
  afterAll(() => Runtime._instance?.shutdown());

  test('take another port where somebody else has taken the chosen one meanwhile', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    const free = createServer().listen(0, '127.0.0.1');
    await Promise.all([once(other, 'listening'), once(free, 'listening')]);
    const [taken, next] = [other, free].map((server) => (server.address() as AddressInfo).port);
    free.close();
    await once(free, 'close');
    const ports = [taken ?? 0, next ?? 0];
    const metrics = await installSdkMetrics(
      (telemetryOptions) => Runtime.install({ telemetryOptions, shutdownSignals: [] }),
      async () => ports.shift() ?? 0,
    );
    expect(ports).toEqual([]);
    expect(await metrics.read()).not.toContain('cannot be read');
    other.close();
  });

  test('are not tried again for another cause', async () => {
    const refused = installSdkMetrics(() => {
      throw new Error('Runtime already exists');
    });
    await expect(refused).rejects.toThrow('already exists');
  });
});
