import { Counter, Registry, collectDefaultMetrics } from 'prom-client';
import type { Store } from './store.ts';

/** What can be counted of one provider operation. */
type Outcome = 'requests' | 'effects' | 'replays' | 'errors' | 'faults';

export interface Counts {
  /** One more call of an operation, such as `stripe payment_intents.create requests`. */
  operation(provider: string, operation: string, outcome: Outcome): void;
  /** A business fact, such as `charges_succeeded` or `refunded_minor_inr`. */
  business(name: string, by?: number): void;
  read(): {
    operations: Record<string, Record<string, Partial<Record<Outcome, number>>>>;
    business: Record<string, number>;
  };
  /** Prometheus text. */
  metrics(): Promise<{ contentType: string; text: string }>;
  /** Writes what is new to the store; called every second and on close. */
  save(): void;
  reset(): void;
}

/**
 * Counters of calls and of business facts. They are kept in memory and written once a second, so a SIGKILL may cost
 * the last second of them; the ledger, which is read from the records themselves, never loses anything.
 */
export const createCounts = (store: Store): Counts => {
  const saved = store.get('setting', 'counts');
  let values: Record<string, number> = saved && 'counts' in saved ? saved.counts : {};
  let dirty = false;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const calls = new Counter({
    name: 'sandbox_operations_total',
    help: 'Calls of provider operations by outcome: requests, effects, replays, errors, faults.',
    labelNames: ['provider', 'operation', 'outcome'],
    registers: [registry],
  });
  const facts = new Counter({
    name: 'sandbox_business_total',
    help: 'Business facts: charges, refunds, labels, mails, webhooks. Names with _minor_ are amounts in minor units.',
    labelNames: ['fact'],
    registers: [registry],
  });
  const add = (key: string, by: number) => {
    values[key] = (values[key] ?? 0) + by;
    dirty = true;
  };

  return {
    operation: (provider, operation, outcome) => {
      add(`${provider} ${operation} ${outcome}`, 1);
      calls.inc({ provider, operation, outcome });
    },
    business: (name, by = 1) => {
      add(name, by);
      if (by > 0) facts.inc({ fact: name }, by);
    },
    read: () => readable(values),
    metrics: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    save: () => {
      if (dirty) store.put('setting', 'counts', { counts: values });
      dirty = false;
    },
    reset: () => {
      values = {};
      calls.reset();
      facts.reset();
      store.put('setting', 'counts', { counts: values });
    },
  };
};

const readable = (values: Record<string, number>): ReturnType<Counts['read']> => {
  const result: ReturnType<Counts['read']> = { operations: {}, business: {} };
  for (const [key, value] of Object.entries(values)) {
    const [provider = '', operation, outcome] = key.split(' ');
    if (operation === undefined) result.business[provider] = value;
    else ((result.operations[provider] ??= {})[operation] ??= {})[outcome as Outcome] = value;
  }
  return result;
};
