import { expect, it } from 'vitest';
import type { ProviderCircuit, ProviderSwitch } from '../../domain/providers.ts';
import type { CreateDatabase } from './contract-database.ts';
import { atOnce, time, useDatabase } from './store-fixtures.ts';

const paused = (change: Partial<ProviderSwitch> = {}): ProviderSwitch => ({
  provider: 'carrier',
  state: 'paused',
  actor: 'ज़ोया (help-desk)',
  reason: 'maintenance “tonight”',
  sinceUtc: time(1),
  ...change,
});

const circuit = (change: Partial<ProviderCircuit> = {}): ProviderCircuit => ({
  provider: 'carrier',
  process: 'host-a:17',
  state: 'open',
  reason: 'OutcomeUnknown: 503',
  sinceUtc: time(1),
  reportedAtUtc: time(2),
  ...change,
});

export function describeSwitches(createDatabase: CreateDatabase): void {
  const context = useDatabase(createDatabase, 2);
  const change = (input: ProviderSwitch) => context.store.transaction((tx) => tx.providers.change(input));

  it('changes a switch only from one state to the other, and keeps who did it first', async () => {
    const { store } = context;
    const resumed = paused({ state: 'running', actor: 'grace', reason: 'back', sinceUtc: time(5) });
    expect(await change({ ...resumed, provider: 'payments' })).toBe(false);
    expect(await store.read.providers()).toEqual({ switches: [], circuits: [] });
    expect(await change(paused())).toBe(true);
    expect(await change(paused({ actor: 'second', sinceUtc: time(2) }))).toBe(false);
    expect((await store.read.providers()).switches).toEqual([paused()]);
    expect(await change(resumed)).toBe(true);
    expect(await change(resumed)).toBe(false);
    expect(await change(paused({ provider: 'payments' }))).toBe(true);
    expect((await store.read.providers()).switches).toEqual([resumed, paused({ provider: 'payments' })]);
  });

  it('lets one of many operators at the same time change it', async () => {
    await context.store.transaction((tx) => tx.providers.change(paused()));
    const back = paused({ state: 'running' });
    const changed = await atOnce(context.stores, 8, (store, n) =>
      store.transaction((tx) => tx.providers.change({ ...back, actor: `operator-${n}` })),
    );
    expect(changed.filter(Boolean)).toHaveLength(1);
    const [carrier] = (await context.store.read.providers()).switches;
    expect(carrier).toMatchObject({ state: 'running', actor: `operator-${changed.indexOf(true)}` });
  });

  it('keeps the last report of each process and forgets those of processes that are gone', async () => {
    const { store } = context;
    const closed = circuit({ state: 'closed', reason: '', sinceUtc: time(3), reportedAtUtc: time(4) });
    const other = circuit({
      process: 'host-b:4',
      state: 'half-open',
      reportedAtUtc: time(3),
      keyRefused: true,
    });
    await store.transaction(async (tx) => {
      await tx.providers.report(circuit());
      await tx.providers.report(other);
      await tx.providers.report(closed);
    });
    expect((await store.read.providers()).circuits).toEqual([closed, other]);
    await store.transaction((tx) => tx.providers.forget({ reportedBeforeUtc: time(4) }));
    expect((await store.read.providers()).circuits).toEqual([closed]);
  });
}
