import type { Currency } from './money.ts';

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
  /** Names the request, see `fingerprintOf`; SHA-256 (hex) of all of it in memos of the first version. */
  fingerprint: string;
  /** The order's currency; in memos of the first version only the last word of the summary. */
  currency?: Currency;
  callerId: string;
  customerId: string;
  /** One line, for example `2 lines, 3 units, INR`. No personal data. */
  summary: string;
}
