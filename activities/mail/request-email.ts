import type { EmailTemplate } from '../../domain/email-task.ts';
import { operationKeys, type OrderId } from '../../domain/ids.ts';
import type { OrderRow } from '../../ports/store/orders.ts';
import { writeCustomerMail } from './customer-mail.ts';
import { shippingOf } from '../../domain/shipping-fee.ts';
import type { ActivityDeps } from '../deps.ts';
import { runSqlOperation } from '../operation.ts';

/**
 * Puts one mail to the customer on its way, through the outbox to the email queue. Whether and when it can be sent is
 * the email consumer's matter and never the order's.
 * Idempotent by `email-<template>-<orderId>`. Fails technically only.
 * Writes: OutboxMessages, in one transaction.
 */
export const createRequestEmail =
  (deps: ActivityDeps) =>
  ({ orderId, template }: { orderId: OrderId; template: EmailTemplate }): Promise<null> =>
    runSqlOperation(
      deps,
      { key: operationKeys.requestEmail(orderId, template), orderId, step: 'notification' },
      async (tx, order) => {
        await writeCustomerMail(tx, { order, mail: mailOf(order, template), nowUtc: deps.clock.nowUtc() });
        return { done: null };
      },
    );

function mailOf({ orderId, total, lines, detail: { shipment } }: OrderRow, template: EmailTemplate) {
  switch (template) {
    case 'order-confirmation':
      if (!total) throw new Error(`Order ${orderId} has no total; its confirmation is sent after payment`);
      return { template, total, ...shippingOf(lines, total.currency) };
    case 'order-shipped':
      if (!shipment)
        throw new Error(`Order ${orderId} has no shipment; its shipping mail is sent after the label`);
      return { template, shipment, ...(total ? { total } : {}) };
  }
}
