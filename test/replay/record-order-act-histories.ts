import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { orderActWorkflowIdOf } from '../../domain/ids.ts';
import type { BulkOrderProgress } from '../../domain/order-acts.ts';
import { startSagaEnvironment, until, type SagaEnvironment } from '../setup/saga-environment.ts';
import { startOpsFixture, type OpsFixture } from '../support/ops-fixture.ts';
import { writeHistory } from './history-files.ts';

/* Records the histories of acts on many orders anew; with `npm run record-histories`. */
describe('recording histories of acts on orders', () => {
  let saga: SagaEnvironment;
  let fixture: OpsFixture;
  beforeAll(async () => {
    saga = await startSagaEnvironment();
    fixture = await startOpsFixture(saga);
  });
  afterAll(async () => {
    await fixture.close();
    await saga.close();
  });

  const heldOrders = async (count: number) => {
    const starts = Array.from({ length: count }, () =>
      saga.start({ paymentMethodId: 'pm_card_chargeDeclined' }),
    );
    await Promise.all(starts);
    const held = { sagaState: 'held', open: true } as const;
    await until(
      () => fixture.workflows.count(held),
      (found) => found >= count,
    );
  };
  const begin = async (body: object) => {
    const response = await fixture.http('POST', '/order-acts', { ...body, reason: 'recorded' });
    return (await response.json()) as BulkOrderProgress;
  };
  const progress = async ({ actId }: BulkOrderProgress) =>
    (await (await fixture.http('GET', `/order-acts/${actId}`)).json()) as BulkOrderProgress;
  const write = async (name: string, { actId }: BulkOrderProgress) => {
    const workflowId = orderActWorkflowIdOf(actId);
    const { runId } = await saga.client.workflow.getHandle(workflowId).describe();
    await writeHistory(
      { temporalCli: inject('temporalCli'), temporalAddress: inject('temporalAddress') },
      { name, workflowId, runId },
    );
  };

  test('order-acts-cancelled', async () => {
    await heldOrders(40);
    const act = { kind: 'extend', minutes: 60 };
    const started = await begin({ where: { sagaState: 'held' }, act, ratePerSecond: 3 });
    await until(
      () => progress(started),
      ({ accepted }) => accepted > 0,
    );
    await fixture.http('POST', `/order-acts/${started.actId}/cancel`);
    const end = await until(
      () => progress(started),
      ({ status }) => status === 'cancelled',
    );
    expect(end.accepted).toBeLessThan(40);
    await write('order-acts-cancelled', started);
  });

  test('order-acts-completed', async () => {
    await heldOrders(3);
    const started = await begin({ where: { sagaState: 'held' }, act: { kind: 'cancel' }, ratePerSecond: 5 });
    const end = await until(
      () => progress(started),
      ({ status }) => status === 'completed',
    );
    expect(end.accepted).toBe(3);
    await write('order-acts-completed', started);
  });
});
