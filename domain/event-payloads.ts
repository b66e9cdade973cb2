/* Generated from messaging/contracts by `npm run generate`. */

/** What every event says about its order. */
export interface OrderPayload {
  /** The order. */
  orderId: string;
  /** The shop's own customer id; the only personal reference. */
  customerId: string;
  /** Decimal in `currency`; null when the order could not be priced. */
  totalAmount: number | null;
  /** ISO 4217. */
  currency: string;
  /** What was ordered. */
  items: {
    productId: string;
    /** Whole units. */
    qty: number;
  }[];
}

/** Facts of each event type beside the order's. */
export interface EventDetails {
  /** An order was accepted and, where its products are known, priced. */
  'order.created.v1': Record<string, never>;
  /** Stock of all the order's items is reserved. */
  'inventory.reserved.v1': Record<string, never>;
  /** Reserved stock was given back, because the order does not ship. */
  'inventory.released.v1': Record<string, never>;
  /** The order was charged. */
  'payment.processed.v1': {
    /** The payment provider's id of the payment. */
    paymentId: string;
  };
  /** A payment was declined, or never authenticated; the order is held or ends. */
  'payment.failed.v1': {
    /** Business failure. Open list. */
    failureType: string;
    /** One sentence for people, in words for outsiders: nobody’s own reason and no provider’s error. */
    reason: string;
  };
  /** The charge or a part of it was given back: the order does not ship, or an operator refunded it, at any time. */
  'payment.refunded.v1': {
    /** The payment provider's id of the payment. */
    paymentId: string;
    /** The payment provider's id of the refund. */
    refundId: string;
    /** Decimal in `currency`. */
    refundedAmount: number;
  };
  /** The order was taken back while the customer's bank disputed the charge: the refund is owed, and settled when the dispute is over. */
  'refund.owed.v1': {
    /** The payment provider's id of the payment. */
    paymentId: string;
    /** Ours: the provider has not taken it yet. */
    refundId: string;
    /** Decimal in `currency`. */
    amount: number;
    disputeId: string | null;
    /** Until when the bank can be answered, UTC; null where nobody says so. */
    respondByUtc: string | null;
  };
  /** A refund did not go back, or came back from the customer's bank days later; it can be tried again. */
  'refund.failed.v1': {
    /** The payment provider's id of the payment. */
    paymentId: string;
    /** The payment provider's id of the refund; ours where it never took it. */
    refundId: string;
    /** Decimal in `currency`. */
    amount: number;
    /** One sentence for people, in words for outsiders: nobody’s own reason and no provider’s error. */
    reason: string;
    /** Decimal in `currency`: what the order owes its customer now; 0 where the money went back in another way. */
    owed?: number;
    /** What may be done with the order’s money then: cancel the order, refund it, ask for a return, wait for the bank, or nothing. Open list. */
    moneyAct?: string;
  };
  /** The customer's bank disputes the charge, or its inquiry has become a dispute; refunds are held meanwhile. */
  'payment.disputed.v1': {
    /** The payment provider's id of the payment. */
    paymentId: string;
    /** The payment provider's id of the dispute. */
    disputeId: string;
    /** Decimal in `currency`. */
    disputedAmount: number;
    /** The bank's reason. Open list. */
    reason: string;
    /** Whether the charge can still be refunded: the bank only inquires. */
    refundable: boolean;
    /** Decimal in `currency`: what of the charge had been refunded by then. */
    refundedAmount?: number;
    /** What may be done with the order’s money then: cancel the order, refund it, ask for a return, wait for the bank, or nothing. Open list. */
    moneyAct?: string;
  };
  /** A dispute was decided. When it was lost, the bank has given the money back to the customer. */
  'dispute.closed.v1': {
    /** The payment provider's id of the payment. */
    paymentId: string;
    /** The payment provider's id of the dispute. */
    disputeId: string;
    /** Decimal in `currency`. */
    disputedAmount: number;
    /** The bank's reason. Open list. */
    reason: string;
    /** Open list. */
    outcome: string;
    /** Decimal in `currency`: what of the charge had been refunded by then. */
    refundedAmount?: number;
    /** The bank had only asked: it took nothing, and `won` means that it asks no further. */
    inquiry?: boolean;
    /** What may be done with the order’s money then: cancel the order, refund it, ask for a return, wait for the bank, or nothing. Open list. */
    moneyAct?: string;
  };
  /** The order may be packed. */
  'fulfillment.created.v1': {
    /** The fulfillment. */
    fulfillmentId: string;
  };
  /** The order must not be packed any more. */
  'fulfillment.cancelled.v1': {
    /** The fulfillment. */
    fulfillmentId: string;
  };
  /** A label was bought; from here on the order ships. */
  'shipment.generated.v1': {
    /** The carrier's id of the shipment. */
    shipmentId: string;
    /** Name of the carrier. */
    carrier: string;
    /** The carrier's tracking code. */
    trackingCode: string;
  };
  /** A label was sent back to the carrier. */
  'shipment.voided.v1': {
    /** The carrier's id of the shipment. */
    shipmentId: string;
  };
  /** The order waits for a person until a deadline; then it fails. */
  'order.held.v1': {
    /** What it waits for. */
    status: 'payment_failed' | 'payment_action_required' | 'address_rejected';
    /** Business failure. Open list. */
    failureType: string;
    /** One sentence for people, in words for outsiders: nobody’s own reason and no provider’s error. */
    reason: string;
    /** The deadline, UTC. */
    untilUtc: string;
  };
  /** The order waits for an operator to approve it before anything is charged, until a deadline; then it fails. */
  'order.approval_requested.v1': {
    /** One sentence for people, in words for outsiders: nobody’s own reason and no provider’s error. */
    reason: string;
    /** The deadline, UTC. */
    untilUtc: string;
  };
  /** The order is not shipped while its charge is disputed: it waits for the dispute until a deadline; then it fails. */
  'order.shipping_suspended.v1': {
    /** One sentence for people, in words for outsiders: nobody’s own reason and no provider’s error. */
    reason: string;
    /** The deadline, UTC. */
    untilUtc: string;
  };
  /** The order still waits for a person, and a good part of the time until its deadline has passed. */
  'order.hold_reminded.v1': {
    /** What it waits for. Open list. */
    status: string;
    /** Business failure. Open list. */
    failureType: string;
    /** One sentence for people, in words for outsiders: nobody’s own reason and no provider’s error. */
    reason: string;
    /** Since when it waits, UTC. */
    sinceUtc: string;
    /** The deadline, UTC. */
    untilUtc: string;
  };
  /** The order waits for a person longer than was said before. */
  'order.hold_extended.v1': {
    /** What it waits for. Open list. */
    status: string;
    /** Who extended it: a part of the machinery such as `customer` or `temporal`, or `person`. */
    actor: string;
    /** One sentence for people, in words for outsiders: nobody’s own reason and no provider’s error. */
    reason: string;
    /** The new deadline, UTC. */
    untilUtc: string;
  };
  /** A step failed technically beyond its retry window and waits for an operator. */
  'order.parked.v1': {
    /** Step of the saga. Open list. */
    step: string;
    /** The activity that failed: a forward step or a compensation. */
    activity: string;
    /** The kind of its last failure, such as `ProviderUnavailable`; what was said is in the audit trail. */
    failure: string;
    /** Whole retry windows that were used up. */
    budgets: number;
  };
  /** The order was shipped and is done. */
  'order.completed.v1': Record<string, never>;
  /** The order was canceled before it shipped, and everything was taken back. */
  'order.cancelled.v1': {
    /** Who canceled it: a part of the machinery such as `customer` or `temporal`, or `person`. */
    actor: string;
    /** One sentence for people, in words for outsiders: nobody’s own reason and no provider’s error. */
    reason: string;
  };
  /** The order ended without shipping, and everything was taken back. */
  'order.failed.v1': {
    /** Business failure. Open list. */
    failureType: string;
    /** One sentence for people, in words for outsiders: nobody’s own reason and no provider’s error. */
    reason: string;
  };
}
