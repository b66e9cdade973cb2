import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
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

  test('a history that does not fit is noticed', async () => {
    const completed = recorded.filter(({ name }) => name === 'completed');
    const changed = JSON.stringify(completed).replaceAll('generateShipment', 'printShipment');
    const [error] = (await replay(JSON.parse(changed) as RecordedHistory[])).values();
    expect(String(error)).toMatch(/determinism/i);
  });
});

/** Replays histories on the present code; errors by workflow id. */
async function replay(recordings: readonly RecordedHistory[]): Promise<Map<string, unknown>> {
  const histories = recordings.map((one) => ({ workflowId: one.workflowId, history: historyOf(one) }));
  const results = Worker.runReplayHistories({ workflowBundle: await testBundle() }, histories);
  const errors = new Map<string, unknown>();
  for await (const { workflowId, error } of results) errors.set(workflowId, error);
  return errors;
}
