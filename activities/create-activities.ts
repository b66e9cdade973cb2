import { createCloseOrder, createCompleteOrder } from './order/close-order.ts';
import { createCancelFulfillment, createCreateFulfillment } from './inventory/create-fulfillment.ts';
import type { ActivityDeps } from './deps.ts';
import { asActivity } from './failures.ts';
import { createGenerateShipment } from './shipping/generate-shipment.ts';
import { createMarkPaymentDone, createMarkRefundDone } from './payment/mark-payment-done.ts';
import { createMarkShipmentDone, createMarkVoidDone } from './shipping/mark-shipment-done.ts';
import { createProcessPayment } from './payment/process-payment.ts';
import { createProviderState } from './provider-state.ts';
import { createRecordAct } from './order/record-act.ts';
import { createRecordAddress } from './order/record-address.ts';
import { createRecordOrder } from './order/record-order.ts';
import { createReadStanding } from './order/read-standing.ts';
import {
  createExtendHold,
  createHoldOrder,
  createParkOrder,
  createRecordNote,
  createRemindOfHold,
  createResumeOrder,
} from './order/record-notes.ts';
import { createRecordCharge } from './refunds/record-charge.ts';
import { createRecordDispute } from './refunds/record-dispute.ts';
import { createRecordRefund, createRefundPart, createRequestRefund } from './refunds/refund-order.ts';
import { createRefundPayment } from './refunds/refund-payment.ts';
import { createRequestEmail } from './mail/request-email.ts';
import { createReleaseInventory, createReserveInventory } from './inventory/reserve-inventory.ts';
import { createSeekCharges, createSeekLabels } from './seek-strangers.ts';
import { createSettleDebt } from './refunds/settle-debt.ts';
import { createStopShipping } from './shipping/stop-shipping.ts';
import { createVerifyAddress, createVerifyAddressAtOnce } from './shipping/verify-address.ts';
import { createVoidShipment } from './shipping/void-shipment.ts';

/** Steps that run next to the workflow: they only touch SQL, or only ask, and for a moment. */
export const createOrderActivities = (deps: ActivityDeps) => ({
  recordOrder: asActivity(createRecordOrder(deps)),
  reserveInventory: asActivity(createReserveInventory(deps)),
  releaseInventory: asActivity(createReleaseInventory(deps)),
  verifyAddressAtOnce: asActivity(createVerifyAddressAtOnce(deps)),
  createFulfillment: asActivity(createCreateFulfillment(deps)),
  cancelFulfillment: asActivity(createCancelFulfillment(deps)),
  requestEmail: asActivity(createRequestEmail(deps)),
  stopShipping: asActivity(createStopShipping(deps)),
  completeOrder: asActivity(createCompleteOrder(deps)),
  closeOrder: asActivity(createCloseOrder(deps)),
  holdOrder: asActivity(createHoldOrder(deps)),
  remindOfHold: asActivity(createRemindOfHold(deps)),
  extendHold: asActivity(createExtendHold(deps)),
  resumeOrder: asActivity(createResumeOrder(deps)),
  parkOrder: asActivity(createParkOrder(deps)),
  recordNote: asActivity(createRecordNote(deps)),
  recordAct: asActivity(createRecordAct(deps)),
  recordAddress: asActivity(createRecordAddress(deps)),
  readStanding: asActivity(createReadStanding(deps)),
  requestRefund: asActivity(createRequestRefund(deps)),
  providerState: asActivity(createProviderState(deps)),
});

/** Steps that call the payment provider; on its own task queue. */
export const createPaymentActivities = (deps: ActivityDeps) => ({
  processPayment: asActivity(createProcessPayment(deps)),
  refundPayment: asActivity(createRefundPayment(deps)),
  markPaymentDone: asActivity(createMarkPaymentDone(deps)),
  markRefundDone: asActivity(createMarkRefundDone(deps)),
  refundPart: asActivity(createRefundPart(deps)),
  recordRefund: asActivity(createRecordRefund(deps)),
  recordCharge: asActivity(createRecordCharge(deps)),
  recordDispute: asActivity(createRecordDispute(deps)),
  settleDebt: asActivity(createSettleDebt(deps)),
  seekCharges: asActivity(createSeekCharges(deps)),
});

/** Steps that call the carrier; on its own task queue. */
export const createCarrierActivities = (deps: ActivityDeps) => ({
  verifyAddress: asActivity(createVerifyAddress(deps)),
  generateShipment: asActivity(createGenerateShipment(deps)),
  voidShipment: asActivity(createVoidShipment(deps)),
  markShipmentDone: asActivity(createMarkShipmentDone(deps)),
  markVoidDone: asActivity(createMarkVoidDone(deps)),
  seekLabels: asActivity(createSeekLabels(deps)),
});

export type OrderActivities = ReturnType<typeof createOrderActivities>;
export type PaymentActivities = ReturnType<typeof createPaymentActivities>;
export type CarrierActivities = ReturnType<typeof createCarrierActivities>;
