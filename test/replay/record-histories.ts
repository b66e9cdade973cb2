import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { startSagaEnvironment, type SagaEnvironment } from '../setup/saga-environment.ts';
import { writeHistory } from './history-files.ts';
import { fates } from './order-fates.ts';

/*
 * Records test/histories anew: `npm run record-histories`. Until the first tag in a commit of its own with a
 * CHANGELOG line; after it recordings are only added.
 */
describe('recording histories', () => {
  let saga: SagaEnvironment;
  beforeAll(async () => {
    saga = await startSagaEnvironment();
  });
  afterAll(() => saga?.close());

  test.each(Object.entries(fates))('%s', async (name, lead) => {
    const order = await lead(saga);
    await order.result().catch((error: unknown) => error);
    await saga.check(order.orderId);
    await writeHistory(
      { temporalCli: inject('temporalCli'), temporalAddress: inject('temporalAddress') },
      { name, workflowId: order.workflowId, runId: order.firstExecutionRunId },
    );
    const { status } = await order.describe();
    expect(status.name).toBe(name.startsWith('cancelled-by-temporal') ? 'CANCELLED' : 'COMPLETED');
  });
});
