import { Client } from '@temporalio/client';
import { createApp } from '../../api/app.ts';
import { fakeDeps, operatorKey, settings } from '../../api/testing/fake-deps.ts';
import { createOrderRuns } from '../../adapters/temporal/runs.ts';
import { createOrderWorkflows } from '../../adapters/temporal/orders.ts';
import { taskQueues, workflowIdOf, type OrderId } from '../../domain/ids.ts';
import type { PolicyChanges } from '../../domain/policy.ts';
import { systemClock } from '../../ports/clock.ts';
import type { Store } from '../../ports/store.ts';
import { sweepCases } from '../../workers/jobs/sweep-cases.ts';
import { sweepUnrecorded } from '../../workers/jobs/sweep-unrecorded.ts';
import type { fulfillOrder } from '../../workflows/index.ts';
import { workflowInput, type SagaEnvironment } from '../setup/saga-environment.ts';

export type CaseAct = 'restart' | 'compensate';

export interface CaseAnswer {
  status: number;
  body: {
    detail?: string;
    code?: string;
    source?: string;
    pending?: string[];
    parked?: { activity?: string };
    cases?: { orderId: string; acts: string[]; failure: string }[];
  };
}

/**
 * The operators' requests about the orders of a saga environment that have lost their run. `forgotten`: Temporal no longer
 * knows with what a run was started; `policy`: that of orders which are started without it.
 */
export function casesFixture(
  saga: SagaEnvironment,
  { forgotten = false, policy = {} }: { forgotten?: boolean; policy?: PolicyChanges } = {},
) {
  const queues = taskQueues(saga.config.TASK_QUEUE_PREFIX);
  const client = new Client({
    connection: saga.client.connection,
    namespace: saga.namespace,
    workflow: { queryRejectCondition: 'NOT_COMPLETED_CLEANLY' },
  });
  const known = createOrderRuns(client, queues);
  const runs = forgotten ? { ...known, input: () => Promise.resolve(undefined) } : known;
  const workflows = createOrderWorkflows(client, queues);
  const app = createApp(
    fakeDeps({
      workflows,
      runs,
      store: saga.deps.store,
      settings: settings({ policy: workflowInput(saga.config, {}, policy).policy, taskQueues: queues }),
    }),
  );
  const ask = async (method: string, path: string, body?: unknown): Promise<CaseAnswer> => {
    const response = await app.request(path, {
      method,
      headers: { authorization: `Bearer ${operatorKey}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return { status: response.status, body: (await response.json()) as CaseAnswer['body'] };
  };
  return {
    runs,
    ask,
    list: () => ask('GET', '/cases'),
    act: (id: OrderId, act: CaseAct, reason = 'the run was terminated by mistake') =>
      ask('POST', `/cases/${id}/${act}`, { reason, actor: 'ana' }),
    sweep: () => sweepCases({ ...saga.deps, runs, clock: systemClock, unchangedForMs: 0 }),
    sweepUnrecorded: (store: Store = saga.deps.store) =>
      sweepUnrecorded({ store, runs, workflows, clock: systemClock, startedForMs: 0 }),
    /** The end of the order's last run. */
    end: (id: OrderId) => saga.client.workflow.getHandle<typeof fulfillOrder>(workflowIdOf(id)).result(),
  };
}
