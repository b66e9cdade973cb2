import type { LongWaits } from './long-waits.ts';
import type { Currency } from './money.ts';
import type { StepName } from './order.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How one kind of call is tried. All times in milliseconds. */
export interface StepPolicy {
  /** One attempt (Temporal's start-to-close). Provider calls and locks fit inside it. */
  attemptTimeoutMs: number;
  /**
   * All attempts together (schedule-to-close); past it the step parks. Absent: it is retried without end and never
   * parks, since a parked order has to be told of and nothing could tell of it.
   */
  budgetMs?: number;
  initialIntervalMs: number;
  backoffCoefficient: number;
  maximumIntervalMs: number;
}

/**
 * All budgets, back-offs and deadlines of one saga. Travels in the workflow's input, so a history says under which
 * policy it ran and a test can run the real path in milliseconds.
 */
export interface SagaPolicy {
  /** Names this set of numbers in histories and the Web UI. */
  name: string;
  steps: Record<StepName, StepPolicy>;
  /** Compensations: retried without end; after the budget the order is parked for a person as well. */
  compensation: StepPolicy & { budgetMs: number };
  /**
   * SQL-only steps run as local activities for at most this long (attempts included), then as ordinary ones:
   * queries and updates wait while a local activity runs. At most 2,000.
   */
  localActivityMs: number;
  /**
   * For how long the first question about an address is asked next to the workflow, queries and updates waiting
   * meanwhile, before it goes to the carrier's own task queue. At most 2,000; 0 or absent: at once to the queue.
   */
  addressAtOnceMs?: number;
  /** How long a held order waits for a person. */
  holdPaymentMs: number;
  holdAddressMs: number;
  /** How long an order waits for approval; 24 hours where a recorded policy does not know it. */
  holdApprovalMs?: number;
  /** How long an order waits for a dispute about its charge; 7 days where a recorded policy does not know it. */
  holdDisputeMs?: number;
  /** Part of a hold's time, 0 to 1, after which people are reminded. Absent (as in earlier policies): never. */
  remindAt?: number;
  /** Longest hold from its start, extensions included; 14 days where a recorded policy does not know it. */
  maximumHoldMs?: number;
  /** Which orders an operator has to approve before anything is charged. Absent: none. */
  approval?: ApprovalPolicy;
  /** How often a pending customer action is looked up at the provider, besides its webhook. */
  actionPollMs: number;
  /** How waits that repeat by themselves grow. Absent (as in earlier policies): they keep their short intervals. */
  longWaits?: LongWaits;
  /** A budget that ended because SQL did not answer is renewed. Absent (as in earlier policies): the step parks. */
  waitForStore?: boolean;
  /** Accepted payment updates of one order. */
  maximumPaymentUpdates: number;
  /**
   * What happens when the carrier cannot be asked about an address within the step's budget. `best-effort` (also where
   * it is absent): the order goes on, and the label decides. `required`: the order is parked.
   */
  addressVerification?: 'best-effort' | 'required';
  /** How long a reference given by `mark-done` may take to be checked; an operator waits. Absent: 3,000. */
  checkReferenceMs?: number;
}

/** An order that meets one of these waits for approval. */
export interface ApprovalPolicy {
  /** Totals above so many minor units of their currency; a currency that is not named has no such limit. */
  aboveMinor?: Partial<Record<Currency, number>>;
  /** Orders whose checkout carries a risk mark. */
  riskMarked?: boolean;
}

/** What a policy recorded without `checkReferenceMs` means. */
export const defaultCheckReferenceMs = 3 * SECOND;

/** What a policy recorded before these fields existed means by leaving them out. */
export const holdDefaults = { holdApprovalMs: 24 * HOUR, holdDisputeMs: 7 * DAY, maximumHoldMs: 14 * DAY };

/** Without a budget: what SQL does not know yet can be parked where nobody sees it. */
const receiveStep: StepPolicy = {
  attemptTimeoutMs: 10 * SECOND,
  initialIntervalMs: 200,
  backoffCoefficient: 2,
  maximumIntervalMs: 10 * SECOND,
};

const sqlStep: StepPolicy = { ...receiveStep, budgetMs: 30 * MINUTE };

const providerStep = {
  attemptTimeoutMs: 20 * SECOND,
  budgetMs: 2 * HOUR,
  initialIntervalMs: 500,
  backoffCoefficient: 2,
  maximumIntervalMs: 20 * SECOND,
};

export const defaultPolicy: SagaPolicy = {
  name: 'default',
  steps: {
    receive: receiveStep,
    inventory: sqlStep,
    /* Verification is a courtesy before payment: without the carrier the order goes on and the label decides. */
    address: {
      ...providerStep,
      attemptTimeoutMs: 5 * SECOND,
      budgetMs: 8 * SECOND,
      maximumIntervalMs: SECOND,
    },
    payment: providerStep,
    fulfillment: sqlStep,
    shipping: providerStep,
    notification: sqlStep,
    completion: sqlStep,
  },
  compensation: { ...providerStep, budgetMs: 10 * MINUTE },
  localActivityMs: 1_500,
  addressAtOnceMs: 1_000,
  holdPaymentMs: 30 * MINUTE,
  holdAddressMs: 24 * HOUR,
  ...holdDefaults,
  remindAt: 0.5,
  actionPollMs: 15 * SECOND,
  waitForStore: true,
  longWaits: { share: 0.125, maximumMs: 7 * DAY },
  maximumPaymentUpdates: 10,
};

/** A partial policy over a whole one; steps are merged one by one. A budget for all steps bounds none that has none. */
export function withPolicy(base: SagaPolicy, changes: PolicyChanges): SagaPolicy {
  const { steps = {}, compensation = {}, allSteps = {}, ...rest } = changes;
  const { budgetMs, ...everyStep } = allSteps;
  const merged = Object.fromEntries(
    Object.entries(base.steps).map(([name, step]) => [
      name,
      {
        ...step,
        ...everyStep,
        ...(step.budgetMs !== undefined && budgetMs !== undefined ? { budgetMs } : {}),
        ...steps[name as StepName],
      },
    ]),
  ) as Record<StepName, StepPolicy>;
  return {
    ...base,
    ...rest,
    steps: merged,
    compensation: { ...base.compensation, ...allSteps, ...compensation },
  };
}

export type PolicyChanges = Partial<Omit<SagaPolicy, 'steps' | 'compensation'>> & {
  /** Applied to every step and to compensations before the single ones. */
  allSteps?: Partial<StepPolicy>;
  steps?: Partial<Record<StepName, Partial<StepPolicy>>>;
  compensation?: Partial<StepPolicy>;
};
