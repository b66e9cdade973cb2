import { emailDestination } from '../domain/destinations.ts';
import { emailTasks, type EmailTask, type EmailTemplate } from '../domain/email-task.ts';
import { operationKeys, type OrderId } from '../domain/ids.ts';
import type { OrderRow } from '../ports/store.ts';
import type { ActivityDeps } from './deps.ts';
import { runSqlOperation } from './operation.ts';
import { traceparentOf } from './transition.ts';

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
        const taskId = crypto.randomUUID();
        const { type, priority } = emailTasks[template];
        await tx.messages.add({
          id: taskId,
          occurredAtUtc: deps.clock.nowUtc(),
          type,
          payload: JSON.stringify(emailTask(order, { taskId, template })),
          destination: emailDestination,
          orderId,
          sequence: 0,
          traceparent: traceparentOf(order.traceId, taskId),
          priority,
        });
        return { done: null };
      },
    );

function emailTask(
  order: OrderRow,
  { taskId, template }: { taskId: string; template: EmailTemplate },
): EmailTask {
  const { total } = order;
  const { shipment } = order.detail;
  const facts = {
    taskId,
    to: order.customerEmail,
    orderId: order.orderId,
    customerName: order.shippingAddress.name,
    items: order.items,
  };
  switch (template) {
    case 'order-confirmation':
      if (!total)
        throw new Error(`Order ${order.orderId} has no total; its confirmation is sent after payment`);
      return { ...facts, template, total };
    case 'order-shipped':
      if (!shipment)
        throw new Error(`Order ${order.orderId} has no shipment; its shipping mail is sent after the label`);
      return { ...facts, template, shipment, ...(total ? { total } : {}) };
  }
}
