import type { OrderView } from '../../domain/order.ts';
import { cancelOrder, updatePayment } from '../../workflows/messages.ts';
import { act, type StartedOrder } from '../e2e/saga-suite.ts';
import { goodAddress, until, type SagaEnvironment } from '../setup/saga-environment.ts';
import { casesFixture, type CaseAct } from '../support/cases-fixture.ts';
import { breaking, isParked, mend, startUntil, type Fate } from './lead-order.ts';

const declined = { paymentMethodId: 'pm_card_chargeDeclined' };
const refusedAtLabel = { shippingAddress: { ...goodAddress, street1: 'LABEL-REFUSED 1' } };
const carrierDown = { provider: 'easypost', operation: 'shipments.create', kind: 'outage' } as const;
const refundsDown = { provider: 'stripe', operation: 'refunds.create', kind: 'outage' } as const;

/** The second run has it as well, and is not to be parked. */
const patient = { budgetMs: 5_000, maximumIntervalMs: 200 };

const isHeld = ({ hold }: OrderView): boolean => hold !== undefined;

/** Terminates the order's run and begins a second one, which is the one that is recorded. */
export async function again(
  saga: SagaEnvironment,
  order: StartedOrder,
  name: CaseAct,
): Promise<StartedOrder> {
  await order.terminate('to be gone on with');
  const cases = casesFixture(saga);
  const { body } = await until(
    () => cases.act(order.orderId, name),
    ({ status }) => status !== 503,
  );
  if (body.detail) throw new Error(`Expected a second run, got a refusal: ${body.detail}`);
  const runId = (await cases.runs.last(order.orderId))?.runId ?? '';
  const second = saga.client.workflow.getHandle(order.workflowId, runId);
  return Object.assign(second, { firstExecutionRunId: runId, orderId: order.orderId }) as StartedOrder;
}

/** Orders whose first run was terminated. */
export const secondRunFates: Record<string, Fate> = {
  'completed-restarted-while-parked': async (saga) => {
    const orderId = await breaking(saga, carrierDown);
    const order = await startUntil(saga, isParked, { orderId }, { steps: { shipping: patient } });
    await mend(saga, order);
    return again(saga, order, 'restart');
  },
  'completed-restarted-while-card-held': async (saga) => {
    const order = await startUntil(saga, isHeld, declined);
    const second = await again(saga, order, 'restart');
    await saga.until(order.orderId, isHeld);
    await second.executeUpdate(updatePayment, { args: [{ ...act, paymentMethodId: 'pm_card_visa' }] });
    return second;
  },
  'cancelled-compensated-after-payment': async (saga) =>
    again(saga, await startUntil(saga, isHeld, refusedAtLabel), 'compensate'),
  'cancelled-restarted-while-taken-back': async (saga) => {
    const orderId = await breaking(saga, refundsDown);
    const overrides = { ...refusedAtLabel, orderId };
    const order = await startUntil(saga, isHeld, overrides, { compensation: { budgetMs: 500 } });
    await order.executeUpdate(cancelOrder, { args: [act] });
    await saga.until(orderId, ({ parked }) => parked !== undefined);
    await mend(saga, order);
    return again(saga, order, 'restart');
  },
};
