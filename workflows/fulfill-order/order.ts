import { CancellationScope } from '@temporalio/workflow';
import type { EmailTemplate } from '../../domain/email-task.ts';
import { awaitApproval } from './approve.ts';
import { registerHandlers } from './handlers.ts';
import type { OrderResult } from '../messages.ts';
import { createContext, type OrderContext } from './context.ts';
import { pay } from './pay.ts';
import { createRuntime } from './runtime.ts';
import { createSaga, type Saga } from '../saga.ts';
import { confirmAddress, ship } from './ship.ts';
import type { FulfillOrder } from '../../domain/order-run.ts';
import { receive } from './receive.ts';
import { takeBack } from './failure.ts';
import { sqlStep, releaseInventory, cancelFulfillment, moveTo } from './compensations.ts';
import { close } from './close.ts';
import { watchTemporalCancel } from './temporal-cancel.ts';

/**
 * One order from checkout to shipped, or back to where nothing of it stands.
 * Completes with a result for `completed`, `failed` (a business outcome) and a customer's cancel; closes as Canceled
 * after compensating for Temporal's own cancel. A run that fails with KeyReused was none of the order's; with anything
 * else it is a bug.
 */
export async function fulfillOrder(input: FulfillOrder): Promise<OrderResult> {
  const context = createContext(input);
  registerHandlers(context);
  watchTemporalCancel(context);
  return CancellationScope.nonCancellable(() => runOrder(context));
}

async function runOrder(context: OrderContext): Promise<OrderResult> {
  const saga = createSaga(createRuntime(context));
  try {
    await receive(context, saga);
    await reserveInventory(context, saga);
    await confirmAddress(context, saga);
    await awaitApproval(context, saga);
    await pay(context, saga);
    context.background.push(sendMail(context, 'order-confirmation'));
    await createFulfillment(context, saga);
    await ship(context, saga);
    context.background.push(sendMail(context, 'order-shipped'));
    await complete(context, saga);
  } catch (error) {
    await takeBack(context, saga, error);
  }
  return close(context);
}

const reserveInventory = async (context: OrderContext, saga: Saga): Promise<void> => {
  const { orderId } = context;
  await saga.run({
    name: 'inventory',
    kind: 'compensatable',
    atomic: true,
    forward: sqlStep(context, 'inventory', 'Reserve the stock', (a) => a.reserveInventory({ orderId })),
    compensation: releaseInventory(context),
  });
  moveTo(context, 'inventory_reserved');
};

const createFulfillment = async (context: OrderContext, saga: Saga): Promise<void> => {
  const { orderId } = context;
  await saga.run({
    name: 'fulfillment',
    kind: 'compensatable',
    atomic: true,
    forward: sqlStep(context, 'fulfillment', 'Open the fulfillment', (a) => a.createFulfillment({ orderId })),
    compensation: cancelFulfillment(context),
  });
  moveTo(context, 'fulfillment_created');
};

const complete = async (context: OrderContext, saga: Saga): Promise<void> => {
  const { order, orderId } = context;
  order.step = 'completion';
  await saga.run({
    name: 'completion',
    kind: 'retriable',
    forward: sqlStep(context, 'completion', 'Complete the order', (a) => a.completeOrder({ orderId })),
  });
  moveTo(context, 'completed');
};

/** Runs in the order's background and can neither hold nor fail it: the mail itself goes through outbox and email queue. */
const sendMail = async (
  { steps, orderId, policyOf }: OrderContext,
  template: EmailTemplate,
): Promise<void> => {
  const { budgetMs: _, ...policy } = policyOf('notification');
  await steps.sql({ policy, summary: `Request the ${template} mail` }, (a) =>
    a.requestEmail({ orderId, template }),
  );
};
