import { createHash } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import type {
  BulkAct,
  BulkProgress,
  DeadLetter,
  DeadLetterCursor,
  DeadLetterFilter,
} from '../../domain/dead-letters.ts';
import type { AppDeps } from '../app-deps.ts';
import { invalidFields, readJson } from '../http/body.ts';
import { actorOf, requireOperator } from '../http/callers.ts';
import { readIdempotencyKey } from '../orders/checkout-request.ts';
import {
  discardManyBody,
  discardQuery,
  dryRunBody,
  letterBody,
  letterOf,
  listBody,
  listQuery,
  progressBody,
  replayManyBody,
  replayOneBody,
  summaryOf,
} from './dead-letter-bodies.ts';
import { NoWorker, RunClosed } from '../../ports/temporal.ts';
import { runLost } from './lost-bulk-runs.ts';
import { replayIdFor } from '../orders/order-identity.ts';
import { ApiProblem, type ProblemType } from '../http/problems.ts';
import { readStore } from '../http/read-store.ts';
import { addRoute, type App, type AppContext, type RouteDefinition } from '../http/route.ts';

/** An act on one dead letter is waited for so long before it is answered with 202. */
const WAIT_MS = 3_000;
const DRY_RUN_CHECKED = 100;

const noStore = { 'cache-control': 'no-store' };
const json = (schema: z.ZodType) => ({ content: { 'application/json': { schema } } });
const idParameter = z.object({
  deadLetterId: z.string().openapi({ example: '5f1d7a84db00d2fce00b31a7fc73224f' }),
});
const replayIdParameter = z.object({ replayId: z.string().openapi({ format: 'uuid' }) });

const bodyProblems = [
  'malformed-request',
  'body-too-large',
  'unsupported-media-type',
  'invalid-fields',
] as const;
const keyProblems = ['idempotency-key', 'idempotency-key-reused'] as const;
const keyHeader = z.object({
  'Idempotency-Key': z.string().min(1).max(255).optional().openapi({
    pattern: '^[ -~]+$',
    description: 'Printable ASCII, scoped to the caller; without it every request is an act.',
  }),
});
const common = { tag: 'Dead letters', produces: 'application/json' } as const;

const ended = { description: 'Done.', ...json(progressBody) };
const accepted = { description: 'Accepted; `links.self` tells how far it is.', ...json(progressBody) };
const endedOrDry = {
  description: 'Done, or what a dry run found.',
  ...json(z.union([progressBody, dryRunBody])),
};

/** /dead-letters: what failed for good or expired, and the acts on it. Operators only. */
export function addDeadLetters(app: App, deps: AppDeps): void {
  const add = (
    definition: Omit<RouteDefinition, 'tag' | 'produces' | 'problems'> & { problems: ProblemType[] },
    handler: (c: AppContext) => Promise<Response>,
  ) =>
    addRoute(app, { ...common, ...definition, problems: ['forbidden', ...definition.problems] }, (c) => {
      requireOperator(c.get('caller'));
      return handler(c);
    });

  add(
    {
      method: 'get',
      path: '/dead-letters',
      operationId: 'listDeadLetters',
      summary: 'Dead letters by queue and kind of error, and one page of them',
      description: 'As the index knows them, usually a second behind the queues.',
      request: { query: listQuery },
      responses: { 200: { description: 'Groups and messages.', ...json(listBody) } },
      problems: ['invalid-fields', 'invalid-cursor', 'store-unavailable'],
    },
    async (c) => c.json(await list(deps, readQuery(c, listQuery)), 200, noStore),
  );
  add(
    {
      method: 'get',
      path: '/dead-letters/replays/{replayId}',
      operationId: 'getDeadLetterReplay',
      summary: 'How far a replay or discard has come',
      description:
        'Counts of what was done, refused and is left; the run goes on whether or not anybody asks.',
      request: { params: replayIdParameter },
      responses: { 200: { description: 'Its progress.', ...json(progressBody) } },
      problems: ['unknown-dead-letter', 'act-run-lost', 'temporal-unavailable', 'no-worker'],
    },
    async (c) => c.json(progressOf(await progress(deps, c.req.param('replayId') ?? '')), 200, noStore),
  );
  add(
    {
      method: 'post',
      path: '/dead-letters/replays/{replayId}/cancel',
      operationId: 'cancelDeadLetterReplay',
      summary: 'Stops a replay or discard after the messages at hand',
      description: 'What was replayed or discarded stays so; the rest stays open.',
      request: { params: replayIdParameter },
      responses: { 202: accepted },
      problems: ['unknown-dead-letter', 'act-run-lost', 'temporal-unavailable', 'no-worker'],
    },
    async (c) => {
      const replayId = c.req.param('replayId') ?? '';
      await deps.deadLetters.workflows.cancel(replayId);
      return c.json(progressOf(await progress(deps, replayId)), 202, noStore);
    },
  );
  add(
    {
      method: 'post',
      path: '/dead-letters/replay',
      operationId: 'replayDeadLetters',
      summary: 'Replays a selection, a kind of failure, or all that failed until a time',
      description:
        'Oldest failure first, by a workflow that survives restarts. What fails after the cutoff (`failedUntil`, by ' +
        'default now) is never taken. Each keeps its message id and carries `x-replay-of`.',
      request: { headers: keyHeader, body: { required: true, ...json(replayManyBody) } },
      responses: { 200: endedOrDry, 202: accepted },
      problems: [...bodyProblems, ...keyProblems, 'store-unavailable', 'temporal-unavailable'],
    },
    async (c) => actInBulk(c, deps, 'replay', await readJson(c, replayManyBody)),
  );
  add(
    {
      method: 'post',
      path: '/dead-letters/discard',
      operationId: 'discardDeadLetters',
      summary: 'Discards a selection, a kind of failure, or all that failed until a time',
      description: 'Nothing is sent anywhere; the messages and the reason stay on record.',
      request: { headers: keyHeader, body: { required: true, ...json(discardManyBody) } },
      responses: { 200: endedOrDry, 202: accepted },
      problems: [...bodyProblems, ...keyProblems, 'store-unavailable', 'temporal-unavailable'],
    },
    async (c) => actInBulk(c, deps, 'discard', await readJson(c, discardManyBody)),
  );
  add(
    {
      method: 'get',
      path: '/dead-letters/{deadLetterId}',
      operationId: 'getDeadLetter',
      summary: 'One dead letter, whole',
      description: 'Its content as it was published, its headers, and the story of its failures.',
      request: { params: idParameter },
      responses: { 200: { description: 'The dead letter.', ...json(letterBody) } },
      problems: ['unknown-dead-letter', 'store-unavailable'],
    },
    async (c) => c.json(letterOf(await find(c, deps)), 200, noStore),
  );
  add(
    {
      method: 'post',
      path: '/dead-letters/{deadLetterId}/replay',
      operationId: 'replayDeadLetter',
      summary: 'Replays one dead letter, edited where wanted',
      description: 'Never beside another replay of it, so never both the original and an edit.',
      request: { headers: keyHeader, params: idParameter, body: { required: true, ...json(replayOneBody) } },
      responses: { 200: endedOrDry, 202: accepted },
      problems: [
        ...bodyProblems,
        ...keyProblems,
        'unknown-dead-letter',
        'dead-letter-taken',
        'store-unavailable',
        'temporal-unavailable',
      ],
    },
    async (c) => actOnOne(c, deps, 'replay', await readJson(c, replayOneBody)),
  );
  add(
    {
      method: 'delete',
      path: '/dead-letters/{deadLetterId}',
      operationId: 'discardDeadLetter',
      summary: 'Discards one dead letter',
      description: 'The reason ends up in the audit trail.',
      request: { headers: keyHeader, params: idParameter, query: discardQuery },
      responses: { 200: ended, 202: accepted },
      problems: [
        'invalid-fields',
        ...keyProblems,
        'unknown-dead-letter',
        'dead-letter-taken',
        'store-unavailable',
        'temporal-unavailable',
      ],
    },
    async (c) => actOnOne(c, deps, 'discard', readQuery(c, discardQuery)),
  );
}

async function list(deps: AppDeps, query: z.output<typeof listQuery>) {
  const filter = filterOf(query);
  const limit = Number(query.limit ?? 20);
  const after = query.cursor === undefined ? {} : { after: openCursor(query.cursor) };
  const state = query.state ?? 'open';
  const { groups, total, page } = await readStore(deps, async ({ deadLetters }) => ({
    groups: await deadLetters.groups(filter),
    total: await deadLetters.count({ filter }),
    page: await deadLetters.page({ filter, states: [state], ...after, limit: limit + 1 }),
  }));
  const nowMs = Date.parse(deps.clock.nowUtc());
  const messages = page.slice(0, limit);
  const last = page.length > limit ? messages.at(-1) : undefined;
  return {
    total,
    groups: groups.map((group) => ({
      ...group,
      oldestAgeSeconds: Math.max(0, Math.floor((nowMs - Date.parse(group.oldestUtc)) / 1_000)),
    })),
    messages: messages.map(summaryOf),
    ...(last ? { nextCursor: `${last.lastFailedAtUtc}_${last.id}` } : {}),
  };
}

interface Act {
  reason: string;
  actor?: string | undefined;
  patch?: unknown;
  dryRun?: boolean | undefined;
  ratePerSecond?: number | undefined;
}

interface Many extends Act {
  ids?: string[] | undefined;
  queue?: string | undefined;
  fingerprint?: string | undefined;
  orderId?: string | undefined;
  failedUntil?: string | undefined;
  all?: true | undefined;
}

async function actInBulk(c: AppContext, deps: AppDeps, act: BulkAct['act'], body: Many): Promise<Response> {
  const filter = filterOf(body);
  if (Object.keys(filter).length === 0 && body.all !== true) {
    const reason = 'expected ids, a queue, a fingerprint, an order, a time, or "all": true';
    throw invalidFields([{ field: '/all', reason }]);
  }
  // What the broker dates to the second counts as failed at its end; whoever names ids means those.
  const graceMs = filter.ids === undefined ? 0 : 1_000;
  const nowMs = Date.parse(deps.clock.nowUtc());
  const untilNow = { failedUntilUtc: new Date(nowMs + graceMs).toISOString(), ...filter };
  const replayId = replayIdOf(c);
  if (body.dryRun === true) return dryRun(c, deps, untilNow, body.patch);
  return begin(c, deps, { replayId, act, filter: untilNow, body, waitMs: 0 });
}

async function actOnOne(c: AppContext, deps: AppDeps, act: BulkAct['act'], body: Act): Promise<Response> {
  const letter = await find(c, deps);
  const replayId = replayIdOf(c);
  if (letter.state !== 'open' && letter.replayId !== replayId) throw taken(letter);
  const refusal = act === 'replay' ? deps.deadLetters.editRefusal(letter, body.patch) : undefined;
  if (refusal !== undefined) throw invalidFields([{ field: '/patch', reason: refusal }]);
  const filter = { ids: [letter.id], failedUntilUtc: letter.lastFailedAtUtc };
  if (body.dryRun === true) return dryRun(c, deps, filter, body.patch);
  return begin(c, deps, { replayId, act, filter, body, waitMs: WAIT_MS, of: letter.id });
}

async function begin(
  c: AppContext,
  deps: AppDeps,
  input: {
    replayId: string;
    act: BulkAct['act'];
    filter: BulkAct['filter'];
    body: Act;
    waitMs: number;
    /** The one dead letter that is acted on. */
    of?: string;
  },
): Promise<Response> {
  const { replayId, act, filter, body, waitMs, of } = input;
  const bulk: BulkAct = {
    replayId,
    act,
    filter,
    actor: actorOf(c.get('caller'), body.actor),
    reason: body.reason,
    ...(body.patch === undefined ? {} : { patch: body.patch }),
    ...(body.ratePerSecond === undefined ? {} : { ratePerSecond: body.ratePerSecond }),
  };
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([act, of ?? '', body]))
    .digest('hex');
  if ((await deps.deadLetters.workflows.start(bulk, fingerprint)) === 'conflict') {
    throw new ApiProblem('idempotency-key-reused', {
      detail: `This Idempotency-Key belongs to act ${replayId}, which was asked for otherwise.`,
    });
  }
  const end = waitMs === 0 ? undefined : await deps.deadLetters.workflows.end(bulk.replayId, waitMs);
  if (end !== undefined) return c.json(progressOf(end), 200, noStore);
  const begun = { replayId: bulk.replayId, act, status: 'accepted' as const, settled: 0, left: 0, toGo: 0 };
  const answer = progressOf(begun);
  return c.json(answer, 202, { ...noStore, location: answer.links.self });
}

/** The same key of the same caller always means the same act. */
function replayIdOf(c: AppContext): string {
  const key = c.req.header('idempotency-key');
  if (key === undefined) return crypto.randomUUID();
  return replayIdFor({ callerId: c.get('caller').callerId, idempotencyKey: readIdempotencyKey(key) });
}

async function dryRun(
  c: AppContext,
  deps: AppDeps,
  filter: DeadLetterFilter,
  patch: unknown,
): Promise<Response> {
  const { count, letters } = await readStore(deps, async ({ deadLetters }) => {
    const page = await deadLetters.page({ filter, states: ['open'], limit: DRY_RUN_CHECKED });
    const whole = patch === undefined ? [] : await Promise.all(page.map(({ id }) => deadLetters.find(id)));
    return { count: await deadLetters.count({ filter }), letters: whole };
  });
  const refused = letters.flatMap((letter) => {
    const reason = letter && deps.deadLetters.editRefusal(letter, patch);
    return letter && reason !== undefined ? [{ id: letter.id, reason }] : [];
  });
  return c.json({ dryRun: true, count, refused }, 200, noStore);
}

async function find(c: AppContext, deps: AppDeps): Promise<DeadLetter> {
  const id = c.req.param('deadLetterId') ?? '';
  const letter = await readStore(deps, ({ deadLetters }) => deadLetters.find(id));
  if (letter) return letter;
  throw new ApiProblem('unknown-dead-letter', { detail: `There is no dead letter ${shown(id)}.` });
}

async function progress(deps: AppDeps, replayId: string): Promise<BulkProgress> {
  try {
    const found = await deps.deadLetters.workflows.progress(replayId);
    if (found) return found;
  } catch (error) {
    if (error instanceof RunClosed) throw runLost(error);
    if (!(error instanceof NoWorker)) throw error;
    throw new ApiProblem('no-worker', { detail: `No worker answered for replay ${shown(replayId)}.` });
  }
  throw new ApiProblem('unknown-dead-letter', { detail: `There is no replay ${shown(replayId)}.` });
}

const shown = (id: string): string => id.slice(0, 64).replaceAll(/[^\w.-]/g, '?');

const taken = ({ id, state, replayId }: DeadLetter): ApiProblem =>
  new ApiProblem('dead-letter-taken', {
    detail: `Expected dead letter ${id} to be open; it is ${state}${replayId ? ` by replay ${replayId}` : ''}.`,
    code: state,
  });

type Progress = Omit<BulkProgress, 'status' | 'startedAtUtc' | 'updatedAtUtc'> & {
  status: BulkProgress['status'] | 'accepted';
};

const progressOf = (facts: Progress) => ({
  ...facts,
  links: { self: `/dead-letters/replays/${facts.replayId}` },
});

function filterOf(input: {
  ids?: string[] | undefined;
  queue?: string | undefined;
  fingerprint?: string | undefined;
  orderId?: string | undefined;
  failedUntil?: string | undefined;
}): DeadLetterFilter {
  const { ids, queue, fingerprint, orderId, failedUntil } = input;
  return {
    ...(ids === undefined ? {} : { ids }),
    ...(queue === undefined ? {} : { queue }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(orderId === undefined ? {} : { orderId }),
    ...(failedUntil === undefined ? {} : { failedUntilUtc: new Date(failedUntil).toISOString() }),
  };
}

function openCursor(text: string): DeadLetterCursor {
  const [, lastFailedAtUtc, id] = /^(\d{4}-\d\d-\d\dT[\d:.]+Z)_([0-9a-f]{32})$/.exec(text) ?? [];
  if (lastFailedAtUtc !== undefined && id !== undefined) return { lastFailedAtUtc, id };
  throw new ApiProblem('invalid-cursor', { detail: 'The cursor does not belong to this list.' });
}

function readQuery<Schema extends z.ZodType>(c: AppContext, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse(c.req.query());
  if (parsed.success) return parsed.data;
  throw invalidFields(
    parsed.error.issues.map((issue) => ({
      field: issue.code === 'unrecognized_keys' ? shown(issue.keys[0] ?? '') : String(issue.path[0]),
      reason: issue.code === 'unrecognized_keys' ? 'unknown parameter' : issue.message,
    })),
  );
}
