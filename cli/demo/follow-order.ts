import { setTimeout as sleep } from 'node:timers/promises';
import { isEnded } from '../../domain/order.ts';
import type { DemoClient, DemoOrder } from './demo-client.ts';
import type { Scenario } from './scenarios.ts';

/** One order of the demo as it is shown. */
export interface Progress {
  title: string;
  /** Undefined until the checkout was answered. */
  orderId?: string;
  order?: DemoOrder;
  /** Type of the last event, without its version. */
  lastEvent?: string;
  /** When the shown state began, in milliseconds since the epoch. */
  sinceMs: number;
  startedMs: number;
  /** What became of it; undefined while it moves by itself. */
  outcome?: Outcome;
  /** Why the demo could not go on with it. */
  problem?: string;
}

export type Outcome = 'ended' | 'waiting' | 'unfinished';

const POLL_MS = 200;
/** The API reads events four times a second, so the last ones come after the state they belong to. */
const LATE_EVENTS_MS = 700;

/**
 * Places the order and follows it until it has ended, waits for a person, or `signal` ends the demo. `changed` is called
 * after every change of `progress`. Adds the faults it put in force to `faults`. Never rejects: a problem is part of the progress.
 */
export async function followOrder(input: {
  client: DemoClient;
  scenario: Scenario;
  progress: Progress;
  faults: string[];
  signal: AbortSignal;
  changed: () => void;
}): Promise<void> {
  const { progress, signal, changed } = input;
  const listening = new AbortController();
  const over = AbortSignal.any([signal, listening.signal]);
  try {
    const orderId = await place(input);
    const events = listen({ ...input, orderId, signal: over });
    await watch({ ...input, orderId });
    await Promise.race([events, sleep(LATE_EVENTS_MS, undefined, { signal }).catch(() => {})]);
  } catch (error) {
    progress.problem = error instanceof Error ? error.message : String(error);
  } finally {
    listening.abort();
    progress.outcome ??= 'unfinished';
    changed();
  }
}

async function place(input: {
  client: DemoClient;
  scenario: Scenario;
  progress: Progress;
  faults: string[];
  changed: () => void;
}): Promise<string> {
  const { client, scenario, progress, faults } = input;
  faults.push(...((await scenario.prepare?.(client)) ?? []));
  progress.startedMs = progress.sinceMs = Date.now();
  const orderId = await client.checkout(`demo-${crypto.randomUUID()}`, checkoutOf(scenario));
  faults.push(...((await scenario.placed?.(client, orderId)) ?? []));
  progress.orderId = orderId;
  input.changed();
  return orderId;
}

const checkoutOf = ({ productId, quantity, paymentMethodId, street1 }: Scenario) => ({
  customerId: 'demo-customer',
  customerEmail: 'ada@example.com',
  items: [{ productId, quantity }],
  paymentMethodId,
  shippingAddress: {
    name: 'Ada Lovelace',
    street1,
    city: 'Bengaluru',
    state: 'KA',
    postalCode: '560001',
    country: 'IN',
  },
});

async function watch(input: {
  client: DemoClient;
  scenario: Scenario;
  progress: Progress;
  orderId: string;
  signal: AbortSignal;
  changed: () => void;
}): Promise<void> {
  const { client, scenario, progress, orderId, signal } = input;
  let { act } = scenario;
  while (!signal.aborted) {
    // An answer that does not come is asked for again: the time limit ends that.
    const order = await client.order(orderId).catch(() => undefined);
    if (order) show(progress, order, input.changed);
    if (!order) {
      // Nothing new.
    } else if (act?.due(order)) {
      await act.run(client, orderId);
      act = undefined;
    } else if (isEnded(order.status)) {
      progress.outcome = 'ended';
    } else if (order.sagaState === 'held' || order.sagaState === 'parked') {
      progress.outcome = 'waiting';
    }
    if (progress.outcome) return;
    await sleep(POLL_MS);
  }
}

function show(progress: Progress, order: DemoOrder, changed: () => void): void {
  const { order: before } = progress;
  progress.order = order;
  if (before?.status === order.status && before.sagaState === order.sagaState && before.step === order.step)
    return;
  progress.sinceMs = Date.now();
  changed();
}

/** Events are only shown: without them the demo goes on. */
async function listen(input: {
  client: DemoClient;
  progress: Progress;
  orderId: string;
  signal: AbortSignal;
  changed: () => void;
}): Promise<void> {
  try {
    for await (const { eventType } of input.client.events(input.orderId, input.signal)) {
      input.progress.lastEvent = eventType.replace(/\.v\d+$/, '');
      input.changed();
    }
  } catch (error) {
    if (!input.signal.aborted) input.progress.problem = `events: ${String(error)}`;
  }
}
