import type { FailureType } from '../../domain/failures.ts';
import { customerId as asCustomerId } from '../../domain/ids.ts';
import type { Money } from '../../domain/money.ts';
import {
  isEnded,
  type Actor,
  type Address,
  type Hold,
  type OrderStatus,
  type OrderView,
  type Parked,
  type SagaState,
  type ShipmentView,
  type StepName,
  type ActView,
} from '../../domain/order.ts';
import type { WaitingFor } from '../../domain/providers.ts';
import { holdDefaults } from '../../domain/policy.ts';
import { shippingRefusal, wayBack } from '../../domain/way-back.ts';
import type { ApproveOrder, ExtendHold, ResolveParked, UpdatePayment } from '../messages.ts';
import type { RecoveredOrder } from '../../domain/recovery.ts';

import type { ParkedActivity } from '../parked/rules.ts';
import type { Act, FulfillOrder } from '../../domain/order-run.ts';
import { patched, workflowInfo } from '@temporalio/workflow';

/** The order inside its workflow: what handlers read and set, and the story acts on. */
export interface OrderState {
  readonly input: FulfillOrder;
  status: OrderStatus;
  sagaState: SagaState;
  step: StepName;
  total?: Money;
  shipping?: Money;
  hold?: Hold;
  parked?: Parked;
  /** The step's budget has ended while its provider takes no steps. */
  waitingFor?: WaitingFor;
  /** The activity that its provider or SQL holds up, since when over all its budgets, and whether the trail says so. */
  heldUp?: { activity: string; sinceMs: number; noted?: true };
  failure?: { type: FailureType; reason: string };
  shipment?: ShipmentView;
  updatedAtUtc: string;

  /** A stop was asked for and accepted; the saga walks back at its next safe point. */
  cancelRequested?: { actor: Actor; reason: string };
  /** SQL says that the order is being taken back or has ended, in another run: the run goes on with that. */
  stop?: Error;
  /** Ends what is running interruptibly. */
  interrupt?: () => void;
  /** The walk back has been parked: what is refused during it is refused while it is parked as well. */
  takenBackParked?: boolean;
  pivotPassed: boolean;
  /** How many cancels wait for SQL to say whether the label is being bought. */
  stopping?: number;
  /** SQL has let a cancel through while the label's step waited: it is being accepted. */
  stopGranted?: true;
  /** SQL knows the order. */
  recorded: boolean;

  /** The address that is wanted, and the number that SQL gave the last one it knows of. */
  address: { value: Address; n: number };
  /** Counts the addresses that were wanted; the address's number as well where SQL gives none (earlier histories). */
  addressVersion: number;
  /** Version of the address that the carrier has verified, or could not be asked about. */
  confirmedAddress: number;
  /** An accepted address update that is not yet in SQL. */
  addressAct?: Act;
  /** The last address update is being written to SQL; in earlier histories alone. */
  addressKept?: Promise<void>;
  /** The last act that was accepted is being written to SQL. */
  actsWritten?: Promise<void>;
  /** Changes of the workflow that are met behind local activities are in force: decided before them. */
  decidedAhead: boolean;
  /** The same for a run that goes on after a reset: decided beyond the history that was copied into it. */
  afterReset: boolean;
  /** What is known of the acts of this run and of those that it was given, by their ids. */
  acts: Map<string, ActView>;
  /** Acts whose callers wait for SQL. */
  waiters: number;
  /** SQL did not answer within a moment, and has not answered that act yet. */
  storeIsSlow?: () => boolean;
  paymentAct?: UpdatePayment;
  /** The payment provider reported a change. */
  paymentNoticed: boolean;
  /** A charge that nothing waited for was recorded. */
  paymentFound?: boolean;
  resolve?: ResolveParked;
  /** It is parked while a hold waits for its payment: what mends the hold would not be heard. */
  parkedInHold?: boolean;
  /** What is parked, as the rules of `resolve` see it. */
  parkedActivity?: ParkedActivity;
  /** It was parked: a person may have acted at a provider since. */
  attended?: true;
  /** A person has moved it on from a hold or from being parked: providers are asked first what people did there. */
  askFirst?: boolean;
  /** A charge that somebody has made at the payment provider was left as it is when the order was taken back. */
  chargeLeft?: true;
  /** The step at which it was held last: it may have been helped since. */
  wasHeld?: StepName;
  /** A label was refused, and the order held for it, also where it was held elsewhere since. */
  heldAtLabel?: true;
  /** A `mark-done` whose reference is being checked with the provider. */
  checking?: ResolveParked;
  /** How often the activity that was parked last has failed, over people's retries. */
  usedUp?: { activity: string; budgets: number; attempts: number };
  /** The payment that is tried, with the number that SQL gave its method. */
  payment: { n: number; paymentMethodId: string };
  /** The carrier's service that an operator wants; the cheapest otherwise. */
  service?: string;
  /** An operator lets the order pass that waits for approval. */
  approval?: ApproveOrder;
  /** Accepted acts (cancels apart) whose audit row is still to be written. */
  accepted: AcceptedAct[];
  /** Extensions of holds that were accepted. */
  extensions: number;
  /** Signals that were refused. */
  refusedSignals: number;
  /** Facts for the Web UI that belong to no field, for example a refused signal. */
  remarks: string[];
  /** Counts the notes of this run (holds, parks, refused signals): part of their operation keys. */
  notes: number;
  /** Where the order stood when this run took it up from another one. */
  recovered?: RecoveredOrder;
  /** Acts that wait until SQL has answered where the order stands. */
  kept: KeptAct[];
  /** SQL is being asked for them. */
  askingSql: boolean;
  /** Where SQL says the order stands, while acts are judged by it. */
  standing?: Standing;
}

/** What acts are judged by besides the run's own state. */
export type Standing = Partial<Pick<RecoveredOrder, 'ended' | 'takenBack' | 'shippingBegun' | 'shipped'>>;

export function openOrder(input: FulfillOrder, nowUtc: string): OrderState {
  return {
    input,
    status: 'received',
    sagaState: 'running',
    step: 'receive',
    updatedAtUtc: nowUtc,
    pivotPassed: false,
    decidedAhead: false,
    afterReset: false,
    recorded: false,
    address: { value: input.checkout.shippingAddress, n: 1 },
    addressVersion: 1,
    confirmedAddress: 0,
    payment: { n: 1, paymentMethodId: input.checkout.paymentMethodId },
    paymentNoticed: false,
    accepted: [],
    extensions: 0,
    refusedSignals: 0,
    remarks: [],
    notes: 0,
    kept: [],
    askingSql: false,
    acts: new Map(),
    waiters: 0,
  };
}

/** The run was started for another request than its order was placed with: it has no effect on that order. */
export const isAnothers = ({ failure }: Pick<OrderState, 'failure'>): boolean =>
  failure?.type === 'KeyReused';

/** The order as everybody may see it: no address, no email. A run that was started for another request shows nothing of it. */
export function viewOf(order: OrderState): OrderView {
  const { orderId, callerId, ...asked } = order.input.checkout;
  const { customerId, items } = isAnothers(order) ? { customerId: asCustomerId(''), items: [] } : asked;
  const {
    status,
    sagaState,
    step,
    updatedAtUtc,
    total,
    shipping,
    hold,
    parked,
    failure,
    cancelRequested,
    shipment,
  } = order;
  return {
    orderId,
    callerId,
    customerId,
    status,
    sagaState,
    step,
    items,
    ...(total ? { total } : {}),
    ...(shipping ? { shipping } : {}),
    ...(hold ? { hold } : {}),
    ...(parked ? { parked } : {}),
    ...(order.waitingFor ? { waitingFor: order.waitingFor } : {}),
    ...(failure ? { failure } : {}),
    ...(cancelRequested ? { cancelRequested } : {}),
    ...(shipment ? { shipment } : {}),
    ...(pendingActs(order).length > 0 ? { pending: pendingActs(order) } : {}),
    updatedAtUtc,
  };
}

/** Acts that SQL still has to answer, in their order; in earlier histories also an address that has no number yet. */
function pendingActs({ acts, kept, recorded, addressAct }: OrderState): string[] {
  const pending = [...acts.values()].filter(({ state }) => state === 'pending').map(({ name }) => name);
  if (pending.length > 0) return pending;
  return [...kept.map(({ name }) => name), ...(addressAct && !recorded ? ['shipping-address'] : [])];
}

/** Why an act is refused in the order's present state; undefined when it is legal. */
type Refused = string | undefined;

const closing = (order: OrderState): Refused => {
  const { ended, takenBack } = order.standing ?? {};
  if (isAnothers(order)) return order.failure?.reason;
  if (ended || isEnded(order.status)) return `The order has ended (${ended ?? order.status}).`;
  if (order.sagaState === 'compensating' || order.takenBackParked || takenBack)
    return 'The order is being taken back already.';
  if (order.cancelRequested)
    return `The order is being cancelled already, by ${order.cancelRequested.actor}.`;
  return undefined;
};

/** Shipping has started when the label is being bought; one that is held, parked or waits for the carrier is not on its way. */
const shippingStarted = ({ step, sagaState, pivotPassed, waitingFor }: OrderState): boolean =>
  pivotPassed || (step === 'shipping' && sagaState === 'running' && !waitingFor);

const shippingStartedElsewhere = ({ standing }: OrderState): boolean => standing?.shippingBegun === true;

/** In histories from before acts were kept: a run that follows another one cannot say how far the order had come. */
const takingUp = ({ input, recorded }: OrderState): Refused =>
  input.recovered && !recorded ? 'The order is just being taken up again; ask again in a moment.' : undefined;

/** Why nothing is taken back any more where SQL says that the order stands further on than this run. */
export const refuseStanding = (order: OrderState): Refused =>
  order.standing ? refuseCancelNow(order) : undefined;

/** Why a cancel is refused without asking SQL whether the label can still be stopped. */
export const refuseCancelNow = (order: OrderState): Refused =>
  mayBeStopped(order) ? undefined : refuseCancel(order);

export const refuseCancel = (order: OrderState): Refused =>
  closing(order) ??
  takingUp(order) ??
  (wayBack({ ...order, compensating: false, shipping: isShipping(order) }) === 'cancel'
    ? undefined
    : shippingRefusal);

const isShipping = (order: OrderState): boolean => shippingStarted(order) || shippingStartedElsewhere(order);

/** The label's step waits or is at work, here or in another run: SQL knows which, and whether the order can be stopped. */
export const mayBeStopped = (order: OrderState): boolean =>
  !order.pivotPassed && !order.standing?.shipped && refuseCancel(order) === shippingRefusal;

/** Changes of one order's address; each is at least a row of its audit trail. */
const MAXIMUM_ADDRESSES = 100;

export const refuseAddress = (order: OrderState): Refused =>
  closing(order) ??
  (shippingStarted(order) ||
  (order.step === 'shipping' && (order.sagaState === 'parked' || order.waitingFor)) ||
  order.standing?.shipped ||
  (order.hold?.status !== 'address_rejected' && shippingStartedElsewhere(order))
    ? 'Shipping has started: the address can no longer be changed.'
    : undefined) ??
  (Math.max(order.addressVersion, order.address.n) > MAXIMUM_ADDRESSES
    ? `The address was changed ${MAXIMUM_ADDRESSES} times already; no more changes are accepted.`
    : undefined);

export function refusePayment(order: OrderState): Refused {
  const { hold } = order;
  if (closing(order)) return closing(order);
  if (hold?.status !== 'payment_failed' && hold?.status !== 'payment_action_required') {
    return `The order is ${order.status}: a payment method is accepted only while its payment is held.`;
  }
  if (order.parkedInHold) {
    return 'The order waits for an operator: its payment is parked. Another method is tried by resolve retry-with, or once the order is held again.';
  }
  if (order.paymentAct) return 'Another payment method has just been accepted and is being tried.';
  return refuseMoreMethods(order);
}

/** The checkout's own is number 1. */
export const refuseMoreMethods = ({ payment, input }: OrderState): Refused =>
  payment.n <= input.policy.maximumPaymentUpdates
    ? undefined
    : `${payment.n - 1} payment methods were tried already; no more are accepted.`;

export function refuseApprove(order: OrderState): Refused {
  if (closing(order)) return closing(order);
  if (order.hold?.status !== 'awaiting_approval') {
    return `The order is ${order.status}: only an order that waits for approval can be approved.`;
  }
  return order.approval
    ? `The order has just been approved by ${order.approval.actor}; it needs no second approval.`
    : undefined;
}

/** Extensions of one order; each is a row of its audit trail and an event. */
const MAXIMUM_EXTENSIONS = 50;

export function refuseExtend(order: OrderState, { untilUtc }: Pick<ExtendHold, 'untilUtc'>): Refused {
  const { hold } = order;
  if (closing(order)) return closing(order);
  if (!hold) return `The order is not held (${order.sagaState}); there is no deadline to extend.`;
  const mender = menderOf(order);
  if (mender) return `The hold is ending: ${mender.actor} has just mended it.`;
  if (order.extensions >= MAXIMUM_EXTENSIONS) {
    return `The order's holds were extended ${order.extensions} times already; no more are accepted.`;
  }
  return refuseDeadline(order, untilUtc, Date.parse(hold.untilUtc));
}

function refuseDeadline(order: OrderState, untilUtc: unknown, presentMs: number): Refused {
  const utc = (ms: number) => new Date(ms).toISOString();
  const wantedMs = typeof untilUtc === 'string' && isoUtc.test(untilUtc) ? Date.parse(untilUtc) : Number.NaN;
  if (Number.isNaN(wantedMs)) return `untilUtc: expected a UTC time such as ${utc(presentMs)}.`;
  if (wantedMs <= presentMs || wantedMs <= Date.now()) {
    return `untilUtc: expected a time after the present deadline, ${utc(presentMs)}; came ${utc(wantedMs)}.`;
  }
  const latestMs = latestHoldMs(order);
  return wantedMs > latestMs
    ? `untilUtc: this hold may last until ${utc(latestMs)} at most; came ${utc(wantedMs)}.`
    : undefined;
}

/** ISO 8601 in UTC, seconds and milliseconds optional. */
const isoUtc = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z$/;

/** Who has mended the present hold, where the order has not gone on yet. */
function menderOf({ hold, approval, paymentAct, addressAct }: OrderState): Act | undefined {
  if (hold?.status === 'awaiting_approval') return approval;
  return hold?.status === 'address_rejected' ? addressAct : paymentAct;
}

/** The latest deadline that the policy allows the present hold. */
export const latestHoldMs = ({ hold, input }: OrderState): number =>
  Date.parse(hold?.sinceUtc ?? '') + (input.policy.maximumHoldMs ?? holdDefaults.maximumHoldMs);

/** When people are reminded of a hold that now waits until then; nothing where the policy does not ask for it. */
export function reminderOf({ input }: OrderState, untilUtc: string): { remindAtUtc?: string } {
  const { remindAt } = input.policy;
  if (remindAt === undefined) return {};
  const nowMs = Date.now();
  return { remindAtUtc: new Date(nowMs + (Date.parse(untilUtc) - nowMs) * remindAt).toISOString() };
}

/** An act that waits until SQL has answered where the order stands. */
export interface KeptAct {
  name: string;
  id: string;
  /** Lets it take effect, or answers why it is refused. */
  decide(): string | undefined | Promise<string | undefined>;
  /** A refusal is written down; whoever waits for the answer is told as well. */
  refuse(reason: string): void;
  /** It is on record already: this run begins with its effect. */
  taken?(): void;
  settled?: { reason?: string };
}

/** An act that was accepted and whose audit row is still to be written. */
export interface AcceptedAct {
  /** Name of its update and signal. */
  name: string;
  act: Act;
  /** Names it for good, in every run that hears of it. */
  id: string;
  /** It has a row of its own, which says what came of it; not so in earlier histories. */
  written?: true;
}

/** Temporal's reset has begun this run with a part of another one's history. */
export const isReset = (): boolean => {
  const { runId, originalExecutionRunId } = workflowInfo();
  return runId !== originalExecutionRunId;
};

/**
 * Whether the run goes on after a reset, beyond the history that was copied into it. While the copy replays this is no, as
 * it was when those events were made: else the run would ask for other activities than they hold.
 */
export function wentOnAfterReset(order: OrderState): boolean {
  if (!isReset()) return false;
  order.afterReset ||= patched('after-a-reset');
  /* Histories in which nothing was decided ahead have a patch of its own for each thing that depends on the reset. */
  return order.afterReset || !order.decidedAhead;
}

/** It was parked, or an operator has started it again. */
export const isTakenUp = ({ attended, recovered, input }: OrderState): boolean =>
  attended === true || recovered !== undefined || input.recovered !== undefined;

/** It was parked, or another run has begun it: a person may have acted at a provider since. */
export const mayHaveHelped = (order: OrderState): boolean => isTakenUp(order) || wentOnAfterReset(order);
