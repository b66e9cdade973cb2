/* Entry of the workflow bundle: every exported function is a workflow type. */
export { actOnOrders } from './act-on-orders.ts';
export { fulfillOrder } from './fulfill-order/order.ts';
export { replayDeadLetters } from './replay-dead-letters.ts';
export { followPayment, refundOrder } from './refund-order.ts';
export { settleDebt } from './settle-debt.ts';
