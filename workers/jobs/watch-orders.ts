import { heldStatuses, orderStatuses, isEnded, sagaStates, stepNames } from '../../domain/order.ts';
import { closedRunActivity, notedRunActivity } from '../../domain/recovery.ts';
import { undecidedRefundStates } from '../../domain/refunds.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Store } from '../../ports/store.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { repeat } from './repeat.ts';
import type { InFlightGroup, Standing } from '../../ports/store/upkeep.ts';

export type OrderGauges = Pick<
  Metrics,
  | 'ordersInFlight'
  | 'stillInFlight'
  | 'heldOrders'
  | 'oldestHeld'
  | 'parkedOrders'
  | 'oldestParked'
  | 'ordersWithoutRun'
  | 'ordersUnrecorded'
  | 'undecidedRefunds'
  | 'oldestUndecidedRefund'
  | 'stockOnHand'
  | 'stockReserved'
  | 'stockOversold'
  | 'orderGaugesUpdated'
>;

/**
 * Keeps the gauges of orders and stock: one read of SQL every `everyMs` (default 10 s), whoever scrapes and how often.
 * While SQL is away they keep their values, and `order_gauges_updated_timestamp_seconds` says how old they are.
 */
export function watchOrders(deps: {
  store: Pick<Store, 'upkeep'>;
  metrics: OrderGauges;
  clock: Clock;
  logger: Logger;
  everyMs?: number;
}): { close(): Promise<void> } {
  const { store, metrics, clock, logger, everyMs = 10_000 } = deps;
  return repeat({
    everyMs,
    work: async () => showStanding(metrics, await store.upkeep.standing(), clock.nowUtc()),
    onError: (error) => logger.warn({ err: error }, 'the gauges of orders keep their last values'),
  });
}

const openStates = sagaStates.filter((state) => state !== 'ended');
const openStatuses = orderStatuses.filter((status) => !isEnded(status));

/** Every state, status and step has a value, 0 where there is none. */
function showStanding(metrics: OrderGauges, standing: Standing, nowUtc: string): void {
  const { inFlight, stock, refunds, unrecordedOrders } = standing;
  const nowMs = Date.parse(nowUtc);
  const sum = (which: (group: InFlightGroup) => boolean) =>
    inFlight.filter(which).reduce((total, { orders }) => total + orders, 0);
  const age = (which: (group: InFlightGroup) => boolean, since: 'stillSinceUtc' | 'waitingSinceUtc') => {
    const times = inFlight.filter(which).map((group) => Date.parse(group[since] ?? group.oldestUtc));
    return times.length === 0 ? 0 : Math.max(0, nowMs - Math.min(...times)) / 1_000;
  };
  for (const saga_state of openStates) {
    metrics.stillInFlight.set(
      { saga_state },
      age((group) => group.sagaState === saga_state, 'stillSinceUtc'),
    );
    for (const status of openStatuses) {
      const is = (group: InFlightGroup) => group.sagaState === saga_state && group.status === status;
      metrics.ordersInFlight.set({ saga_state, status }, sum(is));
    }
  }
  for (const state of undecidedRefundStates) {
    const found = refunds.find((group) => group.state === state);
    const waitedMs = found ? Math.max(0, nowMs - Date.parse(found.oldestUtc)) : 0;
    metrics.undecidedRefunds.set({ state }, found?.refunds ?? 0);
    metrics.oldestUndecidedRefund.set({ state }, waitedMs / 1_000);
  }
  for (const status of heldStatuses) {
    const is = (group: InFlightGroup) => group.sagaState === 'held' && group.status === status;
    metrics.heldOrders.set({ status }, sum(is));
    metrics.oldestHeld.set({ status }, age(is, 'waitingSinceUtc'));
  }
  for (const step of stepNames) {
    for (const direction of ['forward', 'compensating'] as const) {
      const is = ({ sagaState, parked }: InFlightGroup) =>
        sagaState === 'parked' &&
        parked?.step === step &&
        parked.activity !== closedRunActivity &&
        parked.activity !== notedRunActivity &&
        (parked.activity === step) === (direction === 'forward');
      metrics.parkedOrders.set({ step, direction }, sum(is));
      metrics.oldestParked.set({ step, direction }, age(is, 'waitingSinceUtc'));
    }
  }
  metrics.ordersWithoutRun.set(sum(({ parked }) => parked?.activity === closedRunActivity));
  metrics.ordersUnrecorded.set(unrecordedOrders);
  metrics.stockOnHand.set(stock.onHand);
  metrics.stockReserved.set(stock.reserved);
  metrics.stockOversold.set(stock.oversold);
  metrics.orderGaugesUpdated.set(nowMs / 1_000);
}
