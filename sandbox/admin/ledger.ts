import { refundStatus } from '../easypost/shipment-object.ts';
import type { ChargeRecord, DisputeRecord, IntentRecord, RefundRecord, ShipmentRecord } from '../records.ts';
import type { Store } from '../store.ts';

const ALL = 1_000_000;

const iso = (ms: number): string => new Date(ms).toISOString();

const charged = (charge: ChargeRecord) => ({
  intent: charge.intent,
  charge: charge.id,
  amount: charge.captured,
  currency: charge.currency,
  created: iso(charge.createdMs),
  disputed: charge.disputed,
});

const refunded = (refund: RefundRecord) => ({
  refund: refund.id,
  intent: refund.intent,
  charge: refund.charge,
  amount: refund.amount,
  currency: refund.currency,
  status: refund.status,
  created: iso(refund.createdMs),
});

const disputed = (dispute: DisputeRecord) => ({
  dispute: dispute.id,
  intent: dispute.intent,
  charge: dispute.charge,
  amount: dispute.amount,
  currency: dispute.currency,
  status: dispute.status,
  created: iso(dispute.createdMs),
});

const labeled = (shipment: ShipmentRecord, nowMs: number) => {
  const rate = shipment.rates.find(({ id }) => id === shipment.label?.rateId);
  return {
    shipment: shipment.id,
    reference: shipment.reference,
    trackingCode: shipment.label?.trackingCode ?? null,
    carrier: rate?.carrier ?? null,
    service: rate?.service ?? null,
    rate: rate?.rate ?? null,
    currency: 'USD',
    bought: shipment.label && iso(shipment.label.boughtMs),
    refundStatus: refundStatus(shipment, nowMs),
  };
};

const intended = (intent: IntentRecord) => ({
  intent: intent.id,
  status: intent.status,
  amount: intent.amount,
  currency: intent.currency,
  created: iso(intent.createdMs),
});

/** All that was done for one order at the providers, from the records themselves: exact at any moment. */
export const orderLedger = (store: Store, orderId: string, nowMs: number) => {
  const of = { orderId, limit: ALL };
  const shipments = store.list('shipment', of).reverse();
  return {
    orderId,
    charged: store
      .list('charge', of)
      .reverse()
      .filter((charge) => charge.captured > 0)
      .map(charged),
    refunded: store
      .list('refund', of)
      .reverse()
      .filter(({ status }) => status !== 'failed')
      .map(refunded),
    disputes: store.list('dispute', of).reverse().map(disputed),
    labels: shipments.filter(({ label }) => label).map((shipment) => labeled(shipment, nowMs)),
    shipmentsWithoutLabel: shipments.filter(({ label }) => !label).map(({ id }) => id),
    intents: store.list('intent', of).reverse().map(intended),
  };
};

interface OrderSummary {
  orderId: string;
  charges: number;
  chargedMinor: number;
  refundedMinor: number;
  currency: string | null;
  labels: number;
  labelsRefunded: number;
}

/** One line per order the providers know, for checks after a run with many orders; reads everything. */
export const ledgerSummary = (store: Store, nowMs: number): OrderSummary[] => {
  const orders = new Map<string, OrderSummary>();
  const of = (orderId: string): OrderSummary => {
    const known = orders.get(orderId);
    if (known) return known;
    const empty = {
      orderId,
      charges: 0,
      chargedMinor: 0,
      refundedMinor: 0,
      currency: null,
      labels: 0,
      labelsRefunded: 0,
    };
    orders.set(orderId, empty);
    return empty;
  };
  for (const { orderId, record } of store.byOrder('charge')) {
    if (record.captured === 0) continue;
    const order = of(orderId);
    order.charges += 1;
    order.chargedMinor += record.captured;
    order.currency = record.currency;
  }
  for (const { orderId, record } of store.byOrder('refund')) {
    if (record.status !== 'failed') of(orderId).refundedMinor += record.amount;
  }
  for (const { orderId, record } of store.byOrder('shipment')) {
    if (!record.label) continue;
    of(orderId).labels += 1;
    if (refundStatus(record, nowMs) === 'refunded') of(orderId).labelsRefunded += 1;
  }
  return [...orders.values()];
};
