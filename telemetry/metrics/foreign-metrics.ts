/** Metrics of others that dashboards and alerts read: what each says, by who shows it. */
export const foreignMetrics: Readonly<
  Record<string, { shownBy: string; metrics: Readonly<Record<string, string>> }>
> = {
  'Temporal SDK': {
    shownBy: "the worker's /metrics",
    metrics: {
      temporal_workflow_task_schedule_to_start_latency_seconds:
        'Time that a workflow task waited for a worker, in seconds.',
      temporal_workflow_task_execution_failed_total:
        'Failed workflow tasks; failure_reason NonDeterminismError says that the code does not fit a history.',
      temporal_workflow_failed_total: 'Workflow runs that failed: a bug, since business failures complete.',
      temporal_activity_schedule_to_start_latency_seconds:
        'Time that an activity waited for a worker, in seconds.',
      temporal_worker_task_slots_available: 'Free slots by type of task.',
      temporal_sticky_cache_size: "Workflows in the worker's cache.",
      temporal_sticky_cache_hit_total: 'Workflow tasks that found their workflow in the cache.',
      temporal_sticky_cache_miss_total: 'Workflow tasks that had to replay.',
      temporal_sticky_cache_total_forced_eviction_total: 'Workflows put out of the full cache.',
      temporal_request_latency_seconds: 'Time of one call to the Temporal server, in seconds.',
    },
  },
  Node: {
    shownBy: 'every /metrics, by prom-client',
    metrics: {
      process_cpu_seconds_total: 'CPU time of the process, in seconds.',
      process_resident_memory_bytes: 'Memory of the process, in bytes.',
      nodejs_eventloop_lag_p99_seconds: 'Lag of the event loop at the 99th percentile, in seconds.',
    },
  },
  RabbitMQ: {
    shownBy: "the broker's rabbitmq_prometheus plugin",
    metrics: {
      rabbitmq_queue_messages_ready: 'Messages that wait in queues.',
      rabbitmq_queue_messages_unacked: 'Messages that consumers are working on.',
    },
  },
  Prometheus: {
    shownBy: 'Prometheus itself',
    metrics: { up: '1 when the last scrape of a process succeeded, else 0.' },
  },
};
