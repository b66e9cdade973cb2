import { dashboardOf, runbook, temporalOrders } from './panels.ts';
import { ofAll, orZero, perSecond } from './queries.ts';

export const operations = dashboardOf({
  name: 'operations',
  title: 'Operations',
  description:
    'What waits for a person: held and parked orders, dead letters, partners that cannot be reached.',
  panels: [
    {
      title: 'Orders held',
      question: 'How many orders wait for a customer or the help desk?',
      unit: 'short',
      shape: 'number',
      queries: [{ expr: orZero('sum(max by (status) (orders_held))'), legend: 'held' }],
      link: temporalOrders('held', "SagaState='held'"),
    },
    {
      title: 'Orders parked',
      question: 'How many orders wait for an operator to resolve a step?',
      unit: 'short',
      shape: 'number',
      redFrom: 1,
      queries: [{ expr: orZero('sum(max by (step, direction) (orders_parked))'), legend: 'parked' }],
      link: temporalOrders('parked', "SagaState='parked'"),
    },
    {
      title: 'Oldest parked order',
      question: 'How long has the oldest parked order been waiting?',
      unit: 's',
      shape: 'number',
      redFrom: 1_800,
      queries: [{ expr: orZero('max(orders_parked_oldest_age_seconds)'), legend: 'oldest' }],
      link: runbook('OrderParked'),
    },
    {
      title: 'Dead letters',
      question: 'How many messages failed for good and wait to be replayed or discarded?',
      unit: 'short',
      shape: 'number',
      redFrom: 1,
      queries: [{ expr: orZero('sum(max by (queue) (dead_letter_queue_messages))'), legend: 'dead letters' }],
      link: runbook('DeadLetters'),
    },
    {
      title: 'Held, by status',
      question: 'What do customers and help desk have to mend?',
      unit: 'short',
      queries: [{ expr: ofAll('orders_held', 'status'), legend: '{{status}}' }],
      link: temporalOrders('held', "SagaState='held'"),
    },
    {
      title: 'Parked, by step',
      question: 'Which step is stuck, on the way forward or back?',
      unit: 'short',
      queries: [{ expr: ofAll('orders_parked', 'step, direction'), legend: '{{step}} {{direction}}' }],
      link: temporalOrders('parked', "SagaState='parked'"),
    },
    {
      title: 'Oldest held, by status',
      question: 'Does a hold come near its deadline?',
      unit: 's',
      queries: [{ expr: ofAll('orders_held_oldest_age_seconds', 'status'), legend: '{{status}}' }],
      link: temporalOrders('held', "SagaState='held'"),
    },
    {
      title: 'Compensations',
      question: 'Are orders taken back, and does that work?',
      unit: 'ops',
      queries: [
        {
          expr: orZero(
            perSecond('step_attempt_duration_seconds_count', 'activity, result', 'kind="compensation"'),
          ),
          legend: '{{activity}} {{result}}',
        },
      ],
      link: runbook('CompensationFailing'),
    },
    {
      title: 'Dead letters, by queue',
      question: 'Which consumer gives messages up?',
      unit: 'short',
      queries: [{ expr: ofAll('dead_letter_queue_messages', 'queue'), legend: '{{queue}}' }],
      link: runbook('DeadLetters'),
    },
    {
      title: 'Oldest dead letter, by queue',
      question: 'How long has nobody looked at the dead letters?',
      unit: 's',
      queries: [{ expr: ofAll('dead_letter_oldest_age_seconds', 'queue'), legend: '{{queue}}' }],
      link: runbook('DeadLetters'),
    },
    {
      title: 'Partner webhooks',
      question: 'Do partners take what we send them?',
      unit: 'ops',
      queries: [{ expr: orZero(perSecond('webhook_deliveries_total', 'result')), legend: '{{result}}' }],
      link: runbook('PartnerUnreachable'),
    },
    {
      title: 'Webhook endpoints',
      question: 'Has a partner been switched off, or is it given a rest?',
      unit: 'short',
      queries: [
        { expr: ofAll('webhook_endpoints', 'state'), legend: '{{state}}' },
        { expr: orZero('sum(webhook_circuits_open)'), legend: 'circuit open' },
      ],
      link: runbook('PartnerUnreachable'),
    },
  ],
});
