/** Metrics of others that dashboards and alerts read: what each says, by who shows it. */
export const foreignMetrics: Readonly<
  Record<string, { shownBy: string; metrics: Readonly<Record<string, string>> }>
> = {
  'Temporal SDK': {
    shownBy: "the worker's /metrics",
    metrics: {
      temporal_workflow_task_schedule_to_start_latency_seconds:
        'Time that a workflow task waited for a worker, in seconds.',
      temporal_workflow_task_execution_latency_seconds: 'Time to run a workflow task, in seconds.',
      temporal_workflow_task_replay_latency_seconds:
        'Time to replay a history that was not in the cache, in seconds.',
      temporal_workflow_task_execution_failed_total:
        'Failed workflow tasks; failure_reason NonDeterminismError says that the code does not fit a history.',
      temporal_workflow_endtoend_latency_seconds:
        'Time from the start of a workflow run to its end, in seconds.',
      temporal_workflow_completed_total: 'Workflow runs that completed.',
      temporal_workflow_failed_total: 'Workflow runs that failed: a bug, since business failures complete.',
      temporal_activity_schedule_to_start_latency_seconds:
        'Time that an activity waited for a worker, in seconds.',
      temporal_activity_execution_failed_total: 'Attempts of activities that failed.',
      temporal_local_activity_execution_latency_seconds:
        'Time of one attempt of a local activity, in seconds.',
      temporal_worker_task_slots_available: 'Free slots by type of task.',
      temporal_worker_task_slots_used: 'Slots at work by type of task.',
      temporal_num_pollers: 'Pollers that wait for tasks, by task queue and type.',
      temporal_sticky_cache_size: "Workflows in the worker's cache.",
      temporal_sticky_cache_hit_total: 'Workflow tasks that found their workflow in the cache.',
      temporal_sticky_cache_miss_total: 'Workflow tasks that had to replay.',
      temporal_sticky_cache_total_forced_eviction_total: 'Workflows put out of the full cache.',
      temporal_request_latency_seconds: 'Time of one call to the Temporal server, in seconds.',
      temporal_request_failure_total: 'Calls to the Temporal server that failed.',
    },
  },
};
