import { ApplicationFailureCategory, type SignalDefinition, type UpdateDefinition } from '@temporalio/common';
import {
  ApplicationFailure,
  CancellationScope,
  patched,
  currentUpdateInfo,
  setDefaultSignalHandler,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { actIdOfUpdate, signalActIds } from '../../domain/act-id.ts';
import { pickAddress } from '../../domain/address.ts';
import type { OrderView, ActView } from '../../domain/order.ts';
import { decideAhead, inForce } from './decided-ahead.ts';
import { keepAddress } from './keep-address.ts';
import { followsAnother, keep, mustWait } from './kept-acts.ts';
import { legalActs } from './legal-acts.ts';
import * as messages from '../messages.ts';
import { isoNow, type OrderContext } from './context.ts';
import {
  refuseAddress,
  refuseApprove,
  refuseCancelNow,
  refuseExtend,
  refusePayment,
  reminderOf,
  viewOf,
  type OrderState,
  type KeptAct,
  isReset,
} from './state.ts';
import { checkReference, refuseResolve, type CheckRefusal } from '../parked/resolve.ts';
import { checkCancel } from './stop-shipping.ts';
import { paymentFound } from '../refund-messages.ts';
import { misreadAddress, readAct, refuseAddressShape, refuseText } from '../read-act.ts';
import { track, untilKnown, writeAct } from './write-acts.ts';
import type { Act } from '../../domain/order-run.ts';

/**
 * What a running order answers. Updates and signals share one rule and one effect per act; a refused update tells its
 * caller, a refused signal is written where people look (details and audit trail).
 */
export function registerHandlers(context: OrderContext): void {
  const { order } = context;
  const signalId = signalActIds(workflowInfo().originalExecutionRunId);
  setHandler(messages.getOrder, () => viewOf(order), { description: 'The order as it is now.' });
  setHandler(messages.getRefusal, (given) => wouldRefuse(context, given), {
    description:
      'Why an act would be refused now: {"name":"cancel","input":{}}; null when it would be taken.',
  });
  setHandler(messages.getAct, ({ id }) => order.acts.get(id) ?? null, {
    description: 'What has come of an act: {"id"}; null when this run does not know it.',
  });
  setHandler(messages.paymentNotice, () => {
    order.paymentNoticed = true;
  });
  setHandler(paymentFound, () => {
    order.paymentFound = true;
    order.paymentNoticed = true;
  });
  registerAct(context, signalId, messages.cancelOrder, messages.cancelSignal, {
    description: 'Cancel the order: {"actor","reason"}',
    refuse: () => refuseCancelNow(order),
    check: () => checkCancel(context),
    apply: (act) => cancel(order, act),
  });
  registerAct(context, signalId, messages.updatePayment, messages.paymentSignal, {
    description: 'Try another payment method: {"paymentMethodId","actor","reason"}',
    misread: (act) => refuseText('paymentMethodId', act.paymentMethodId),
    refuse: () => refusePayment(order),
    apply: (act) => {
      order.paymentAct = act;
    },
  });
  registerAct(context, signalId, messages.setShippingAddress, messages.shippingAddressSignal, {
    description:
      'Correct the address: {"address":{"name","street1","city","state","postalCode","country"},"actor","reason"}; which parts it needs, its country says',
    misread: (act) => misreadAddress(act.address),
    earlierMisread: (act) => refuseAddressShape(act.address),
    refuse: () => refuseAddress(order),
    apply: (act) => {
      order.address = { ...order.address, value: pickAddress(act.address) };
      order.addressVersion += 1;
      order.addressAct = act;
    },
  });
  registerAct(context, signalId, messages.approveOrder, messages.approveSignal, {
    description: 'Let an order pass that waits for approval: {"actor","reason"}',
    refuse: () => refuseApprove(order),
    apply: (act) => {
      order.approval = act;
    },
  });
  registerAct(context, signalId, messages.extendHold, messages.extendSignal, {
    description: 'Give a hold a later deadline: {"untilUtc","actor","reason"}',
    refuse: (act) => refuseExtend(order, act),
    apply: (act) => extend(order, act),
  });
  registerAct(context, signalId, messages.resolveParked, messages.resolveSignal, {
    description:
      'Move a parked step on: {"action":"retry","actor","reason"}; its details say what else is possible',
    refuse: (act) => refuseResolve(order, act),
    check: (act) => {
      if (act.action === 'cancel') return checkCancel(context);
      return act.action === 'mark-done' ? checkReference(context, act) : undefined;
    },
    apply: (act) => {
      if (act.action === 'cancel') cancel(order, act);
      else order.resolve = act;
    },
    /* What is parked before SQL knows the order is moved on so that SQL is asked at all. */
    neverWaits: (act) => !order.recorded && act.action !== 'cancel',
  });
  setDefaultSignalHandler((name, given) => onUnknownSignal(context, name, given));
}

interface Rules<A extends Act> {
  description: string;
  /** Why the input is none; told at once, also where the act itself has to wait. */
  misread?(act: A): string | undefined;
  /** What `misread` was for histories without the marker `address-rules`. */
  earlierMisread?(act: A): string | undefined;
  /** Why the order does not take it in its present state. */
  refuse(act: A): string | undefined;
  /** What takes a while to find out: why it is refused all the same. Undefined where there is nothing to find out. */
  check?(act: A): Promise<CheckRefusal | undefined> | undefined;
  apply(act: A): void;
  /** Decided at once also in a run that follows another one. */
  neverWaits?(act: A): boolean;
}

function registerAct<A extends Act>(
  context: OrderContext,
  signalId: (name: string, act: object) => string,
  update: UpdateDefinition<OrderView, [A]>,
  signal: SignalDefinition<[Partial<A>?]>,
  { description, misread, earlierMisread, refuse: refuseNow, check, apply, neverWaits }: Rules<A>,
): void {
  const { order } = context;
  const { name } = signal;
  const refuse = (act: A, reread = misread): string | undefined => reread?.(act) ?? refuseNow(act);
  const accept = (act: A, id: string): OrderView => {
    decideAhead(order);
    apply(act);
    const written = writeAct(context, { name, act, id });
    if (!written && name === messages.setShippingAddress.name) keepAddress(context, act, id);
    if (!isCancel(name, act)) order.accepted.push({ name, act, id, ...(written ? { written } : {}) });
    order.updatedAtUtc = isoNow();
    return viewOf(order);
  };
  /** The order right after the act, and what is known of the act a moment later. */
  const answer = async (view: OrderView, id: string): Promise<OrderView> => {
    const known = order.acts.get(id);
    if (!known) return view;
    await untilKnown(order, known);
    const { pending: _, ...rest } = view;
    const { pending } = viewOf(order);
    return { ...rest, ...(pending ? { pending } : {}), act: { ...known } };
  };
  const acceptLate = async (
    act: A,
    id: string,
    checked: Promise<CheckRefusal | undefined>,
  ): Promise<OrderView> => {
    const late = await checked;
    if (!late) return accept(act, id);
    const { reason, shown } = typeof late === 'string' ? { reason: late, shown: late } : late;
    const { actor, fingerprint } = act;
    const named = { actId: id, ...(fingerprint === undefined ? {} : { fingerprint }) };
    const kept = inForce(order, 'acts-kept-at-once') ? named : {};
    context.background.push(noteRefusal(context, { name, actor, reason, way: 'update', ...kept }));
    throw refused(order, shown, name);
  };
  /** SQL has to say whether the label is on its way: its answer may come long after the caller's. */
  const acceptOnceKnown = async (
    act: A,
    id: string,
    checked: Promise<CheckRefusal | undefined>,
  ): Promise<OrderView> => {
    const known = track(order, { name, act, id });
    const late = acceptLate(act, id, checked);
    const settled = late.then(
      () => undefined,
      (error: unknown) => {
        Object.assign(known, { state: 'refused', reason: error instanceof Error ? error.message : '' });
        return error;
      },
    );
    context.background.push(settled);
    await untilKnown(order, known);
    if (known.state === 'refused') throw await settled;
    return answer(viewOf(order), id);
  };
  const keepAct = async (act: A, id: string, way: 'update' | 'signal'): Promise<KeptAct> => {
    const known = track(order, { name, act, id });
    const kept: KeptAct = {
      name,
      id,
      decide() {
        const reason = refusal(act, replayedMisread);
        const checked = reason === undefined ? check?.(act) : undefined;
        if (checked) return checked.then((late) => auditedOf(late) ?? void accept(act, id));
        return reason ?? void accept(act, id);
      },
      refuse(reason) {
        Object.assign(known, { state: 'refused', reason });
        const named = inForce(order, 'acts-kept-at-once') ? { actId: id } : {};
        context.background.push(noteRefusal(context, { name, actor: act.actor, reason, way, ...named }));
      },
      taken() {
        if (known.state === 'pending') known.state = 'accepted';
      },
    };
    await keep(context, kept);
    return kept;
  };
  const answerKept = async (act: A, id: string): Promise<OrderView> => {
    const { settled } = await keepAct(act, id, 'update');
    if (settled?.reason !== undefined) throw refused(order, settled.reason, name);
    return answer(viewOf(order), id);
  };
  /** The act has come before, in this run or in one that this one goes on from: it has its effect, or is about to. */
  const knownAct = (id: string): ActView | undefined => {
    if (isReset()) return undefined;
    const onRecord = order.recovered?.acts?.includes(id);
    return order.acts.get(id) ?? (onRecord ? { actId: id, name, state: 'accepted' } : undefined);
  };
  const onUpdate = (given?: Partial<A>): OrderView | Promise<OrderView> => {
    const act = readAct<A>(given, 'update');
    const id = actIdOfUpdate(currentUpdateInfo()?.id ?? '');
    const known = knownAct(id);
    if (known) return { ...viewOf(order), act: { ...known } };
    if (!neverWaits?.(act) && mustWait(order)) return answerKept(act, id);
    const checked = check?.(act);
    if (!checked) return answer(accept(act, id), id);
    return isCancel(name, act) && inForce(order, 'acts-kept-at-once')
      ? acceptOnceKnown(act, id, checked)
      : acceptLate(act, id, checked);
  };
  /* An error in a signal's handler would fail its workflow task again and again, and stop the order with it. */
  const refusal = (act: A, reread = misread): string | undefined => {
    try {
      if ('unreadable' in act) return `The input could not be read: ${String(act.unreadable)}.`;
      return refuse(act, reread);
    } catch (error) {
      return `The act holds something unreadable: ${error instanceof Error ? error.message : 'no text'}.`;
    }
  };
  /* Where a replay decides again: a history keeps to the rules that it was made by. Validators are not replayed. */
  const replayedMisread = (act: A): string | undefined => {
    const [now, earlier] = [misread?.(act), earlierMisread?.(act)];
    const changed = earlierMisread && (now === undefined) !== (earlier === undefined);
    return changed && !inForce(order, 'address-rules') ? earlier : now;
  };
  const validator = (given?: Partial<A>): void => {
    const act = readAct<A>(given, 'update');
    if (knownAct(actIdOfUpdate(currentUpdateInfo()?.id ?? ''))) return;
    const waits = !neverWaits?.(act) && followsAnother(order);
    const reason = waits ? misread?.(act) : refusal(act);
    if (reason) throw refused(order, reason, name);
  };
  const onSignal = async (given?: Partial<A>): Promise<void> => {
    const act = readAct<A>(given, 'signal');
    const id = signalId(name, readable(act));
    if (!neverWaits?.(act) && mustWait(order)) return void (await keepAct(act, id, 'signal'));
    let reason = refusal(act, replayedMisread);
    const checked = reason === undefined ? check?.(act) : undefined;
    if (checked) reason = auditedOf(await checked);
    if (!reason) return void accept(act, id);
    const named = inForce(order, 'acts-kept-at-once') ? { actId: id } : {};
    await noteRefusal(context, { name, actor: act.actor, reason, ...named });
  };
  setHandler(update, onUpdate, { description, validator });
  setHandler(signal, onSignal, { description });
  context.validators.set(name, (given) => refuse(readAct(given, 'update')));
}

/** A handler of a signal never throws, whatever came. */
function readable(act: object): object {
  try {
    JSON.stringify(act);
    return act;
  } catch {
    return { unreadable: true };
  }
}

const auditedOf = (refusal: CheckRefusal | undefined): string | undefined =>
  typeof refusal === 'object' ? refusal.reason : refusal;

/** The act's own validator, asked without acting. */
function wouldRefuse(
  { validators }: OrderContext,
  given?: { name?: string; input?: unknown },
): string | null {
  const validator = validators.get(String(given?.name));
  if (!validator) return `name: expected one of ${[...validators.keys()].join(', ')}.`;
  return validator(given?.input) ?? null;
}

/** A cancel is written down by the walk back itself. */
const isCancel = (name: string, act: object): boolean =>
  name === messages.cancelSignal.name || ('action' in act && act.action === 'cancel');

/** Signals of one order whose refusal is written down; more would fill its history until nothing can run any more. */
const MAXIMUM_REFUSALS = 100;

/** A refused signal has no answer, and a reference that was refused was looked up: both are written where people look. */
async function noteRefusal(
  context: OrderContext,
  {
    name,
    actor,
    reason,
    way = 'signal',
    ...named
  }: {
    name: string;
    actor: string;
    reason: string;
    way?: 'signal' | 'update';
    actId?: string;
    fingerprint?: string;
  },
): Promise<void> {
  const { order } = context;
  order.refusedSignals += 1;
  if (order.refusedSignals > MAXIMUM_REFUSALS) return;
  const last =
    order.refusedSignals === MAXIMUM_REFUSALS ? ' Further refused signals are not written down.' : '';
  order.remarks.push(`Refused ${way} ${name} at ${isoNow()}: ${reason}${last}`);
  context.publish();
  const note = { actor, act: name, result: 'refused', reason: `${reason}${last}`.slice(0, 500), ...named };
  /* A handler runs in the root scope: Temporal's own cancel would fail the note, and with it end the run. */
  await CancellationScope.nonCancellable(() => context.note('recordNote', note));
}

/** Somebody mistyped a name: nothing would tell them otherwise. */
async function onUnknownSignal(context: OrderContext, given: string, input: unknown): Promise<void> {
  if (!patched('unknown-signals')) return;
  const name = given.slice(0, 64);
  const known = Object.values(messages)
    .filter((one) => typeof one === 'object' && one.type === 'signal')
    .map((signal) => (signal as SignalDefinition).name);
  const reason = `There is no signal of this name; there are ${known.join(', ')}.`;
  await noteRefusal(context, { name, actor: readAct(input, 'signal').actor, reason });
}

/** The business answer of a refused update, with what would be taken; shown to its caller, not retried, no error log. */
const refused = (order: OrderState, reason: string, name: string): ApplicationFailure =>
  ApplicationFailure.create({
    type: messages.actRefused,
    message: reason,
    nonRetryable: true,
    category: ApplicationFailureCategory.BENIGN,
    details: ['act_refused', legalActs(order, name)],
  });

/** Accepts a stop: the saga walks back from its next safe point, at once where it waits interruptibly. */
export function cancel(order: OrderState, { actor, reason }: messages.CancelOrder): undefined {
  order.cancelRequested = { actor, reason };
  order.interrupt?.();
}

/** The hold waits longer, and people are reminded anew; who waits in it records the act. */
function extend(order: OrderState, act: messages.ExtendHold): void {
  const { hold } = order;
  if (!hold) return;
  const untilUtc = new Date(act.untilUtc).toISOString();
  act.untilUtc = untilUtc;
  order.extensions += 1;
  order.hold = { ...hold, untilUtc, ...reminderOf(order, untilUtc) };
}
