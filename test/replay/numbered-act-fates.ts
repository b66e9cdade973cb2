import type { OrderView } from '../../domain/order.ts';
import {
  fulfillOrderName,
  resolveParked,
  setShippingAddress,
  shippingAddressSignal,
  updatePayment,
} from '../../workflows/messages.ts';
import type { fulfillOrder } from '../../workflows/index.ts';
import { act, type StartedOrder } from '../e2e/saga-suite.ts';
import { goodAddress } from '../setup/saga-environment.ts';
import { casesFixture } from '../support/cases-fixture.ts';
import { breaking, isParked, mend, small, startUntil, type Fate } from './lead-order.ts';

const declined = { paymentMethodId: 'pm_card_chargeDeclined' };
const refusedAtLabel = { shippingAddress: { ...goodAddress, street1: 'LABEL-REFUSED 1' } };
const noCharge = { provider: 'stripe', operation: 'payment_intents.create', kind: 'outage' } as const;
const isHeld = ({ hold }: OrderView): boolean => hold !== undefined;

const retryWith = (order: StartedOrder, input: { service?: string; paymentMethodId?: string }) =>
  order.executeUpdate(resolveParked, { args: [{ ...act, action: 'retry-with', input }] });

/** Acts whose numbers SQL gives, and one that waits for SQL in a run that follows another one. */
export const numberedActFates: Record<string, Fate> = {
  'completed-card-numbered': async (saga) => {
    const order = await startUntil(saga, isHeld, declined);
    await order.executeUpdate(updatePayment, { args: [{ ...act, paymentMethodId: 'pm_card_visa' }] });
    return order;
  },
  'completed-address-numbered': async (saga) => {
    const order = await startUntil(saga, isHeld, refusedAtLabel);
    await order.executeUpdate(setShippingAddress, { args: [{ ...act, address: goodAddress }] });
    return order;
  },
  'completed-parked-card-numbered': async (saga) => {
    const orderId = await breaking(saga, noCharge);
    const order = await startUntil(saga, isParked, { orderId }, { steps: { payment: small } });
    await mend(saga, order);
    await retryWith(order, { paymentMethodId: 'pm_card_mastercard' });
    return order;
  },
  'completed-restarted-with-an-address': async (saga) => {
    const order = await startUntil(saga, isHeld, refusedAtLabel);
    const { orderId, workflowId } = order;
    await order.terminate('to be gone on with');
    const input = await casesFixture(saga).runs.input(orderId);
    if (!input) throw new Error(`Temporal has forgotten order ${orderId}`);
    const recovered = { actor: 'ana', reason: 'terminated by mistake' };
    const second = await saga.client.workflow.signalWithStart<typeof fulfillOrder, [object]>(
      fulfillOrderName,
      {
        workflowId,
        taskQueue: input.taskQueues.orders,
        args: [{ ...input, recovered }],
        signal: shippingAddressSignal.name,
        signalArgs: [{ ...act, address: goodAddress }],
      },
    );
    return Object.assign(saga.client.workflow.getHandle(workflowId, second.signaledRunId), {
      firstExecutionRunId: second.signaledRunId,
      orderId,
    }) as StartedOrder;
  },
};
