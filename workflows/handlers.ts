import { ApplicationFailureCategory, type SignalDefinition, type UpdateDefinition } from '@temporalio/common';
import { ApplicationFailure, setHandler } from '@temporalio/workflow';
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
  const accept = (act: A): OrderView => {
    apply({ ...act, actor: String(act.actor).slice(0, 64), reason: String(act.reason).slice(0, 500) });
    order.updatedAtUtc = isoNow();
    return viewOf(order);
  };
  const validator = (act: A): void => {
    const reason = refuse(act);
    if (reason) throw refused(reason);
  };
  const onSignal = async (given?: Partial<A>): Promise<void> => {
    const act = { actor: 'signal', reason: 'by signal', ...(typeof given === 'object' ? given : {}) } as A;
    const reason = refuse(act);
    if (!reason) return void accept(act);
    order.remarks.push(`Refused signal ${signal.name} at ${isoNow()}: ${reason}`);
    context.publish();
    await context.note('recordNote', { actor: act.actor, act: signal.name, result: 'refused', reason });
  };
  setHandler(update, accept, { description, validator });
  setHandler(signal, onSignal, { description });
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
