import { describe, expect, it } from 'vitest';
import { unusableNotice, type PaymentNotice } from '../../ports/payment-gateway.ts';
import { createApp } from '../app.ts';
import { TemporalUnavailable, type OrderWorkflows } from '../../ports/temporal.ts';
import type { StoreReads } from '../../ports/store.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { fakeDeps, fakeRefunds, fakeStore, fakeWorkflows, someOrder } from '../testing/fake-deps.ts';
import type { OrderLedger, PaymentState } from '../../ports/store/money.ts';

const notice: PaymentNotice = {
  eventId: 'evt_1',
  type: 'payment_intent.succeeded',
  intentId: 'pi_1',
  orderId: someOrder,
};

/** Books of one order whose payment is in that state. */
const booksWith = (state: PaymentState, order: Partial<OrderLedger> = {}): StoreReads['ledger'] => {
  const payments = [{ state, intentId: 'pi_1' }];
  const books = { orderId: someOrder, status: 'payment_failed', sagaState: 'held', payments, ...order };
  return async () => [books as unknown as OrderLedger];
};

function build(
  options: {
    notice?: PaymentNotice;
    workflows?: Partial<OrderWorkflows>;
    redis?: boolean;
    ledger?: StoreReads['ledger'];
  } = {},
) {
  const remembered = new Set<string>();
  const bodies: string[] = [];
  const log: string[] = [];
  const warnings: unknown[][] = [];
  const fake = fakeWorkflows(options.workflows);
  const refunds = fakeRefunds();
  const app = createApp(
    fakeDeps({
      logger: Object.assign(createLogger({ process: 'test', level: 'silent' }), {
        warn: (...line: unknown[]) => void warnings.push(line),
      }),
      refunds: refunds.workflows,
      store: fakeStore({ reads: { ledger: options.ledger ?? booksWith('action_required') } }).store,
      workflows: {
        ...fake.workflows,
        notifyPayment: async (id, eventId) => {
          log.push('signal');
          return fake.workflows.notifyPayment(id, eventId);
        },
      },
      payments: {
        payable: () => ({ ok: true }),
        verifyWebhook: ({ rawBody, signature }) => {
          bodies.push(rawBody);
          return signature === 'good' ? (options.notice ?? notice) : undefined;
        },
      },
      seen: {
        seen: async ({ id }) =>
          options.redis === false ? 'unavailable' : remembered.has(id) ? 'seen' : 'new',
        remember: async ({ id, scope }) => {
          expect(scope).toBe('stripe-webhook');
          log.push('remember');
          remembered.add(id);
        },
      },
    }),
  );
  const post = (body: string | Buffer<ArrayBuffer>, signature = 'good') =>
    app.request('/webhooks/stripe', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', 'stripe-signature': signature },
    });
  return { post, bodies, log, warnings, remembered, notices: fake.notices, followed: refunds.notices };
}

const resultOf = async (response: Response) => [
  response.status,
  ((await response.json()) as { result: string }).result,
];

describe('Stripe’s webhook', () => {
  it.each(['payment_intent.created', 'charge.succeeded'])(
    'asks and remembers nothing for %s, which ends nobody’s wait',
    async (type) => {
      const { post, log, notices } = build({ notice: { ...notice, type } });
      expect(await resultOf(await post('{}'))).toEqual([200, 'ignored']);
      expect([log, notices]).toEqual([[], []]);
    },
  );

  it('signals the order, and remembers the event only after that', async () => {
    const { post, bodies, log, notices } = build();
    const body = '{ "id" : "evt_1",\n "ünï": 1 }';
    expect(await resultOf(await post(body))).toEqual([200, 'signalled']);
    expect(bodies).toEqual([body]);
    expect(log).toEqual(['signal', 'remember']);
    expect(notices).toEqual([{ id: someOrder, eventId: 'evt_1' }]);
  });

  it('signals once for the same event, and again each time while Redis is away', async () => {
    const once = build();
    await once.post('{}');
    expect(await resultOf(await once.post('{}'))).toEqual([200, 'duplicate']);
    expect(once.notices).toHaveLength(1);
    const without = build({ redis: false });
    await without.post('{}');
    expect(await resultOf(await without.post('{}'))).toEqual([200, 'signalled']);
    expect(without.notices).toHaveLength(2);
  });

  it('signals no order whose payment does not wait for the customer', async () => {
    for (const state of ['created', 'charged', 'refunded'] as const) {
      const { post, notices, followed } = build({
        ledger: booksWith(state, { status: 'payment_processed' }),
      });
      expect(await resultOf(await post('{}'))).toEqual([200, 'ignored']);
      expect([notices, followed]).toEqual([[], []]);
    }
  });

  it('ignores a charge that a walk back under way will find', async () => {
    const { post, followed } = build({ ledger: booksWith('declined', { sagaState: 'compensating' }) });
    expect(await resultOf(await post('{}'))).toEqual([200, 'ignored']);
    expect(followed).toEqual([]);
  });

  const another = { state: 'charged', intentId: 'pi_2' };
  it.each<[string, StoreReads['ledger']]>([
    ['a declined payment', booksWith('declined')],
    ['a canceled payment', booksWith('canceled')],
    ['a payment of which only a refund was heard', booksWith('charged', { status: 'payment_failed' })],
    ['an order that has ended', booksWith('created', { status: 'failed', sagaState: 'ended' })],
    ['an intent that SQL does not know', booksWith('created', { payments: [another] as never })],
    ['an order that SQL does not know', async () => []],
    [
      'an earlier payment',
      booksWith('created', { payments: [{ state: 'created', intentId: 'pi_1' }, another] as never }),
    ],
  ])('has a charge looked up that nothing of the order’s own will find: %s', async (_, ledger) => {
    const { post, notices, followed } = build({ ledger });
    expect(await resultOf(await post('{}'))).toEqual([200, 'followed']);
    expect([notices, followed]).toEqual([[], [{ kind: 'payment', id: 'pi_1' }]]);
    const failed = build({ ledger, notice: { ...notice, type: 'payment_intent.payment_failed' } });
    expect(await resultOf(await failed.post('{}'))).toEqual([200, 'ignored']);
    expect(failed.followed).toEqual([]);
  });

  it('signals in any case while the store is away', async () => {
    const ledger = () => Promise.reject(new Error('away'));
    const failed = { ...notice, type: 'payment_intent.payment_failed' };
    const { post, notices } = build({ ledger, notice: failed });
    expect(await resultOf(await post('{}'))).toEqual([200, 'signalled']);
    expect(notices).toHaveLength(1);
    const charged = build({ ledger });
    expect(await resultOf(await charged.post('{}'))).toEqual([200, 'followed']);
    expect([charged.notices.length, charged.followed.length]).toEqual([1, 1]);
  });

  it('ignores a signed event that cannot be used, with 200 and one line in the log', async () => {
    const unusable = { eventId: '', type: unusableNotice, intentId: undefined, orderId: undefined };
    const { post, log, warnings } = build({ notice: unusable });
    expect(await resultOf(await post('hello'))).toEqual([200, 'ignored']);
    expect(warnings).toEqual([['A signed Stripe event cannot be used and is ignored']]);
    expect(log).toEqual([]);
  });

  it('refuses a signature that does not hold with 400 and does nothing', async () => {
    const { post, log } = build();
    const response = await post('{}', 'forged');
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(log).toEqual([]);
  });

  it('ignores events without an order and of orders that have no running workflow, with 200', async () => {
    const none = build({ notice: { ...notice, orderId: undefined } });
    expect(await resultOf(await none.post('{}'))).toEqual([200, 'ignored']);
    expect(none.notices).toEqual([]);
    const failed = { ...notice, type: 'payment_intent.payment_failed' };
    const unknown = build({ notice: failed, workflows: { notifyPayment: async () => false } });
    expect(await resultOf(await unknown.post('{}'))).toEqual([200, 'ignored']);
    const charged = build({ workflows: { notifyPayment: async () => false } });
    expect(await resultOf(await charged.post('{}'))).toEqual([200, 'followed']);
  });

  it('has refunds and disputes looked up, without the store, once for the same event', async () => {
    const about = { eventId: 'evt_2', intentId: 'pi_1', orderId: undefined };
    const dispute = { kind: 'dispute', id: 'dp_1' } as const;
    const away = build({
      notice: { ...about, type: 'charge.dispute.created', subject: dispute },
      ledger: () => Promise.reject(new Error('away')),
    });
    expect(await resultOf(await away.post('{}'))).toEqual([200, 'followed']);
    expect(await resultOf(await away.post('{}'))).toEqual([200, 'duplicate']);
    expect(away.followed).toEqual([dispute]);
    expect(away.notices).toEqual([]);
    const refund = { kind: 'refund', id: 're_1' } as const;
    const failed = build({ notice: { ...notice, type: 'refund.failed', subject: refund } });
    expect(await resultOf(await failed.post('{}'))).toEqual([200, 'followed']);
    expect(failed.followed).toEqual([refund]);
  });

  it('ignores the refunds that SQL has, not those made at the provider’s own desk, whatever they carry', async () => {
    const subject = { kind: 'refund', id: 're_1' } as const;
    const created = { ...notice, type: 'refund.created', subject };
    const booksOf = (refunds: object[]) => booksWith('charged', { refunds: refunds as never });
    const known = build({ notice: created, ledger: booksOf([{ providerRefundId: 're_1' }]) });
    expect(await resultOf(await known.post('{}'))).toEqual([200, 'ignored']);
    const away = () => Promise.reject(new Error('away'));
    for (const byHand of [
      build({ notice: created, ledger: booksOf([{ providerRefundId: 're_0' }]) }),
      build({ notice: { ...created, orderId: undefined } }),
      build({ notice: created, ledger: async () => [] }),
      build({ notice: created, ledger: away }),
    ]) {
      expect(await resultOf(await byHand.post('{}'))).toEqual([200, 'followed']);
      expect(byHand.followed).toEqual([subject]);
    }
    expect(known.followed).toEqual([]);
  });

  it('answers 503 and remembers nothing while Temporal is away, so that Stripe repeats it', async () => {
    const { post, remembered } = build({
      workflows: {
        notifyPayment: async () => {
          throw new TemporalUnavailable('signal', undefined);
        },
      },
    });
    expect((await post('{}')).status).toBe(503);
    expect(remembered.size).toBe(0);
  });

  it('refuses large bodies with 413 and invalid UTF-8 with 400 before it verifies', async () => {
    const { post, bodies } = build();
    expect((await post('x'.repeat(70_000))).status).toBe(413);
    expect((await post(Buffer.from([0xc3, 0x28]))).status).toBe(400);
    expect(bodies).toEqual([]);
  });
});
