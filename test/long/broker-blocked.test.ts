import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { completedSequences, killBrokerUnderOrders } from '../support/kill-broker-under-orders.ts';
import { startPrivateBroker, type PrivateBroker } from '../support/private-broker.ts';
import { startRelayingSaga } from '../support/relaying-saga.ts';

/** RabbitMQ 3.10 does not bring back a quorum queue that was declared only seconds before it was killed. */
const settledMs = 5_000;

let server: PrivateBroker;
let relaying: Awaited<ReturnType<typeof startRelayingSaga>>;
let seen: Map<string, number[]>;
let settledAt = 0;
beforeAll(async () => {
  server = await startPrivateBroker();
  relaying = await startRelayingSaga(server);
  seen = await relaying.collect();
  settledAt = performance.now() + settledMs;
});
afterAll(async () => {
  await relaying?.close();
  await server?.remove();
});

it('a blocked broker slows the relay, grows the outbox, shows in the metrics and touches no order', async () => {
  await server.setMemoryAlarm(true);
  await relaying.broker.publish(probe());
  await expect.poll(() => relaying.broker.state(), { timeout: 10_000 }).toBe('blocked');
  const orders = await Promise.all(Array.from({ length: 5 }, () => relaying.saga.start()));
  const results = await Promise.all(orders.map((order) => order.result()));
  expect(results.filter(({ status }) => status === 'completed').length).toBe(5);
  await expect.poll(relaying.unpublished, { timeout: 5_000 }).toBeGreaterThanOrEqual(30);
  expect(seen.size).toBe(0);
  expect(await relaying.metrics.registry.metrics()).toContain('broker_state{state="blocked"} 1');
  await server.setMemoryAlarm(false);
  const expected = new Map(orders.map(({ orderId }) => [orderId as string, completedSequences]));
  await expect.poll(() => new Map(seen), { timeout: 20_000 }).toEqual(expected);
  await expect.poll(relaying.unpublished, { timeout: 5_000 }).toBe(0);
  expect(await relaying.metrics.registry.metrics()).toContain('broker_state{state="connected"} 1');
});

/** RabbitMQ tells a connection that it is blocked when that publishes. */
const probe = () => ({
  id: crypto.randomUUID(),
  occurredAtUtc: new Date().toISOString(),
  type: 'probe',
  payload: '{}',
  destination: 'exchange:orders.exchange',
  orderId: 'probe' as never,
  sequence: 0,
  traceparent: '',
});

it('loses no event and no order per order when the broker is killed and started again under orders in flight', async () => {
  await sleep(Math.max(0, settledAt - performance.now()));
  const counts = await killBrokerUnderOrders({ relaying, server, seen, orders: 30 });
  expect(counts).toMatchObject({ completed: 30, lost: 0, duplicated: 0 });
});
