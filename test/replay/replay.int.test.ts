import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, Runtime, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { acceptedChanges, isAccepted } from './accepted-changes.ts';
import { claimFates } from './claim-fates.ts';
import { recordedCommands } from './commands.ts';
import { decidedAheadFates } from './decided-ahead-fates.ts';
import { readHistories, type RecordedHistory } from './history-files.ts';
import { mutated } from './mutate-workflows.ts';
import { mutations } from './mutations.ts';
import { fates } from './order-fates.ts';
import { readTrails } from './order-trails.ts';
import { bundleForReplay, replay } from './replay-histories.ts';
import { patchesBehindLocalActivities, splitBehindLocalActivities } from './split-tasks.ts';
import { storeFates } from './store-fates.ts';
import { waitFates } from './wait-fates.ts';

const recorded = await readHistories();

describe('the workflows replay what earlier versions of them recorded', () => {
  let bundle: WorkflowBundleWithSourceMap;
  let misfits: Map<string, string[]>;
  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
    bundle = await bundleForReplay();
    misfits = await replay(recorded, bundle);
  });

  const unaccepted = (lines: string[] | undefined) => lines?.filter((line) => !isAccepted(line));

  test('every fate of an order has its recording', () => {
    const names = Object.keys({ ...fates, ...storeFates, ...claimFates, ...waitFates, ...decidedAheadFates });
    expect(recorded.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
  });

  test('every fate of an order has its audit trail, of which its story is told', () => {
    expect(Object.keys(readTrails())).toEqual(expect.arrayContaining(Object.keys(fates)));
  });

  test('every recording is of a workflow of its own', () => {
    expect(new Set(recorded.map(({ workflowId }) => workflowId)).size).toBe(recorded.length);
  });

  test.each(recorded)('$name', ({ workflowId }) => {
    expect(unaccepted(misfits.get(workflowId))).toEqual([]);
  });

  test.each(mutations)('a mutation has its place and its recordings: $name', (mutation) => {
    const text = readFileSync(new URL(`../../workflows/${mutation.file}`, import.meta.url), 'utf8');
    expect(mutated(text, mutation)).not.toBe(text);
    expect(recorded.map(({ name }) => name)).toEqual(expect.arrayContaining(mutation.noticedIn));
  });

  /* Their runs were recorded by code that decided these where they were met. */
  const decidedBehind = [
    'cancelled-parked-release-tried-later-and-later: parked-compensation-recovers',
    'completed-parked-charge-found: ask-what-people-did',
    'completed-restarted-with-an-address: acts-numbered-in-sql',
  ];

  test('no patch is decided behind a local activity of its workflow task', () => {
    const found = recorded.flatMap((one) =>
      patchesBehindLocalActivities(one).map((patch) => `${one.name}: ${patch}`),
    );
    expect(found).toEqual(decidedBehind);
  });

  /** Not replayed, of runs as they stand where a query was answered in the moment in which a local activity ended. */
  const unfitWhenSplit = async (names: readonly string[]): Promise<string[]> => {
    const split = recorded.filter(({ name }) => names.includes(name)).flatMap(splitBehindLocalActivities);
    expect(split.length).toBeGreaterThan(names.length);
    const lines = await replay(split, bundle);
    return split.flatMap(
      ({ name, workflowId }) =>
        unaccepted(lines.get(workflowId))?.map((line) => `${name}: ${line}`) ?? [`${name}: not replayed`],
    );
  };

  test('what is decided ahead is decided the same where a query was answered when a local activity ended', async () => {
    expect(await unfitWhenSplit(Object.keys(decidedAheadFates))).toEqual([]);
  });

  test('what was decided behind it is not', async () => {
    const unfit = await unfitWhenSplit(decidedBehind.map((line) => line.split(':')[0] ?? ''));
    expect(unfit).toHaveLength(decidedBehind.length);
    expect(unfit).toEqual(unfit.map(() => expect.stringMatching(/patch marker encountered/)));
  });

  test('every change that is accepted is one', () => {
    const lines = [...misfits.values()].flat();
    const unused = acceptedChanges.filter(({ change }) => !lines.some((line) => change.test(line)));
    expect(unused).toEqual([]);
  });

  test('and they do so while traces are recorded, without telling anything', async () => {
    const file = fileURLToPath(new URL('../../workflows/trace-interceptors.ts', import.meta.url));
    const told = vi.fn<() => void>();
    const sinks = { tracing: { run: { fn: told }, act: { fn: told } } };
    const traced = await replay(recorded, await bundleForReplay({ interceptors: [file] }), sinks);
    expect(unaccepted([...traced.values()].flat())).toEqual([]);
    expect(traced.size).toBe(recorded.length);
    expect(told).not.toHaveBeenCalled();
  });

  /** What is noticed in a recording of another past, as if the workflow had been changed since. */
  const noticedIn = async (name: string, text: string, other: string): Promise<string> => {
    const json = JSON.stringify(recorded.filter((one) => one.name === name));
    expect(json).toContain(text);
    const changed = JSON.parse(json.replaceAll(text, other)) as RecordedHistory[];
    return [...(await replay(changed, bundle)).values()].flat().join('\n');
  };

  test('another activity is noticed', async () => {
    expect(await noticedIn('completed', 'generateShipment', 'printShipment')).toMatch(/determinism/i);
  });

  test("an activity's other input is noticed", async () => {
    const [input] = inputsOf('generateShipment', 'completed');
    expect(input).toMatchObject({ n: 1 });
    const [text, other] = [input, { ...input, n: 2 }].map((one) => btoa(JSON.stringify(one)));
    expect(await noticedIn('completed', text ?? '', other ?? '')).toBe(
      'activity 7 generateShipment, input, 0, n: recorded 2, now 1',
    );
  });

  test("an activity's other time limit is noticed", async () => {
    expect(await noticedIn('completed', '"8s"', '"9s"')).toBe(
      'activity 3 verifyAddress, scheduleToCloseMs: recorded 9000, now 8000',
    );
  });

  test("a timer's other duration is noticed", async () => {
    expect(await noticedIn('cancelled-parked-refund', '"0.500s"', '"1s"')).toMatch(
      /^timer \d, durationMs: recorded 1000, now 500$/m,
    );
  });

  test('other search attributes are noticed', async () => {
    expect(await noticedIn('completed', btoa('"inventory_reserved"'), btoa('"received"'))).toBe(
      'search attributes, values, OrderStatus: recorded "received", now "inventory_reserved"',
    );
  });

  test('another end is noticed', async () => {
    const [orderId] = inputsOf('processPayment', 'completed').map((one) => one.orderId);
    const end = (status: string) => btoa(JSON.stringify({ orderId, status }));
    expect(await noticedIn('completed', end('completed'), end('failed'))).toBe(
      'end, result, status: recorded "failed", now "completed"',
    );
  });
});

const inputsOf = (type: string, name: string): { orderId: string }[] =>
  recorded
    .filter((one) => one.name === name)
    .flatMap(recordedCommands)
    .flatMap((one) =>
      one.kind === 'activity' && one.type === type ? [one.input[0] as { orderId: string }] : [],
    );
