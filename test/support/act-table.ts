import type { ResolveParked } from '../../workflows/messages.ts';

/**
 * What people may do to an order, as its updates and signals take it. `forMany`: it may be said for many orders at
 * once; what belongs to one order, such as a card, an address or a provider's reference, may not.
 */
export const acts = {
  cancel: { name: 'cancel', input: {}, forMany: true },
  payment: { name: 'payment', input: { paymentMethodId: 'pm_other' }, forMany: false },
  address: { name: 'shipping-address', input: {}, forMany: false },
  approve: { name: 'approve', input: {}, forMany: true },
  extend: { name: 'extend', input: {}, forMany: true },
  retry: { ...resolve({ action: 'retry' }), forMany: true },
  'another card': {
    ...resolve({ action: 'retry-with', input: { paymentMethodId: 'pm_other' } }),
    forMany: false,
  },
  'another service': { ...resolve({ action: 'retry-with', input: { service: 'Priority' } }), forMany: true },
  'mark done': { ...resolve({ action: 'mark-done', reference: 'ref_1' }), forMany: false },
  skip: { ...resolve({ action: 'skip' }), forMany: true },
  'resolve cancel': { ...resolve({ action: 'cancel' }), forMany: true },
} as const;

function resolve(input: Omit<ResolveParked, 'actor' | 'reason'>) {
  return { name: 'resolve', input } as const;
}

export type Act = keyof typeof acts;

/** How an order comes into a state: everything takes its course until an activity is asked for, or nothing is. */
export interface Place {
  card?: 'declined' | 'asks';
  address?: 'unknown' | 'refused at the label';
  needsApproval?: true;
  /** The customer's bank holds the charge when the label is to be bought, and does not decide. */
  disputed?: true;
  /** The activity that is under way; where it is absent the order waits for people. */
  at?: string;
  /** Fails beyond its budget, whenever it is asked for after `failsFrom` others of its name. */
  fails?: string;
  failsFrom?: number;
  /** Nothing was asked of the carrier yet. */
  undispatched?: true;
  /** The provider is paused: the order waits for it instead of parking. */
  paused?: true;
  /** Is canceled there, and goes on until then. */
  canceled?: { until?: string };
}

/** Why an act is refused, by a part of what its caller is told. */
export const reasons = {
  shipping: 'Shipping has started',
  back: 'being taken back already',
  cancelling: 'being cancelled already',
  notHeld: 'only while its payment is held',
  noApproval: 'only an order that waits for approval',
  noDeadline: 'there is no deadline to extend',
  notParked: 'there is nothing to resolve',
  notPossible: 'is not possible for',
  otherInput: 'input: expected',
  parkedInHold: 'its payment is parked',
} as const;

type Reason = keyof typeof reasons;

/** How the order ends when it takes the act and all goes well afterwards. */
export type Effect = 'completed' | 'cancelled' | 'failed';

interface State {
  place: Place;
  /** Every act, with its effect or the reason of its refusal. */
  acts: Record<Act, Effect | Reason>;
}

const resolves = (one: Effect | Reason) => ({
  retry: one,
  'another card': one,
  'another service': one,
  'mark done': one,
  skip: one,
  'resolve cancel': one,
});

/** While a step is under way, before the label is bought. */
const underWay = {
  cancel: 'cancelled',
  payment: 'notHeld',
  address: 'completed',
  approve: 'noApproval',
  extend: 'noDeadline',
  ...resolves('notParked'),
} as const;
const shipping = { ...underWay, cancel: 'shipping', address: 'shipping' } as const;
const back = {
  cancel: 'back',
  payment: 'back',
  address: 'back',
  approve: 'back',
  extend: 'back',
  ...resolves('notParked'),
} as const;
const parked = {
  ...underWay,
  ...resolves('notPossible'),
  retry: 'completed',
  'resolve cancel': 'cancelled',
} as const;

/**
 * Which act an order takes in which state, with what effect, and why it refuses the others: the same by update and by
 * signal. An order that has ended has no run, so that Temporal refuses everything.
 */
export const actTable: Record<string, State> = {
  'is being recorded': { place: { at: 'recordOrder' }, acts: underWay },
  'has its stock reserved': { place: { at: 'reserveInventory' }, acts: underWay },
  'has its address verified': { place: { at: 'verifyAddressAtOnce' }, acts: underWay },
  'is being charged': { place: { at: 'processPayment' }, acts: underWay },
  'has its fulfillment opened': { place: { at: 'createFulfillment' }, acts: underWay },
  'has its label bought': { place: { at: 'generateShipment' }, acts: shipping },
  'has its label bought, which is not dispatched': {
    place: { at: 'generateShipment', undispatched: true },
    acts: { ...shipping, cancel: 'cancelled' },
  },
  'is being completed': { place: { at: 'completeOrder' }, acts: shipping },
  'waits for approval': {
    place: { needsApproval: true },
    acts: { ...underWay, approve: 'completed', extend: 'failed', address: 'failed' },
  },
  'waits for another card': {
    place: { card: 'declined' },
    acts: { ...underWay, payment: 'completed', extend: 'failed', address: 'failed' },
  },
  'waits for its customer': {
    place: { card: 'asks' },
    acts: { ...underWay, payment: 'completed', extend: 'failed', address: 'failed' },
  },
  'waits for another address': {
    place: { address: 'unknown' },
    acts: { ...underWay, extend: 'failed' },
  },
  'waits for another address before its label': {
    place: { address: 'refused at the label' },
    acts: { ...underWay, extend: 'failed' },
  },
  'waits for a bank': {
    place: { disputed: true },
    acts: { ...underWay, extend: 'failed', address: 'failed' },
  },
  'waits for a paused carrier': {
    place: { fails: 'generateShipment', paused: true },
    acts: { ...underWay, address: 'shipping' },
  },
  'is parked at payment': {
    place: { fails: 'processPayment' },
    acts: {
      ...parked,
      'another card': 'completed',
      'another service': 'otherInput',
      'mark done': 'completed',
    },
  },
  'is parked at payment while its customer is waited for': {
    place: { card: 'asks', fails: 'processPayment', failsFrom: 1 },
    acts: {
      ...parked,
      payment: 'parkedInHold',
      extend: 'failed',
      retry: 'failed',
      address: 'failed',
      'another card': 'completed',
      'another service': 'otherInput',
      'mark done': 'failed',
    },
  },
  'is parked at its label': {
    place: { fails: 'generateShipment' },
    acts: {
      ...parked,
      address: 'shipping',
      'another card': 'otherInput',
      'another service': 'completed',
      'mark done': 'completed',
    },
  },
  'is parked at completion': {
    place: { fails: 'completeOrder' },
    acts: {
      ...parked,
      cancel: 'shipping',
      address: 'shipping',
      'resolve cancel': 'notPossible',
    },
  },
  'is being refunded': {
    place: { address: 'refused at the label', canceled: { until: 'refundPayment' } },
    acts: back,
  },
  'is parked at its refund': {
    place: { address: 'refused at the label', canceled: {}, fails: 'refundPayment' },
    acts: { ...back, ...resolves('notPossible'), retry: 'cancelled', 'mark done': 'cancelled' },
  },
};
