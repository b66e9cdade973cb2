import { DefaultLogger } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import { defaultPolicy, type SagaPolicy } from '../domain/policy.ts';
import { liveFor, type Answers } from '../test/support/long-run.ts';
import { createIsolate, type WorkflowCreator } from '../test/support/modelled-workflow.ts';
import { bundleOrderWorkflows } from '../workers/saga/workflow-bundle.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const YEAR = 365 * DAY;

/** Far below what makes the server suggest to continue as new (4,096) and what it allows (51,200). */
const SHORT = 2_000;

const inputOf = (policy: SagaPolicy) => ({
  checkout: {
    orderId: '0b9d1f6e-2a43-5c1c-8e7f-6f1f1d6f0a11',
    callerId: 'local',
    customerId: 'customer-1',
    customerEmail: 'a@b.example',
    items: [{ productId: 'keyboard', quantity: 1 }],
    paymentMethodId: 'pm_1',
    shippingAddress: { name: 'A', street1: 'B', city: 'C', postalCode: '1', country: 'IN' },
    currency: 'INR',
  },
  policy,
  taskQueues: { orders: 'o', payments: 'p', carrier: 'c', ops: 'x' },
  traceparent: '00-0-0-01',
});

/** Everything goes well but for what is given. */
const world =
  (different: Record<string, ReturnType<Answers>>): Answers =>
  ({ name }) =>
    different[name] ?? {
      done: name === 'recordOrder' ? { total: { amountMinor: 1, currency: 'INR' } } : null,
    };

/** `providerState` answers in turn, everything else as `rest` says. */
function alternating(turns: ReturnType<Answers>[], rest: Answers): Answers {
  let asked = 0;
  return (scheduled) => {
    if (scheduled.name !== 'providerState') return rest(scheduled);
    asked += 1;
    return turns[asked % turns.length] ?? { done: null };
  };
}

const refused = (type: string) => ({ refused: { type, reason: `${type}.` } });
const failing = (budgetMs: number) => ({ technical: 'the provider does not answer', afterMs: budgetMs });
const paused = { state: 'paused', sinceUtc: '2026-01-02T03:04:05.000Z', reason: 'maintenance' };

const waits: Record<string, { forMs: number; changes?: Partial<SagaPolicy>; answers: Answers }> = {
  'a compensation that fails for a year': {
    forMs: YEAR,
    answers: world({
      createFulfillment: refused('OutOfStock'),
      providerState: { done: { advice: 'park' } },
      refundPayment: failing(defaultPolicy.compensation.budgetMs),
    }),
  },
  'a provider that is paused for a year': {
    forMs: YEAR,
    answers: world({
      processPayment: failing(defaultPolicy.steps.payment.budgetMs ?? 0),
      providerState: { done: { advice: 'wait', wait: paused } },
    }),
  },
  'an SQL that does not answer for a year': {
    forMs: YEAR,
    answers: world({
      reserveInventory: { ...failing(defaultPolicy.steps.inventory.budgetMs ?? 0), type: 'StoreUnavailable' },
    }),
  },
  'a provider that comes and goes for a year': {
    forMs: YEAR,
    answers: world({
      processPayment: failing(defaultPolicy.steps.payment.budgetMs ?? 0),
      providerState: { done: { advice: 'again' } },
    }),
  },
  'a refund whose provider comes and goes for a year': {
    forMs: YEAR,
    answers: world({
      createFulfillment: refused('OutOfStock'),
      refundPayment: failing(defaultPolicy.compensation.budgetMs),
      providerState: { done: { advice: 'again' } },
    }),
  },
  'a provider whose circuit is tried now and then for a year': {
    forMs: YEAR,
    answers: alternating(
      [{ done: { advice: 'wait', wait: paused } }, { done: { advice: 'again' } }],
      world({ processPayment: failing(defaultPolicy.steps.payment.budgetMs ?? 0) }),
    ),
  },
  'a payment that the customer does not authenticate for 14 days': {
    forMs: 14 * DAY - MINUTE,
    changes: { holdPaymentMs: 14 * DAY },
    answers: world({ processPayment: refused('CustomerActionRequired') }),
  },
};

describe('an order that waits long', { timeout: 30_000 }, () => {
  let isolate: WorkflowCreator;

  beforeAll(async () => {
    isolate = await createIsolate(await bundleOrderWorkflows({ logger: new DefaultLogger('ERROR') }));
    return () => isolate.destroy();
  });

  const live = ({ forMs, changes, answers }: (typeof waits)[string], policy: SagaPolicy) =>
    liveFor(isolate, {
      workflowType: 'fulfillOrder',
      input: inputOf({ ...policy, ...changes }),
      forMs,
      answers,
    });

  test.each(Object.entries(waits))('has a short history: %s', async (_, wait) => {
    const { historyLength } = await live(wait, defaultPolicy);
    expect(historyLength).toBeLessThan(SHORT);
    /* A policy of an earlier version keeps its short intervals. */
    const { longWaits: _later, ...earlier } = defaultPolicy;
    expect((await live(wait, earlier)).historyLength).toBeGreaterThan(SHORT);
  });

  test('a refund that is on its way for a year has a short history', async () => {
    const refund = {
      state: 'pending',
      orderId: 'o',
      amount: { amountMinor: 1, currency: 'INR' },
      actor: 'ana',
      reason: 'late',
    };
    const { historyLength } = await liveFor(isolate, {
      workflowType: 'refundOrder',
      input: {
        ...inputOf(defaultPolicy),
        refund: { orderId: 'o', refundId: 'r', actor: 'ana', reason: 'late' },
      },
      forMs: YEAR,
      answers: ({ name }) => ({ done: name === 'requestRefund' ? { status: 'taken', refund } : refund }),
    });
    expect(historyLength).toBeLessThan(SHORT);
  });

  test('a debt that waits for a bank has a short history, and goes on in another run after three months', async () => {
    const standing = { state: 'owed', amount: { amountMinor: 1, currency: 'INR' }, sinceUtc: '' };
    const wait = (forMs: number) =>
      liveFor(isolate, {
        workflowType: 'settleDebt',
        input: { ...inputOf(defaultPolicy), orderId: 'o', n: 1 },
        forMs,
        answers: () => ({ done: standing }),
      });
    expect((await wait(80 * DAY)).historyLength).toBeLessThan(SHORT);
    await expect(wait(YEAR)).rejects.toThrow(/has closed: .*goesOn/);
  });
});
