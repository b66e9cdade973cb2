import { DefaultLogger, Runtime } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import { isAccepted } from '../replay/accepted-changes.ts';
import { readHistories } from '../replay/history-files.ts';
import { withMutatedWorkflows } from '../replay/mutate-workflows.ts';
import { mutations, type Mutation } from '../replay/mutations.ts';
import { bundleForReplay, replay } from '../replay/replay-histories.ts';

const recorded = await readHistories();

/* Whether the replay gate would notice: each mutation is bundled and all histories are replayed on it. */
describe('a changed workflow is noticed by recorded histories', () => {
  beforeAll(() => {
    /* Every mutation fails workflow tasks, each with a warning. */
    Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [], telemetryOptions: quiet });
  });

  /** Names of the histories that do not fit, and what of them does not. */
  const misfitsOf = (mutation: Mutation): Promise<Map<string, string[]>> =>
    withMutatedWorkflows(mutation, async (workflows) => {
      const misfits = await replay(recorded, await bundleForReplay({ workflows }));
      const noticed = recorded.map(({ name, workflowId }): [string, string[]] => [
        name,
        misfits.get(workflowId)?.filter((line) => !isAccepted(line)) ?? [],
      ]);
      return new Map(noticed.filter(([, lines]) => lines.length > 0));
    });

  test.each(mutations)('$name', async (mutation) => {
    const misfits = await misfitsOf(mutation);
    expect([...misfits.keys()]).toEqual(expect.arrayContaining(mutation.noticedIn));
  });

  test('a copy without a mutation fits', async () => {
    const same = { name: 'none', file: 'index.ts', find: 'fulfillOrder', replace: 'fulfillOrder' };
    expect(await misfitsOf({ ...same, noticedIn: [] })).toEqual(new Map());
  });

  test('a mutation whose place has moved says so', async () => {
    const moved = {
      name: 'moved',
      file: 'fulfill-order/ship.ts',
      find: 'no such text',
      replace: '',
      noticedIn: [],
    };
    await expect(misfitsOf(moved)).rejects.toThrow(
      'expected workflows/fulfill-order/ship.ts to hold `no such text` once, found it 0 times',
    );
  });
});

const quiet = { logging: { filter: 'OFF', forward: {} } };
