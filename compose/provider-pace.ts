import type { CircuitStatus, ProviderPolicy } from '../domain/providers.ts';
import type { ProviderPace } from '../ports/providers.ts';

/** What a process knows of one provider at one moment. */
export interface ProviderFacts {
  nowMs: number;
  /** Undefined until SQL has answered for the first time. */
  paused: boolean | undefined;
  circuit: CircuitStatus['state'];
  /** Milliseconds until an open circuit may be tried. */
  probeInMs: number;
}

/**
 * Decides one provider's pace. It remembers when the provider was last seen held up: for `slowStartMs` after that steps
 * go slowly, so that the backlog does not knock the provider over again.
 */
export function createProviderPace({ slowStartMs }: Pick<ProviderPolicy, 'slowStartMs'>): {
  now(facts: ProviderFacts): ProviderPace;
  heldUpAgoMs(nowMs: number): number;
} {
  let heldUpMs = Number.NEGATIVE_INFINITY;
  return {
    now({ nowMs, paused, circuit, probeInMs }) {
      if (paused === undefined) return 'stopped';
      if (paused || circuit !== 'closed') {
        heldUpMs = nowMs;
        return paused || probeInMs > 0 ? 'stopped' : 'probing';
      }
      return nowMs - heldUpMs < slowStartMs ? 'slow' : 'full';
    },
    heldUpAgoMs: (nowMs) => nowMs - heldUpMs,
  };
}
