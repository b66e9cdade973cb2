/** Names of the typed search attributes (all Keyword); the server must know them before the first start. */
export const searchAttributes = {
  orderStatus: 'OrderStatus',
  sagaState: 'SagaState',
  parkedStep: 'ParkedStep',
  failureType: 'FailureType',
  /** Keyed HMAC of the customer id: search attributes are never encrypted. */
  customerHash: 'CustomerHash',
  /** The API caller who placed it; orders of earlier versions lack it. */
  callerId: 'CallerId',
} as const;

/** Memo set at start: what a duplicate checkout is compared with and what describe shows without a worker. */
export interface OrderMemo {
  /** SHA-256 (hex) of caller, route and canonical body of the checkout. */
  fingerprint: string;
  callerId: string;
  customerId: string;
  /** One line, for example `2 lines, 3 units, INR`. No personal data. */
  summary: string;
}
