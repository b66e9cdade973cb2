import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { killBrokerUnderOrders } from '../support/kill-broker-under-orders.ts';
import { startPrivateBroker, type PrivateBroker } from '../support/private-broker.ts';
import { runbookOf } from '../support/runbook.ts';
import { startRelayingSaga } from '../support/relaying-saga.ts';

let server: PrivateBroker;
let relaying: Awaited<ReturnType<typeof startRelayingSaga>>;
beforeAll(async () => {
  server = await startPrivateBroker();
  relaying = await startRelayingSaga(server);
});
afterAll(async () => {
  await relaying?.close();
  await server?.remove();
});

it('loses no event of 200 orders in flight when the broker is killed and started again, in order per order', async () => {
  expect(runbookOf('BrokerAway')).toContain('Orders go on meanwhile; the outbox drains afterwards.');
  const seen = await relaying.collect();
  await sleep(5_000);
  const counts = await killBrokerUnderOrders({ relaying, server, seen, orders: 200 });
  expect(counts).toMatchObject({ completed: 200, lost: 0, duplicated: 0 });
});
