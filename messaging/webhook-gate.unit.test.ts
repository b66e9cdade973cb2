import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createWebhookGate, webhookGateDefaults, type Entry } from './webhook-gate.ts';

const one = `we_${'1'.repeat(32)}` as const;
const two = `we_${'2'.repeat(32)}` as const;
const settings = { ...webhookGateDefaults, waitMs: 40, openMs: 60, overflowMs: { short: 1, long: 2 } };
const timeout = { failed: true, durationMs: 10_000, holdMs: 0 };
const success = { failed: false, durationMs: 20, holdMs: 0 };

function build() {
  const gate = createWebhookGate(settings);
  let deliveries = 0;
  const enter = (input: { endpointId?: typeof one; webhookId?: string; attempt?: number } = {}) =>
    gate.enter({ endpointId: one, webhookId: `d-${(deliveries += 1)}`, attempt: 1, ...input });
  const go = async (attempt = 1) => {
    const entry = await enter({ attempt });
    if (entry.status !== 'go') throw new Error(`Expected a turn, came ${entry.reason}`);
    return entry;
  };
  const open = async () => {
    for (let count = 0; count < 5; count += 1) (await go(2)).leave(timeout);
  };
  return { gate, enter, go, open };
}

const reasonOf = (entry: Entry) => (entry.status === 'go' ? 'go' : entry.reason);

describe('turns', () => {
  it('are two at a time for one endpoint, whatever another has', async () => {
    const { gate, enter, go } = build();
    await go();
    await go();
    expect(await enter()).toEqual({ status: 'postpone', reason: 'endpoint-busy', delayMs: 1 });
    const other = await gate.enter({ endpointId: two, webhookId: 'x', attempt: 1 });
    expect(other.status).toBe('go');
  });

  it('are waited for shortly, in the order of coming', async () => {
    const { enter, go } = build();
    const [first] = [await go(), await go()];
    const order: string[] = [];
    const waiting = ['a', 'b'].map(async (name) => {
      const entry = await enter();
      order.push(`${name} ${reasonOf(entry)}`);
    });
    await sleep(5);
    first?.leave(success);
    await Promise.all(waiting);
    expect(order).toEqual(['a go', 'b endpoint-busy']);
  });

  it('are given once to one delivery at a time', async () => {
    const { enter } = build();
    const first = await enter({ webhookId: 'same' });
    expect(reasonOf(await enter({ webhookId: 'same' }))).toBe('in-flight');
    if (first.status === 'go') first.leave(success);
    expect(reasonOf(await enter({ webhookId: 'same' }))).toBe('go');
  });

  it('are held back for as long as the endpoint asked', async () => {
    const { enter, go } = build();
    (await go()).leave({ failed: true, durationMs: 5, holdMs: 50 });
    expect(await enter({ attempt: 3 })).toMatchObject({ reason: 'retry-after', delayMs: 2 });
    await sleep(60);
    expect(reasonOf(await enter())).toBe('go');
  });

  it('that are not to be had are come back for later where many wait or answers take long', async () => {
    const quick = build();
    for (let count = 0; count < 2; count += 1) await quick.go();
    const delays = (await Promise.all(Array.from({ length: 102 }, () => quick.enter()))).map((entry) =>
      entry.status === 'go' ? 0 : entry.delayMs,
    );
    expect(delays.filter((delayMs) => delayMs === 2)).toHaveLength(2);
    const slow = build();
    const [answered] = [await slow.go(), await slow.go()];
    answered?.leave({ failed: false, durationMs: 5_000, holdMs: 0 });
    await slow.go();
    expect(await slow.enter()).toMatchObject({ reason: 'endpoint-busy', delayMs: 2 });
  });
});

describe('a circuit', () => {
  it('opens after five slow failures in a row; first attempts wait, retries go through', async () => {
    const { gate, enter, go, open } = build();
    for (let count = 0; count < 4; count += 1) (await go()).leave(timeout);
    expect(gate.openCircuits()).toBe(0);
    (await go()).leave(success);
    await open();
    expect([gate.openCircuits(), gate.isOpen(one), gate.isOpen(two)]).toEqual([1, true, false]);
    expect(await enter()).toEqual({ status: 'postpone', reason: 'circuit-open', delayMs: 2 });
    (await go(2)).leave();
    expect(gate.isOpen(one)).toBe(true);
  });

  it('lets one first attempt through when its time is over, and stays open when that fails', async () => {
    const { enter, go, open } = build();
    await open();
    await sleep(70);
    const probe = await go();
    expect(reasonOf(await enter())).toBe('circuit-open');
    probe.leave(timeout);
    expect(reasonOf(await enter())).toBe('circuit-open');
    await sleep(70);
    (await go()).leave(success);
    expect([reasonOf(await enter()), reasonOf(await enter())]).toEqual(['go', 'go']);
  });

  it.each([
    ['a success', success],
    ['a failure that comes at once', { failed: true, durationMs: 5, holdMs: 0 }],
    ['a change of the endpoint', 'forget'],
  ] as const)('closes after %s', async (_, outcome) => {
    const { gate, enter, go, open } = build();
    await open();
    (await go(2)).leave(outcome);
    expect([gate.openCircuits(), reasonOf(await enter())]).toEqual([0, 'go']);
  });

  it('does not open for an endpoint that refuses at once', async () => {
    const { gate, go } = build();
    for (let count = 0; count < 20; count += 1)
      (await go()).leave({ failed: true, durationMs: 5, holdMs: 0 });
    expect(gate.openCircuits()).toBe(0);
  });
});
