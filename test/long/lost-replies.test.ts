import { describe, expect, test } from 'vitest';
import type { PolicyChanges } from '../../domain/policy.ts';
import type { FaultRuleInput } from '../../sandbox/faults/fault-rules.ts';
import { cancelOrder } from '../../workflows/messages.ts';
import { booksOf, expectEnd, newOrderId, sagaSuite, act } from '../e2e/saga-suite.ts';

/** A request is given up after a tenth of this, so that a hanging one costs little. */
const policy: PolicyChanges = { allSteps: { attemptTimeoutMs: 3_000 } };

/** Parks soon, and the void has to wait for twice the attempt's time until nothing can land any more. */
const impatient = { attemptTimeoutMs: 1_000, budgetMs: 500 };

/** What can happen to one request: it is done and nobody hears of it, or the provider says 500, done or not. */
const fates = {
  'its reply is lost': { kind: 'reply-lost' },
  'it hangs after its effect': { kind: 'hang-after' },
  'it answers 500 and has happened': { kind: 'error', status: 500, effect: true },
  'it answers 500 and has not happened': { kind: 'error', status: 500, effect: false },
  'it answers 429': { kind: 'rate-limit', retryAfterSeconds: 0 },
  'the connection is refused': { kind: 'outage', mode: 'refuse' },
} as const satisfies Record<string, Partial<FaultRuleInput>>;

const forward = [
  ['stripe', 'payment_intents.create'],
  ['stripe', 'payment_intents.confirm'],
  ['easypost', 'shipments.create'],
  ['easypost', 'shipments.buy'],
] as const;

const backward = [
  ['stripe', 'payment_intents.retrieve'],
  ['stripe', 'refunds.create'],
  ['easypost', 'shipments.refund'],
] as const;

const cases = <T extends readonly (readonly [string, string])[]>(calls: T) =>
  calls.flatMap(([provider, operation]) =>
    Object.entries(fates).flatMap(([fate, rule]) =>
      [1, 2].map((times) => ({
        name: `${fate} ${times === 1 ? 'once' : 'twice'}: ${operation}`,
        rule: { provider, operation, times, ...rule } as FaultRuleInput,
      })),
    ),
  );

describe('a provider whose answers do not arrive', () => {
  const suite = sagaSuite();

  test.concurrent.each(cases(forward))(
    'gets one charge and one label from an order when $name',
    async ({ rule }) => {
      const saga = suite();
      const orderId = newOrderId();
      await saga.addFault({ ...rule, match: { orderId } });
      const order = await saga.start({ orderId }, policy);
      const { provider } = await expectEnd(saga, order, { status: 'completed' });
      expect(provider.charged).toHaveLength(1);
      expect(provider.refunded).toEqual([]);
      expect(provider.labels).toMatchObject([{ refundStatus: null }]);
    },
  );

  test.concurrent.each(cases(backward))('gives everything back once when $name', async ({ rule }) => {
    const saga = suite();
    const orderId = newOrderId();
    const match = { orderId };
    /* The label is bought, nobody hears of it, and the carrier cannot be asked: the order parks and is cancelled. */
    const carrier = { provider: 'easypost', match } as const;
    await saga.addFault({ ...carrier, operation: 'shipments.buy', kind: 'reply-lost', times: 1 });
    const id = `away-${orderId}`;
    await saga.addFault({ ...carrier, id, operation: 'shipments.retrieve', kind: 'error', status: 503 });
    const order = await saga.start({ orderId }, { ...policy, steps: { shipping: impatient } });
    await saga.until(orderId, ({ sagaState }) => sagaState === 'parked');
    await saga.removeFault(id);
    await saga.addFault({ ...rule, match });
    await order.executeUpdate(cancelOrder, { args: [act] });
    await expectEnd(saga, order, { status: 'cancelled' });
    const { provider } = await booksOf(saga, orderId);
    expect(provider.charged).toHaveLength(1);
    expect(provider.refunded).toHaveLength(1);
    expect(provider.labels).toHaveLength(1);
    expect(provider.labels[0]?.refundStatus).not.toBeNull();
  });
});
