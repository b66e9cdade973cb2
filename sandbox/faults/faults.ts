import { randomUUID } from 'node:crypto';
import type { Store } from '../store.ts';
import type { FaultMatch, FaultOf, FaultRule, ParsedRule, Provider } from './fault-rules.ts';

/** What is known of a call when its faults are chosen. */
export interface CallFacts {
  orderId?: string | undefined;
  id?: string | undefined;
  reference?: string | undefined;
  amount?: string | undefined;
  currency?: string | undefined;
  paymentMethod?: string | undefined;
  recipient?: string | undefined;
  metadata?: Record<string, string> | undefined;
}

/** The faults one call runs into. */
export interface FaultPlan {
  outage?: FaultOf<'outage'>;
  rateLimit?: FaultOf<'rate-limit'>;
  error?: FaultOf<'error'>;
  delayBeforeMs: number;
  delayAfterMs: number;
  replyLost: boolean;
  hangAfter: boolean;
  /** Whether anything at all goes wrong. */
  any: boolean;
}

export interface Faults {
  replace(rules: ParsedRule[]): FaultRule[];
  add(rule: ParsedRule): FaultRule;
  remove(id: string): boolean;
  clear(): void;
  list(): FaultRule[];
  /** The faults this call runs into; uses up one of each rule's `times`. */
  plan(provider: Provider, operation: string, facts?: () => CallFacts): FaultPlan;
  /** The outage the provider is in, without using it up; for what is not a call, such as an open port. */
  outage(provider: Provider, operation: string): FaultOf<'outage'> | undefined;
}

const fits = (match: FaultMatch | undefined, facts: CallFacts): boolean => {
  if (!match) return true;
  const { metadata, ...plain } = match;
  const known: Record<string, unknown> = { ...facts };
  return (
    Object.entries(plain).every(([key, value]) => value === undefined || known[key] === value) &&
    Object.entries(metadata ?? {}).every(([key, value]) => facts.metadata?.[key] === value)
  );
};

const fires = (rule: FaultRule): boolean => rule.kind !== 'error' || Math.random() < rule.rate;

const started = (rule: ParsedRule): FaultRule => ({
  ...rule,
  id: rule.id ?? randomUUID().slice(0, 8),
  remaining: rule.times ?? null,
  untilMs: rule.forMs === undefined ? null : Date.now() + rule.forMs,
});

const noFaults = (): FaultPlan => ({
  delayBeforeMs: 0,
  delayAfterMs: 0,
  replyLost: false,
  hangAfter: false,
  any: false,
});

const planned = (plan: FaultPlan, rule: FaultRule): FaultPlan => {
  const marked = { ...plan, any: true };
  switch (rule.kind) {
    case 'outage':
      return { ...marked, outage: rule };
    case 'rate-limit':
      return { ...marked, rateLimit: rule };
    case 'error':
      return { ...marked, error: rule };
    case 'reply-lost':
      return { ...marked, replyLost: true };
    case 'hang-after':
      return { ...marked, hangAfter: true };
    case 'latency': {
      const ms = rule.ms + Math.random() * rule.jitterMs;
      const before = rule.when === 'before';
      return {
        ...marked,
        delayBeforeMs: plan.delayBeforeMs + (before ? ms : 0),
        delayAfterMs: plan.delayAfterMs + (before ? 0 : ms),
      };
    }
  }
};

/** The rules in force. They are kept with the rest of the state, so a restart does not end an outage. */
export const createFaults = (store: Store): Faults => {
  const saved = store.get('setting', 'faults');
  let rules: FaultRule[] = saved && 'rules' in saved ? saved.rules : [];
  const save = (next: FaultRule[]) => {
    rules = next;
    store.put('setting', 'faults', { rules });
  };
  const active = (rule: FaultRule): boolean =>
    rule.remaining !== 0 && (rule.untilMs === null || rule.untilMs > Date.now());
  const concerns = (rule: FaultRule, provider: Provider, operation: string): boolean =>
    rule.provider === provider && (rule.operation === '*' || rule.operation === operation) && active(rule);

  const use = (rule: FaultRule) => {
    if (rule.remaining === null) return;
    rule.remaining -= 1;
    save(rules);
  };

  return {
    replace: (next) => {
      save(next.map(started));
      return rules;
    },
    add: (rule) => {
      const added = started(rule);
      save([...rules.filter(({ id }) => id !== added.id), added]);
      return added;
    },
    remove: (id) => {
      const found = rules.some((rule) => rule.id === id);
      if (found) save(rules.filter((rule) => rule.id !== id));
      return found;
    },
    clear: () => save([]),
    list: () => rules.filter(active),
    plan: (provider, operation, facts = () => ({})) => {
      const candidates = rules.filter((rule) => concerns(rule, provider, operation));
      if (candidates.length === 0) return noFaults();
      const known = facts();
      const hit = candidates.filter((rule) => fits(rule.match, known) && fires(rule));
      hit.forEach(use);
      return hit.reduce(planned, noFaults());
    },
    outage: (provider, operation) =>
      rules.find(
        (rule): rule is FaultOf<'outage'> => rule.kind === 'outage' && concerns(rule, provider, operation),
      ),
  };
};
