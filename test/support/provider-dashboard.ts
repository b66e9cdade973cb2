import { operationKeys, type OrderId } from '../../domain/ids.ts';
import type { OrderView } from '../../domain/order.ts';
import { booksOf } from '../e2e/saga-suite.ts';
import { goodAddress, type SagaEnvironment } from '../setup/saga-environment.ts';
import { bankOf } from './customer-bank.ts';

const timeoutMs = 5_000;

/** People at the providers' own desks, who help an order with its id on all that they do there. */
export function providerDashboard(saga: SagaEnvironment, orderId: OrderId) {
  const { payments, carrier, store } = saga.deps;
  const bank = bankOf(saga);
  const charges: string[] = [];
  const labels: string[] = [];

  /** Gives `share` of what is left of a charge back, and the provider tells of it. */
  async function refund(intentId: string, share: number): Promise<void> {
    const { provider } = await booksOf(saga, orderId);
    const of = (list: { intent: string; amount: number }[]) =>
      list.filter(({ intent }) => intent === intentId).reduce((sum, { amount }) => sum + amount, 0);
    const amountMinor = Math.floor((of(provider.charged) - of(provider.refunded)) * share);
    if (amountMinor <= 0) return;
    const key = crypto.randomUUID();
    const answer = await payments.refund({
      idempotencyKey: key,
      operationKey: key,
      orderId,
      intentId,
      amount: { amountMinor, currency: 'INR' },
      timeoutMs,
    });
    if (answer.status === 'taken') await bank.notice({ kind: 'refund', id: answer.refund.refundId });
  }
  const voidLabel = (shipmentId: string) => carrier.refundLabel({ shipmentId, timeoutMs });

  return {
    refund,
    voidLabel,
    async charge({ total }: OrderView): Promise<string> {
      if (!total) throw new Error(`Order ${orderId} has no total`);
      const key = crypto.randomUUID();
      const created = await payments.create({
        idempotencyKey: key,
        operationKey: key,
        orderId,
        amount: total,
        paymentMethodId: 'pm_card_visa',
        timeoutMs,
      });
      if (created.status !== 'created') throw new Error(`No charge by hand: ${created.status}`);
      await payments.confirm({
        idempotencyKey: `confirm-${key}`,
        intentId: created.intentId,
        timeoutMs,
      });
      charges.push(created.intentId);
      return created.intentId;
    },
    async label({ items }: OrderView, address = goodAddress): Promise<string> {
      const reference = operationKeys.generateShipment(orderId, 1);
      const made = await carrier.createShipment({ reference, address, items, timeoutMs });
      if (made.status !== 'created') throw new Error(`No label by hand: ${made.status}`);
      await carrier.buy({ ...made, rateId: made.rates.at(-1)?.rateId ?? '', timeoutMs });
      labels.push(made.shipmentId);
      return made.shipmentId;
    },
    /** The order's own charge, where SQL knows that it was made. */
    async ownCharge(): Promise<string | undefined> {
      const [ledger] = await store.read.ledger(orderId);
      return ledger?.payments.find(({ state }) => state === 'charged')?.intentId;
    },
    /** Takes back all that was done at the desk. */
    async takeBack(): Promise<void> {
      for (const intentId of charges) await refund(intentId, 1);
      for (const shipmentId of labels) await voidLabel(shipmentId);
    },
  };
}
