import { ApplicationFailureCategory, type SignalDefinition, type UpdateDefinition } from '@temporalio/common';
import { ApplicationFailure, CancellationScope, setHandler } from '@temporalio/workflow';
import type { OrderView } from '../domain/order.ts';
import * as messages from './messages.ts';
import { isoNow, type OrderContext } from './order-context.ts';
import {
  refuseAddress,
  refuseCancel,
  refusePayment,
  refuseResolve,
  viewOf,
  type OrderState,
} from './order-state.ts';

/**
 * The doors to a running order. Updates and signals share one rule and one effect per act; a refused update tells its
 * caller, a refused signal is written where people look (details and audit trail).
 */
export function openDoors(context: OrderContext): void {
  const { order } = context;
  setHandler(messages.getOrder, () => viewOf(order), { description: 'The order as it is now.' });
  setHandler(messages.paymentNotice, () => {
    order.paymentNoticed = true;
  });
  openDoor(context, messages.cancelOrder, messages.cancelSignal, {
    description: 'Cancel the order: {"actor","reason"}',
    refuse: () => refuseCancel(order),
    apply: (act) => cancel(order, act),
  });
  openDoor(context, messages.updatePayment, messages.paymentSignal, {
    description: 'Try another payment method: {"paymentMethodId","actor","reason"}',
    refuse: (act) => refuseText('paymentMethodId', act.paymentMethodId) ?? refusePayment(order),
    apply: (act) => {
      order.paymentAct = act;
    },
  });
  openDoor(context, messages.setShippingAddress, messages.shippingAddressSignal, {
    description: 'Correct the address: {"address":{…},"actor","reason"}',
    refuse: (act) => refuseAddressShape(act.address) ?? refuseAddress(order),
    apply: (act) => {
      order.address = { value: act.address, n: order.address.n + 1 };
      order.addressAct = act;
    },
  });
  openDoor(context, messages.resolveParked, messages.resolveSignal, {
    description: 'Move a parked step on: {"action":"retry","actor","reason"}',
    refuse: (act) => refuseResolve(order, act),
    apply: (act) => {
      order.resolve = act;
    },
  });
}

interface Rules<A extends messages.Act> {
  description: string;
  refuse(act: A): string | undefined;
  apply(act: A): void;
}

function openDoor<A extends messages.Act>(
  context: OrderContext,
  update: UpdateDefinition<OrderView, [A]>,
  signal: SignalDefinition<[Partial<A>?]>,
  { description, refuse, apply }: Rules<A>,
): void {
  const { order } = context;
  const accept = (given?: Partial<A>): OrderView => {
    apply(complete(given, 'update'));
    order.updatedAtUtc = isoNow();
    return viewOf(order);
  };
  const validator = (given?: Partial<A>): void => {
    const reason = refuse(complete(given, 'update'));
    if (reason) throw refused(reason);
  };
  const onSignal = async (given?: Partial<A>): Promise<void> => {
    const act = complete(given, 'signal');
    const reason = refuse(act);
    if (!reason) return void accept(act);
    order.remarks.push(`Refused signal ${signal.name} at ${isoNow()}: ${reason}`);
    context.publish();
    const note = { actor: act.actor, act: signal.name, result: 'refused', reason };
    /* A handler runs in the root scope: Temporal's own cancel would fail the note, and with it end the run. */
    await CancellationScope.nonCancellable(() => context.note('recordNote', note));
  };
  setHandler(update, accept, { description, validator });
  setHandler(signal, onSignal, { description });
}

/** What a person may leave out when typing an act by hand is filled in; texts are cut to the trail's lengths. */
function complete<A extends messages.Act>(given: Partial<A> | undefined, way: 'update' | 'signal'): A {
  const act = { actor: way, reason: `by ${way}`, ...(typeof given === 'object' ? given : {}) };
  return { ...act, actor: String(act.actor).slice(0, 64), reason: String(act.reason).slice(0, 500) } as A;
}

/** The business answer of a refused update; shown to its caller, not retried, no error log. */
const refused = (reason: string): ApplicationFailure =>
  ApplicationFailure.create({
    type: messages.actRefused,
    message: reason,
    nonRetryable: true,
    category: ApplicationFailureCategory.BENIGN,
  });

/** Accepts a stop: the saga walks back from its next safe point, at once where it waits interruptibly. */
export function cancel(order: OrderState, { actor, reason }: messages.CancelOrder): void {
  order.cancelRequested = { actor, reason };
  order.interrupt?.();
}

const refuseText = (field: string, value: unknown): string | undefined =>
  typeof value === 'string' && value.length > 0 && value.length <= 255
    ? undefined
    : `${field}: expected a text of 1 to 255 characters.`;

function refuseAddressShape(address: unknown): string | undefined {
  if (typeof address !== 'object' || address === null) return 'address: expected an object.';
  const fields = address as Record<string, unknown>;
  for (const field of ['name', 'street1', 'city', 'postalCode', 'country']) {
    const refusal = refuseText(`address.${field}`, fields[field]);
    if (refusal) return refusal;
  }
  return undefined;
}
