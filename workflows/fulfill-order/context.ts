import { workflowInfo } from '@temporalio/workflow';
import type { OrderActivities } from '../../activities/create-activities.ts';
import type { ActNumbers } from '../../activities/order/record-notes.ts';
import { orderNotInStore } from '../../domain/failures.ts';
import type { OrderId } from '../../domain/ids.ts';
import type { StepName } from '../../domain/order.ts';
import type { StepPolicy } from '../../domain/policy.ts';
import { decideAhead } from './decided-ahead.ts';
import { failureTypeOf } from '../failures.ts';
import type { FulfillOrder } from '../../domain/order-run.ts';
import { isTakenUp, openOrder, wentOnAfterReset, type OrderState } from './state.ts';
import { createPublisher } from './publish.ts';
import { createSteps, type Steps } from '../steps.ts';

type NoteActivity = 'holdOrder' | 'remindOfHold' | 'extendHold' | 'resumeOrder' | 'parkOrder' | 'recordNote';
type NoteInput<Name extends NoteActivity> = Omit<
  Parameters<OrderActivities[Name]>[0],
  'orderId' | 'n' | 'run' | 'step'
>;

/** What the parts of one order's workflow share. */
export interface OrderContext {
  readonly orderId: OrderId;
  order: OrderState;
  steps: Steps;
  /** Shows the state in search attributes and details. */
  publish(): void;
  /**
   * Records something between steps; retried without end, since nothing depends on its success but people. A parking alone is
   * not waited for where SQL has no row of the order: whoever is to mend that needs its updates answered.
   * Never a local activity: what it tells of (an update, a signal, a deadline) is durable only with the end of the
   * workflow task, and a task that is lost may see its inputs in another order when it runs again.
   * Answers the numbers of what the note's act gives; null where it gives none, and for a note that is written later.
   */
  note<Name extends NoteActivity>(name: Name, input: NoteInput<Name>): Promise<ActNumbers>;
  /** Settles once the last note that was made is written, or no longer waited for. */
  lastNote(): Promise<unknown>;
  /** Writes what was noted before SQL knew the order; until then nothing waits for such notes. */
  writeEarlyNotes(): Promise<void>;
  policyOf(step: StepName): StepPolicy;
  /** Why an act would be refused now, by name of its update and signal. */
  validators: Map<string, (given: unknown) => string | undefined>;
  /** Work in the background of the order's path (mails, notes): awaited before the run closes. */
  background: Promise<unknown>[];
}

/** Workflow time, UTC. */
export const isoNow = (): string => new Date().toISOString();

export function createContext(input: FulfillOrder): OrderContext {
  const order = openOrder(input, isoNow());
  const steps = createSteps(input, () => {
    if (isTakenUp(order)) decideAhead(order);
    wentOnAfterReset(order);
  });
  const { orderId } = input.checkout;
  const publish = createPublisher(order);
  const early: (() => Promise<unknown>)[] = [];
  let last: Promise<unknown> = Promise.resolve();
  const policyOf = (step: StepName): StepPolicy => input.policy.steps[step];

  async function note<Name extends NoteActivity>(name: Name, facts: NoteInput<Name>): Promise<ActNumbers> {
    order.notes += 1;
    const { budgetMs: _, ...policy } = policyOf('notification');
    const { runId: run } = workflowInfo();
    const note = { ...facts, orderId, n: order.notes, run, step: order.step };
    const write = async () => {
      const needsRow = name === 'parkOrder';
      const activities = steps.orders({ policy, summary: noteSummaries[name], needsRow });
      const written = (activities[name] as (note: unknown) => Promise<ActNumbers>)(note);
      return needsRow ? written.catch(unlessRowIsGone) : written;
    };
    if (order.recorded) {
      const written = write();
      last = written.catch(() => undefined);
      return written;
    }
    early.push(write);
    return null;
  }

  /* People find it parked at Temporal, and the sweep tells of a run whose order SQL does not know. */
  function unlessRowIsGone(error: unknown): null {
    if (failureTypeOf(error) !== orderNotInStore) throw error;
    order.remarks.push(`SQL had no row of the order at ${isoNow()}: act on nothing before it is back.`);
    publish();
    return null;
  }

  async function writeEarlyNotes(): Promise<void> {
    if (early.length > 0 && order.actsWritten) await order.actsWritten;
    for (const write of early.splice(0)) await write();
  }

  return {
    orderId,
    order,
    steps,
    publish,
    note,
    lastNote: () => last,
    writeEarlyNotes,
    policyOf,
    validators: new Map(),
    background: [],
  };
}

const noteSummaries: Record<NoteActivity, string> = {
  holdOrder: 'Record the hold and tell the help desk',
  remindOfHold: 'Remind the help desk of the hold',
  extendHold: 'Record that the hold was extended',
  resumeOrder: 'Record who moved the order on',
  parkOrder: 'Record the parked step and tell the operators',
  recordNote: 'Record an act in the audit trail',
};
