import { Gauge, type Registry } from 'prom-client';

const states = ['connected', 'blocked', 'disconnected'] as const;

/** `broker_state{state}`: 1 for the present state, read whenever the metrics are. `blocked` is an alarm at the broker. */
export function observeBrokerState(registry: Registry, state: () => (typeof states)[number]): void {
  const gauge: Gauge<'state'> = new Gauge({
    name: 'broker_state',
    help: 'State of the connection to RabbitMQ: 1 for connected, blocked (memory or disk alarm) or disconnected.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      for (const one of states) gauge.set({ state: one }, one === state() ? 1 : 0);
    },
  });
}
