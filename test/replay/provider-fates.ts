import type { OrderView } from '../../domain/order.ts';
import type { ProviderName } from '../../domain/providers.ts';
import { cancelOrder } from '../../workflows/messages.ts';
import { setSwitch } from '../e2e/provider-suite.ts';
import { act } from '../e2e/saga-suite.ts';
import { goodAddress, until, type SagaEnvironment } from '../setup/saga-environment.ts';
import { startUntil, type Fate } from './lead-order.ts';

const waits = ({ waitingFor }: OrderView): boolean => waitingFor !== undefined;
const isHeld = ({ hold }: OrderView): boolean => hold !== undefined;

/** Ends while the provider is paused. */
const small = { attemptTimeoutMs: 400, budgetMs: 800 };
const steps = { address: { attemptTimeoutMs: 150, budgetMs: 200 }, shipping: small };

async function pause(saga: SagaEnvironment, provider: ProviderName): Promise<void> {
  await setSwitch(saga, provider, 'paused');
  await until(
    async () => saga.deps.providers.pace(provider),
    (pace) => pace === 'stopped',
  );
}

/** Budgets that end while an operator has paused the provider. */
export const providerFates: Record<string, Fate> = {
  'completed-after-carrier-paused': async (saga) => {
    await pause(saga, 'carrier');
    const order = await startUntil(saga, waits, {}, { steps });
    await setSwitch(saga, 'carrier', 'running');
    return order;
  },
  'cancelled-while-carrier-paused': async (saga) => {
    await pause(saga, 'carrier');
    const order = await startUntil(saga, waits, {}, { steps });
    await order.executeUpdate(cancelOrder, { args: [act] });
    await setSwitch(saga, 'carrier', 'running');
    return order;
  },
  'cancelled-before-label-dispatched': async (saga) => {
    await pause(saga, 'carrier');
    const order = await startUntil(
      saga,
      ({ step }) => step === 'shipping',
      {},
      { steps: { address: steps.address } },
    );
    await order.executeUpdate(cancelOrder, { args: [act] });
    await order.result();
    await setSwitch(saga, 'carrier', 'running');
    return order;
  },
  'cancelled-by-temporal-before-label-dispatched': async (saga) => {
    await pause(saga, 'carrier');
    const order = await startUntil(
      saga,
      ({ step }) => step === 'shipping',
      {},
      { steps: { address: steps.address } },
    );
    await order.cancel();
    await order.result().catch((error: unknown) => error);
    await setSwitch(saga, 'carrier', 'running');
    return order;
  },
  'cancelled-after-payments-paused': async (saga) => {
    const overrides = { shippingAddress: { ...goodAddress, street1: 'LABEL-REFUSED' } };
    const order = await startUntil(saga, isHeld, overrides, { compensation: small });
    await pause(saga, 'payments');
    await order.executeUpdate(cancelOrder, { args: [act] });
    await saga.until(order.orderId, waits);
    await setSwitch(saga, 'payments', 'running');
    return order;
  },
};
