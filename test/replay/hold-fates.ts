import type { OrderView } from '../../domain/order.ts';
import type { PolicyChanges } from '../../domain/policy.ts';
import {
  approveOrder,
  cancelOrder,
  cancelSignal,
  extendHold,
  extendSignal,
  resolveParked,
  setShippingAddress,
  shippingAddressSignal,
  updatePayment,
} from '../../workflows/messages.ts';
import { act, booksOf, type StartedOrder } from '../e2e/saga-suite.ts';
import { goodAddress } from '../setup/saga-environment.ts';
import { followCharge, payInTab } from '../support/customer-browser.ts';
import { breaking, isParked, mend, startUntil, type Fate } from './lead-order.ts';

const approval: PolicyChanges = { approval: { aboveMinor: { INR: 0 } } };
const declined = { paymentMethodId: 'pm_card_chargeDeclined' };
const undeliverable = { shippingAddress: { ...goodAddress, street1: 'UNDELIVERABLE 1' } };
const refusedAtLabel = { shippingAddress: { ...goodAddress, street1: 'LABEL-REFUSED 1' } };

const isHeld = ({ hold }: OrderView): boolean => hold !== undefined;
const isReminded = ({ hold }: OrderView): boolean => hold !== undefined && hold.remindAtUtc === undefined;
const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();

const pay = (order: StartedOrder) =>
  order.executeUpdate(updatePayment, { args: [{ ...act, paymentMethodId: 'pm_card_visa' }] });
const correct = (order: StartedOrder, street1 = goodAddress.street1) =>
  order.executeUpdate(setShippingAddress, { args: [{ ...act, address: { ...goodAddress, street1 } }] });
const extend = (order: StartedOrder, ms: number) =>
  order.executeUpdate(extendHold, { args: [{ ...act, untilUtc: inMs(ms) }] });

/** Approval, reminders and extensions, and what is written down about acts that came to nothing. */
export const holdFates: Record<string, Fate> = {
  'completed-address-without-postal-code': async (saga) => {
    const order = await startUntil(saga, isHeld, undeliverable);
    const {
      postalCode: _,
      state: __,
      ...address
    } = { ...goodAddress, city: 'Hong Kong', country: 'HK', phone: '+85221234567' };
    await order.signal(shippingAddressSignal, { ...act, address });
    return order;
  },
  'completed-after-approval': async (saga) => {
    const order = await startUntil(saga, isHeld, {}, approval);
    await order.executeUpdate(approveOrder, { args: [act] });
    return order;
  },
  'failed-approval-deadline': (saga) => saga.start({}, { ...approval, holdApprovalMs: 1_500 }),
  'cancelled-awaiting-approval': async (saga) => {
    const marked = { riskMark: 'new-account' };
    const order = await startUntil(saga, isHeld, marked, { approval: { riskMarked: true } });
    await order.executeUpdate(cancelOrder, { args: [act] });
    return order;
  },
  'completed-after-reminder': async (saga) => {
    const order = await startUntil(saga, isReminded, declined, { holdPaymentMs: 6_000 });
    await pay(order);
    return order;
  },
  'completed-after-extended-hold': async (saga) => {
    const order = await startUntil(saga, isHeld, declined, { holdPaymentMs: 5_000 });
    await extend(order, 30_000);
    await extend(order, 60_000);
    await pay(order);
    return order;
  },
  'failed-after-extended-hold': async (saga) => {
    const order = await startUntil(saga, isHeld, undeliverable, { holdAddressMs: 3_000 });
    await extend(order, 5_000);
    await order.signal(extendSignal, { untilUtc: 'tomorrow', actor: act.actor });
    return order;
  },
  'completed-despite-unknown-signal': async (saga) => {
    const order = await startUntil(saga, isHeld, declined);
    await order.signal('paymnt', { ...act, paymentMethodId: 'pm_card_visa' });
    await pay(order);
    return order;
  },
  'completed-paid-after-all': async (saga) => {
    const order = await startUntil(saga, isHeld, declined);
    const { ledger } = await booksOf(saga, order.orderId);
    const intentId = ledger.payments.at(-1)?.intentId ?? '';
    await payInTab(saga, intentId);
    await followCharge(saga, intentId);
    return order;
  },
  'completed-address-changed-twice': async (saga) => {
    const order = await startUntil(saga, isHeld, declined);
    await correct(order, '1 First Street');
    await correct(order, '2 Second Street');
    await pay(order);
    return order;
  },
  'completed-address-corrected-while-verified': async (saga) => {
    const slow = { provider: 'easypost', operation: 'addresses.verify', kind: 'latency', ms: 2_500 } as const;
    await saga.addFault({ ...slow, id: 'verify' });
    const order = await startUntil(saga, ({ step }) => step === 'address', undeliverable);
    await correct(order);
    await order.result();
    await saga.removeFault('verify');
    return order;
  },
  'failed-refusing-cancel-while-refund-parked': async (saga) => {
    const orderId = await breaking(saga, { provider: 'stripe', operation: 'refunds.create', kind: 'outage' });
    const budgets = { holdAddressMs: 1_500, compensation: { budgetMs: 3_000 } };
    const order = await startUntil(saga, isParked, { ...refusedAtLabel, orderId }, budgets);
    await order.signal(cancelSignal, act);
    await mend(saga, order);
    await order.executeUpdate(resolveParked, { args: [{ ...act, action: 'retry' }] });
    return order;
  },
};
