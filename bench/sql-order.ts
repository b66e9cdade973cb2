import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import {
  createCarrierActivities,
  createOrderActivities,
  createPaymentActivities,
} from '../activities/create-activities.ts';
import { loadConfig, readCarrierLimits } from '../config/config.ts';
import type { ActivityDeps } from '../activities/deps.ts';
import { createFlatQuotes } from '../adapters/quotes/flat-quotes.ts';
import { customerId, orderId, productId } from '../domain/ids.ts';
import type { Checkout } from '../domain/order.ts';
import type { Carrier } from '../ports/carrier.ts';
import { systemClock } from '../ports/clock.ts';
import type { PaymentGateway } from '../ports/payment-gateway.ts';
import type { Store } from '../ports/store.ts';

const benchProduct = productId('bench-product');
const price = { amountMinor: 74_900, currency: 'INR' } as const;
const attemptTimeoutMs = 20_000;

/** Stock that no benchmark uses up. */
export const seedBenchProduct = (store: Store): Promise<void> =>
  store.transaction((tx) =>
    tx.inventory.putProduct({ productId: benchProduct, name: 'Bench', price, onHand: 1_000_000_000 }),
  );

/**
 * Takes one order from checkout to completed by the product's own activities, in the workflow's order and one after
 * another, with providers and locks that answer at once: what is left is the store.
 */
export function createSqlOrder(store: Store): () => Promise<void> {
  const deps: ActivityDeps = {
    store,
    payments: instantPayments,
    carrier: instantCarrier,
    providers: {
      status: () => ({ state: 'available' }),
      pace: () => 'full',
      heldUpAgoMs: () => Infinity,
      onChange: () => () => {},
    },
    locks: { acquire: async () => ({ status: 'acquired', release: async () => {} }) },
    quotes: createFlatQuotes({ shippingFees: { INR: 900 } }),
    shipping: {
      from: loadConfig({}).SHIP_FROM,
      limits: readCarrierLimits(),
    },
    bell: { ring: () => {}, listen: async () => ({ close: async () => {} }) },
    clock: systemClock,
  };
  const orders = createOrderActivities(deps);
  const payments = createPaymentActivities(deps);
  const carrier = createCarrierActivities(deps);
  return async () => {
    const checkout = newCheckout();
    const { orderId: id, shippingAddress: address, paymentMethodId } = checkout;
    const payment = { orderId: id, n: 1, paymentMethodId, attemptTimeoutMs };
    await inActivity(() => orders.recordOrder({ checkout, traceparent: '' }));
    await inActivity(() => orders.reserveInventory({ orderId: id }));
    await inActivity(() => carrier.verifyAddress({ orderId: id, address, attemptTimeoutMs }));
    await inActivity(() => payments.processPayment(payment));
    await inActivity(() => orders.requestEmail({ orderId: id, template: 'order-confirmation' }));
    await inActivity(() => orders.createFulfillment({ orderId: id }));
    await inActivity(() => carrier.generateShipment({ orderId: id, n: 1, address, attemptTimeoutMs }));
    await inActivity(() => orders.requestEmail({ orderId: id, template: 'order-shipped' }));
    await inActivity(() => orders.completeOrder({ orderId: id }));
  };
}

const newCheckout = (): Checkout => ({
  orderId: orderId(randomUUID()),
  callerId: 'bench',
  customerId: customerId('bench-customer'),
  customerEmail: 'customer@example.com',
  items: [{ productId: benchProduct, quantity: 1 }],
  paymentMethodId: 'pm_card_visa',
  shippingAddress: {
    name: 'A. Customer',
    street1: '1 Main Road',
    city: 'Pune',
    postalCode: '411001',
    country: 'IN',
  },
  currency: 'INR',
});

const silent = new DefaultLogger('ERROR', () => {});
const inActivity = <T>(work: () => Promise<T>): Promise<T> =>
  new MockActivityEnvironment(
    { workflowExecution: { workflowId: 'order-bench', runId: 'run-bench' } },
    { logger: silent },
  ).run(work);

const notAsked = (): never => {
  throw new Error('The benchmark took a way it does not measure');
};

const instantPayments: PaymentGateway = {
  create: async () => ({ status: 'created', intentId: `pi_${randomUUID()}` }),
  confirm: async ({ intentId }) => ({
    status: 'charged',
    intentId,
    amount: { amountMinor: price.amountMinor + 900, currency: price.currency },
  }),
  retrieve: notAsked,
  findByOperation: notAsked,
  listIntents: notAsked,
  cancel: notAsked,
  refund: notAsked,
  refunds: notAsked,
  findRefund: notAsked,
  disputes: notAsked,
  findDispute: notAsked,
  payable: () => ({ ok: true }),
  verifyWebhook: notAsked,
};

const cost = { amount: '7.58', currency: 'USD' };
const instantCarrier: Carrier = {
  verifyAddress: async () => ({ deliverable: true }),
  createShipment: async () => ({
    status: 'created',
    shipmentId: `shp_${randomUUID()}`,
    rates: [{ rateId: 'rate_1', carrier: 'USPS', service: 'Priority', ...cost }],
  }),
  rerate: notAsked,
  buy: async () => ({
    status: 'bought',
    label: {
      carrier: 'USPS',
      service: 'Priority',
      trackingCode: '9400',
      labelUrl: 'https://label.example/1',
      cost,
    },
  }),
  retrieve: notAsked,
  listLabels: notAsked,
  refundLabel: notAsked,
};
