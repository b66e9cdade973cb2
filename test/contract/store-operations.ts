import { expect, it } from 'vitest';
import { operationKeys } from '../../domain/ids.ts';
import type { Store } from '../../ports/store.ts';
import type { CreateDatabase } from './contract-database.ts';
import { atOnce, newOrderId, time, useDatabase } from './store-fixtures.ts';

export function describeOperations(createDatabase: CreateDatabase): void {
  const context = useDatabase(createDatabase, 5);

  const given = () => {
    const orderId = newOrderId();
    return { orderId, key: operationKeys.processPayment(orderId, 1), step: 'payment' };
  };
  const begin = (store: Store, input: ReturnType<typeof given>, leaseUntilUtc?: string) =>
    store.transaction((tx) => tx.operations.begin({ ...input, ...(leaseUntilUtc && { leaseUntilUtc }) }));

  it('gives 50 attempts at the same time one effect, and every one of them its result', async () => {
    const { stores } = context;
    const input = given();
    const effects: number[] = [];
    const results = await atOnce(stores, 50, (store, index) =>
      store.transaction(async (tx) => {
        const operation = await tx.operations.begin(input);
        if (operation.outcome) return operation.outcome;
        effects.push(index);
        const outcome = { done: { charged: index } };
        expect(await tx.operations.finish({ key: input.key, outcome })).toBe(true);
        return outcome;
      }),
    );
    expect(effects).toHaveLength(1);
    expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1);
  });

  it('lets one of 50 attempts that overlap store its outcome', async () => {
    const { stores, store } = context;
    const input = given();
    const begun = await atOnce(stores, 50, (each) => begin(each, input));
    const fences = begun.map(({ fence }) => fence).sort((a, b) => a - b);
    expect(fences).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    const won = await atOnce(stores, 50, (each, index) =>
      each.transaction((tx) => tx.operations.finish({ key: input.key, outcome: { done: index } })),
    );
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(await store.transaction((tx) => tx.operations.find(input.key))).toMatchObject({
      fence: 50,
      outcome: { done: won.indexOf(true) },
    });
  });

  it('revises a refusal: from then on the answer is the new one', async () => {
    const { store } = context;
    const input = given();
    const refused = { type: 'CardDeclined', reason: 'declined' } as const;
    await begin(store, input, time(9));
    await store.transaction((tx) => tx.operations.finish({ key: input.key, outcome: { refused } }));
    const outcome = { done: { intentId: 'pi_1' } };
    await store.transaction((tx) => tx.operations.revise({ key: input.key, outcome }));
    const found = await store.transaction((tx) => tx.operations.find(input.key));
    expect(found).toMatchObject({ fence: 1, outcome });
    expect(found).not.toHaveProperty('leaseUntilUtc');
  });

  it('returns a stored outcome as it is and changes nothing', async () => {
    const { store } = context;
    const input = given();
    const refused = {
      type: 'CardDeclined',
      reason: 'insufficient funds',
      details: { code: 'card_declined' },
    } as const;
    await begin(store, input);
    await store.transaction((tx) => tx.operations.finish({ key: input.key, outcome: { refused } }));
    expect(await begin(store, input, time(59))).toEqual({ ...input, fence: 1, outcome: { refused } });
    expect(
      await store.transaction((tx) => tx.operations.finish({ key: input.key, outcome: { done: 1 } })),
    ).toBe(false);
    expect((await store.transaction((tx) => tx.operations.find(input.key)))?.outcome).toEqual({ refused });
  });

  it('refuses to finish an operation that never began', async () => {
    const { key } = given();
    const finish = context.store.transaction((tx) => tx.operations.finish({ key, outcome: { done: 1 } }));
    await expect(finish).rejects.toThrow(key);
  });

  it('knows which attempts may still cause effects', async () => {
    const { store } = context;
    const input = given();
    const leased = (nowUtc: string, step = input.step) =>
      store.transaction((tx) => tx.operations.leased({ orderId: input.orderId, step, nowUtc }));
    await begin(store, input, time(10));
    expect(await leased(time(9))).toMatchObject([{ key: input.key, fence: 1, leaseUntilUtc: time(10) }]);
    expect(await leased(time(10))).toEqual([]);
    expect(await leased(time(9), 'shipping')).toEqual([]);

    await begin(store, input, time(20));
    await store.transaction((tx) => tx.operations.endLease({ key: input.key, fence: 1 }));
    expect(await leased(time(9)), 'a stale fence ended the lease of the next attempt').toHaveLength(1);
    await store.transaction((tx) => tx.operations.endLease({ key: input.key, fence: 2 }));
    expect(await leased(time(9))).toEqual([]);

    await begin(store, input, time(30));
    await store.transaction((tx) => tx.operations.finish({ key: input.key, outcome: { done: null } }));
    expect(await leased(time(9)), 'a finished operation still has a lease').toEqual([]);
  });
}
