import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { getBulkProgress } from '../../workflows/dead-letter-messages.ts';
import { until } from '../setup/saga-environment.ts';
import { startDeadLetterFixture, type DeadLetterFixture } from '../support/dead-letter-fixture.ts';
import { writeHistory } from './history-files.ts';

/* Records the histories of acts on dead letters anew; with `npm run record-histories`. */
describe('recording histories of acts on dead letters', () => {
  let fixture: DeadLetterFixture;
  beforeAll(async () => {
    fixture = await startDeadLetterFixture();
  });
  afterAll(() => fixture?.close());

  const failed = (count: number) => Array.from({ length: count }, () => ({ messageId: randomUUID() }));
  const write = (name: string, act: { workflowId: string; firstExecutionRunId: string }) =>
    writeHistory(
      { temporalCli: inject('temporalCli'), temporalAddress: inject('temporalAddress') },
      { name, workflowId: act.workflowId, runId: act.firstExecutionRunId },
    );

  test('dead-letters-replayed', async () => {
    await fixture.fail(failed(40));
    await fixture.indexed(40);
    const act = await fixture.start({ ratePerSecond: 20, patch: { url: 'https://new.example' } });
    expect((await act.result()).settled).toBe(40);
    await write('dead-letters-replayed', act);
  });

  test('dead-letters-cancelled', async () => {
    await fixture.fail(failed(60));
    await fixture.indexed(60);
    const act = await fixture.start({ act: 'discard', ratePerSecond: 20 });
    await until(
      () => act.query(getBulkProgress),
      ({ settled }) => settled > 0,
    );
    await act.cancel();
    await expect(act.result()).rejects.toThrow('cancel');
    await write('dead-letters-cancelled', act);
  });
});
