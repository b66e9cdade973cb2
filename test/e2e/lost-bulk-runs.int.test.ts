import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../../api/app.ts';
import { createBulkRuns } from '../../adapters/temporal/bulk-runs.ts';
import { createDeadLetterWorkflows } from '../../adapters/temporal/dead-letters.ts';
import { createOrderActWorkflows } from '../../adapters/temporal/bulk-orders.ts';
import { fakeDeps, operatorKey, send, shopKey } from '../../api/testing/fake-deps.ts';
import { bulkActSubject, lostBulkState } from '../../domain/lost-bulk.ts';
import { bulkWorkflowIdOf, orderActWorkflowIdOf, taskQueues } from '../../domain/ids.ts';
import type { OrderView } from '../../domain/order.ts';
import { systemClock } from '../../ports/clock.ts';
import type { LostBulkRun } from '../../ports/temporal.ts';
import { sweepBulkRuns } from '../../workers/jobs/sweep-bulk-runs.ts';
import { until } from '../setup/saga-environment.ts';
import {
  startDeadLetterFixture,
  tasksQueue,
  type DeadLetterFixture,
} from '../support/dead-letter-fixture.ts';
import { startOpsFixture, type OpsFixture } from '../support/ops-fixture.ts';
import { sagaSuite } from './saga-suite.ts';

type Deps = Parameters<typeof fakeDeps>[0] & Pick<DeadLetterFixture, 'store'>;

/** The operators' requests about acts on many that lost their run. */
function given(deps: Deps & { bulkRuns: ReturnType<typeof createBulkRuns> }) {
  const app = createApp(fakeDeps({ clock: systemClock, ...deps }));
  const ask = async (method: string, path: string, body?: unknown, key = operatorKey) => {
    const response = await send(app, method, path, { key, ...(body === undefined ? {} : { body }) });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const { store, bulkRuns } = deps;
  return {
    ask,
    act: (workflowId: string, act: string, key = operatorKey) =>
      ask('POST', `/cases/runs/${workflowId}/${act}`, { reason: 'by mistake', actor: 'ana' }, key),
    listed: async () => (await ask('GET', '/cases/runs')).body['runs'] as LostBulkRun[],
    sweep: () => sweepBulkRuns({ store, bulkRuns, clock: systemClock }),
    /** Temporal's list comes late. */
    found: (workflowId: string) =>
      until(
        () => bulkRuns.lost({ limit: 20 }),
        (lost) => lost.some((one) => one.workflowId === workflowId),
        20_000,
      ),
  };
}

describe('an act on many orders that is terminated', () => {
  const saga = sagaSuite();
  let fixture: OpsFixture;
  beforeAll(async () => {
    fixture = await startOpsFixture(saga());
  });
  afterAll(() => fixture.close());

  const isHeld = ({ hold }: OrderView): boolean => hold !== undefined;

  /** How often it was extended, by its own trail. */
  const extensions = async (id: string): Promise<number> => {
    const rows = await saga().deps.store.read.audit(`order:${id}`);
    return rows.filter(({ reason }) => reason === 'extended in the storm').length;
  };

  test('is found, told once, and goes on without acting twice on what it had acted on', async () => {
    const orders = [];
    for (let count = 0; count < 5; count += 1) {
      orders.push((await saga().start({ paymentMethodId: 'pm_card_chargeDeclined' })).orderId);
    }
    for (const id of orders) await saga().until(id, isHeld);
    const queue = taskQueues(saga().config.TASK_QUEUE_PREFIX).ops;
    const { store } = saga().deps;
    const { client } = saga();
    const { ask, act, listed, sweep, found } = given({
      store,
      orderActs: createOrderActWorkflows(client, queue),
      bulkRuns: createBulkRuns(client, queue),
    });
    const { body } = await ask('POST', '/order-acts', {
      where: { orderIds: orders },
      act: { kind: 'extend', minutes: 600 },
      ratePerSecond: 1,
      reason: 'extended in the storm',
    });
    const id = String(body['actId']);
    const workflowId = orderActWorkflowIdOf(id);
    const [first = ''] = orders;
    await until(
      () => extensions(first),
      (times) => times === 1,
      20_000,
    );
    await client.workflow.getHandle(workflowId).terminate('by mistake');

    expect(await ask('GET', `/order-acts/${id}`)).toMatchObject({
      status: 409,
      body: { code: 'act_run_lost', detail: expect.stringContaining(`cases restart ${workflowId}`) },
    });
    await found(workflowId);
    expect([await sweep(), await sweep()].map((one) => one.found)).toEqual([1, 0]);
    expect(await listed()).toEqual([
      expect.objectContaining({
        workflowId,
        kind: 'order-act',
        failure: expect.stringMatching(/TERMINATED.*extend orders: extended in the storm/),
        acts: ['restart', 'take-note'],
      }),
    ]);
    expect((await act(workflowId, 'restart', shopKey)).status).toBe(403);
    expect((await act(workflowId, 'restart')).status).toBe(200);
    expect((await act(workflowId, 'restart')).status).toBe(409);
    const progress = await until(
      () => ask('GET', `/order-acts/${id}`),
      ({ body: now }) => now['status'] === 'completed',
      40_000,
    );
    expect(progress.body).toMatchObject({ accepted: 5, refused: 0 });
    expect(await Promise.all(orders.map(extensions))).toEqual([1, 1, 1, 1, 1]);
    expect(await listed()).toEqual([]);
    expect((await act(workflowId, 'restart')).status).toBe(409);
    const trail = await store.read.audit(bulkActSubject({ kind: 'order-act', id }));
    expect(trail.map(({ from, to, actor }) => [from, to.replace(/:.*/, ''), actor])).toEqual([
      ['', 'running', 'help-desk'],
      ['running', lostBulkState, 'sweep'],
      ['TERMINATED', 'running', 'ana (help-desk)'],
      ['running', 'completed', 'help-desk'],
    ]);
  });
});

describe('a replay of dead letters that is terminated', () => {
  let fixture: DeadLetterFixture;
  beforeAll(async () => {
    fixture = await startDeadLetterFixture();
  });
  afterAll(() => fixture.close());

  const doorsOf = () =>
    given({
      store: fixture.store,
      bulkRuns: createBulkRuns(fixture.client, fixture.taskQueue),
      deadLetters: {
        workflows: createDeadLetterWorkflows(fixture.client, fixture.taskQueue),
        editRefusal: () => undefined,
      },
    });

  /** A replay of so many, terminated after its first one. */
  async function terminated(name: string, count: number) {
    const ids = Array.from({ length: count }, (_, n) => `${name}-${n}`);
    await fixture.fail(ids.map((messageId) => ({ messageId })));
    await fixture.indexed(count);
    const { ask, ...rest } = doorsOf();
    const body = { all: true, reason: 'the partner is back', ratePerSecond: 2 };
    const begun = await ask('POST', '/dead-letters/replay', body);
    const replayId = String(begun.body['replayId']);
    const workflowId = bulkWorkflowIdOf(replayId);
    const settled = () => fixture.read.countReplay(replayId);
    await until(settled, (now) => now.settled > 0, 20_000);
    await fixture.client.workflow.getHandle(workflowId).terminate('by mistake');
    await rest.found(workflowId);
    return { ids, replayId, workflowId, settled, ask, ...rest };
  }

  test('goes on under its id: what was replayed stays so, and all are replayed in the end', async () => {
    const { ids, replayId, workflowId, settled, ask, act, listed, sweep } = await terminated('goes-on', 8);
    expect((await settled()).settled).toBeLessThan(8);
    expect((await sweep()).found).toBe(1);
    expect(await ask('GET', `/dead-letters/replays/${replayId}`)).toMatchObject({
      status: 409,
      body: { code: 'act_run_lost' },
    });
    expect((await listed()).map((one) => one.workflowId)).toEqual([workflowId]);
    expect((await act(workflowId, 'restart')).status).toBe(200);
    await until(settled, (now) => now.settled === 8, 30_000);
    const sent = (await fixture.drain(tasksQueue)).map(({ properties }) => String(properties.messageId));
    expect(sent.toSorted()).toEqual(ids);
    expect(await fixture.total()).toBe(0);
  });

  test('may be left as it ended: it leaves the list', async () => {
    const { workflowId, act, listed } = await terminated('noted', 4);
    expect((await listed()).map((one) => one.workflowId)).toEqual([workflowId]);
    expect((await act(workflowId, 'take-note')).status).toBe(200);
    expect(await listed()).toEqual([]);
    expect((await act(workflowId, 'restart')).status).toBe(409);
  });

  test('is the same replay under the same key, and another body under it is refused', async () => {
    const { ask } = doorsOf();
    const app = createApp(
      fakeDeps({
        store: fixture.store,
        clock: systemClock,
        deadLetters: {
          workflows: createDeadLetterWorkflows(fixture.client, fixture.taskQueue),
          editRefusal: () => undefined,
        },
      }),
    );
    const key = crypto.randomUUID();
    const replay = async (reason: string) => {
      const headers = { 'idempotency-key': key };
      const body = { queue: 'nowhere', reason };
      const response = await send(app, 'POST', '/dead-letters/replay', { key: operatorKey, body, headers });
      return {
        status: response.status,
        body: (await response.json()) as { replayId?: string; code?: string },
      };
    };
    const [one, two] = [await replay('once'), await replay('once')];
    expect(one.body.replayId).toBeDefined();
    expect(two.body.replayId).toBe(one.body.replayId);
    expect((await replay('otherwise')).status).toBe(422);
    await until(
      () => ask('GET', `/dead-letters/replays/${one.body.replayId}`),
      ({ status }) => status === 200,
      20_000,
    );
  });
});
