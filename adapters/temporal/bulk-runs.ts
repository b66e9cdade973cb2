import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { bulkWorkflowIdOf, orderActWorkflowIdOf } from '../../domain/ids.ts';
import { replayDeadLettersName } from '../../workflows/dead-letter-messages.ts';
import { actOnOrdersName } from '../../workflows/order-act-messages.ts';
import { within } from '../../ports/bounded.ts';
import { isLost } from '../../domain/lost-run.ts';
import { TemporalUnavailable, type RestartableBulkRuns, type LostBulkRun } from '../../ports/temporal.ts';
import { quoted } from './visibility.ts';

const kinds = [
  { kind: 'order-act', name: actOnOrdersName, prefix: orderActWorkflowIdOf('') },
  { kind: 'dead-letter-replay', name: replayDeadLettersName, prefix: bulkWorkflowIdOf('') },
] as const;

/** Lost runs of acts on many through a Temporal client; no connection is made before the first call. */
export function createBulkRuns(client: Client, taskQueue: string): RestartableBulkRuns {
  const call = async <T>(timeoutMs: number, what: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await within(timeoutMs, what, () => client.withDeadline(Date.now() + timeoutMs, work));
    } catch (error) {
      if (error instanceof WorkflowNotFoundError || isNotFound(error)) return undefined;
      throw error instanceof WorkflowExecutionAlreadyStartedError
        ? error
        : new TemporalUnavailable(what, error);
    }
  };
  const describe = (workflowId: string): Promise<WorkflowExecutionDescription | undefined> =>
    call(2_000, 'describe', () => client.workflow.getHandle(workflowId).describe());

  async function find(workflowId: string): Promise<LostBulkRun | undefined> {
    const of = kinds.find(({ prefix }) => workflowId.startsWith(prefix));
    const found = of && (await describe(workflowId));
    if (!found || found.type !== of.name || !isLost({ closedAs: found.status.name })) return undefined;
    return {
      workflowId,
      kind: of.kind,
      id: workflowId.slice(of.prefix.length),
      runId: found.runId,
      closedAs: found.status.name,
      closedAtUtc: (found.closeTime ?? found.startTime).toISOString(),
      summary: (await found.staticSummary()) ?? '',
    };
  }

  return {
    find,
    async lost({ limit }) {
      const ids = await call(2_000, 'list', async () => {
        const query = `${lostRuns} AND TaskQueue = ${quoted(taskQueue)}`;
        const found = new Set<string>();
        let looked = 0;
        for await (const { workflowId } of client.workflow.list({ query, pageSize: limit })) {
          found.add(workflowId);
          looked += 1;
          if (looked === limit) break;
        }
        return [...found];
      });
      const lost = await Promise.all((ids ?? []).map(find));
      return lost.filter((one) => one !== undefined);
    },
    async startAgain({ workflowId, runId, kind, closedAs, summary }, by) {
      const name = kinds.find((one) => one.kind === kind)?.name ?? '';
      const input = await call(2_000, 'history', () => firstInput(client, workflowId, runId));
      const memo = (await describe(workflowId))?.memo ?? {};
      if (!input) return 'forgotten';
      try {
        await call(1_400, 'start', () =>
          client.workflow.start(name, {
            workflowId,
            taskQueue,
            args: [{ ...input, restarted: { ...by, closedAs } }],
            memo,
            /* Of several at once Temporal lets one through; one that ended by itself is not begun again. */
            workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
            workflowIdConflictPolicy: 'FAIL',
            staticSummary: summary,
          }),
        );
        return 'started';
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return 'running';
        throw error;
      }
    },
  };
}

const lostRuns = `WorkflowType IN (${kinds.map(({ name }) => `'${name}'`).join(', ')})
  AND ExecutionStatus IN ('Terminated', 'TimedOut', 'Failed')`;

/** What the first event of a run says it was started with. */
async function firstInput(client: Client, workflowId: string, runId: string): Promise<object | undefined> {
  const { namespace, loadedDataConverter } = client.options;
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  const started = history?.events?.[0]?.workflowExecutionStartedEventAttributes;
  const [input] = await decodeArrayFromPayloads(loadedDataConverter, started?.input?.payloads);
  return input as object | undefined;
}

/** gRPC's code for something that is not there. */
const NOT_FOUND = 5;
const isNotFound = (error: unknown): boolean => (error as { code?: unknown }).code === NOT_FOUND;
