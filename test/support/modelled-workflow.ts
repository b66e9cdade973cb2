import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { msNumberToTs } from '@temporalio/common/lib/time.js';
import { parseWorkflowCode } from '@temporalio/worker/lib/worker.js';
import { ReusableVMWorkflowCreator } from '@temporalio/worker/lib/workflow/reusable-vm.js';

/** One thing that happens to a run: what Temporal's core hands to the SDK in an activation. */
type Job = Record<string, unknown>;
type Activate = Parameters<Awaited<ReturnType<ReusableVMWorkflowCreator['createWorkflow']>>['activate']>[0];

/** An activity that was scheduled and is not answered yet. */
export interface Scheduled {
  seq: number;
  name: string;
  input: unknown;
}

/** How an activity ends: with an answer, with a business refusal, or beyond its budget. */
export type ActivityEnd =
  | { done: unknown }
  | { refused: { type: string; reason: string; details?: Record<string, string> } }
  | { technical: string; type?: string };

/** What came of an update: `told` is the view or the reason. */
export interface UpdateAnswer {
  accepted: boolean;
  told: unknown;
}

interface Command {
  scheduleActivity?: { seq: number; activityType: string; arguments: Payload[] };
  scheduleLocalActivity?: { seq: number; activityType: string; arguments: Payload[] };
  requestCancelActivity?: { seq: number };
  startTimer?: { seq: number; startToFireTimeout: { seconds: { toNumber(): number }; nanos: number } };
  cancelTimer?: { seq: number };
  updateResponse?: {
    protocolInstanceId: string;
    accepted?: object;
    rejected?: { message: string };
    completed?: Payload;
  };
  completeWorkflowExecution?: { result: Payload };
  continueAsNewWorkflowExecution?: object;
  failWorkflowExecution?: { failure: { message: string } };
  cancelWorkflowExecution?: object;
}

export type WorkflowCreator = ReusableVMWorkflowCreator;

/** The bundle in the SDK's own isolate, without any server. */
export const createIsolate = ({ code }: { code: string }): Promise<WorkflowCreator> =>
  ReusableVMWorkflowCreator.create(parseWorkflowCode(code), 10_000, new Set(['default']));

const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const valueOf = (payload: Payload | undefined): unknown =>
  payload ? defaultPayloadConverter.fromPayload(payload) : undefined;

/**
 * One run of a workflow in the SDK's own runtime, with a model in the place of Temporal's server: nothing happens but
 * what is put into `activate`, in that order and in one workflow task. Time stands still but for `passTo`.
 */
export async function startModelledRun(
  isolate: WorkflowCreator,
  { workflowType, workflowId, input }: { workflowType: string; workflowId: string; input: unknown },
) {
  const runId = crypto.randomUUID();
  let nowMs = Date.parse('2026-01-02T03:04:05.000Z');
  const pending = new Map<number, Scheduled>();
  const timers = new Map<number, number>();
  const updates = new Map<string, UpdateAnswer>();
  const cancelAsked = new Set<number>();
  let closed: { result?: unknown; failure?: string; canceled?: true; goesOn?: true } | undefined;
  const workflow = await isolate.createWorkflow({
    info: infoOf({ workflowType, workflowId, runId, nowMs }),
    randomnessSeed: new Uint8Array(8),
    now: nowMs,
    showStackTraceSources: false,
  } as unknown as Parameters<WorkflowCreator['createWorkflow']>[0]);

  /** One workflow task; throws when the task fails, which a run never recovers from by itself. */
  async function activate(jobs: readonly Job[]): Promise<void> {
    const activation = {
      runId,
      timestamp: msNumberToTs(nowMs),
      isReplaying: false,
      historyLength: 1,
      availableInternalFlags: [1, 2, 3],
      jobs,
    };
    const { successful, failed } = await workflow.activate(activation as unknown as Activate);
    if (failed) throw new Error(`The workflow task failed: ${failed.failure?.message}`);
    for (const command of (successful?.commands ?? []) as Command[]) take(command);
  }

  function take(command: Command): void {
    const scheduled = command.scheduleActivity ?? command.scheduleLocalActivity;
    if (scheduled) {
      const { seq, activityType: name, arguments: given } = scheduled;
      pending.set(seq, { seq, name, input: valueOf(given[0]) });
    }
    if (command.requestCancelActivity) cancelAsked.add(command.requestCancelActivity.seq);
    if (command.startTimer) {
      const { seq, startToFireTimeout: left } = command.startTimer;
      timers.set(seq, nowMs + left.seconds.toNumber() * 1_000 + left.nanos / 1_000_000);
    }
    if (command.cancelTimer) timers.delete(command.cancelTimer.seq);
    takeAnswer(command);
    if (command.completeWorkflowExecution)
      closed = { result: valueOf(command.completeWorkflowExecution.result) };
    if (command.failWorkflowExecution) closed = { failure: command.failWorkflowExecution.failure.message };
    if (command.cancelWorkflowExecution) closed = { canceled: true };
    if (command.continueAsNewWorkflowExecution) closed = { goesOn: true };
  }

  function takeAnswer({ updateResponse: response }: Command): void {
    if (!response) return;
    const { protocolInstanceId: id, rejected, completed } = response;
    if (rejected) updates.set(id, { accepted: updates.has(id), told: rejected.message });
    if (response.accepted) updates.set(id, { accepted: true, told: undefined });
    if (completed) updates.set(id, { accepted: true, told: valueOf(completed) });
  }

  await activate([
    {
      variant: 'initializeWorkflow',
      initializeWorkflow: {
        workflowType,
        workflowId,
        arguments: [payloadOf(input)],
        randomnessSeed: { toBytes: () => new Uint8Array(8) },
        headers: {},
        attempt: 1,
      },
    },
  ]);

  return {
    activate,
    nowMs: () => nowMs,
    pending: (): Scheduled[] => [...pending.values()],
    /** Timers that are set, soonest first. */
    timers: () =>
      [...timers].map(([seq, dueMs]) => ({ seq, dueMs })).toSorted((one, two) => one.dueMs - two.dueMs),
    /** Activities that the run no longer waits for; their effect may come all the same. */
    takeCanceled(): Scheduled[] {
      const canceled = [...cancelAsked].flatMap((seq) => pending.get(seq) ?? []);
      cancelAsked.clear();
      return canceled;
    },
    answerOf: (id: string): UpdateAnswer | undefined => updates.get(id),
    closed: () => closed,
    passTo(ms: number): void {
      nowMs = Math.max(nowMs, ms);
    },
    end(scheduled: Scheduled, end: ActivityEnd): Job {
      pending.delete(scheduled.seq);
      return resolved(scheduled.seq, resultOf(scheduled, end));
    },
    cancel(scheduled: Scheduled): Job {
      pending.delete(scheduled.seq);
      const failure = activityFailure(scheduled, { message: 'canceled', canceledFailureInfo: {} });
      return resolved(scheduled.seq, { cancelled: { failure } });
    },
    fire(seq: number): Job {
      timers.delete(seq);
      return { variant: 'fireTimer', fireTimer: { seq } };
    },
    signal: (signalName: string, act: unknown): Job => ({
      variant: 'signalWorkflow',
      signalWorkflow: { signalName, input: [payloadOf(act)], headers: {} },
    }),
    update: (id: string, name: string, act: unknown): Job => ({
      variant: 'doUpdate',
      doUpdate: {
        id,
        protocolInstanceId: id,
        name,
        input: [payloadOf(act)],
        headers: {},
        runValidator: true,
        meta: {},
      },
    }),
    cancelRun: (): Job => ({ variant: 'cancelWorkflow', cancelWorkflow: { reason: '' } }),
    dispose: () => workflow.dispose(),
  };
}

export type ModelledRun = Awaited<ReturnType<typeof startModelledRun>>;

const resolved = (seq: number, result: object): Job => ({
  variant: 'resolveActivity',
  resolveActivity: { seq, result },
});

function resultOf(scheduled: Scheduled, end: ActivityEnd): object {
  if ('done' in end) return { completed: { result: payloadOf(end.done) } };
  if ('technical' in end) {
    const { type = 'ProviderUnavailable' } = end;
    const applicationFailureInfo = { type, nonRetryable: false };
    return {
      failed: { failure: activityFailure(scheduled, { message: end.technical, applicationFailureInfo }) },
    };
  }
  const { type, reason } = end.refused;
  const details = { payloads: [payloadOf(end.refused)] };
  const applicationFailureInfo = { type, nonRetryable: true, details };
  return { failed: { failure: activityFailure(scheduled, { message: reason, applicationFailureInfo }) } };
}

const activityFailure = ({ name }: Scheduled, cause: object): object => ({
  message: 'Activity task failed',
  cause,
  activityFailureInfo: { activityType: { name }, activityId: '1', identity: '', retryState: 1 },
});

const infoOf = (run: { workflowType: string; workflowId: string; runId: string; nowMs: number }) => ({
  workflowId: run.workflowId,
  runId: run.runId,
  workflowType: run.workflowType,
  searchAttributes: {},
  taskQueue: 'model',
  namespace: 'default',
  firstExecutionRunId: run.runId,
  originalExecutionRunId: run.runId,
  attempt: 1,
  taskTimeoutMs: 10_000,
  startTime: new Date(run.nowMs),
  runStartTime: new Date(run.nowMs),
  historyLength: 1,
  historySize: 0,
  continueAsNewSuggested: false,
  unsafe: { isReplaying: false },
});
