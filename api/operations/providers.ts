import { z } from '@hono/zod-openapi';
import {
  isFresh,
  isProviderName,
  providerNames,
  providerStates,
  providerSubject,
  statusOf,
  type ProviderName,
  type ProviderRecords,
  type ProviderSwitch,
} from '../../domain/providers.ts';
import type { AppDeps } from '../app-deps.ts';
import { readJson } from '../http/body.ts';
import { actorOf, requireOperator } from '../http/callers.ts';
import { actorField, dryRunField, reasonField } from '../http/fields.ts';
import { ApiProblem } from '../http/problems.ts';
import { readStore, storeUnavailable } from '../http/read-store.ts';
import { addRoute, type App, type AppContext } from '../http/route.ts';

const time = z.string().openapi({ format: 'date-time', example: '2026-01-02T03:04:05.678Z' });

const circuitBody = z.object({
  process: z.string().openapi({ description: 'Host and process id of a worker.', example: 'worker-1:17' }),
  state: z.enum(['closed', 'open', 'half-open']),
  sinceUtc: time,
  reason: z.string(),
  keyRefused: z.literal(true).optional().openapi({ description: 'The provider refused our key (401).' }),
  reportedAtUtc: time,
});

const example = {
  provider: 'carrier' as const,
  status: 'paused' as const,
  switch: {
    state: 'paused' as const,
    actor: 'grace (help-desk)',
    reason: 'The carrier maintains its systems until noon',
    sinceUtc: '2026-01-02T03:04:05.678Z',
  },
  circuits: [
    {
      process: 'worker-1:17',
      state: 'closed' as const,
      sinceUtc: '2026-01-02T01:00:00.000Z',
      reason: '',
      reportedAtUtc: '2026-01-02T03:04:00.000Z',
    },
  ],
};

const providerBody = z
  .object({
    provider: z.enum(providerNames),
    status: z.enum(providerStates).openapi({
      description:
        '`paused` by an operator; `circuit-open` when no worker process has its circuit closed; `key-refused` when that is ' +
        'since the provider answers 401: no waiting mends it.',
    }),
    switch: z
      .object({ state: z.enum(['running', 'paused']), actor: z.string(), reason: z.string(), sinceUtc: time })
      .optional()
      .openapi({ description: 'Who paused or resumed it last; absent when nobody ever did.' }),
    circuits: z.array(circuitBody).openapi({ description: 'Of the worker processes that are alive.' }),
  })
  .openapi('Provider', { example });

const providersBody = z
  .object({ providers: z.array(providerBody) })
  .openapi('Providers', { example: { providers: [example] } });

const switchRequest = z
  .strictObject({ dryRun: dryRunField, reason: reasonField, actor: actorField })
  .openapi('ProviderSwitchRequest', {
    example: { reason: 'The carrier maintains its systems until noon', actor: 'grace' },
  });

const parameter = z.object({ provider: z.string().openapi({ example: 'carrier' }) });
const json = (schema: z.ZodType) => ({ content: { 'application/json': { schema } } });
const noStore = { 'cache-control': 'no-store' };

/** GET /providers, POST /providers/{provider}/pause and /resume; for operators. */
export function addProviders(app: App, deps: AppDeps): void {
  addRoute(
    app,
    {
      method: 'get',
      path: '/providers',
      operationId: 'listProviders',
      tag: 'Operations',
      summary: 'How the payment provider and the carrier stand',
      description: 'Operators only. The switch of each, and the circuit of each worker process.',
      produces: 'application/json',
      responses: { 200: { description: 'Both.', ...json(providersBody) } },
      problems: ['forbidden', 'store-unavailable'],
    },
    async (c) => {
      requireOperator(c.get('caller'));
      const records = await readStore(deps, (read) => read.providers());
      return c.json({ providers: providerNames.map((name) => bodyOf(deps, records, name)) }, 200, noStore);
    },
  );
  for (const [verb, state, summary, description] of acts) {
    addRoute(
      app,
      {
        method: 'post',
        path: `/providers/{provider}/${verb}`,
        operationId: `${verb}Provider`,
        tag: 'Operations',
        summary,
        description: `Operators only. ${description} Refused with 409 when it is ${state} already. Ends up in the audit trail. The reason stays in the house: shops read only that the provider takes no requests now.`,
        produces: 'application/json',
        request: { params: parameter, body: { required: true, ...json(switchRequest) } },
        responses: {
          200: { description: 'As it stands now; unchanged by a `dryRun`.', ...json(providerBody) },
        },
        problems: [
          'malformed-request',
          'forbidden',
          'not-found',
          'act-refused',
          'body-too-large',
          'unsupported-media-type',
          'invalid-fields',
          'store-unavailable',
        ],
      },
      (c) => turn(c, deps, state),
    );
  }
}

const acts = [
  [
    'pause',
    'paused',
    'Makes a provider’s steps wait',
    'No attempt of them begins until it is resumed; checkouts go on, and what is under way is finished.',
  ],
  [
    'resume',
    'running',
    'Lets a provider’s steps go on',
    'They begin slowly and at no more than the rate of the queue.',
  ],
] as const;

async function turn(c: AppContext, deps: AppDeps, state: ProviderSwitch['state']): Promise<Response> {
  requireOperator(c.get('caller'));
  const provider = c.req.param('provider') ?? '';
  if (!isProviderName(provider)) {
    throw new ApiProblem('not-found', { detail: `Expected a provider: ${providerNames.join(' or ')}.` });
  }
  const { reason, actor: person, dryRun } = await readJson(c, switchRequest);
  const actor = actorOf(c.get('caller'), person);
  const wanted: ProviderSwitch = { provider, state, actor, reason, sinceUtc: deps.clock.nowUtc() };
  const changed = dryRun ? await wouldChange(deps, wanted) : await change(deps, wanted);
  const records = await readStore(deps, (read) => read.providers());
  if (!changed) throw refused(records, wanted);
  return c.json(bodyOf(deps, records, provider), 200, noStore);
}

async function wouldChange(deps: AppDeps, { provider, state }: ProviderSwitch): Promise<boolean> {
  const { switches } = await readStore(deps, (read) => read.providers());
  return (switches.find((one) => one.provider === provider)?.state ?? 'running') !== state;
}

/** The switch and its audit row, in one transaction. */
async function change(deps: AppDeps, wanted: ProviderSwitch): Promise<boolean> {
  const { provider, state, actor, reason, sinceUtc } = wanted;
  try {
    return await deps.store.transaction(async (tx) => {
      if (!(await tx.providers.change(wanted))) return false;
      await tx.audit.append({
        subject: providerSubject(provider),
        actor,
        step: 'provider',
        from: state === 'paused' ? 'running' : 'paused',
        to: state,
        reason,
        causingEventId: '',
        workflowId: '',
        runId: '',
        occurredAtUtc: sinceUtc,
      });
      return true;
    });
  } catch (error) {
    throw storeUnavailable(deps, error);
  }
}

function refused({ switches }: ProviderRecords, { provider, state }: ProviderSwitch): ApiProblem {
  const first = switches.find((one) => one.provider === provider);
  const who = first
    ? ` since ${first.sinceUtc}, by ${first.actor}: ${first.reason}`
    : '; it was never paused';
  return new ApiProblem('act-refused', {
    detail: `${provider} is ${state} already${who}.`,
    code: `already_${state}`,
  });
}

function bodyOf(deps: AppDeps, { switches, circuits }: ProviderRecords, provider: ProviderName) {
  const nowUtc = deps.clock.nowUtc();
  const own = switches.find((one) => one.provider === provider);
  return {
    provider,
    status: statusOf({ switches, circuits }, { provider, nowUtc }).state,
    ...(own ? { switch: switchOf(own) } : {}),
    circuits: circuits
      .filter((one) => one.provider === provider && isFresh(one, nowUtc))
      .map(({ provider: _, ...circuit }) => circuit),
  };
}

const switchOf = ({ state, actor, reason, sinceUtc }: ProviderSwitch) => ({ state, actor, reason, sinceUtc });
