import {
  BrokenCircuitError,
  circuitBreaker,
  CircuitState as State,
  handleWhen,
  type IBreaker,
} from 'cockatiel';
import { TechnicalFailure } from '../../domain/failures.ts';
import type { CircuitPolicy, CircuitStatus, ProviderName } from '../../domain/providers.ts';
import type { Circuit } from '../../ports/providers.ts';

export interface CircuitBreaker extends Circuit {
  status(): CircuitStatus;
  /** Milliseconds until a request may try an open circuit; 0 when one may now. */
  probeInMs(): number;
}

export interface CircuitBreakerOptions {
  provider: ProviderName;
  policy: CircuitPolicy;
  /** Called at every change of `status().state`. */
  onChange?: () => void;
  /** Called for every request that was refused without being sent. */
  onRefused?: () => void;
}

/** How long a request that meets another one's probe stays away. */
const AFTER_PROBE_MS = 1_000;

/**
 * One provider's circuit breaker in one process. Requests that end with ProviderUnavailable or OutcomeUnknown are its
 * failures; every answer, a refusal among them, is a success. ProviderMisconfigured and bugs count as neither: no pause
 * mends those. A key that is refused opens it at once, since every other request would be refused as well: steps wait for
 * whoever mends the key instead of using up their budgets, and one request at a time asks again.
 */
export function createCircuitBreaker(options: CircuitBreakerOptions): CircuitBreaker {
  const { provider, policy, onChange = () => {}, onRefused = () => {} } = options;
  let keyRefused = false;
  const counts = (error: unknown): boolean => {
    keyRefused = error instanceof TechnicalFailure && error.keyRefused;
    return keyRefused || isOutage(error);
  };
  const breaker = circuitBreaker(handleWhen(counts), {
    halfOpenAfter: policy.probeAfterMs,
    breaker: createWindow(policy, () => keyRefused),
  });
  let status: CircuitStatus = { state: 'closed', sinceUtc: now(), reason: '' };
  let openedAtMs = 0;
  const enter = (next: CircuitStatus) => {
    status = next;
    onChange();
  };
  breaker.onBreak((failure) => {
    openedAtMs = Date.now();
    const reason =
      'error' in failure && failure.error instanceof TechnicalFailure ? failure.error.summary : '';
    const sinceUtc = status.state === 'closed' ? now() : status.sinceUtc;
    enter({ state: 'open', sinceUtc, reason, ...(keyRefused ? { keyRefused } : {}) });
  });
  breaker.onHalfOpen(() => enter({ ...status, state: 'half-open' }));
  breaker.onReset(() => enter({ state: 'closed', sinceUtc: now(), reason: '' }));

  const probeInMs = () => Math.max(0, openedAtMs + policy.probeAfterMs - Date.now());
  const refusal = (): TechnicalFailure => {
    onRefused();
    return new TechnicalFailure(
      'ProviderUnavailable',
      `Nothing was sent to ${provider}: its circuit is ${status.state} since ${status.sinceUtc} (${status.reason})`,
      { retryAfterMs: Math.max(probeInMs(), AFTER_PROBE_MS) },
    );
  };
  return {
    async call(request) {
      /* cockatiel would make it wait for the other one's outcome, and an attempt has no time for that. */
      if (breaker.state === State.HalfOpen) throw refusal();
      try {
        return await breaker.execute(request);
      } catch (error) {
        throw error instanceof BrokenCircuitError ? refusal() : error;
      }
    },
    status: () => status,
    probeInMs: () => (status.state === 'open' ? probeInMs() : 0),
  };
}

const now = (): string => new Date().toISOString();

const isOutage = (error: unknown): boolean =>
  error instanceof TechnicalFailure &&
  (error.type === 'ProviderUnavailable' || error.type === 'OutcomeUnknown');

/**
 * The requests of the last `windowMs`, one by one. cockatiel's own SamplingBreaker moves on by one part of its window
 * per request, so that with few requests failures of an hour ago still count.
 */
function createWindow(
  { minimumCalls, failureShare, windowMs }: CircuitPolicy,
  opensAtOnce: () => boolean,
): IBreaker {
  let calls: { atMs: number; failed: boolean }[] = [];
  const add = (failed: boolean) => {
    const atMs = Date.now();
    calls = [...calls.filter((call) => call.atMs > atMs - windowMs), { atMs, failed }];
  };
  return {
    state: undefined,
    success(state) {
      if (state === State.HalfOpen) calls = [];
      add(false);
    },
    failure(state) {
      add(true);
      const failures = calls.filter(({ failed }) => failed).length;
      return (
        opensAtOnce() ||
        state !== State.Closed ||
        (calls.length >= minimumCalls && failures > failureShare * calls.length)
      );
    },
  };
}
