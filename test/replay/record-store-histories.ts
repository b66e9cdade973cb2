import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { startSagaEnvironment, type SagaEnvironment } from '../setup/saga-environment.ts';
import { claimFates } from './claim-fates.ts';
import { decidedAheadFates } from './decided-ahead-fates.ts';
import { writeHistory } from './history-files.ts';
import { breakable, storeFates } from './store-fates.ts';
import { waitFates } from './wait-fates.ts';

const historyFates = { ...storeFates, ...claimFates, ...waitFates, ...decidedAheadFates };

/* Records the histories of orders of which no story is told; with `npm run record-histories`. */
describe('recording histories that have no story', () => {
  let saga: SagaEnvironment;
  beforeAll(async () => {
    saga = await startSagaEnvironment({ wrap: breakable.wrap });
  });
  afterAll(() => saga?.close());

  test.each(Object.entries(historyFates))('%s', async (name, lead) => {
    const order = await lead(saga);
    await order.result();
    await saga.check(order.orderId);
    await writeHistory(
      { temporalCli: inject('temporalCli'), temporalAddress: inject('temporalAddress') },
      { name, workflowId: order.workflowId, runId: order.firstExecutionRunId },
    );
    expect((await order.describe()).status.name).toBe('COMPLETED');
  });
});
