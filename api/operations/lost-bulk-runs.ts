import { z } from '@hono/zod-openapi';
import { bulkActSubject } from '../../domain/lost-bulk.ts';
import { notedRunState } from '../../domain/recovery.ts';
import type { AppDeps } from '../app-deps.ts';
import { readJson } from '../http/body.ts';
import { actorOf, requireOperator } from '../http/callers.ts';
import type { RunClosed, LostBulkRun } from '../../ports/temporal.ts';
import { actorField, dryRunField, reasonField } from '../http/fields.ts';
import { ApiProblem } from '../http/problems.ts';
import { readStore, storeUnavailable } from '../http/read-store.ts';
import { addRoute, type App, type AppContext } from '../http/route.ts';

/** Closed runs that are looked at for the list, the newest ones. */
const MOST_RUNS = 100;
const runActs = ['restart', 'take-note'] as const;
type RunAct = (typeof runActs)[number];

const json = (schema: z.ZodType) => ({ content: { 'application/json': { schema } } });
const noStore = { 'cache-control': 'no-store' };
const example = 'order-act-8c9b9b3e-2f0a-4a8e-9a56-0c1d2e3f4a5b';
const workflowIdParameter = z.object({ workflowId: z.string().openapi({ example }) });

const runsBody = z
  .object({
    runs: z.array(
      z.object({
        workflowId: z.string(),
        kind: z.enum(['order-act', 'dead-letter-replay']),
        sinceUtc: z.string().openapi({ format: 'date-time', description: 'When Temporal closed it.' }),
        failure: z.string().openapi({ description: 'How it was closed, and what it was to do.' }),
        acts: z.array(z.enum(runActs)),
        links: z.object({ progress: z.string() }),
      }),
    ),
  })
  .openapi('LostRuns', {
    example: {
      runs: [
        {
          workflowId: example,
          kind: 'order-act',
          sinceUtc: '2026-01-02T03:04:05.678Z',
          failure: 'Temporal closed its run (TERMINATED): resolve orders: the carrier is back',
          acts: [...runActs],
          links: { progress: '/order-acts/8c9b9b3e-2f0a-4a8e-9a56-0c1d2e3f4a5b' },
        },
      ],
    },
  });

const actBody = z
  .strictObject({ dryRun: dryRunField, reason: reasonField, actor: actorField })
  .openapi('LostRunAct', { example: { reason: 'Terminated by mistake' } });

const actedBody = z
  .object({
    workflowId: z.string(),
    act: z.enum(runActs),
    dryRun: z.literal(true).optional().openapi({ description: 'Nothing was done; it would be.' }),
    links: z.object({ progress: z.string() }),
  })
  .openapi('LostRunActed', {
    example: {
      workflowId: example,
      act: 'restart',
      links: { progress: '/order-acts/8c9b9b3e-2f0a-4a8e-9a56-0c1d2e3f4a5b' },
    },
  });

/** /cases/runs: acts on many that lost their run, and what can be done about one. Operators only. */
export function addLostBulkRuns(app: App, deps: AppDeps): void {
  addRoute(
    app,
    {
      method: 'get',
      path: '/cases/runs',
      operationId: 'listLostRuns',
      tag: 'Orders',
      summary: 'Acts on many orders or dead letters whose run was closed from outside',
      description:
        'A run that is terminated, times out or fails leaves the rest of its orders or dead letters alone, and the dead ' +
        `letters at hand claimed. The newest ${MOST_RUNS} closed runs that Temporal still keeps.`,
      produces: 'application/json',
      responses: { 200: { description: 'The runs.', ...json(runsBody) } },
      problems: ['forbidden', 'store-unavailable', 'temporal-unavailable'],
    },
    async (c) => {
      requireOperator(c.get('caller'));
      const lost = await deps.bulkRuns.lost({ limit: MOST_RUNS });
      const open: LostBulkRun[] = [];
      for (const run of lost) if (!(await isNoted(deps, run))) open.push(run);
      return c.json({ runs: open.map(bodyOf) }, 200, noStore);
    },
  );
  addAct(app, deps, {
    act: 'restart',
    operationId: 'restartLostRun',
    summary: 'Has an act on many go on that has lost its run',
    description:
      'It goes on from where its last run began, under the same id: orders that had taken it are not acted on again, dead letters that ' +
      'were replayed or discarded stay so, and those it had claimed are sent under the same message id.',
    done: (run, by) => restart(deps, run, by),
  });
  addAct(app, deps, {
    act: 'take-note',
    operationId: 'takeNoteOfLostRun',
    summary: 'Leaves an act on many as it ended',
    description: 'It leaves the list; an audit row says who looked. Nothing else is changed.',
    done: (run, by) => takeNote(deps, run, by),
  });
}

interface By {
  actor: string;
  reason: string;
}

function addAct(
  app: App,
  deps: AppDeps,
  {
    act,
    operationId,
    summary,
    description,
    done,
  }: {
    act: RunAct;
    operationId: string;
    summary: string;
    description: string;
    done: (run: LostBulkRun, by: By) => Promise<void>;
  },
): void {
  addRoute(
    app,
    {
      method: 'post',
      path: `/cases/runs/{workflowId}/${act}`,
      operationId,
      tag: 'Orders',
      summary,
      description: `${description} Of several at once one wins; the others get 409.`,
      produces: 'application/json',
      request: { params: workflowIdParameter, body: { required: true, ...json(actBody) } },
      responses: {
        200: { description: 'It is done, or a dry run says that it would be.', ...json(actedBody) },
      },
      problems: [
        'malformed-request',
        'forbidden',
        'act-refused',
        'body-too-large',
        'unsupported-media-type',
        'invalid-fields',
        'store-unavailable',
        'temporal-unavailable',
      ],
    },
    async (c: AppContext) => {
      const caller = c.get('caller');
      requireOperator(caller);
      const workflowId = c.req.param('workflowId') ?? '';
      const { reason, actor, dryRun } = await readJson(c, actBody);
      const run = await deps.bulkRuns.find(workflowId);
      if (!run || (await isNoted(deps, run))) {
        throw refused(workflowId, 'has no lost run; GET /cases/runs lists those that have');
      }
      if (!dryRun) await done(run, { actor: actorOf(caller, actor), reason });
      const body = { workflowId, act, ...(dryRun ? { dryRun } : {}), links: linksOf(run) };
      return c.json(body, 200, noStore);
    },
  );
}

async function restart({ bulkRuns }: AppDeps, run: LostBulkRun, by: By): Promise<void> {
  const started = await bulkRuns.startAgain(run, by);
  if (started === 'running') throw refused(run.workflowId, 'has just been started again by somebody else');
  if (started === 'forgotten') {
    throw refused(
      run.workflowId,
      'cannot go on: Temporal no longer knows what it was to do; ask for the act anew',
    );
  }
}

async function takeNote(deps: AppDeps, run: LostBulkRun, { actor, reason }: By): Promise<void> {
  const { workflowId, runId, kind } = run;
  try {
    await deps.store.transaction((tx) =>
      tx.audit.append({
        subject: bulkActSubject(run),
        actor,
        step: kind,
        from: 'case',
        to: notedRunState,
        reason,
        causingEventId: '',
        workflowId,
        runId,
        occurredAtUtc: deps.clock.nowUtc(),
      }),
    );
  } catch (error) {
    throw storeUnavailable(deps, error);
  }
}

/** An operator has left it as it is. */
async function isNoted(deps: AppDeps, run: LostBulkRun): Promise<boolean> {
  const rows = await readStore(deps, ({ audit }) => audit(bulkActSubject(run)));
  return rows.some(({ to, runId }) => to === notedRunState && runId === run.runId);
}

const bodyOf = (run: LostBulkRun) => ({
  workflowId: run.workflowId,
  kind: run.kind,
  sinceUtc: run.closedAtUtc,
  failure: `Temporal closed its run (${run.closedAs})${run.summary ? `: ${run.summary}` : ''}`,
  acts: [...runActs],
  links: linksOf(run),
});

const linksOf = ({ kind, id }: LostBulkRun) => ({
  progress: kind === 'order-act' ? `/order-acts/${id}` : `/dead-letters/replays/${id}`,
});

/** What somebody is told who asks how far such an act has come. */
export const runLost = ({ workflowId, closedAs }: RunClosed): ApiProblem =>
  new ApiProblem('act-run-lost', {
    detail:
      `Temporal closed the run of ${workflowId} (${closedAs}); what was not acted on by then is as it was. ` +
      `An operator has it go on: \`cases restart ${workflowId}\`, POST /cases/runs/${workflowId}/restart.`,
    code: 'act_run_lost',
  });

const refused = (workflowId: string, what: string): ApiProblem =>
  new ApiProblem('act-refused', {
    detail: `Act ${workflowId.slice(0, 100).replaceAll(/[^\w.-]/g, '?')} ${what}.`,
    code: 'act_refused',
  });
