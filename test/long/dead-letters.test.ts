import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startProcess, type OwnedProcess } from '../../infra/processes.ts';
import { getBulkProgress } from '../../workflows/dead-letter-messages.ts';
import { until } from '../setup/saga-environment.ts';
import {
  startDeadLetterFixture,
  tasksQueue,
  type DeadLetterFixture,
} from '../support/dead-letter-fixture.ts';

const dlq = `${tasksQueue}.dlq`;
let fixture: DeadLetterFixture;
let worker: OwnedProcess | undefined;
beforeAll(async () => {
  fixture = await startDeadLetterFixture({ worker: false, lookMs: 200 });
});
afterAll(async () => {
  await worker?.stop();
  await fixture.close();
});

/** The product's own worker process. */
const startWorker = () =>
  startProcess({
    name: 'worker',
    command: process.execPath,
    args: [fileURLToPath(new URL('../../workers/worker.ts', import.meta.url))],
    output: { onLine: (line) => void (process.env['LOG_LEVEL'] && console.log(line)) },
    env: { PATH: process.env['PATH'], ...fixture.env, WORKER_PORT: '0' },
  });

const messages = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ messageId: randomUUID(), body: { n, url: 'old' } }));

it('a worker killed at random moments of a replay loses nothing, and repeats only what was on its way', async () => {
  const count = 3_000;
  const failed = messages(count);
  await fixture.fail(failed);
  await fixture.indexed(count, 60_000);
  const act = await fixture.start({ ratePerSecond: 300, patch: { url: 'new' } });
  const kills = 3;
  for (let kill = 0; kill < kills; kill += 1) {
    worker = await startWorker();
    const before = await settled();
    await until(settled, (now) => now > before, 60_000);
    await sleep(Math.random() * 1_500);
    process.kill(worker.pid, 'SIGKILL');
    await worker.exited;
  }
  worker = await startWorker();
  expect(await act.result()).toMatchObject({ status: 'completed', settled: count, left: 0, toGo: 0 });
  await until(
    () => fixture.depth(dlq),
    (depth) => depth === 0,
    60_000,
  );
  const got = await fixture.drain(tasksQueue);
  const ids = got.map(({ properties }) => String(properties.messageId));
  expect(new Set(ids)).toEqual(new Set(failed.map(({ messageId }) => messageId)));
  const repeated = ids.length - count;
  console.log(`${kills} kills: ${count} delivered, ${repeated} of them twice`);
  expect(repeated).toBeLessThanOrEqual(kills * 200);
  const urls = new Set(got.map(({ content }) => (JSON.parse(content.toString()) as { url: string }).url));
  expect(urls).toEqual(new Set(['new']));

  async function settled(): Promise<number> {
    return (await fixture.read.countReplay(replayId())).settled;
  }
  function replayId(): string {
    return act.workflowId.replace('dead-letters-', '');
  }
});

it('lists 20,000 in under a second and replays them at 500 a second or more', async () => {
  const count = 20_000;
  worker ??= await startWorker();
  await fixture.fail(messages(count));
  await fixture.indexed(count, 120_000);
  const listMs = await timed(async () => {
    await fixture.read.groups({});
    await fixture.read.page({ filter: {}, states: ['open'], limit: 100 });
    await fixture.read.count({ filter: {} });
  });
  const act = await fixture.start();
  const startedAt = performance.now();
  const during: number[] = [];
  const watching = setInterval(
    () => void timed(() => fixture.read.groups({})).then((ms) => during.push(ms)),
    1_000,
  );
  await act.result();
  clearInterval(watching);
  const seconds = (performance.now() - startedAt) / 1_000;
  const worst = Math.max(...during).toFixed(0);
  console.log(
    `20,000: list ${listMs.toFixed(0)} ms (at most ${worst} ms during the replay), ` +
      `${(count / seconds).toFixed(0)} a second`,
  );
  expect(Math.max(listMs, ...during)).toBeLessThan(1_000);
  expect(count / seconds).toBeGreaterThanOrEqual(500);
  expect((await act.query(getBulkProgress)).settled).toBe(count);
  await until(
    () => fixture.depth(dlq),
    (depth) => depth === 0,
    120_000,
  );
  const got = await fixture.drain(tasksQueue);
  expect(new Set(got.map(({ properties }) => String(properties.messageId))).size).toBe(count);
  expect(got.length).toBe(count);
});

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
