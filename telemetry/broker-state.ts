import type { Metrics } from './metrics.ts';

const states = ['connected', 'blocked', 'disconnected'] as const;

/** Keeps `broker_state` true to the present state, looked at whenever the metrics are. */
export function observeBrokerState(
  { brokerState }: Pick<Metrics, 'brokerState'>,
  state: () => (typeof states)[number],
): void {
  Object.assign(brokerState, {
    collect() {
      for (const one of states) brokerState.set({ state: one }, one === state() ? 1 : 0);
    },
  });
}
