import { serviceNotOffered, type Refusal } from '../../domain/failures.ts';
import type { ShipmentView } from '../../domain/order.ts';
import { askedFirst, askFromHereOn } from './asked-first.ts';
import { inForce } from './decided-ahead.ts';
import { beginHold, endHold, holdExpired, waitInHold } from './hold.ts';
import { holdDispute } from './hold-dispute.ts';
import { failureTypeOf, isRefusal, classifyFailure, refusalOf } from '../failures.ts';
import type { Act } from '../../domain/order-run.ts';
import { isoNow, type OrderContext } from './context.ts';
import type { OrderState } from './state.ts';
import { wentFurther } from './recover.ts';
import type { Compensation, Saga } from '../saga.ts';
import { untilStopped } from './stop-shipping.ts';

/**
 * Makes sure that the carrier takes the present address, before anything is charged and again when it was changed
 * before shipping. A refused address holds the order. A carrier that cannot be asked within its budget does not stop
 * the order: the label decides.
 */
export async function confirmAddress(context: OrderContext, saga: Saga): Promise<void> {
  const { order } = context;
  while (order.confirmedAddress !== order.addressVersion) {
    const { addressVersion } = order;
    if (order.addressAct) await recordAddress(context, saga, order.addressAct);
    const refusal = await verify(context, saga);
    if (!refusal) order.confirmedAddress = addressVersion;
    /* A corrected address that came while the carrier looked at this one is looked at first. */
    else if (order.addressVersion === addressVersion || !inForce(order, 'address-corrected-meanwhile'))
      await holdAddress(context, saga, refusal);
  }
}

async function verify(context: OrderContext, saga: Saga): Promise<Refusal | undefined> {
  const { order, orderId } = context;
  const policy = context.policyOf('address');
  const address = order.address.value;
  order.step = 'address';
  context.publish();
  const ask = async (): Promise<void> => {
    const options = { policy, summary: 'Verify the address with the carrier' };
    const { attemptTimeoutMs } = policy;
    await context.steps.verifyAddress(options, { orderId, address, attemptTimeoutMs });
  };
  try {
    if (order.input.policy.addressVerification === 'required') await verifyOrPark(context, saga, ask);
    else await saga.interruptible(ask);
    return undefined;
  } catch (error) {
    if (isRefusal(error)) return refusalOf(error);
    if (classifyFailure(error) !== 'technical') throw error;
    order.remarks.push('The address was not verified: the carrier could not be asked in time.');
    const reason = 'the carrier could not be asked in time; the label decides';
    await saga.interruptible(() =>
      context.note('recordNote', { actor: 'saga', act: 'verify address', result: 'skipped', reason }),
    );
    return undefined;
  }
}

/** Nothing is undone for it, and without it the label decides: so a person may skip it. */
const verifyOrPark = ({ publish }: OrderContext, saga: Saga, ask: () => Promise<void>): Promise<void> =>
  saga.run({
    name: 'address',
    kind: 'compensatable',
    forward: () => {
      publish();
      return ask();
    },
    skipped: () => undefined,
  });

/** An address that was changed while nothing waited for it. */
async function recordAddress(context: OrderContext, saga: Saga, act: Act): Promise<void> {
  const { status } = context.order;
  await saga.interruptible(() => endHold(context, act, { status }));
}

/** Waits for an address update; at the deadline the refusal ends the order. */
async function holdAddress(context: OrderContext, saga: Saga, refusal: Refusal): Promise<void> {
  const { order } = context;
  const { status, addressVersion } = order;
  const forMs = order.input.policy.holdAddressMs;
  const mended = await saga.interruptible(async () => {
    await beginHold(context, { status: 'address_rejected', refusal, forMs });
    return waitInHold(context, () => order.addressVersion !== addressVersion);
  });
  const addressAct = order.addressAct ?? wentFurther(order);
  if (!mended || !addressAct) throw holdExpired(refusal, 'corrected the address');
  await saga.interruptible(() => endHold(context, addressAct, { status }));
  askFromHereOn(order);
}

/**
 * Buys the label: the pivot. An address that the carrier refuses only here holds the order as well, and the corrected
 * one is tried under its own number. A charge that is disputed holds it until the dispute is decided; one that went back
 * ends it.
 */
export async function ship(context: OrderContext, saga: Saga): Promise<void> {
  const { order } = context;
  for (;;) {
    await confirmAddress(context, saga);
    const label = await buyLabel(context, saga);
    if ('trackingCode' in label) {
      Object.assign(order, { shipment: label, status: 'shipment_generated', updatedAtUtc: isoNow() });
      return;
    }
    if (label.type === 'PaymentDisputed') await holdDispute(context, saga, label);
    else await holdAddress(context, saga, label);
  }
}

async function buyLabel(context: OrderContext, saga: Saga): Promise<ShipmentView | Refusal> {
  const { order, orderId } = context;
  const policy = context.policyOf('shipping');
  const { attemptTimeoutMs } = policy;
  const { n, value: address } = order.address;
  try {
    const label = await saga.run({
      name: 'shipping',
      kind: 'pivot',
      compensation: voidShipment(context),
      forward: () => {
        context.publish();
        return untilStopped(context, () =>
          context.steps
            .carrier({ policy, summary: 'Buy the shipping label' })
            .generateShipment({ orderId, n, address, ...wishes(order), attemptTimeoutMs }),
        ).catch((error: unknown) => {
          if (failureTypeOf(error) === serviceNotOffered) delete order.service;
          throw error;
        });
      },
    });
    order.pivotPassed = true;
    return label;
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal && mayBeMended(refusal)) return refusal;
    throw error;
  }
}

const mayBeMended = ({ type, details }: Refusal): boolean =>
  type === 'AddressUndeliverable' || (type === 'PaymentDisputed' && details?.['state'] === 'open');

const wishes = (order: OrderState) => ({
  ...(order.service ? { service: order.service } : {}),
  ...askedFirst(order, 'ask-what-people-did'),
});

export const voidShipment = ({ orderId, order, steps }: OrderContext): Compensation => {
  const policy = order.input.policy.compensation;
  const { attemptTimeoutMs } = policy;
  return {
    name: 'voidShipment',
    step: 'shipping',
    run: async () => {
      const stop = { policy, summary: 'Void the label, where the carrier has nothing of the order' };
      const { voided } = inForce(order, 'void-without-the-carrier')
        ? await steps.sql(stop, (a) => a.stopShipping({ orderId }))
        : { voided: false };
      if (voided) return;
      await steps.carrier({ policy, summary: 'Void the label' }).voidShipment({ orderId, attemptTimeoutMs });
    },
  };
};
