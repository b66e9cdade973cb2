import { dashboardOf, runbook, temporalOrders, traces } from './panels.ts';
import { ofAll, orZero, perSecond, quantile } from './queries.ts';

export const temporalWorker = dashboardOf({
  name: 'temporal-worker',
  title: 'Temporal worker',
  description: 'Are there enough workers, do they keep up, and does their code fit the histories?',
  variables: [{ name: 'task_queue', label: 'Task queue', metric: 'task_queue_pollers', of: 'task_queue' }],
  panels: [
    {
      title: 'Workers, by task queue',
      question: 'Does anybody work on each task queue?',
      unit: 'short',
      redBelow: 1,
      queries: [
        {
          expr: ofAll('task_queue_pollers', 'task_queue, task_type', 'task_queue=~"$task_queue"'),
          legend: '{{task_queue}} {{task_type}}',
        },
      ],
      link: runbook('NoWorker'),
    },
    {
      title: 'Backlog',
      question: 'Do tasks wait for a worker?',
      unit: 'short',
      queries: [
        {
          expr: ofAll('task_queue_backlog_tasks', 'task_queue, task_type', 'task_queue=~"$task_queue"'),
          legend: '{{task_queue}} {{task_type}}',
        },
      ],
      link: runbook('NoWorker'),
    },
    {
      title: 'Age of the oldest task',
      question: 'How long has the oldest task waited?',
      unit: 's',
      queries: [
        {
          expr: ofAll('task_queue_backlog_age_seconds', 'task_queue, task_type', 'task_queue=~"$task_queue"'),
          legend: '{{task_queue}} {{task_type}}',
        },
      ],
      link: runbook('WorkflowTasksWait'),
    },
    {
      title: 'Schedule to start, 99th percentile',
      question: 'How long do tasks wait before a worker takes them?',
      unit: 's',
      queries: [
        {
          expr: quantile(0.99, 'temporal_workflow_task_schedule_to_start_latency_seconds'),
          legend: 'workflow tasks',
        },
        {
          expr: quantile(0.99, 'temporal_activity_schedule_to_start_latency_seconds', 'task_queue'),
          legend: 'activities {{task_queue}}',
        },
      ],
      link: runbook('WorkflowTasksWait'),
    },
    {
      title: 'Free slots',
      question: 'Which kind of task has no room left?',
      unit: 'short',
      queries: [
        {
          expr: 'sum by (worker_type, task_queue) (temporal_worker_task_slots_available)',
          legend: '{{worker_type}} {{task_queue}}',
        },
      ],
      link: runbook('WorkflowTasksWait'),
    },
    {
      title: 'Workflow tasks that failed',
      question: 'Does the code not fit a history, or throw? Must be 0.',
      unit: 'ops',
      redFrom: 0.001,
      queries: [
        {
          expr: orZero(perSecond('temporal_workflow_task_execution_failed_total', 'failure_reason')),
          legend: '{{failure_reason}}',
        },
      ],
      link: runbook('NonDeterminism'),
    },
    {
      title: 'Cache',
      question: 'Do workflows fit the cache, or are histories replayed?',
      unit: 'ops',
      queries: [
        { expr: orZero(perSecond('temporal_sticky_cache_hit_total')), legend: 'hit' },
        { expr: orZero(perSecond('temporal_sticky_cache_miss_total')), legend: 'miss' },
        { expr: orZero(perSecond('temporal_sticky_cache_total_forced_eviction_total')), legend: 'evicted' },
      ],
      link: runbook('WorkflowTasksWait'),
    },
    {
      title: 'Workflows in the cache',
      question: 'How many orders does the worker hold in memory?',
      unit: 'short',
      queries: [{ expr: 'sum(temporal_sticky_cache_size)', legend: 'cached' }],
      link: temporalOrders('running', "WorkflowType='fulfillOrder' AND ExecutionStatus='Running'"),
    },
    {
      title: 'Attempts, by result',
      question: 'Which activities fail and are tried again?',
      unit: 'ops',
      queries: [
        {
          expr: perSecond('step_attempt_duration_seconds_count', 'activity, result'),
          legend: '{{activity}} {{result}}',
        },
      ],
      link: traces('order-saga-worker'),
    },
    {
      title: 'Time of a step, 99th percentile',
      question: 'Which step takes long, all its attempts and the waiting included?',
      unit: 's',
      queries: [{ expr: quantile(0.99, 'step_duration_seconds', 'activity'), legend: '{{activity}}' }],
      link: traces('order-saga-worker'),
    },
    {
      title: 'Calls to the Temporal server',
      question: 'Does Temporal answer its workers?',
      unit: 's',
      queries: [
        { expr: quantile(0.99, 'temporal_request_latency_seconds', 'operation'), legend: '{{operation}}' },
      ],
      link: runbook('WorkflowTasksWait'),
    },
  ],
});
