import { heldStatuses, stepNames } from '../../domain/order.ts';
import { undecidedRefundStates } from '../../domain/refunds.ts';
import type { MetricFactory } from './metric-factory.ts';

/** One process asks SQL for all of these at once, every few seconds; several relays say the same, so take the max. */
const shownBy = ['relay'] as const;

/** How orders and stock stand. */
export const createOrderGauges = (define: MetricFactory) => ({
  ordersInFlight: define.gauge({
    name: 'orders_in_flight',
    help: 'Orders that have not ended, by state of the saga and status of the order.',
    labels: {
      saga_state: ['running', 'held', 'parked', 'compensating'],
      status: 'statuses of orders that have not ended',
    },
    shownBy,
  }),
  stillInFlight: define.gauge({
    name: 'orders_in_flight_still_seconds',
    help: 'How long the order that has not moved for longest has stood still, in seconds, by state of the saga; 0 when there is none.',
    labels: { saga_state: ['running', 'held', 'parked', 'compensating'] },
    shownBy,
  }),
  heldOrders: define.gauge({
    name: 'orders_held',
    help: 'Orders that wait for a person to mend a business failure, by what they wait for.',
    labels: { status: heldStatuses },
    shownBy,
  }),
  oldestHeld: define.gauge({
    name: 'orders_held_oldest_age_seconds',
    help: 'How long the oldest held order has waited, in seconds; 0 when none is held.',
    labels: { status: heldStatuses },
    shownBy,
  }),
  parkedOrders: define.gauge({
    name: 'orders_parked',
    help: 'Orders whose step or compensation is parked and waits for an operator.',
    labels: { step: stepNames, direction: ['forward', 'compensating'] },
    shownBy,
  }),
  oldestParked: define.gauge({
    name: 'orders_parked_oldest_age_seconds',
    help: 'How long the oldest parked order has waited, in seconds; 0 when none is parked.',
    labels: { step: stepNames, direction: ['forward', 'compensating'] },
    shownBy,
  }),
  ordersWithoutRun: define.gauge({
    name: 'orders_without_run',
    help: 'Orders that are open while Temporal has closed their run; an operator restarts or compensates them.',
    shownBy,
  }),
  ordersUnrecorded: define.gauge({
    name: 'orders_unrecorded',
    help: 'Orders that a sweep found at Temporal and not in SQL; an operator restarts them, or finds out why SQL lacks them.',
    shownBy,
  }),
  undecidedRefunds: define.gauge({
    name: 'refunds_undecided',
    help: 'Refunds that wait for the end of a dispute (owed), that the provider has not taken yet (requested) or that are on their way to the customer (pending).',
    labels: { state: undecidedRefundStates },
    shownBy,
  }),
  oldestUndecidedRefund: define.gauge({
    name: 'refunds_undecided_oldest_age_seconds',
    help: 'How long the oldest undecided refund has waited, in seconds; 0 when there is none.',
    labels: { state: undecidedRefundStates },
    shownBy,
  }),
  stockOnHand: define.gauge({
    name: 'stock_on_hand_units',
    help: 'Units on the shelf, over all products.',
    shownBy,
  }),
  stockReserved: define.gauge({
    name: 'stock_reserved_units',
    help: 'Units reserved for orders, over all products.',
    shownBy,
  }),
  stockOversold: define.gauge({
    name: 'stock_oversold_units',
    help: 'Units reserved beyond what is on the shelf, over all products. Must be 0.',
    shownBy,
  }),
  orderGaugesUpdated: define.gauge({
    name: 'order_gauges_updated_timestamp_seconds',
    help: 'When the gauges of orders and stock were last read from SQL, Unix time in seconds.',
    shownBy,
  }),
});
