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
  forward(): Promise<Result>;
  compensation?: Compensation;
}

/** Undoes a step whether or not it happened; keyed by order and step, never by the step's result. */
export interface Compensation {
  /** Business verb, for example `refundPayment`; one registration per name. */
  name: string;
  step: StepName;
  run(): Promise<void>;
}

/**
 * - refused: a business answer; nothing happened and nothing will.
 * - pending: a business answer that may still turn into success (the customer has to act).
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
}

export interface SagaRuntime {
  /** Called before every step. Throws an error judged `interrupted` when the saga was asked to stop, unless atomic. */
  enter(step: { name: StepName; atomic?: boolean }): void;
  /** Runs work that a stop request may end early, with an error judged `interrupted`. */
  interruptible<T>(work: () => Promise<T>): Promise<T>;
  judge(error: unknown): Verdict;
  /** Resolves when a person (or, while compensating, time) says to try again. */
  park(parking: Parking): Promise<void>;
}

export interface Saga {
  /** Runs one step to its business answer; technical failures park and come back here. */
  run<Result>(step: Step<Result>): Promise<Result>;
  /** Walks back over every step that may have happened, last first, each until it succeeded. Empty after the pivot. */
  compensate(): Promise<void>;
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
        const verdict = runtime.judge(error);
        if (verdict === 'refused' && untouched) registered.pop();
        if (verdict !== 'technical') throw error;
        untouched = false;
        await park(step, error);
      }
    }
  }

  /* A pivot in flight is not interrupted: its outcome has to become known. */
  const forward = <Result>(step: Step<Result>): Promise<Result> =>
    stoppable(step) && step.kind !== 'pivot' && !step.atomic
      ? runtime.interruptible(() => step.forward())
      : step.forward();

  const park = (step: Step<unknown>, error: unknown): Promise<void> => {
    const parking: Parking = { step: step.name, activity: step.name, error, direction: 'forward' };
    return stoppable(step) ? runtime.interruptible(() => runtime.park(parking)) : runtime.park(parking);
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

  async function compensate(): Promise<void> {
    for (let last = registered.at(-1); last; last = registered.at(-1)) {
      await compensateOne(last);
      registered.pop();
    }
  }

  async function compensateOne({ name, step, run: undo }: Compensation): Promise<void> {
    for (;;) {
      try {
        return await undo();
      } catch (error) {
        if (runtime.judge(error) === 'bug') throw error;
        await runtime.park({ step, activity: name, error, direction: 'compensating' });
      }
    }
  }

  return { run, compensate, interruptible: runtime.interruptible, compensable: () => registered.length };
}
