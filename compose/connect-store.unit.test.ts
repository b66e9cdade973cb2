import { expect, it } from 'vitest';
import { createMetrics } from '../telemetry/metrics.ts';
import { connectStore, storeHooks } from './connect-store.ts';

it('names what is wrong with an address of no known kind, without repeating its password', async () => {
  const connecting = connectStore({ SQL_URL: 'mysql://user:secret@host/db' });
  const error = await connecting.then(
    () => new Error('connected'),
    (reason: Error) => reason,
  );
  expect(error.message).toContain('expected sqlite:<path>, mssql://user:password@host:port/database');
  expect(error.message).toContain('came an address that begins with "mysql:"');
  expect(error.message).not.toContain('secret');
});

it.each([
  ['mssql://app:secret@host', 'the database is missing'],
  ['Server=host;User Id=app;Password=secret', 'the database is missing'],
])('takes %s for SQL Server', async (url, message) => {
  await expect(connectStore({ SQL_URL: url })).rejects.toThrow(message);
});

it('shows size, use and waiting of the pool, and how long callers waited, as metrics', async () => {
  const metrics = createMetrics();
  const hooks = storeHooks(metrics, () => {});
  hooks.onPool?.({ size: 10, inUse: 7, waiting: 3 });
  hooks.onAcquire?.(0.004, 'acquired');
  hooks.onAcquire?.(2, 'refused');
  const text = await metrics.registry.metrics();
  expect(text).toContain('store_connections{state="in_use"} 7');
  expect(text).toContain('store_connections{state="waiting"} 3');
  expect(text).toContain('store_connection_wait_seconds_count{result="refused"} 1');
});
