import {
  startModelledRun,
  type ActivityEnd,
  type Scheduled,
  type WorkflowCreator,
} from './modelled-workflow.ts';

/** Events of one workflow task (scheduled, started, completed), of an activity, and of a timer. */
const events = { task: 3, activity: 3, timer: 2 };

/** What makes the server suggest to continue as new: longer than that is too long, however much longer. */
const MOST_EVENTS = 4_096;

/** How an activity ends, and how much later; undefined: the run's life ends here. */
export type Answers = (scheduled: Scheduled) => ActivityEnd & { afterMs?: number };

/**
 * Lets a run live for so long in modelled time: activities end as `answers` says, one after another, and timers fire when
 * they are due. Returns how long its history would be on a real server, counted from above.
 */
export async function liveFor(
  isolate: WorkflowCreator,
  input: { workflowType: string; input: unknown; forMs: number; answers: Answers },
): Promise<{ historyLength: number; activities: Record<string, number> }> {
  const { workflowType, forMs, answers } = input;
  const run = await startModelledRun(isolate, { workflowType, workflowId: 'lived', input: input.input });
  const untilMs = run.nowMs() + forMs;
  const activities: Record<string, number> = {};
  let historyLength = 1 + events.task;
  const next = () => {
    const [scheduled] = run.pending();
    if (scheduled) {
      const { name } = scheduled;
      const { afterMs = 0, ...end } = answers(scheduled);
      activities[name] = (activities[name] ?? 0) + 1;
      historyLength += events.activity;
      run.passTo(run.nowMs() + afterMs);
      return run.end(scheduled, end);
    }
    const [timer] = run.timers();
    if (!timer) throw new Error('The run waits for a person; expected it to wait for time');
    historyLength += events.timer;
    run.passTo(timer.dueMs);
    return run.fire(timer.seq);
  };
  try {
    while (run.nowMs() < untilMs && !run.closed() && historyLength < MOST_EVENTS) {
      await run.activate([next()]);
      historyLength += events.task;
    }
    if (run.closed()) throw new Error(`The run has closed: ${JSON.stringify(run.closed())}`);
    return { historyLength, activities };
  } finally {
    await run.dispose();
  }
}
