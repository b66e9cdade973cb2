import { expect, it } from 'vitest';
import type { Store, StoreTransaction } from '../ports/store.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { countCommitted } from './count-committed.ts';

const createdAtUtc = '2026-01-02T03:00:00.000Z';

/** A store that runs each transaction `times` over and then commits it, or not. */
function fakeStore(options: { times?: number; commits?: boolean; earlier?: string[] } = {}): Store {
  const { times = 1, commits = true, earlier = [] } = options;
  const tx = {
    orders: { find: async (orderId: string) => ({ orderId, createdAtUtc }) },
    messages: { add: async () => {} },
  } as unknown as StoreTransaction;
  return {
    async transaction<T>(work: (tx: StoreTransaction) => Promise<T>) {
      let result = await work(tx);
      for (let n = 1; n < times; n += 1) result = await work(tx);
      if (!commits) throw new Error('rolled back');
      return result;
    },
    read: { events: async () => earlier.map((eventType) => ({ eventType })) },
  } as unknown as Store;
}

async function commit(
  event: { type: string; payload?: object; at?: string; sequence?: number },
  options?: Parameters<typeof fakeStore>[0],
): Promise<string[]> {
  const metrics = createMetrics('worker');
  const store = countCommitted(fakeStore(options), metrics);
  const body = {
    occurredAtUtc: event.at ?? createdAtUtc,
    payload: { orderId: 'o-1', currency: 'INR', totalAmount: 1499, ...event.payload },
  };
  await store
    .transaction(async (tx) => {
      await tx.orders.find('o-1' as never);
      const sequence = event.sequence ?? 1;
      const message = { type: event.type, sequence, orderId: 'o-1', payload: JSON.stringify(body) };
      await tx.messages.add(message as never);
    })
    .catch(() => {});
  await new Promise(setImmediate);
  const text = await metrics.registry.metrics();
  return text.split('\n').filter((line) => /^(order|payment)\S+ (?!0$)/.test(line));
}

it('counts a charge in major units of its currency', async () => {
  expect(await commit({ type: 'payment.processed.v1' })).toEqual([
    'order_events_total{type="payment.processed.v1"} 1',
    'payments_charged_major_units_total{currency="INR"} 1499',
  ]);
});

it('counts what was given back, which may be less than the charge', async () => {
  const lines = await commit({ type: 'payment.refunded.v1', payload: { refundedAmount: 99.5 } });
  expect(lines).toContain('payments_refunded_major_units_total{currency="INR"} 99.5');
});

it('counts once what was run again, and nothing of what was rolled back or has no place among the events', async () => {
  const once = 'order_events_total{type="order.created.v1"} 1';
  expect(await commit({ type: 'order.created.v1' }, { times: 3 })).toEqual([once]);
  expect(await commit({ type: 'order.created.v1' }, { commits: false })).toEqual([]);
  expect(await commit({ type: 'email.order-confirmation.v1', sequence: 0 })).toEqual([]);
});

it('measures an order from its recording to its end, with the failure type', async () => {
  const at = '2026-01-02T03:00:04.000Z';
  const lines = await commit({ type: 'order.failed.v1', at, payload: { failureType: 'OutOfStock' } });
  expect(lines).toContain('orders_ended_total{status="failed",failure_type="OutOfStock"} 1');
  expect(lines).toContain('order_duration_seconds_sum{status="failed"} 4');
});

it('measures shipping apart for orders that waited for a person', async () => {
  const shipped = { type: 'shipment.generated.v1', at: '2026-01-02T03:00:30.000Z' };
  const straight = await commit(shipped, { earlier: ['order.created.v1'] });
  expect(straight).toContain('order_time_to_ship_seconds_sum{held="no"} 30');
  const held = await commit(shipped, { earlier: ['order.created.v1', 'order.held.v1'] });
  expect(held).toContain('order_time_to_ship_seconds_sum{held="yes"} 30');
});

it('tells parked steps from parked compensations', async () => {
  const parked = (activity: string) =>
    commit({ type: 'order.parked.v1', payload: { step: 'payment', activity } });
  expect(await parked('payment')).toContain('orders_parked_total{step="payment",direction="forward"} 1');
  expect(await parked('refundPayment')).toContain(
    'orders_parked_total{step="payment",direction="compensating"} 1',
  );
});
