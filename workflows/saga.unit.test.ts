import { ApplicationFailure } from '@temporalio/common';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Refusal } from '../domain/failures.ts';
import type { StepName } from '../domain/order.ts';
import { classifyFailure } from './failures.ts';
import {
  createSaga,
  type Parking,
  type Resolution,
  type SagaRuntime,
  type Step,
  type Verdict,
} from './saga.ts';

/** How one attempt of a step ends; `unknown` is technical and may have had its effect all the same. */
type Ending = 'done' | 'refused' | 'pending' | 'technical' | 'unknown';

interface Plan {
  name: StepName;
  kind: Step<void>['kind'];
  endings: Ending[];
  /** Technical failures of its compensation before it succeeds. */
  compensationFailures: number;
  /** Whether a person who finds it parked skips it, where that may be. */
  skips: boolean;
  /** A stop is asked for while this attempt (counted from 1) runs; 0 never. */
  stopAtAttempt: number;
}

class Failure extends Error {
  readonly verdict: Verdict;
  constructor(verdict: Verdict) {
    super(verdict);
    this.verdict = verdict;
  }
}

const stepNames: StepName[] = ['inventory', 'address', 'payment', 'fulfillment', 'shipping', 'completion'];

const ending = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Ending>('done') },
  { weight: 1, arbitrary: fc.constantFrom<Ending>('refused', 'pending', 'technical', 'unknown') },
);

const plan = (name: StepName, kind: Step<void>['kind']): fc.Arbitrary<Plan> =>
  fc.record({
    name: fc.constant(name),
    kind: fc.constant(kind),
    endings: fc.array(ending, { minLength: 1, maxLength: 4 }),
    compensationFailures: fc.nat({ max: 3 }),
    skips: fc.boolean(),
    stopAtAttempt: fc.oneof(
      { weight: 8, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) },
    ),
  });

/** A story: compensatable steps, the pivot, one retriable step. */
const story = fc.tuple(
  ...stepNames.slice(0, 4).map((name) => plan(name, 'compensatable')),
  plan('shipping', 'pivot'),
  plan('completion', 'retriable'),
);

/** A world that keeps the truth: what happened, what was undone, in which order. */
function createWorld() {
  const happened = new Set<StepName>();
  const mayHaveHappened = new Set<StepName>();
  const undone: StepName[] = [];
  const begun: StepName[] = [];
  const parkings: Parking[] = [];
  const skipped: StepName[] = [];
  let recoveries = 0;
  let stopped = false;

  /** What a person says about a parked step. */
  const says = new Map<StepName, Resolution>();

  const interrupted = () => new Failure('interrupted');
  const runtime: SagaRuntime = {
    enter() {
      if (stopped) throw interrupted();
    },
    async interruptible(work) {
      if (stopped) throw interrupted();
      const result = await work();
      return result;
    },
    classifyFailure: (error) => (error instanceof Failure ? error.verdict : 'bug'),
    async park(parking) {
      parkings.push(parking);
      if (parking.direction === 'forward' && stopped) throw interrupted();
      return parking.direction === 'forward' ? (says.get(parking.step) ?? 'again') : 'again';
    },
    async recovered() {
      recoveries += 1;
    },
  };

  function stepOf({
    name,
    kind,
    endings,
    compensationFailures,
    stopAtAttempt,
    skips,
  }: Omit<Plan, 'skips'> & Partial<Plan>): Step<void> {
    let attempt = 0;
    let failuresLeft = compensationFailures;
    /* As in the order's own story: the address alone may be skipped. */
    const optional = name === 'address';
    if (optional && skips) says.set(name, 'skip');
    return {
      name,
      kind,
      ...(optional ? { skipped: () => void skipped.push(name) } : {}),
      async forward() {
        begun.push(name);
        attempt += 1;
        if (attempt === stopAtAttempt) stopped = true;
        const end = endings[attempt - 1] ?? 'done';
        if (end === 'done' || end === 'unknown') happened.add(name);
        /* An answer that is not heard, for the saga was stopped meanwhile, may have been any. */
        const unheard = stopped && kind === 'compensatable' && end !== 'done';
        if (end !== 'refused' || unheard) mayHaveHappened.add(name);
        if (unheard) throw interrupted();
        if (end === 'refused' || end === 'pending') throw new Failure(end);
        if (end !== 'done') throw new Failure('technical');
      },
      compensation: {
        name: `undo-${name}`,
        step: name,
        async run() {
          if (failuresLeft > 0) {
            failuresLeft -= 1;
            throw new Failure('technical');
          }
          undone.push(name);
          happened.delete(name);
        },
      },
    };
  }
  return {
    runtime,
    stepOf,
    says,
    happened,
    mayHaveHappened,
    undone,
    begun,
    parkings,
    skipped,
    recoveries: () => recoveries,
  };
}

/** Runs the story as the workflow does: any answer but success walks back. */
async function live(plans: readonly Plan[]) {
  const world = createWorld();
  const saga = createSaga(world.runtime);
  let pivotDone = false;
  let failed = false;
  try {
    for (const step of plans) {
      await saga.run(world.stepOf(step));
      if (step.kind === 'pivot') pivotDone = true;
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    failed = true;
    await saga.compensate();
  }
  return { ...world, pivotDone, failed };
}

describe('the saga kernel', () => {
  test('walks back over exactly the steps that may have happened, last first, each once', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (plans) => {
        const { undone, mayHaveHappened, failed, pivotDone, happened } = await live(plans);
        const steps = stepNames.filter((name) => mayHaveHappened.has(name)).toReversed();
        expect(undone).toEqual(failed && !pivotDone ? steps : []);
        expect(failed && !pivotDone ? [...happened] : []).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  test('undoes nothing once the pivot is known to be done, whatever comes after', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (plans) => {
        const { pivotDone, undone, happened } = await live(plans);
        fc.pre(pivotDone);
        expect(undone).toEqual([]);
        expect(happened.has('shipping')).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test('begins no step after a refusal, a stop or a bug', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (plans) => {
        const { begun, failed } = await live(plans);
        const distinct = [...new Set(begun)];
        expect(distinct).toEqual(plans.map(({ name }) => name).slice(0, distinct.length));
        expect(failed || distinct.length === plans.length).toBe(true);
      }),
    );
  });

  test('parks once for every used-up budget, forward and back, and never drops a compensation', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (plans) => {
        const { parkings, undone } = await live(plans);
        const failures = plans
          .filter(({ name }) => undone.includes(name))
          .reduce((sum, { compensationFailures }) => sum + compensationFailures, 0);
        expect(parkings.filter(({ direction }) => direction === 'compensating')).toHaveLength(failures);
      }),
    );
  });

  test('goes on without a step that was skipped, and takes back what of it may have happened', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (plans) => {
        const { skipped, parkings, begun, undone, mayHaveHappened, failed, pivotDone } = await live(plans);
        fc.pre(skipped.length > 0);
        const forward = parkings.filter(({ direction }) => direction === 'forward');
        expect(forward.filter(({ step }) => step === 'address')).toHaveLength(1);
        expect(begun.filter((name) => name === 'address')).toHaveLength(1);
        expect(begun.includes('payment') || failed).toBe(true);
        const back = failed && !pivotDone && mayHaveHappened.has('address');
        expect(undone.includes('address')).toBe(back);
      }),
      { numRuns: 300 },
    );
  });

  test('tells once of every compensation that was parked and has succeeded', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (plans) => {
        const { parkings, recoveries } = await live(plans);
        const parked = parkings.filter(({ direction }) => direction === 'compensating');
        expect(recoveries()).toBe(new Set(parked.map(({ activity }) => activity)).size);
      }),
    );
  });

  test('says of every parking whether there is a way back', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (plans) => {
        for (const { step, direction, onlyForward } of (await live(plans)).parkings) {
          expect(onlyForward).toBe(direction === 'forward' && step === 'completion');
        }
      }),
    );
  });

  test('never goes on without a step whose absence would break an invariant', async () => {
    const world = createWorld();
    world.says.set('payment', 'skip');
    const saga = createSaga(world.runtime);
    const step = world.stepOf({
      name: 'payment',
      kind: 'compensatable',
      compensationFailures: 0,
      stopAtAttempt: 0,
      endings: ['technical'],
    });
    await expect(saga.run(step)).rejects.toThrow(/Step payment was skipped/);
    expect(saga.compensable()).toBe(1);
  });

  test('registers a compensation before its step runs', async () => {
    const world = createWorld();
    const saga = createSaga(world.runtime);
    const seen: number[] = [];
    const step = world.stepOf({
      name: 'payment',
      kind: 'compensatable',
      compensationFailures: 0,
      stopAtAttempt: 0,
      endings: ['done'],
    });
    await saga.run({
      ...step,
      forward: async () => {
        seen.push(saga.compensable());
      },
    });
    expect(seen).toEqual([1]);
  });

  test('keeps one registration for a step that runs several times, also when a later run is refused', async () => {
    const world = createWorld();
    const saga = createSaga(world.runtime);
    const base = {
      name: 'payment',
      kind: 'compensatable',
      compensationFailures: 0,
      stopAtAttempt: 0,
    } as const;
    await expect(saga.run(world.stepOf({ ...base, endings: ['pending'] }))).rejects.toThrow('pending');
    await expect(saga.run(world.stepOf({ ...base, endings: ['refused'] }))).rejects.toThrow('refused');
    await saga.compensate();
    expect(world.undone).toEqual(['payment']);
  });

  test('keeps a compensation unless the first attempt of all was refused and nothing can come of it', async () => {
    const attempt = fc.constantFrom('unknown', 'technical', 'refused', 'open');
    await fc.assert(
      fc.asyncProperty(fc.array(attempt, { minLength: 1, maxLength: 5 }), async (attempts) => {
        const answered = attempts.findIndex((one) => one === 'refused' || one === 'open');
        fc.pre(answered >= 0);
        const world = createWorld();
        const saga = createSaga({ ...world.runtime, classifyFailure });
        const unsettled = answered > 0 || attempts[answered] === 'open';
        const refusal: Refusal = {
          type: 'CardDeclined',
          reason: 'declined',
          ...(unsettled ? { unsettled: true } : {}),
        };
        const step: Step<void> = {
          name: 'payment',
          kind: 'compensatable',
          /* The activity's own retries: the workflow hears of the last attempt only. */
          forward: () =>
            Promise.reject(
              ApplicationFailure.create({ type: refusal.type, nonRetryable: true, details: [refusal] }),
            ),
          compensation: {
            name: 'refundPayment',
            step: 'payment',
            run: async () => void world.undone.push('payment'),
          },
        };
        await expect(saga.run(step)).rejects.toMatchObject({ type: refusal.type });
        await saga.compensate();
        const mayHaveHappened = attempts.slice(0, answered + 1).some((one) => one !== 'refused');
        expect(world.undone).toEqual(mayHaveHappened ? ['payment'] : []);
      }),
    );
  });

  test('leaves a compensation out where a person skips it, only if it looks for what is not its own', async () => {
    for (const skippable of [true, false]) {
      const world = createWorld();
      const saga = createSaga({
        ...world.runtime,
        classifyFailure: () => 'technical',
        park: async () => 'skip',
      });
      const run = () => Promise.reject(new Error('somebody has charged'));
      let told = false;
      const skipped = () => {
        told = true;
      };
      const seek = {
        name: 'seekCharges',
        step: 'payment' as const,
        run,
        ...(skippable ? { skipped } : {}),
      };
      const done = saga.compensate([seek]);
      if (skippable) await expect(done).resolves.toBeUndefined();
      else await expect(done).rejects.toThrow(/seekCharges was skipped; none may be/);
      expect(saga.compensable()).toBe(skippable ? 0 : 1);
      expect(told).toBe(skippable);
    }
  });

  test('passes a bug through without undoing anything', async () => {
    const world = createWorld();
    const saga = createSaga(world.runtime);
    const bug = new TypeError('undefined is not a function');
    const step: Step<void> = {
      name: 'payment',
      kind: 'compensatable',
      forward: () => Promise.reject(bug),
      compensation: { name: 'refundPayment', step: 'payment', run: () => Promise.reject(bug) },
    };
    await expect(saga.run(step)).rejects.toBe(bug);
    await expect(saga.compensate()).rejects.toBe(bug);
    expect(world.parkings).toEqual([]);
  });
});
