import { expect } from 'vitest';
import { expectInvariants, type InvariantCounts } from '../checker/check-invariants.ts';
import type { PrivateBroker } from './private-broker.ts';
import type { startRelayingSaga } from './relaying-saga.ts';

/** What a completed order publishes. */
export const completedSequences = [1, 2, 3, 4, 5, 6];

/**
 * Starts half of the orders, kills the broker (SIGKILL) once some of their events have arrived, starts the other half
 * while it is away, and starts it again: every order completes, and every event has arrived in order per order.
 */
export async function killBrokerUnderOrders(input: {
  relaying: Awaited<ReturnType<typeof startRelayingSaga>>;
  server: PrivateBroker;
  seen: ReadonlyMap<string, number[]>;
  orders: number;
}): Promise<InvariantCounts> {
  const { relaying, server, seen } = input;
  const { saga } = relaying;
  const half = input.orders / 2;
  const startHalf = () => Promise.all(Array.from({ length: half }, () => saga.start()));
  const before = seen.size;
  const orders = await startHalf();
  await expect.poll(() => seen.size - before, { timeout: 20_000 }).toBeGreaterThan(half / 5);
  await server.kill();
  orders.push(...(await startHalf()));
  const results = await Promise.all(orders.map((order) => order.result()));
  expect(results.filter(({ status }) => status === 'completed').length).toBe(input.orders);
  await expect.poll(relaying.unpublished, { timeout: 5_000 }).toBeGreaterThanOrEqual(half * 6);
  await server.start();
  const ids = orders.map(({ orderId }) => orderId);
  const arrived = () => new Map(ids.map((id) => [id, seen.get(id)]));
  const expected = new Map(ids.map((id) => [id, completedSequences]));
  await expect.poll(arrived, { timeout: 60_000 }).toEqual(expected);
  const books = { store: saga.deps.store, sandboxUrl: saga.sandbox.url, acknowledged: ids, only: ids };
  return expectInvariants(books);
}
