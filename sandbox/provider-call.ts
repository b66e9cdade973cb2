import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';
import type { Counts } from './counts.ts';
import type { FaultOf, Provider } from './faults/fault-rules.ts';
import type { CallFacts, FaultPlan, Faults } from './faults/faults.ts';
import type { Reply } from './refusal.ts';

export type HttpContext = Context<{ Bindings: HttpBindings }>;

export interface ProviderCall {
  provider: Provider;
  operation: string;
  facts?: () => CallFacts;
  /** The provider's own words for an answer that is none. */
  unavailable: () => Reply;
  rateLimited: (rule: FaultOf<'rate-limit'>) => Reply;
  /** Does the work under the plan's latency and error. */
  perform: (plan: FaultPlan) => Promise<Reply>;
}

/** Cuts the connection without an answer. */
const cut = (c: HttpContext): Response => {
  c.env.incoming.socket.destroy();
  return RESPONSE_ALREADY_SENT;
};

/** Keeps the caller waiting until it gives up. */
const hang = async (c: HttpContext): Promise<Response> => {
  if (!c.env.incoming.socket.destroyed) await once(c.env.incoming.socket, 'close');
  return RESPONSE_ALREADY_SENT;
};

const send = (c: HttpContext, { status, body, headers = {} }: Reply): Response =>
  typeof body === 'string'
    ? c.body(body, status as 200, { 'content-type': 'application/json', ...headers })
    : c.json(body as object, status as 200, headers);

/** Waits for a time; a caller that goes away meanwhile does not stop what it asked for. */
export const wait = async (ms: number): Promise<void> => {
  if (ms > 0) await sleep(ms);
};

/** What comes of a call under an `error` fault: the error instead of the work, or after it. */
export const underError = (
  plan: FaultPlan,
  work: () => Reply,
  errorReply: (rule: FaultOf<'error'>) => Reply,
): Reply => {
  if (!plan.error) return work();
  if (plan.error.effect) work();
  return errorReply(plan.error);
};

/** Answers one provider call over HTTP with whatever faults are in force, and counts it. */
export const answerCall = async (
  { faults, counts }: { faults: Faults; counts: Counts },
  c: HttpContext,
  call: ProviderCall,
): Promise<Response> => {
  const plan = faults.plan(call.provider, call.operation, call.facts);
  const count = (outcome: 'requests' | 'errors' | 'faults') =>
    counts.operation(call.provider, call.operation, outcome);
  count('requests');
  if (plan.any) count('faults');
  if (plan.outage?.mode === 'refuse') return cut(c);
  if (plan.outage?.mode === 'hang') return hang(c);
  const reply = plan.outage
    ? call.unavailable()
    : plan.rateLimit
      ? call.rateLimited(plan.rateLimit)
      : await call.perform(plan);
  if (reply.status >= 400) count('errors');
  await wait(plan.delayAfterMs);
  if (plan.replyLost) return cut(c);
  if (plan.hangAfter) return hang(c);
  return send(c, reply);
};
