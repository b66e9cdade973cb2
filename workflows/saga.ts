import type { StepName } from '../domain/order.ts';

/**
 * The saga kernel: registers compensations before their steps run, parks what technical retries cannot settle, and
 * walks back in strict LIFO order. Pure: time, activities and people come in through `SagaRuntime`.
 */
export interface Step<Result> {
  name: StepName;
  /**
   * compensatable: can be undone; pivot: once it is known to be done there is no way back; retriable: after the
   * pivot, goes forward until it is done.
   */
  kind: 'compensatable' | 'pivot' | 'retriable';
  /**
   * Never skipped or interrupted by a stop request: what runs inside a workflow task may have happened in a task that
   * was lost, before the stop came; so the step runs (again) and is taken back like any other.
   */
  atomic?: boolean;
  /** What people see as parked where that is not the step itself, for example `closeOrder`. */
  activity?: string;
  forward(): Promise<Result>;
  /** Stands in for the result where a person skips the step; absent where its absence would break an invariant. */
  skipped?(): Result;
  compensation?: Compensation;
}

/** Undoes a step whether or not it happened; keyed by order and step, never by the step's result. */
export interface Compensation {
  /** Business verb, for example `refundPayment`; one registration per name. */
  name: string;
  step: StepName;
  run(): Promise<void>;
  /** Called where a person leaves it out; absent where nobody may: one that can be left out looks for others' effects only. */
  skipped?(): void;
}

/**
 * - refused: a business answer; nothing happened and nothing will.
 * - pending: a business answer after which the step may still take effect, or may have: the customer has to act, or can
 *   pay a declined payment in another tab, or an earlier attempt's outcome is unknown. Its compensation stays.
 * - technical: retries are used up; whether it happened is not known.
 * - interrupted: the saga was asked to stop.
 * - bug: none of these; the error passes through untouched.
 */
export type Verdict = 'refused' | 'pending' | 'technical' | 'interrupted' | 'bug';

export interface Parking {
  step: StepName;
  /** The step's own name, or its compensation's. */
  activity: string;
  error: unknown;
  direction: 'forward' | 'compensating';
  /** No stop request is heard any more: the pivot is passed, or the order is being closed. */
  onlyForward: boolean;
}

/** How a parked activity goes on: the same again, with whatever people have changed meanwhile, or without it. */
export type Resolution = 'again' | 'skip';

export interface SagaRuntime {
  /** Called before every step. Throws an error judged `interrupted` when the saga was asked to stop, unless atomic. */
  enter(step: { name: StepName; atomic?: boolean }): void;
  /** Runs work that a stop request may end early, with an error judged `interrupted`. */
  interruptible<T>(work: () => Promise<T>): Promise<T>;
  classifyFailure(error: unknown): Verdict;
  /** Resolves when a person (or, while compensating, time) says how to go on. */
  park(parking: Parking): Promise<Resolution>;
  /** A compensation that had been parked has succeeded; called before the next one runs. */
  recovered(): Promise<void>;
}

export interface Saga {
  /** Runs one step to its business answer; technical failures park and come back here. */
  run<Result>(step: Step<Result>): Promise<Result>;
  /**
   * Walks back over every step that may have happened, last first, each until it succeeded. Empty after the pivot.
   * `also`: compensations of steps that another run may have taken, last step first.
   */
  compensate(also?: readonly Compensation[]): Promise<void>;
  /** Waits, between steps, that a stop request may end early. */
  interruptible: SagaRuntime['interruptible'];
  /** How many steps may have happened and can be undone. */
  compensable(): number;
}

export function createSaga(runtime: SagaRuntime): Saga {
  const registered: Compensation[] = [];
  let pivotPassed = false;

  /* After the pivot, and while an order is being closed, nothing is stopped any more. */
  const stoppable = (step: Step<unknown>): boolean => !pivotPassed && step.kind !== 'retriable';

  async function run<Result>(step: Step<Result>): Promise<Result> {
    if (stoppable(step)) runtime.enter(step);
    /* A first refusal says that nothing happened; after an unknown outcome the compensation stays, to make sure. */
    let untouched = stoppable(step) && register(step.compensation);
    for (;;) {
      try {
        const result = await forward(step);
        if (step.kind === 'pivot') passPivot();
        return result;
      } catch (error) {
        const verdict = runtime.classifyFailure(error);
        if (verdict === 'refused' && untouched) registered.pop();
        if (verdict !== 'technical') throw error;
        untouched = false;
        if ((await park(step, error)) === 'skip') return skip(step);
      }
    }
  }

  function skip<Result>({ name, skipped }: Step<Result>): Result {
    if (!skipped) throw new Error(`Step ${name} was skipped; its absence breaks an invariant`);
    return skipped();
  }

  /* A pivot in flight is not interrupted: its outcome has to become known. */
  const forward = <Result>(step: Step<Result>): Promise<Result> =>
    stoppable(step) && step.kind !== 'pivot' && !step.atomic
      ? runtime.interruptible(() => step.forward())
      : step.forward();

  const park = (step: Step<unknown>, error: unknown): Promise<Resolution> => {
    const { name, activity = name } = step;
    const onlyForward = !stoppable(step);
    const parking: Parking = { step: name, activity, error, direction: 'forward', onlyForward };
    return onlyForward ? runtime.park(parking) : runtime.interruptible(() => runtime.park(parking));
  };

  function register(compensation: Compensation | undefined): boolean {
    if (!compensation || registered.some(({ name }) => name === compensation.name)) return false;
    registered.push(compensation);
    return true;
  }

  function passPivot(): void {
    pivotPassed = true;
    registered.length = 0;
  }

  async function compensate(also: readonly Compensation[] = []): Promise<void> {
    for (const compensation of also.toReversed()) register(compensation);
    for (let last = registered.at(-1); last; last = registered.at(-1)) {
      await compensateOne(last);
      registered.pop();
    }
  }

  async function compensateOne(compensation: Compensation): Promise<void> {
    const { name, step, run: undo, skipped } = compensation;
    let parked = false;
    for (;;) {
      try {
        await undo();
        break;
      } catch (error) {
        const verdict = runtime.classifyFailure(error);
        if (verdict === 'bug' || verdict === 'refused') throw error;
        parked = true;
        if ((await parkCompensation({ step, activity: name, error })) === 'again') continue;
        if (!skipped) throw new Error(`Compensation ${name} was skipped; none may be`, { cause: error });
        skipped();
        break;
      }
    }
    if (parked) await runtime.recovered();
  }

  const parkCompensation = (parking: Pick<Parking, 'step' | 'activity' | 'error'>): Promise<Resolution> =>
    runtime.park({ ...parking, direction: 'compensating', onlyForward: false });

  return { run, compensate, interruptible: runtime.interruptible, compensable: () => registered.length };
}
