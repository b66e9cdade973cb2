import type { OrderView } from '../../domain/order.ts';
import {
  approveOrder,
  extendHold,
  resolveParked,
  setShippingAddress,
  updatePayment,
} from '../../workflows/messages.ts';
import { act } from '../e2e/saga-suite.ts';
import { goodAddress } from '../setup/saga-environment.ts';
import { providerDashboard } from '../support/provider-dashboard.ts';
import { startUntil, type Fate } from './lead-order.ts';

const declined = { paymentMethodId: 'pm_card_chargeDeclined' };
const isHeld = ({ hold }: OrderView): boolean => hold !== undefined;

/** What people do at the providers' own desks for an order that is held. */
export const dashboardFates: Record<string, Fate> = {
  'completed-card-held-charge-by-hand': async (saga) => {
    const order = await startUntil(saga, isHeld, declined);
    await providerDashboard(saga, order.orderId).charge(await saga.view(order.orderId));
    await order.executeUpdate(updatePayment, { args: [{ ...act, paymentMethodId: 'pm_card_visa' }] });
    return order;
  },
  'completed-approval-held-charge-by-hand': async (saga) => {
    const order = await startUntil(saga, isHeld, {}, { approval: { aboveMinor: { INR: 0 } } });
    await providerDashboard(saga, order.orderId).charge(await saga.view(order.orderId));
    await order.executeUpdate(approveOrder, { args: [act] });
    return order;
  },
  'completed-address-held-label-by-hand': async (saga) => {
    const shippingAddress = { ...goodAddress, street1: 'LABEL-REFUSED 1' };
    const order = await startUntil(saga, isHeld, { shippingAddress });
    await providerDashboard(saga, order.orderId).label(await saga.view(order.orderId));
    await order.executeUpdate(setShippingAddress, { args: [{ ...act, address: goodAddress }] });
    return order;
  },
  'failed-extended-hold-charge-by-hand': async (saga) => {
    const order = await startUntil(saga, isHeld, declined, { holdPaymentMs: 2_000 });
    const { orderId } = order;
    const view = await saga.view(orderId);
    const untilUtc = new Date(Date.parse(view.hold?.untilUtc ?? '') + 1_000).toISOString();
    await order.executeUpdate(extendHold, { args: [{ ...act, untilUtc }] });
    const dashboard = providerDashboard(saga, orderId);
    await dashboard.charge(view);
    await saga.until(orderId, ({ parked }) => parked?.activity === 'seekCharges');
    await dashboard.takeBack();
    await order.executeUpdate(resolveParked, { args: [{ ...act, action: 'retry' }] });
    return order;
  },
};
