import { expect, it } from 'vitest';
import { closedRunActivity } from '../../domain/recovery.ts';
import type { Standing } from '../../ports/store/upkeep.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { watchOrders } from './watch-orders.ts';

const nowUtc = '2026-01-02T03:10:00.000Z';
const standing: Standing = {
  inFlight: [
    {
      status: 'received',
      sagaState: 'running',
      orders: 3,
      oldestUtc: '2026-01-02T03:00:00.000Z',
      stillSinceUtc: '2026-01-02T03:09:58.000Z',
    },
    {
      status: 'payment_failed',
      sagaState: 'held',
      orders: 2,
      oldestUtc: '2026-01-02T03:00:00.000Z',
      stillSinceUtc: '2026-01-02T03:05:00.000Z',
      waitingSinceUtc: '2026-01-02T03:05:00.000Z',
    },
    {
      status: 'payment_processed',
      sagaState: 'parked',
      parked: { step: 'payment', activity: 'refundPayment' },
      orders: 1,
      oldestUtc: '2026-01-02T02:10:00.000Z',
      stillSinceUtc: '2026-01-02T03:09:00.000Z',
      waitingSinceUtc: '2026-01-02T03:09:00.000Z',
    },
    {
      status: 'payment_processed',
      sagaState: 'parked',
      parked: { step: 'payment', activity: closedRunActivity },
      orders: 2,
      oldestUtc: '2026-01-02T03:09:00.000Z',
      stillSinceUtc: '2026-01-02T03:09:00.000Z',
    },
  ],
  stock: { onHand: 100, reserved: 7, oversold: 0 },
  refunds: [{ state: 'requested', refunds: 2, oldestUtc: '2026-01-02T03:08:00.000Z' }],
  unrecordedOrders: 4,
};

/** What `/metrics` says after each answer was given, the last of them over and over. */
async function shown(answers: (() => Promise<Standing>)[]) {
  const metrics = createMetrics('relay');
  let asked = 0;
  const standingOf = () => (answers[asked++] ?? answers.at(-1))?.();
  const clock = { nowUtc: () => nowUtc };
  const logger = createLogger({ process: 'test', level: 'silent' });
  const store = { upkeep: { standing: standingOf } } as never;
  const watch = watchOrders({ store, metrics, clock, logger, everyMs: 1 });
  await expect.poll(() => asked).toBeGreaterThan(answers.length);
  await watch.close();
  return metrics.registry.metrics();
}

it('shows orders by state, held and parked ones with how long they wait, and the stock', async () => {
  const text = await shown([async () => standing]);
  for (const line of [
    'orders_in_flight{saga_state="running",status="received"} 3',
    'orders_in_flight_still_seconds{saga_state="running"} 2',
    'orders_held{status="payment_failed"} 2',
    'orders_held_oldest_age_seconds{status="payment_failed"} 300',
    'orders_parked{step="payment",direction="compensating"} 1',
    'orders_parked{step="payment",direction="forward"} 0',
    'orders_parked_oldest_age_seconds{step="payment",direction="compensating"} 60',
    'orders_without_run 2',
    'orders_unrecorded 4',
    'refunds_undecided{state="requested"} 2',
    'refunds_undecided_oldest_age_seconds{state="requested"} 120',
    'refunds_undecided{state="pending"} 0',
    'stock_reserved_units 7',
    'stock_oversold_units 0',
    `order_gauges_updated_timestamp_seconds ${Date.parse(nowUtc) / 1_000}`,
  ])
    expect(text).toContain(`${line}\n`);
});

it('keeps what it knows while SQL is away, and forgets what is no more', async () => {
  const away = () => Promise.reject(new Error('SQL is away'));
  expect(await shown([async () => standing, away])).toContain('orders_held{status="payment_failed"} 2');
  const empty: Standing = { inFlight: [], stock: standing.stock, refunds: [], unrecordedOrders: 0 };
  const text = await shown([async () => standing, away, async () => empty]);
  expect(text).toContain('orders_held{status="payment_failed"} 0');
  expect(text).toContain('orders_held_oldest_age_seconds{status="payment_failed"} 0');
  expect(text).toContain('refunds_undecided_oldest_age_seconds{state="requested"} 0');
});
