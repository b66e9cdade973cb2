import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { activityInfo } from '@temporalio/activity';
import type { ActivityDeps } from '../../activities/deps.ts';
import type { Store } from '../../ports/store.ts';

/** Where a worker process ends itself, once: in this activity of this order, around such a call. */
export interface KillPoint {
  activity: string;
  /** Port and method, for example `payments.confirm`, `store.transaction`, `locks.release`. */
  call: string;
  /** `inside` (transactions only): all is written, nothing is committed. */
  when: 'before' | 'inside' | 'after';
  /** At the earliest; 1 unless given. Counted from the call `following` on where that is given. */
  nth?: number;
  following?: string;
}

/** The kill points of one order, kept in a folder that test and worker share. */
export const planFile = (folder: string, workflowId: string): string => join(folder, `${workflowId}.json`);

/** There once the kill has happened: a restarted worker passes the point. */
export const killedFile = (folder: string, workflowId: string, index: number): string =>
  join(folder, `${workflowId}.killed-${index}`);

interface Progress {
  calls: number;
  following: boolean;
}

/**
 * The activities' dependencies, with the kill points of `folder` around them. The code under test is untouched: which
 * order and activity a call belongs to is Temporal's own knowledge.
 */
export function withKillPoints(deps: ActivityDeps, folder: string): ActivityDeps {
  const progress = new Map<string, Progress>();

  function pass(call: string, when: KillPoint['when']): void {
    const { workflowExecution, activityType } = activityInfo();
    const workflowId = workflowExecution?.workflowId ?? '';
    pointsOf(folder, workflowId).forEach((point, index) => {
      if (point.activity !== activityType) return;
      const key = `${workflowId} ${index}`;
      const state = progress.get(key) ?? { calls: 0, following: point.following === undefined };
      progress.set(key, state);
      if (when === 'before' && point.call === call && state.following) state.calls += 1;
      if (when === 'after' && point.following === call) state.following = true;
      const reached = point.call === call && point.when === when && state.calls >= (point.nth ?? 1);
      const marker = killedFile(folder, workflowId, index);
      if (reached && state.following && !existsSync(marker)) dieAt(marker);
    });
  }

  const around =
    <Input, Output>(call: string, method: (input: Input) => Promise<Output>) =>
    async (input: Input): Promise<Output> => {
      pass(call, 'before');
      const output = await method(input);
      pass(call, 'after');
      return output;
    };
  const wrapped = <Port extends object>(
    name: string,
    port: Port,
    methods: readonly (keyof Port & string)[],
  ) =>
    Object.fromEntries(
      methods.map((method) => [method, around(`${name}.${method}`, port[method] as () => Promise<unknown>)]),
    ) as Partial<Port>;

  const { payments, carrier } = deps;
  return {
    ...deps,
    payments: {
      ...payments,
      ...wrapped('payments', payments, [
        'create',
        'confirm',
        'retrieve',
        'findByOperation',
        'listIntents',
        'cancel',
        'refund',
      ]),
    },
    carrier: {
      ...carrier,
      ...wrapped('carrier', carrier, ['createShipment', 'buy', 'retrieve', 'listLabels', 'refundLabel']),
    },
    store: { ...deps.store, transaction: around('store.transaction', transactionDying(deps.store, pass)) },
    locks: {
      async acquire(input) {
        const lock = await deps.locks.acquire(input);
        if (lock.status !== 'acquired') return lock;
        return { ...lock, release: () => around('locks.release', () => lock.release())(undefined) };
      },
    },
  } as ActivityDeps;
}

const transactionDying =
  (store: Store, pass: (call: string, when: KillPoint['when']) => void) =>
  (work: Parameters<Store['transaction']>[0]) =>
    store.transaction(async (tx) => {
      const result = await work(tx);
      pass('store.transaction', 'inside');
      return result;
    });

function pointsOf(folder: string, workflowId: string): KillPoint[] {
  const file = planFile(folder, workflowId);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as KillPoint[]) : [];
}

/** Nothing of this process runs after the marker is written. */
function dieAt(marker: string): never {
  writeFileSync(marker, new Date().toISOString());
  process.kill(process.pid, 'SIGKILL');
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
