import { DefaultLogger } from '@temporalio/worker';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundleOrderWorkflows } from '../../workers/saga/workflow-bundle.ts';
import {
  addressOf,
  playOrder,
  startModelledOrder,
  viewIn,
  type Delivered,
  type Plan,
  type Played,
  type PlannedAct,
} from './modelled-saga.ts';
import { createIsolate, type WorkflowCreator } from './modelled-workflow.ts';

const minute = 60_000;
type ActName = PlannedAct['name'];
const everyAct: ActName[] = [
  'cancel',
  'payment',
  'shipping-address',
  'approve',
  'extend',
  'resolve',
  'temporal-cancel',
];
const mostly = fc.nat(3).map((n) => n > 0);

const actOf = (...of: ActName[]): fc.Arbitrary<PlannedAct> =>
  fc.record({
    name: fc.constantFrom(...of),
    way: fc.constantFrom('update', 'signal'),
    good: mostly,
    laterMs: fc.integer({ min: -minute, max: 70 * minute }),
  });

/** An order to which nothing happens but what the decisions and a property's acts bring. */
const plain = {
  card: fc.constant<Plan['card']>('good'),
  address: fc.constant<Plan['address']>('good'),
  needsApproval: fc.constant(false),
  failingCalls: fc.constant(8),
  haste: fc.constantFrom(1, 4, 16),
  together: fc.boolean(),
  decisions: fc.array(fc.nat(1_000), { minLength: 20, maxLength: 120, size: 'max' }),
};
const anything = {
  ...plain,
  card: fc.constantFrom<Plan['card']>('good', 'declined', 'asks'),
  address: fc.constantFrom<Plan['address']>('good', 'good', 'unknown', 'refused at the label'),
  needsApproval: fc.boolean(),
};

/** What people's tools may send: any JSON, and objects that no text can be made of. */
const nonsense = fc.oneof(
  fc.jsonValue(),
  fc.record(
    {
      actor: fc.jsonValue(),
      reason: fc.jsonValue(),
      action: fc.constantFrom<unknown>({ toString: 1, valueOf: 1 }, ['retry'], 'mark-done', 'retry-with', 7),
      input: fc.jsonValue(),
      reference: fc.jsonValue(),
      untilUtc: fc.constantFrom<unknown>({ toString: 1 }, 'tomorrow', 0, []),
      address: fc.constantFrom<unknown>({ city: { toString: 1 } }, [], 'here'),
      paymentMethodId: fc.constantFrom<unknown>({ toString: 1 }, '', 'a\nb'),
    },
    { requiredKeys: [] },
  ),
);

const statusOf = ({ result, canceled }: Played): string | undefined =>
  canceled ? 'cancelled' : result?.status;
const tracesOf = ({ notes }: Played, { actor }: Delivered) =>
  notes.filter(({ input }) => input['actor'] === actor);
const resultsOf = (played: Played, act: Delivered) =>
  tracesOf(played, act).map(({ input }) => input['result']);
/**
 * Updates say so themselves, some of them only when SQL was asked; a signal was taken unless its refusal is written down.
 */
const wasTaken = (played: Played, act: Delivered): boolean =>
  act.way === 'update'
    ? act.accepted === true && typeof act.told !== 'string' && !resultsOf(played, act).includes('refused')
    : !resultsOf(played, act).includes('refused');
const takenOf = (played: Played, name: ActName) =>
  played.acts.filter((act) => act.name === name && wasTaken(played, act));

/** Everything that happened, for the message of a failed property. */
const explain = (played: Played): string => {
  const acts = played.acts.map(({ actor, way, accepted, told }) =>
    [actor, way, accepted, JSON.stringify(told)?.slice(0, 120)].join(' '),
  );
  const notes = played.notes.map(({ name, input }) =>
    [name, input['actor'], input['act'], input['result'] ?? input['reason']].join(' '),
  );
  const { result, failure, world, log } = played;
  return JSON.stringify({ result: result ?? failure ?? 'canceled', acts, notes, world, log }, undefined, 1);
};

const resolvedBy = (reason: string) =>
  (['mark-done', 'retry-with'] as const).find((action) => reason.startsWith(action)) ?? 'again';

/** Closed once, shipped and charged or neither, with stock to match; answers how it ended. */
function standsRight(played: Played, why: string): 'completed' | 'failed' | 'cancelled' {
  const { world, failure } = played;
  const status = statusOf(played) as 'completed' | 'failed' | 'cancelled';
  expect(failure, why).toBeUndefined();
  expect(world.closedAs, why).toBe(status);
  const shipped = world.label && !world.voided;
  expect(shipped, why).toBe(status === 'completed');
  expect(world.charged.length - world.refunded, why).toBe(shipped ? 1 : 0);
  expect(world.reserved, why).toBe(shipped);
  return status;
}

/**
 * What holds for acts that race with each other, with steps in flight and with deadlines. The workflow itself runs in
 * the SDK's own runtime; a model in the place of Temporal's server decides in which order everything happens, and what
 * of it within one workflow task.
 */
export function actRaces({ runs, interruptAfterMs }: { runs: number; interruptAfterMs: number }): void {
  describe('acts that race with each other, with steps in flight and with deadlines', () => {
    let isolate: WorkflowCreator;
    beforeAll(async () => {
      isolate = await createIsolate(await bundleOrderWorkflows({ logger: new DefaultLogger('ERROR') }));
    });

    const holds = async (
      plan: fc.Arbitrary<Plan>,
      property: (played: Played, why: string) => void,
      numRuns = runs,
    ) => {
      const check = async (one: Plan) => {
        const played = await playOrder(isolate, one);
        property(played, explain(played));
      };
      await fc.assert(fc.asyncProperty(plan, check), {
        numRuns,
        plugins: [fc.interruptAfterTimeLimit(interruptAfterMs)],
      });
    };
    /* What no run has come to was not proven; so many runs come to everything. */
    const often = (counts: Record<string, number>) => {
      if (runs < 100) return;
      expect(Math.min(...Object.values(counts)), JSON.stringify(counts)).toBeGreaterThan(runs / 50);
    };

    test('leave an order shipped and charged or neither, are each answered, and are each in the trail', async () => {
      const counts = { completed: 0, failed: 0, cancelled: 0, taken: 0, refused: 0, overtaken: 0 };
      const plan = fc.record({ ...anything, acts: fc.array(actOf(...everyAct), { maxLength: 8 }) });
      await holds(
        plan,
        (played, why) => {
          counts[standsRight(played, why)] += 1;
          for (const act of played.acts.filter(({ name }) => name !== 'temporal-cancel')) {
            if (act.way === 'update')
              expect(act.accepted, `${act.actor} is unanswered: ${why}`).toBeDefined();
            const results = resultsOf(played, act);
            const taken = wasTaken(played, act);
            counts[taken ? 'taken' : 'refused'] += 1;
            if (results.includes('overtaken')) counts.overtaken += 1;
            if (act.way === 'update' && !taken) expect(act.told, why).toMatch(/\.$/);
            else expect(results.length, `${act.actor} left no trace: ${why}`).toBeGreaterThan(0);
          }
        },
        4 * runs,
      );
      often(counts);
    });

    test('leave a parked order with one way on, whatever several people say of it at once', async () => {
      const counts = { again: 0, 'mark-done': 0, 'retry-with': 0, cancel: 0, refused: 0 };
      const plan = fc.record({
        ...plain,
        failingCalls: fc.constantFrom(1, 2),
        haste: fc.constantFrom(4, 10),
        together: fc.constantFrom(false, false, true),
        decisions: fc.array(fc.nat(1_000), { minLength: 60, maxLength: 200, size: 'max' }),
        acts: fc.array(actOf('resolve'), { minLength: 6, maxLength: 14 }),
      });
      await holds(plan, (played, why) => {
        standsRight(played, why);
        for (const { name, input } of played.notes) {
          if (input['act'] === 'cancel') counts.cancel += 1;
          if (name === 'resumeOrder') counts[resolvedBy(String(input['reason']))] += 1;
        }
        for (const act of played.acts.filter(({ name }) => name === 'resolve')) {
          const refused = act.way === 'update' && !wasTaken(played, act);
          counts.refused += Number(refused);
          if (refused) expect(act.told, why).toMatch(/\.$/);
          else expect(tracesOf(played, act).length, `${act.actor} left no trace: ${why}`).toBeGreaterThan(0);
        }
      });
      often(counts);
    });

    test('fail no workflow task, whatever is sent', async () => {
      const act = fc.record({
        name: fc.constantFrom(...everyAct.filter((name) => name !== 'temporal-cancel' && name !== 'cancel')),
        way: fc.constantFrom<PlannedAct['way']>('update', 'signal'),
        good: fc.constant(false),
        laterMs: fc.constant(0),
        raw: nonsense,
      });
      const plan = fc.record({
        ...anything,
        failingCalls: fc.constant(2),
        acts: fc.array(act, { minLength: 6, maxLength: 20 }),
      });
      await holds(plan, (played, why) => expect(statusOf(played), why).toMatch(/completed|failed/));
    });

    test('a cancel that was taken takes the order back; one that came too late is told that it ships', async () => {
      const counts = { taken: 0, late: 0 };
      const plan = fc.record({ ...plain, acts: fc.array(actOf('cancel'), { minLength: 1, maxLength: 3 }) });
      await holds(plan, (played, why) => {
        const taken = takenOf(played, 'cancel').length;
        counts[taken > 0 ? 'taken' : 'late'] += 1;
        expect(taken, why).toBeLessThan(2);
        expect(statusOf(played), why).toBe(taken > 0 ? 'cancelled' : 'completed');
        if (taken > 0) return;
        for (const { told, name, way } of played.acts)
          if (name === 'cancel' && way === 'update' && typeof told === 'string')
            expect(told, why).toMatch(/Shipping has started|has ended/);
      });
      often(counts);
    });

    test('a payment method that was taken is tried, also at the deadline, which alone fails the order', async () => {
      const counts: Record<string, number> = { completed: 0, failed: 0 };
      const plan = fc.record({
        ...plain,
        card: fc.constantFrom<Plan['card']>('declined', 'asks'),
        acts: fc.array(actOf('payment'), { minLength: 1, maxLength: 2 }),
      });
      await holds(plan, (played, why) => {
        const taken = takenOf(played, 'payment');
        const status = statusOf(played) ?? '';
        counts[status] = (counts[status] ?? 0) + 1;
        expect(status, why).toBe(taken.some(({ good }) => good) ? 'completed' : 'failed');
        for (const { good } of taken)
          expect(played.world.tried, why).toContain(good ? 'pm_good' : 'pm_declined');
      });
      often(counts);
    });

    test('the address that was taken last decides, also one that came while another was looked at', async () => {
      const counts: Record<string, number> = { completed: 0, failed: 0 };
      const act = actOf('shipping-address').map((one) => ({ ...one, way: 'update' as const }));
      const plan = fc.record({
        ...plain,
        address: anything.address,
        acts: fc.array(act, { minLength: 1, maxLength: 3 }),
      });
      const check = (played: Played, why: string) => {
        const last = takenOf(played, 'shipping-address').at(-1)?.good ?? played.plan.address === 'good';
        const status = statusOf(played) ?? '';
        counts[status] = (counts[status] ?? 0) + 1;
        expect(status, why).toBe(last ? 'completed' : 'failed');
      };
      await holds(plan, check);
      often(counts);
    });

    test('an address that is corrected while the carrier looks at it is not held for the first one', async () => {
      const [given] = fc.sample(fc.record({ ...plain, acts: fc.constant([]) }), 1);
      const { run, perform } = await startModelledOrder(isolate, { ...(given as Plan), address: 'unknown' });
      const endFirst = async () => {
        const [first] = run.pending();
        if (first) await run.activate([run.end(first, perform(first))]);
        return first?.name;
      };
      const correction = { actor: 'desk', reason: 'because', address: addressOf('GOOD') };
      expect([await endFirst(), await endFirst()]).toEqual(['recordOrder', 'reserveInventory']);
      await run.activate([run.update('correct', 'shipping-address', correction)]);
      expect([await endFirst(), await endFirst(), await endFirst(), await endFirst()]).toEqual([
        'verifyAddressAtOnce',
        'recordAct',
        'resumeOrder',
        'verifyAddressAtOnce',
      ]);
      expect(run.pending().map(({ name }) => name)).toEqual(['processPayment']);
      await run.dispose();
    });

    test('so many signals that they would fill the history leave a bounded trail', async () => {
      const [given] = fc.sample(fc.record({ ...plain, acts: fc.constant([]) }), 1);
      const { run, perform } = await startModelledOrder(isolate, { ...(given as Plan), needsApproval: true });
      const isHeld = () => run.pending().some(({ name }) => name === 'holdOrder');
      while (!isHeld()) {
        const [first] = run.pending();
        if (first) await run.activate([run.end(first, perform(first))]);
      }
      const act = { actor: 'script', reason: 'loop' };
      const minutes = Array.from(
        { length: 300 },
        (_, minute) => run.nowMs() + 600_000 + (minute + 1) * 1_000,
      );
      await run.activate(minutes.map(() => run.signal('payment', act)));
      const later = (ms: number) => ({ ...act, untilUtc: new Date(ms).toISOString() });
      await run.activate(minutes.map((ms) => run.signal('extend', later(ms))));
      const address = addressOf('GOOD');
      await run.activate(minutes.map(() => run.signal('shipping-address', { ...act, address })));
      await run.activate([run.update('approve', 'approve', act)]);
      const notes: string[] = [];
      for (let [first] = run.pending(); first; [first] = run.pending()) {
        const { result } = first.input as { result?: string };
        notes.push(result ?? first.name);
        await run.activate([run.end(first, perform(first))]);
      }
      expect(notes.filter((note) => note === 'refused')).toHaveLength(100);
      expect(notes.filter((note) => note === 'extendHold')).toHaveLength(50);
      expect(notes.filter((note) => note === 'overtaken')).toHaveLength(99);
      expect(run.closed()).toMatchObject({ result: { status: 'completed' } });
      await run.dispose();
    });

    test('an extension that was taken moves the deadline, and nobody is failed before it', async () => {
      const counts: Record<string, number> = { completed: 0, failed: 0 };
      const plan = fc.record({
        ...plain,
        needsApproval: fc.constant(true),
        acts: fc.array(actOf('extend', 'extend', 'approve'), { minLength: 1, maxLength: 5 }),
      });
      const deadlineOf = (act: Delivered) => Date.parse(viewIn(act).hold?.untilUtc ?? '');
      await holds(plan, (played, why) => {
        const approvals = takenOf(played, 'approve').length;
        const status = statusOf(played) ?? '';
        counts[status] = (counts[status] ?? 0) + 1;
        expect(approvals, why).toBeLessThan(2);
        expect(status, why).toBe(approvals === 1 ? 'completed' : 'failed');
        const told = takenOf(played, 'extend').filter(({ way }) => way === 'update');
        const latest = Math.max(...told.map(deadlineOf), 0);
        if (status === 'failed') expect(played.takenBackAtMs, why).toBeGreaterThanOrEqual(latest);
        const recorded = played.notes.filter(({ name }) => name === 'extendHold');
        const deadlines = recorded.map(({ input }) => (input['hold'] as { untilUtc: string }).untilUtc);
        expect(deadlines, why).toEqual(deadlines.toSorted());
        expect(deadlines.length, why).toBe(takenOf(played, 'extend').length);
      });
      often(counts);
    });

    test('of two operators at once one wins, and the other is told', async () => {
      const counts = { decided: 0 };
      const plan = fc.constantFrom<ActName>('approve', 'payment', 'cancel').chain((name) =>
        fc.record({
          ...plain,
          haste: fc.constantFrom(1, 4),
          together: mostly,
          card: fc.constant<Plan['card']>(name === 'payment' ? 'declined' : 'good'),
          needsApproval: fc.constant(name !== 'payment'),
          acts: fc.array(
            actOf(name).map((act) => ({ ...act, good: true, way: 'update' as const })),
            { minLength: 2, maxLength: 4 },
          ),
        }),
      );
      await holds(plan, (played, why) => {
        const rivals = played.acts.filter(({ name }) => name !== 'resolve');
        const winners = rivals.filter(({ accepted }) => accepted);
        expect(winners.length, why).toBeLessThan(2);
        if (winners.length === 1 && rivals.length > 1) counts.decided += 1;
        for (const { accepted, told } of rivals) if (!accepted) expect(told, why).toMatch(/\.$/);
      });
      often(counts);
    });
  });
}
