/**
 * Branded ids and the one place where workflow ids, task queues and operation keys are made.
 */
type Brand<Name extends string> = string & { readonly __brand: Name };

/** UUID (version 5 layout) derived from caller and Idempotency-Key. */
export type OrderId = Brand<'OrderId'>;
/** The shop's own customer id, 1-64 characters of `[A-Za-z0-9._-]`. */
export type CustomerId = Brand<'CustomerId'>;
/** The catalog's product id, 1-64 characters of `[A-Za-z0-9._-]`. */
export type ProductId = Brand<'ProductId'>;
/** Names one business operation for good: the same key always means the same effect. */
export type OperationKey = Brand<'OperationKey'>;

export const orderId = (value: string): OrderId => value as OrderId;
export const customerId = (value: string): CustomerId => value as CustomerId;
export const productId = (value: string): ProductId => value as ProductId;

/** Workflow id of an order's saga: `order-<orderId>`. */
export const workflowIdOf = (id: OrderId): string => `order-${id}`;

/** Workflow id of one refund: the same refund is one workflow, for good. */
export const refundWorkflowIdOf = (id: OrderId, refundId: string): string => `refund-${id}-${refundId}`;

/** Workflow id of what an order owes from its nth payment. */
export const debtWorkflowIdOf = (id: OrderId, n: number): string => `debt-${id}-${n}`;

/** Workflow id of one notice of the payment provider. */
export const paymentNoticeWorkflowIdOf = (eventId: string): string => `payment-notice-${eventId}`;

/** Workflow id of one act on dead letters. */
export const bulkWorkflowIdOf = (replayId: string): string => `dead-letters-${replayId}`;

/** Workflow id of one act on many orders. */
export const orderActWorkflowIdOf = (actId: string): string => `order-act-${actId}`;

/**
 * Task queues. Each provider has its own (bulkhead): an outage there must not take slots from the rest.
 * `prefix` separates installations or test suites that share one Temporal server; default `order-saga`.
 */
export const taskQueues = (prefix = 'order-saga') => ({
  orders: `${prefix}-orders`,
  payments: `${prefix}-payments`,
  carrier: `${prefix}-carrier`,
  /** Acts of operators, such as the replay of many dead letters. */
  ops: `${prefix}-ops`,
});

export type TaskQueues = ReturnType<typeof taskQueues>;

const key = (value: string): OperationKey => value as OperationKey;

/**
 * Operation keys. A forward key ends in the number of the accepted update that caused it (`payment-<orderId>-2` is
 * the first payment update). A compensation is keyed by order and step alone: it answers for every attempt of its step.
 */
export const operationKeys = {
  recordOrder: (id: OrderId) => key(`record-${id}`),
  reserveInventory: (id: OrderId) => key(`inventory-${id}`),
  processPayment: (id: OrderId, n: number) => key(`payment-${id}-${n}`),
  createFulfillment: (id: OrderId) => key(`fulfillment-${id}`),
  generateShipment: (id: OrderId, n: number) => key(`shipment-${id}-${n}`),
  completeOrder: (id: OrderId) => key(`complete-${id}`),
  releaseInventory: (id: OrderId) => key(`release-inventory-${id}`),
  refundPayment: (id: OrderId) => key(`refund-payment-${id}`),
  /** The compensation's refund of one payment, at the provider. */
  refundLeft: (id: OrderId, n: number) => key(`refund-${id}-${n}`),
  /** The nth payment was charged when nothing was to be paid any more. */
  lateCharge: (id: OrderId, n: number) => key(`late-charge-${id}-${n}`),
  /** One refund that an operator asked for. */
  refundOrder: (id: OrderId, refundId: string) => key(`refund-${id}-${refundId}`),
  cancelFulfillment: (id: OrderId) => key(`cancel-fulfillment-${id}`),
  voidShipment: (id: OrderId) => key(`void-shipment-${id}`),
  /** Confirmation and shipping mail, one each per order. */
  requestEmail: (id: OrderId, template: string) => key(`email-${template}-${id}`),
  /**
   * The nth hold, resume, park or note that a run of the order made; n counts all of them in that run. Without `run`:
   * a note from before runs were told apart.
   */
  note: (id: OrderId, n: number, run?: string) => key(`note-${id}-${n}${run ? `-${run}` : ''}`),
  closeOrder: (id: OrderId) => key(`close-${id}`),
  /** A run that Temporal closed while its order was open: one case each. */
  openCase: (id: OrderId, run: string) => key(`case-${id}-${run}`),
};

/** The compensations in the order of their steps; an order is taken back from the last to the first. */
export const compensationNames = [
  'releaseInventory',
  'refundPayment',
  'cancelFulfillment',
  'voidShipment',
] as const;

export type CompensationName = (typeof compensationNames)[number];

/** Keys of a step's own compensation and of those of the steps before it: any of them forbids the step. */
export const tombstoneKeys = (id: OrderId, own: CompensationName): OperationKey[] =>
  compensationNames.slice(0, compensationNames.indexOf(own) + 1).map((name) => operationKeys[name](id));
