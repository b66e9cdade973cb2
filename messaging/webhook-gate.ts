import { setTimeout as sleep } from 'node:timers/promises';
import type { WebhookEndpointId } from '../domain/webhooks.ts';

export interface WebhookGateSettings {
  /** Requests to one endpoint at the same time. Default 2. */
  inFlight: number;
  /** Failures in a row, each of `slowMs` or more, that open the circuit. Default 5. */
  failures: number;
  /** From when on an attempt costs time, milliseconds. Default 1 s. */
  slowMs: number;
  /** An open circuit lets one first attempt through after so long, milliseconds. Default 30 s. */
  openMs: number;
  /** How long, in milliseconds, a delivery waits here for its turn before it goes to the overflow queue. Default 250. */
  waitMs: number;
  /** Overflow delays, milliseconds: of an endpoint that is quick, and of one that is slow, closed or has a backlog. */
  overflowMs: { short: number; long: number };
}

export const webhookGateDefaults: WebhookGateSettings = {
  inFlight: 2,
  failures: 5,
  slowMs: 1_000,
  openMs: 30_000,
  waitMs: 250,
  overflowMs: { short: 250, long: 5_000 },
};

/** Deliveries that may wait here, of one endpoint and in all: well below the prefetch, so that others always get in. */
const waitingPerEndpoint = 16;
const waitingInAll = 24;
/** More deliveries than this sent to the overflow queue within a second are a backlog. */
const backlogPerSecond = 100;

export interface Pass {
  status: 'go';
  /** Ends the turn; without an outcome nothing was attempted. `forget` drops what was known of the endpoint. */
  leave(outcome?: AttemptOutcome | 'forget'): void;
}

interface AttemptOutcome {
  failed: boolean;
  durationMs: number;
  /** How long the endpoint wants to be left alone. */
  holdMs: number;
}

export type Entry = Pass | { status: 'postpone'; delayMs: number; reason: PostponeReason };

type PostponeReason = 'endpoint-busy' | 'circuit-open' | 'retry-after' | 'in-flight';

interface EndpointState {
  inFlight: Set<string>;
  waiting: number;
  /** Wakes the deliveries that wait for a turn. */
  turn: PromiseWithResolvers<void>;
  slowFailures: number;
  openUntilMs: number;
  isProbing: boolean;
  heldUntilMs: number;
  lastMs: number;
  overflow: { sinceMs: number; count: number };
}

/**
 * Keeps endpoints apart: how many requests each gets at a time, and none while it asked for a pause (Retry-After).
 *
 * A circuit per endpoint opens after failures in a row that cost time. It is about time, not about errors: an endpoint
 * that refuses at once holds nobody up, and its deliveries run through their retries as promised. While it is open,
 * first attempts wait in the overflow queue and one of them goes through every `openMs`; retries, which the broker
 * paces already, go through as well. The first success, or a failure at once, closes it. Known to this process alone, closed at its start.
 */
export function createWebhookGate(settings: WebhookGateSettings = webhookGateDefaults) {
  const endpoints = new Map<WebhookEndpointId, EndpointState>();
  let waitingNow = 0;

  function stateOf(id: WebhookEndpointId): EndpointState {
    const known = endpoints.get(id);
    if (known) return known;
    const fresh: EndpointState = {
      inFlight: new Set(),
      waiting: 0,
      turn: Promise.withResolvers(),
      slowFailures: 0,
      openUntilMs: 0,
      isProbing: false,
      heldUntilMs: 0,
      lastMs: 0,
      overflow: { sinceMs: 0, count: 0 },
    };
    endpoints.set(id, fresh);
    return fresh;
  }

  const isOpen = (state: EndpointState): boolean => state.slowFailures >= settings.failures;

  function postpone(state: EndpointState, reason: PostponeReason): Entry {
    const isLong = reason !== 'endpoint-busy' || state.lastMs >= settings.slowMs || hasBacklog(state);
    return { status: 'postpone', reason, delayMs: settings.overflowMs[isLong ? 'long' : 'short'] };
  }

  /** One of these at a time decides, from what it finds now: nothing is awaited in between. */
  function tryEnter(id: WebhookEndpointId, webhookId: string, attempt: number): Entry | 'busy' {
    const state = stateOf(id);
    const nowMs = performance.now();
    if (state.inFlight.has(webhookId)) return postpone(state, 'in-flight');
    if (nowMs < state.heldUntilMs) return postpone(state, 'retry-after');
    const isGuarded = isOpen(state) && attempt === 1;
    if (isGuarded && (nowMs < state.openUntilMs || state.isProbing)) return postpone(state, 'circuit-open');
    if (state.inFlight.size >= settings.inFlight) return 'busy';
    if (isGuarded) state.isProbing = true;
    state.inFlight.add(webhookId);
    return passOf(id, state, webhookId, isGuarded);
  }

  function passOf(id: WebhookEndpointId, state: EndpointState, webhookId: string, isProbe: boolean): Pass {
    const release = () => {
      state.inFlight.delete(webhookId);
      if (isProbe) state.isProbing = false;
      const { turn } = state;
      state.turn = Promise.withResolvers();
      turn.resolve();
      const isIdle = state.inFlight.size === 0 && state.waiting === 0 && state.slowFailures === 0;
      if (isIdle && performance.now() >= state.heldUntilMs) endpoints.delete(id);
    };
    return {
      status: 'go',
      leave(outcome) {
        if (outcome === 'forget') Object.assign(state, { slowFailures: 0, heldUntilMs: 0 });
        else if (outcome !== undefined) note(state, outcome);
        release();
      },
    };
  }

  function note(state: EndpointState, { failed, durationMs, holdMs }: AttemptOutcome): void {
    const nowMs = performance.now();
    const isSlowFailure = failed && durationMs >= settings.slowMs;
    state.lastMs = durationMs;
    state.slowFailures = isSlowFailure ? state.slowFailures + 1 : 0;
    if (isSlowFailure) state.openUntilMs = nowMs + settings.openMs;
    state.heldUntilMs = Math.max(state.heldUntilMs, nowMs + holdMs);
  }

  return {
    /** Waits shortly for a turn. `go` must be ended by `leave`. */
    async enter(input: {
      endpointId: WebhookEndpointId;
      webhookId: string;
      attempt: number;
    }): Promise<Entry> {
      const { endpointId, webhookId, attempt } = input;
      const deadline = performance.now() + settings.waitMs;
      for (;;) {
        const entry = tryEnter(endpointId, webhookId, attempt);
        if (entry !== 'busy') return entry;
        const state = stateOf(endpointId);
        const leftMs = deadline - performance.now();
        if (leftMs <= 0 || state.waiting >= waitingPerEndpoint || waitingNow >= waitingInAll)
          return postpone(state, 'endpoint-busy');
        state.waiting += 1;
        waitingNow += 1;
        await Promise.race([state.turn.promise, sleep(leftMs, undefined, { ref: false })]);
        state.waiting -= 1;
        waitingNow -= 1;
      }
    },
    openCircuits: () => [...endpoints.values()].filter(isOpen).length,
    isOpen: (id: WebhookEndpointId) => {
      const state = endpoints.get(id);
      return state !== undefined && isOpen(state);
    },
  };
}

/** Counts this one; true when there are more than an overflow queue that comes back at once can carry. */
function hasBacklog(state: EndpointState): boolean {
  const nowMs = performance.now();
  if (nowMs - state.overflow.sinceMs > 1_000) state.overflow = { sinceMs: nowMs, count: 0 };
  state.overflow.count += 1;
  return state.overflow.count > backlogPerSecond;
}
