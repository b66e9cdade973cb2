import { dashboardOf, runbook, temporalOrders } from './panels.ts';
import { inRange, ofAll, orZero, perSecond, quantile } from './queries.ts';

export const orders = dashboardOf({
  name: 'orders',
  title: 'Orders',
  description: 'Do orders go through, how fast, and where do they leave the path?',
  panels: [
    {
      title: 'Orders started',
      question: 'How many orders were started in this time?',
      unit: 'short',
      shape: 'number',
      queries: [{ expr: inRange('checkouts_total', '', 'result="started"'), legend: 'started' }],
      link: temporalOrders('all orders', "WorkflowType='fulfillOrder'"),
    },
    {
      title: 'Orders completed',
      question: 'How many orders were paid and shipped in this time?',
      unit: 'short',
      shape: 'number',
      queries: [
        { expr: orZero(inRange('orders_ended_total', '', 'status="completed"')), legend: 'completed' },
      ],
      link: temporalOrders('completed', "OrderStatus='completed'"),
    },
    {
      title: 'Time to ship, 95th percentile',
      question: 'How long does an order that nobody had to mend take to its label? Goal: a minute.',
      unit: 's',
      shape: 'number',
      redFrom: 60,
      queries: [{ expr: quantile(0.95, 'order_time_to_ship_seconds', '', 'held="no"'), legend: 'p95' }],
      link: runbook('OrdersShipLate'),
    },
    {
      title: 'Oversold units',
      question: 'Is more reserved than lies on the shelf? Must be 0.',
      unit: 'short',
      shape: 'number',
      redFrom: 1,
      queries: [{ expr: ofAll('stock_oversold_units'), legend: 'oversold' }],
      link: runbook('StockOversold'),
    },
    {
      title: 'Throughput',
      question: 'How many orders a second start, and how many end in which way?',
      unit: 'ops',
      queries: [
        { expr: perSecond('checkouts_total', '', 'result="started"'), legend: 'started' },
        { expr: perSecond('orders_ended_total', 'status'), legend: '{{status}}' },
      ],
      link: temporalOrders('running', "WorkflowType='fulfillOrder' AND ExecutionStatus='Running'"),
    },
    {
      title: 'Funnel by step',
      question: 'Behind which step do orders get lost on the way?',
      unit: 'ops',
      queries: [
        {
          expr: perSecond(
            'order_events_total',
            'type',
            'type=~"order.created.v1|inventory.reserved.v1|payment.processed.v1|fulfillment.created.v1|shipment.generated.v1|order.completed.v1"',
          ),
          legend: '{{type}}',
        },
      ],
      link: temporalOrders('held or parked', "SagaState IN ('held','parked')"),
    },
    {
      title: 'Orders that failed, by kind',
      question: 'Why do orders fail? Declined cards and empty shelves are business, not faults of ours.',
      unit: 'ops',
      queries: [
        {
          expr: orZero(perSecond('orders_ended_total', 'failure_type', 'status="failed"')),
          legend: '{{failure_type}}',
        },
      ],
      link: temporalOrders('failed', "OrderStatus='failed'"),
    },
    {
      title: 'Time to ship',
      question: 'How long do orders take from checkout to label, with and without a person in between?',
      unit: 's',
      queries: [
        { expr: quantile(0.5, 'order_time_to_ship_seconds', 'held'), legend: 'p50, held: {{held}}' },
        { expr: quantile(0.99, 'order_time_to_ship_seconds', 'held'), legend: 'p99, held: {{held}}' },
      ],
      link: runbook('OrdersShipLate'),
    },
    {
      title: 'Orders in flight',
      question: 'Where are the orders that have not ended?',
      unit: 'short',
      queries: [{ expr: ofAll('orders_in_flight', 'status'), legend: '{{status}}' }],
      link: temporalOrders('running', "WorkflowType='fulfillOrder' AND ExecutionStatus='Running'"),
    },
    {
      title: 'Money charged and refunded',
      question: 'How much is charged and refunded, by currency, in its major units a second?',
      unit: 'short',
      queries: [
        { expr: perSecond('payments_charged_major_units_total', 'currency'), legend: 'charged {{currency}}' },
        {
          expr: orZero(perSecond('payments_refunded_major_units_total', 'currency')),
          legend: 'refunded {{currency}}',
        },
      ],
      link: temporalOrders('cancelled or failed', "OrderStatus IN ('cancelled','failed')"),
    },
    {
      title: 'Stock',
      question: 'How much lies on the shelf, and how much of it is promised to orders?',
      unit: 'short',
      queries: [
        { expr: ofAll('stock_on_hand_units'), legend: 'on hand' },
        { expr: ofAll('stock_reserved_units'), legend: 'reserved' },
      ],
      link: runbook('StockOversold'),
    },
    {
      title: 'Payments that failed',
      question: 'Do more cards get declined than usual?',
      unit: 'ops',
      queries: [
        { expr: orZero(perSecond('payments_failed_total', 'failure_type')), legend: '{{failure_type}}' },
      ],
      link: temporalOrders('held for payment', "OrderStatus='payment_failed'"),
    },
  ],
});
