import { productId } from '../../domain/ids.ts';
import type { Address, OrderView } from '../../domain/order.ts';
import {
  cancelOrder,
  cancelSignal,
  resolveParked,
  resolveSignal,
  setShippingAddress,
  updatePayment,
} from '../../workflows/messages.ts';
import { goodAddress, type SagaEnvironment } from '../setup/saga-environment.ts';
import { act, booksOf, type StartedOrder } from '../e2e/saga-suite.ts';
import { dashboardFates } from './dashboard-fates.ts';
import { disputeFates } from './dispute-fates.ts';
import { holdFates } from './hold-fates.ts';
import { breaking, isParked, mend, small, startUntil, type Fate } from './lead-order.ts';
import { numberedActFates } from './numbered-act-fates.ts';
import { parkedFates } from './parked-fates.ts';
import { providerFates } from './provider-fates.ts';
import { secondRunFates } from './second-run-fates.ts';

const declined = { paymentMethodId: 'pm_card_chargeDeclined' };
const asksCustomer = { paymentMethodId: 'pm_card_authenticationRequired' };
const at = (street1: string): { shippingAddress: Address } => ({
  shippingAddress: { ...goodAddress, street1 },
});
const short = { holdPaymentMs: 400, holdAddressMs: 400 };

const isHeld = ({ hold }: OrderView): boolean => hold !== undefined;
const ordering = (id: string, quantity = 1) => ({ items: [{ productId: productId(id), quantity }] });

const cancel = (order: StartedOrder) => order.executeUpdate(cancelOrder, { args: [act] });
const pay = (order: StartedOrder, paymentMethodId = 'pm_card_visa') =>
  order.executeUpdate(updatePayment, { args: [{ ...act, paymentMethodId }] });
const correct = (order: StartedOrder) =>
  order.executeUpdate(setShippingAddress, { args: [{ ...act, address: goodAddress }] });
const resolve = (order: StartedOrder) =>
  order.executeUpdate(resolveParked, { args: [{ ...act, action: 'retry' }] });

async function authenticate(saga: SagaEnvironment, { orderId }: StartedOrder, outcome: 'succeed' | 'fail') {
  const { ledger } = await booksOf(saga, orderId);
  const intent = ledger.payments.at(-1)?.intentId;
  await fetch(`${saga.sandbox.url}/sandbox/payment_intents/${intent}/authenticate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ outcome }),
  });
}

const carrierDown = { provider: 'easypost', operation: 'shipments.create', kind: 'outage' } as const;
const slowLabel = { provider: 'easypost', operation: 'shipments.buy', kind: 'latency', ms: 800 } as const;

export type { Fate } from './lead-order.ts';

/** Every ending and every way through a hold or a parked step; the name is the file's. */
export const fates: Record<string, Fate> = {
  completed: (saga) => saga.start(),
  'failed-out-of-stock': async (saga) => {
    await saga.putProduct({ productId: 'sold-out', onHand: 0 });
    return saga.start(ordering('sold-out'));
  },
  'failed-unknown-product': (saga) => saga.start(ordering('unheard-of')),
  'failed-price-changed': (saga) => saga.start({ expectedTotal: { amountMinor: 1, currency: 'INR' } }),
  'failed-amount-not-payable': async (saga) => {
    await saga.putProduct({ productId: 'sticker', onHand: 1, priceMinor: 1 });
    return saga.start(ordering('sticker'));
  },
  'order-already-closed': async (saga) => {
    const first = await saga.start();
    await first.result();
    return saga.start({ orderId: first.orderId });
  },
  'completed-after-declined-cards': async (saga) => {
    const order = await startUntil(saga, isHeld, declined);
    const { hold } = await saga.view(order.orderId);
    await pay(order, declined.paymentMethodId);
    await saga.until(order.orderId, (view) => isHeld(view) && view.hold?.sinceUtc !== hold?.sinceUtc);
    await pay(order);
    return order;
  },
  'failed-declined-card-deadline': (saga) => saga.start(declined, short),
  'completed-after-authentication': async (saga) => {
    const order = await startUntil(saga, isHeld, asksCustomer);
    await authenticate(saga, order, 'succeed');
    return order;
  },
  'completed-after-failed-authentication': async (saga) => {
    const order = await startUntil(saga, isHeld, asksCustomer);
    await authenticate(saga, order, 'fail');
    await saga.until(order.orderId, ({ hold }) => hold?.status === 'payment_failed');
    await pay(order);
    return order;
  },
  'failed-action-required-deadline': (saga) => saga.start(asksCustomer, short),
  'completed-after-corrected-address': async (saga) => {
    const order = await startUntil(saga, isHeld, at('UNDELIVERABLE 1'));
    await correct(order);
    return order;
  },
  'failed-address-deadline': (saga) => saga.start(at('UNDELIVERABLE 1'), short),
  'completed-after-label-refused': async (saga) => {
    const order = await startUntil(saga, isHeld, at('LABEL-REFUSED 1'));
    await correct(order);
    return order;
  },
  'failed-label-refused-deadline': (saga) => saga.start(at('LABEL-REFUSED 1'), short),
  'completed-address-changed-while-card-held': async (saga) => {
    const order = await startUntil(saga, isHeld, declined);
    await correct(order);
    await pay(order);
    return order;
  },
  'cancelled-right-away': async (saga) => {
    const order = await saga.start();
    await cancel(order);
    return order;
  },
  'cancelled-while-card-held': async (saga) => {
    const order = await startUntil(saga, isHeld, declined);
    await order.signal(cancelSignal, act);
    return order;
  },
  'cancelled-while-customer-awaited': async (saga) => {
    const order = await startUntil(saga, isHeld, asksCustomer);
    await cancel(order);
    return order;
  },
  'cancelled-after-payment': async (saga) => {
    const order = await startUntil(saga, isHeld, at('LABEL-REFUSED 1'));
    await cancel(order);
    return order;
  },
  'cancelled-by-temporal': async (saga) => {
    const order = await startUntil(saga, isHeld, at('LABEL-REFUSED 1'));
    await order.cancel();
    return order;
  },
  'completed-despite-temporal-cancel': async (saga) => {
    const orderId = await breaking(saga, slowLabel);
    const order = await startUntil(saga, ({ step }) => step === 'shipping', { orderId });
    await order.cancel();
    return order;
  },
  'completed-despite-refused-signal': async (saga) => {
    const orderId = await breaking(saga, slowLabel);
    const order = await startUntil(saga, ({ step }) => step === 'shipping', { orderId });
    await order.signal(cancelSignal, act);
    return order;
  },
  'completed-after-parked': async (saga) => {
    const orderId = await breaking(saga, carrierDown);
    const order = await startUntil(saga, isParked, { orderId }, { steps: { shipping: small } });
    await mend(saga, order);
    await resolve(order);
    return order;
  },
  'cancelled-parked-label': async (saga) => {
    const orderId = await breaking(
      saga,
      { provider: 'easypost', operation: 'shipments.retrieve', kind: 'outage' },
      { provider: 'easypost', operation: 'shipments.buy', kind: 'hang-after' },
    );
    const order = await startUntil(saga, isParked, { orderId }, { steps: { shipping: small } });
    await cancel(order);
    await mend(saga, order);
    return order;
  },
  'cancelled-parked-refund': async (saga) => {
    const orderId = await breaking(saga, { provider: 'stripe', operation: 'refunds.create', kind: 'outage' });
    const overrides = { ...at('LABEL-REFUSED 1'), orderId };
    const order = await startUntil(saga, isHeld, overrides, { compensation: { budgetMs: 500 } });
    await cancel(order);
    await saga.until(order.orderId, ({ parked }) => (parked?.budgets ?? 0) > 1);
    await mend(saga, order);
    await order.signal(resolveSignal, { action: 'retry', ...act });
    return order;
  },
  'completed-address-not-verified': async (saga) => {
    await saga.addFault({
      id: 'verify',
      provider: 'easypost',
      operation: 'addresses.verify',
      kind: 'outage',
    });
    const order = await saga.start({}, { steps: { address: { budgetMs: 400, attemptTimeoutMs: 200 } } });
    await order.result();
    await saga.removeFault('verify');
    return order;
  },
  ...holdFates,
  ...dashboardFates,
  ...disputeFates,
  ...numberedActFates,
  ...parkedFates,
  ...providerFates,
  ...secondRunFates,
};
