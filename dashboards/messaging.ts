import { dashboardOf, runbook, traces } from './panels.ts';
import { ofAll, orZero, perSecond, quantile } from './queries.ts';

export const messaging = dashboardOf({
  name: 'messaging',
  title: 'Messaging',
  description: 'Do events leave the outbox, arrive at the broker and get handled?',
  variables: [{ name: 'queue', label: 'Queue', metric: 'messages_consumed_total', of: 'queue' }],
  panels: [
    {
      title: 'Outbox lag',
      question: 'How old is the oldest event that the broker does not have yet?',
      unit: 's',
      shape: 'number',
      redFrom: 60,
      queries: [{ expr: ofAll('outbox_oldest_age_seconds'), legend: 'oldest' }],
      link: runbook('OutboxLags'),
    },
    {
      title: 'Outbox depth',
      question: 'How many events wait to be published?',
      unit: 'short',
      shape: 'number',
      queries: [{ expr: ofAll('outbox_unpublished_messages'), legend: 'waiting' }],
      link: runbook('OutboxLags'),
    },
    {
      title: 'Set aside',
      question: 'Did the broker refuse messages for good? They stop their order’s later events.',
      unit: 'short',
      shape: 'number',
      redFrom: 1,
      queries: [{ expr: ofAll('outbox_set_aside_messages'), legend: 'set aside' }],
      link: runbook('OutboxSetAside'),
    },
    {
      title: 'Unrouted events',
      question: 'How many events had no subscriber? No failure, but good to know.',
      unit: 'short',
      shape: 'number',
      queries: [{ expr: ofAll('unrouted_messages'), legend: 'unrouted' }],
      link: traces('order-saga-relay'),
    },
    {
      title: 'Published',
      question: 'Does the broker take what it is given?',
      unit: 'ops',
      queries: [{ expr: perSecond('messages_published_total', 'result'), legend: '{{result}}' }],
      link: runbook('BrokerAway'),
    },
    {
      title: 'Event delivery delay',
      question: 'How long after it happened is an event at the broker? Goal: 5 s.',
      unit: 's',
      queries: [
        { expr: quantile(0.5, 'outbox_publish_delay_seconds'), legend: 'p50' },
        { expr: quantile(0.99, 'outbox_publish_delay_seconds'), legend: 'p99' },
      ],
      link: runbook('EventsDelayed'),
    },
    {
      title: 'Confirm latency',
      question: 'How long does the broker take to confirm a message?',
      unit: 's',
      queries: [
        { expr: quantile(0.5, 'message_publish_duration_seconds'), legend: 'p50' },
        { expr: quantile(0.99, 'message_publish_duration_seconds'), legend: 'p99' },
      ],
      link: traces('order-saga-relay'),
    },
    {
      title: 'Consumed, by queue and result',
      question: 'Are messages handled, tried again, or given up? Duplicates are dropped.',
      unit: 'ops',
      queries: [
        {
          expr: perSecond('messages_consumed_total', 'queue, result', 'queue=~"$queue"'),
          legend: '{{queue}} {{result}}',
        },
      ],
      link: runbook('DeadLetters'),
    },
    {
      title: 'Handling time, 99th percentile',
      question: 'Which consumer is slow?',
      unit: 's',
      queries: [
        {
          expr: quantile(0.99, 'message_handling_duration_seconds', 'queue', 'queue=~"$queue"'),
          legend: '{{queue}}',
        },
      ],
      link: traces('order-saga-relay'),
    },
    {
      title: 'Given up',
      question: 'Why were messages dead-lettered?',
      unit: 'ops',
      queries: [
        {
          expr: orZero(perSecond('messages_dead_lettered_total', 'queue, reason')),
          legend: '{{queue}} {{reason}}',
        },
      ],
      link: runbook('DeadLetters'),
    },
    {
      title: 'Messages in RabbitMQ',
      question: 'Do messages pile up at the broker?',
      unit: 'short',
      queries: [
        { expr: 'sum(rabbitmq_queue_messages_ready)', legend: 'ready' },
        { expr: 'sum(rabbitmq_queue_messages_unacked)', legend: 'unacknowledged' },
      ],
      link: runbook('BrokerAway'),
    },
    {
      title: 'Connection to the broker',
      question: 'Are worker and relay connected to RabbitMQ, and does it accept messages?',
      unit: 'short',
      queries: [{ expr: 'sum by (job, state) (broker_state)', legend: '{{job}} {{state}}' }],
      link: runbook('BrokerAway'),
    },
  ],
});
