import type { EventFacts } from '../../domain/events.ts';
import type { FailureType } from '../../domain/failures.ts';
import { operationKeys, type OrderId } from '../../domain/ids.ts';
import {
  isEnded,
  type Actor,
  type Address,
  type Hold,
  type OrderStatus,
  type Parked,
  type SagaState,
  type StepName,
} from '../../domain/order.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import type { ActivityDeps } from '../deps.ts';
import { numberAct, type NumberedAct } from './number-act.ts';
import { runSqlOperation } from '../operation.ts';
import { writeTransition, type Transition } from '../transition.ts';
import type { Decided, OrderActRow, OrderRow } from '../../ports/store/orders.ts';

/** What happens to an order between its steps; idempotent by `note-<orderId>-<n>-<run>`. */
interface Note {
  orderId: OrderId;
  /** Counts all notes of the run. */
  n: number;
  /**
   * The run that made the note, as its history keeps it: a note that Temporal's reset sends again is still the first
   * run's and is written once; what the new run notes itself is written beside what the old one had noted. Absent in
   * histories from before runs were told apart.
   */
  run?: string;
  step: StepName;
  /** The act that it tells of; absent where there is none, and in earlier histories. */
  actId?: string;
}

/**
 * Notes are numbered in the order in which the saga makes them. One that lands after a later one that moved the order,
 * after the order's end (its caller was interrupted and went on), or a hold after the walk back began or the label was
 * bought, moves nothing any more: the audit trail alone keeps it. Tells whether it moved the order.
 */
async function writeNote(tx: StoreTransaction, note: Note, change: Transition): Promise<boolean> {
  const { order, reason } = change;
  const moves = change.status !== undefined || change.sagaState !== undefined || change.event !== undefined;
  const late = moves && (isEnded(order.status) || comesAfterAll(change) || (await isSuperseded(tx, note)));
  if (!late) {
    await writeTransition(tx, change);
    return true;
  }
  const { actor = 'saga', step, nowUtc } = change;
  await writeTransition(tx, { order, actor, step, reason: `too late to move the order: ${reason}`, nowUtc });
  return false;
}

/** Remarks, such as that of a refused signal, are written beside the order's path: they overtake nothing. */
async function isSuperseded(tx: StoreTransaction, note: Omit<Note, 'step'>): Promise<boolean> {
  const next = { ...note, n: note.n + 1 };
  const later = await tx.operations.find(operationKeys.note(next.orderId, next.n, next.run));
  return later?.step === remark ? isSuperseded(tx, next) : later !== undefined;
}

/**
 * An order whose walk back is on record, or whose label is bought, waits for nobody and goes on from no hold, whatever a
 * run that was reset has in its history.
 */
function comesAfterAll({ order, sagaState, status }: Transition): boolean {
  const { cancelRequested, failure, shipment } = order.detail;
  if (shipment) return sagaState === 'held' || (status !== undefined && status !== order.status);
  return sagaState === 'held' && (cancelRequested !== undefined || failure !== undefined);
}

const remark = 'remark';

/** The act's row says what came of it. */
async function settleAct(
  tx: StoreTransaction,
  { orderId, actId }: Note,
  state: 'done' | 'overtaken',
  reason?: string,
): Promise<void> {
  if (actId === undefined) return;
  await tx.acts.settle({ orderId, actId, state, ...(reason === undefined ? {} : { reason }) });
}

const noteName = ({ orderId, n, run }: Note, step = 'note') => ({
  key: operationKeys.note(orderId, n, run),
  orderId,
  step,
});

/**
 * Records that the order waits for a person until a deadline.
 * Idempotent by `note-<orderId>-<n>-<run>`. Writes: Orders, AuditLog, OutboxMessages(order.held.v1, or
 * order.approval_requested.v1, or order.shipping_suspended.v1), in one transaction.
 */
export const createHoldOrder =
  (deps: ActivityDeps) =>
  (input: Note & { hold: Hold }): Promise<null> =>
    runSqlOperation(deps, noteName(input), async (tx, order) => {
      const { status, reason } = input.hold;
      await writeNote(tx, input, {
        order,
        step: input.step,
        status,
        sagaState: 'held',
        detail: { hold: input.hold },
        reason,
        event: heldEvent(input.hold),
        nowUtc: deps.clock.nowUtc(),
      });
      return { done: null };
    });

/** The contract of order.held.v1 names its kinds of holds for good; a later kind has its own event. */
function heldEvent({ status, failureType, reason, untilUtc }: Hold): EventFacts {
  switch (status) {
    case 'awaiting_approval':
      return { type: 'order.approval_requested.v1', details: { reason, untilUtc } };
    case 'payment_disputed':
      return { type: 'order.shipping_suspended.v1', details: { reason, untilUtc } };
    case 'payment_failed':
    case 'payment_action_required':
    case 'address_rejected':
      return { type: 'order.held.v1', details: { status, failureType, reason, untilUtc } };
  }
}

/**
 * Records that people were reminded of a hold whose deadline comes nearer.
 * Idempotent by `note-<orderId>-<n>-<run>`. Writes: Orders, AuditLog, OutboxMessages(order.hold_reminded.v1), in one
 * transaction.
 */
export const createRemindOfHold =
  (deps: ActivityDeps) =>
  (input: Note & { hold: Hold }): Promise<null> =>
    runSqlOperation(deps, noteName(input), async (tx, order) => {
      const { status, failureType, reason, sinceUtc, untilUtc } = input.hold;
      await writeNote(tx, input, {
        order,
        step: input.step,
        detail: { hold: input.hold },
        from: 'held',
        to: 'reminded',
        reason: `held until ${untilUtc}: ${reason}`,
        event: {
          type: 'order.hold_reminded.v1',
          details: { status, failureType, reason, sinceUtc, untilUtc },
        },
        nowUtc: deps.clock.nowUtc(),
      });
      return { done: null };
    });

/**
 * Records that a person gave a hold another deadline.
 * Idempotent by `note-<orderId>-<n>-<run>`. Writes: Orders, AuditLog, OutboxMessages(order.hold_extended.v1), in one
 * transaction.
 */
export const createExtendHold =
  (deps: ActivityDeps) =>
  (input: Note & { actor: Actor; reason: string; hold: Hold }): Promise<null> =>
    runSqlOperation(deps, noteName(input), async (tx, order) => {
      const { actor, reason, hold } = input;
      const { status, untilUtc } = hold;
      await writeNote(tx, input, {
        order,
        actor,
        step: input.step,
        detail: { hold },
        from: 'held',
        to: 'extended',
        reason: `until ${untilUtc}: ${reason}`,
        event: { type: 'order.hold_extended.v1', details: { status, actor, reason, untilUtc } },
        nowUtc: deps.clock.nowUtc(),
      });
      await settleAct(tx, input, 'done');
      return { done: null };
    });

export interface ResumeOrder extends Note {
  actor: Actor;
  reason: string;
  /** The status the order goes on from; absent where it stays (a step's late commit may have moved it). */
  status?: OrderStatus;
  sagaState: SagaState;
  shippingAddress?: Address;
  paymentMethodId?: string;
  /** The carrier's service that an operator wants. */
  service?: string;
}

/** Numbers of the attempts that the act causes; null in earlier histories, and where nothing is numbered. */
export type ActNumbers = { payment?: number; address?: number } | null;

/**
 * Records that a person's act moves the order on: out of a hold or a parked step, or with a corrected address. An act
 * that gives another payment method or address is numbered here, once for good: in a second run, after a reset or years
 * later it has the same number. What decides beyond this run (approval, service) is stored with the order.
 * Idempotent by `note-<orderId>-<n>-<run>`, its numbers by the act. Late after the order's end: an act that is known
 * answers its number, another one none. Writes: Orders, OrderActs, AuditLog, in one transaction; no event.
 */
export const createResumeOrder =
  (deps: ActivityDeps) =>
  (input: ResumeOrder): Promise<ActNumbers> =>
    runSqlOperation<ActNumbers>(deps, noteName(input), async (tx, order) => {
      const nowUtc = deps.clock.nowUtc();
      const { orderId, shippingAddress, paymentMethodId } = input;
      const decided = decidedBy(input, order);
      const moved = await writeNote(tx, input, {
        order,
        actor: input.actor,
        step: input.step,
        ...(input.status ? { status: input.status } : {}),
        sagaState: input.sagaState,
        detail: {
          parked: undefined,
          ...(input.sagaState === 'held' ? {} : { hold: undefined }),
          ...(decided ? { decided } : {}),
        },
        from: order.sagaState,
        to: input.sagaState,
        reason: input.reason,
        nowUtc,
      });
      const kind = shippingAddress ? 'address' : 'payment';
      const numbered = await numbersOf(tx, { ...input, kind }, { fresh: moved, nowUtc });
      /* An act that a reset applies again gives nothing where a later one was recorded. */
      const gives = moved && (numbered?.newest ?? true);
      if (gives && (shippingAddress || paymentMethodId)) {
        await tx.orders.update({
          orderId,
          ...(shippingAddress ? { shippingAddress } : {}),
          ...(paymentMethodId ? { paymentMethodId } : {}),
          updatedAtUtc: nowUtc,
        });
      }
      await settleAct(tx, input, 'done');
      return { done: numbered ? { [kind]: numbered.n } : null };
    });

/** What else another run has to go by; undefined where the act decides nothing of that kind. */
function decidedBy(
  { actor, status, service, shippingAddress, paymentMethodId }: ResumeOrder,
  { detail: { hold, decided } }: OrderRow,
): Decided | undefined {
  /* The hold for approval is ended by an approval alone. */
  const resumes = status !== undefined && !shippingAddress && !paymentMethodId;
  const approves = resumes && hold?.status === 'awaiting_approval';
  if (!approves && service === undefined) return undefined;
  return { ...decided, ...(approves ? { approvedBy: actor } : {}), ...(service ? { service } : {}) };
}

async function numbersOf(
  tx: StoreTransaction,
  { orderId, actId, kind, shippingAddress, paymentMethodId }: ResumeOrder & Pick<OrderActRow, 'kind'>,
  { fresh, nowUtc: recordedAtUtc }: { fresh: boolean; nowUtc: string },
): Promise<NumberedAct | undefined> {
  if (actId === undefined || !(shippingAddress || paymentMethodId)) return undefined;
  return numberAct(tx, { orderId, actId, kind, recordedAtUtc }, { fresh });
}

/**
 * Records that a step is beyond its technical budget and waits for an operator.
 * Idempotent by `note-<orderId>-<n>-<run>`. Writes: Orders, AuditLog, OutboxMessages(order.parked.v1), in one transaction.
 */
export const createParkOrder =
  (deps: ActivityDeps) =>
  (input: Note & { parked: Parked }): Promise<null> =>
    runSqlOperation(deps, noteName(input), async (tx, order) => {
      const { step, activity, failure, budgets } = input.parked;
      await writeNote(tx, input, {
        order,
        step: input.step,
        sagaState: 'parked',
        detail: { parked: input.parked },
        from: order.sagaState,
        to: 'parked',
        reason: failure,
        event: { type: 'order.parked.v1', details: { step, activity, failure, budgets } },
        nowUtc: deps.clock.nowUtc(),
      });
      return { done: null };
    });

export interface RecordNote extends Note {
  actor: Actor;
  /** What was asked, for example `cancel`. */
  act: string;
  /** What came of it, for example `refused`, `accepted`, `begun`. */
  result: string;
  reason: string;
  sagaState?: SagaState;
  cancelRequested?: { actor: Actor; reason: string };
  /** Why the order is taken back, for whoever has to go on with that. */
  failure?: { type: FailureType; reason: string };
  /** The order is neither held nor parked any more. */
  resumes?: true;
  /** Of the request that asked for the act. */
  fingerprint?: string;
}

/**
 * Writes one audit row about an act that moved nothing by itself: a cancel request, a refused signal, a cancel of
 * Temporal's own after shipping had started, an address that could not be verified. An order that is taken back from
 * here on is neither held nor parked any more.
 * Idempotent by `note-<orderId>-<n>-<run>`. Writes: Orders, AuditLog, in one transaction; no event.
 */
export const createRecordNote =
  (deps: ActivityDeps) =>
  (input: RecordNote): Promise<null> =>
    runSqlOperation(deps, noteName(input, input.sagaState ? 'note' : remark), async (tx, order) => {
      await writeNote(tx, input, {
        order,
        actor: input.actor,
        step: input.step,
        from: input.act,
        to: input.result,
        reason: input.reason,
        ...(input.sagaState ? { sagaState: input.sagaState } : {}),
        detail: {
          ...(input.cancelRequested ? { cancelRequested: input.cancelRequested } : {}),
          ...(input.failure ? { failure: input.failure } : {}),
          ...(input.resumes || input.sagaState === 'compensating'
            ? { hold: undefined, parked: undefined }
            : {}),
        },
        nowUtc: deps.clock.nowUtc(),
      });
      if (input.result === 'overtaken') await settleAct(tx, input, 'overtaken', input.reason);
      if (input.result === 'refused') await refuseAct(tx, input, deps.clock.nowUtc());
      return { done: null };
    });

/** An act that was refused after its call was answered has a row as well. */
async function refuseAct(tx: StoreTransaction, note: RecordNote, recordedAtUtc: string): Promise<void> {
  const { orderId, actId, act, reason, fingerprint } = note;
  if (actId === undefined) return;
  const row = { orderId, actId, name: act, state: 'refused', reason, recordedAtUtc } as const;
  await tx.acts.insert({ ...row, ...(fingerprint === undefined ? {} : { fingerprint }) });
}
