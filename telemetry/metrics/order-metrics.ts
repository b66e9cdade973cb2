import { eventTypes } from '../../domain/events.ts';
import { businessFailures } from '../../domain/failures.ts';
import { heldStatuses, stepNames } from '../../domain/order.ts';
import type { MetricFactory } from './metric-factory.ts';

/** Where transactions of orders are committed. */
const shownBy = ['worker', 'api'] as const;
const failureTypes = Object.keys(businessFailures);

/** Buckets of what takes an order from milliseconds to days; 60 is the goal of shipping. */
const orderSeconds = [0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 1_800, 3_600, 14_400, 86_400];

/**
 * What became of orders and of their money, counted when the transaction that says so is durable: an attempt that is
 * repeated finds the stored answer and counts nothing.
 */
export const createOrderMetrics = (define: MetricFactory) => ({
  orderEvents: define.counter({
    name: 'order_events_total',
    help: 'Events of orders by type, counted with the transaction that wrote them; the funnel of the steps.',
    labels: { type: eventTypes },
    shownBy,
  }),
  ordersEnded: define.counter({
    name: 'orders_ended_total',
    help: 'Orders that ended, by status and, where they failed, by failure type; a business failure is no fault of ours.',
    labels: { status: 'completed, cancelled, failed', failure_type: 'failure types, or none' },
    shownBy,
  }),
  ordersHeld: define.counter({
    name: 'orders_held_total',
    help: 'Holds that began, by what the order waits for.',
    labels: { status: heldStatuses },
    shownBy,
  }),
  ordersParked: define.counter({
    name: 'orders_parked_total',
    help: 'Steps and compensations that were parked: technical failures beyond their retry window.',
    labels: { step: stepNames, direction: ['forward', 'compensating'] },
    shownBy,
  }),
  paymentsFailed: define.counter({
    name: 'payments_failed_total',
    help: 'Payments that were declined or never authenticated, by failure type.',
    labels: { failure_type: failureTypes },
    shownBy,
  }),
  paymentsCharged: define.counter({
    name: 'payments_charged_major_units_total',
    help: 'Money charged, in major units of the currency (rupees, not paise).',
    labels: { currency: 'ISO 4217 codes' },
    shownBy,
  }),
  paymentsRefunded: define.counter({
    name: 'payments_refunded_major_units_total',
    help: 'Money given back, in major units of the currency (rupees, not paise).',
    labels: { currency: 'ISO 4217 codes' },
    shownBy,
  }),
  orderTimeToShip: define.histogram({
    name: 'order_time_to_ship_seconds',
    help: 'Time from recording an order to its label, in seconds, by whether it was ever held for a person. Goal: 60 for those that were not.',
    labels: { held: ['no', 'yes'] },
    buckets: orderSeconds,
    shownBy,
  }),
  orderDuration: define.histogram({
    name: 'order_duration_seconds',
    help: 'Time from recording an order to its end, in seconds, by the status it ended with.',
    labels: { status: ['completed', 'cancelled', 'failed'] },
    buckets: orderSeconds,
    shownBy,
  }),
});
