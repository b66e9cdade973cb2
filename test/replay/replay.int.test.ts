import { fileURLToPath } from 'node:url';
import { DefaultLogger, Runtime, Worker, type ReplayWorkerOptions } from '@temporalio/worker';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { bundleOrderWorkflows } from '../../workers/workflow-bundle.ts';
import { testBundle } from '../setup/saga-environment.ts';
import { historyOf, readHistories, type RecordedHistory } from './history-files.ts';
import { fates } from './order-fates.ts';
import { readTrails } from './order-trails.ts';

const recorded = await readHistories();

describe('the workflows replay what earlier versions of them recorded', () => {
  let errors: Map<string, unknown>;
  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
    errors = await replay(recorded);
  });

  test('every fate of an order has its recording', () => {
    expect(recorded.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(fates)));
  });

  test('every fate of an order has its audit trail, of which its story is told', () => {
    expect(Object.keys(readTrails())).toEqual(expect.arrayContaining(Object.keys(fates)));
  });

  test.each(recorded)('$name', ({ workflowId }) => {
    expect(errors.has(workflowId)).toBe(true);
    expect(errors.get(workflowId)).toBeUndefined();
  });

  test('and they do so while traces are recorded, without telling anything', async () => {
    const file = fileURLToPath(new URL('../../workflows/trace-interceptors.ts', import.meta.url));
    const workflowBundle = await bundleOrderWorkflows({
      logger: new DefaultLogger('ERROR'),
      workflowInterceptorModules: [file],
    });
    const told = vi.fn<() => void>();
    const sinks = { tracing: { run: { fn: told }, act: { fn: told } } };
    const traced = await replay(recorded, { workflowBundle, sinks });
    expect([...traced.values()].filter((error) => error !== undefined)).toEqual([]);
    expect(traced.size).toBe(recorded.length);
    expect(told).not.toHaveBeenCalled();
  });

  test('a history that does not fit is noticed', async () => {
    const completed = recorded.filter(({ name }) => name === 'completed');
    const changed = JSON.stringify(completed).replaceAll('generateShipment', 'printShipment');
    const [error] = (await replay(JSON.parse(changed) as RecordedHistory[])).values();
    expect(String(error)).toMatch(/determinism/i);
  });
});

/** Replays histories on the present code; errors by workflow id. */
async function replay(
  recordings: readonly RecordedHistory[],
  options?: ReplayWorkerOptions,
): Promise<Map<string, unknown>> {
  const histories = recordings.map((one) => ({ workflowId: one.workflowId, history: historyOf(one) }));
  const results = Worker.runReplayHistories(options ?? { workflowBundle: await testBundle() }, histories);
  const errors = new Map<string, unknown>();
  for await (const { workflowId, error } of results) errors.set(workflowId, error);
  return errors;
}
