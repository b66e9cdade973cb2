import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectSqliteStore } from '../adapters/sqlite/sqlite-store.ts';
import type { OrderId } from '../domain/ids.ts';
import type { Store } from '../ports/store.ts';
import type { Actor, Answer, Goal, Interleaving } from '../test/support/interleaving.ts';
import { givenCharge } from '../test/contract/store-fixtures.ts';
import { attemptTimeoutMs, createModelledOrder } from '../test/support/modelled-order.ts';
import type { CardFate } from '../test/support/provider-models.ts';
import {
  holdsInStorms,
  isDone,
  isRefused,
  reached,
  typeOf,
  type Storm,
} from '../test/support/random-failures.ts';
import type { OrderLedger } from '../ports/store/money.ts';

interface Case {
  world: Interleaving;
  orderId: OrderId;
  ledger: OrderLedger;
  answers: Answer[];
  of(goal: string): Answer[];
}

describe('a step that calls a provider, under any interleaving of attempts, kills, lost replies and late effects', () => {
  let folder: string;
  let store: Store;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'order-saga-property-'));
    store = await connectSqliteStore({ path: join(folder, 'orders.sqlite') });
  });
  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Sets up one order with its providers, runs the goals to the end, and hands over what came of it. */
  async function play(
    { decisions, redis, secondTab }: Storm & { secondTab?: true },
    fateOf: (paymentMethodId: string) => CardFate,
    goalsOf: (act: ReturnType<typeof activitiesOf>, orderId: OrderId) => Goal[],
  ) {
    const tab = secondTab ? { secondTab } : {};
    const order = await createModelledOrder({ store, decisions, redis, fateOf, ...tab });
    const { world, stripe, carrier, orderId } = order;
    const goals = goalsOf(activitiesOf(order), orderId);
    if (goals.some(({ name }) => name === 'ship')) await givenCharge(store, orderId);
    const answers = await world.run(goals);
    const result: Case = {
      world,
      orderId,
      ledger: await order.ledger(),
      answers,
      of: (goal) => answers.filter(({ actor }) => actor.startsWith(`${goal}#`)),
    };
    return { ...result, stripe, carrier };
  }

  const activitiesOf = ({ act }: Pick<Awaited<ReturnType<typeof createModelledOrder>>, 'act'>) => ({
    pay: (actor: Actor, input: { orderId: OrderId; n: number; paymentMethodId: string }) =>
      act(actor, (a) => a.processPayment({ ...input, attemptTimeoutMs })),
    refund: (actor: Actor, orderId: OrderId) =>
      act(actor, (a) => a.refundPayment({ orderId, attemptTimeoutMs })),
    ship: (actor: Actor, orderId: OrderId) =>
      act(actor, (a) => a.generateShipment({ orderId, n: 1, address, attemptTimeoutMs })),
    void: (actor: Actor, orderId: OrderId) =>
      act(actor, (a) => a.voidShipment({ orderId, attemptTimeoutMs })),
  });

  const always = () => true;

  const explain = ({ world, ledger }: Case) => `${world.log.join('\n')}\n${JSON.stringify(ledger)}`;

  test('charges exactly once and gives every attempt the same answer', async () => {
    await holdsInStorms(async (storm) => {
      const played = await play(
        storm,
        () => 'succeeds',
        (act, orderId) => [
          {
            name: 'pay',
            wanted: always,
            reached,
            attempt: (actor) => act.pay(actor, { orderId, n: 1, paymentMethodId: 'pm_card' }),
          },
        ],
      );
      const { stripe, ledger } = played;
      expect(stripe.charged(), explain(played)).toHaveLength(1);
      expect(stripe.kept(), explain(played)).toHaveLength(1);
      const [intent] = stripe.kept();
      for (const answer of played.answers.filter(isDone)) {
        expect(answer, explain(played)).toMatchObject({ value: { intentId: intent?.intentId } });
      }
      expect(played.answers.filter(isRefused), explain(played)).toEqual([]);
      expect(ledger.payments).toMatchObject([{ n: 1, state: 'charged', intentId: intent?.intentId }]);
      expect(ledger.eventTypes, explain(played)).toEqual(['payment.processed.v1']);
      expect(ledger.auditTransitions).toEqual([{ from: 'received', to: 'payment_processed' }]);
    });
  });

  test('charges nothing when the card is declined, and says so every time', async () => {
    await holdsInStorms(async (storm) => {
      const played = await play(
        storm,
        () => 'declines',
        (act, orderId) => [
          {
            name: 'pay',
            wanted: always,
            reached,
            attempt: (actor) => act.pay(actor, { orderId, n: 1, paymentMethodId: 'pm_card' }),
          },
        ],
      );
      expect(played.stripe.charged()).toEqual([]);
      expect(played.answers.filter(isDone)).toEqual([]);
      expect(new Set(played.answers.filter(isRefused).map(typeOf)), explain(played)).toEqual(
        new Set(['CardDeclined']),
      );
      expect(played.ledger.eventTypes, explain(played)).toEqual(['payment.failed.v1']);
    }, 120);
  });

  test('leaves no charge behind once its compensation has ended', async () => {
    await holdsInStorms(async (storm) => {
      let asked = false;
      const played = await play(
        storm,
        () => 'succeeds',
        (act, orderId) => [
          {
            name: 'pay',
            wanted: (step) => step < 2 * storm.from,
            reached: (answer) => reached(answer),
            attempt: (actor) => act.pay(actor, { orderId, n: 1, paymentMethodId: 'pm_card' }),
          },
          {
            name: 'refund',
            wanted: always,
            reached: (answer) => {
              asked ||= isDone(answer);
              return reached(answer);
            },
            attempt: (actor) => act.refund(actor, orderId),
          },
        ],
      );
      const { stripe, ledger } = played;
      expect(asked).toBe(true);
      expect(stripe.kept(), explain(played)).toEqual([]);
      expect(stripe.charged().length, explain(played)).toBeLessThanOrEqual(1);
      const refunded = stripe.charged().length;
      const count = (type: string) => ledger.eventTypes.filter((one) => one === type).length;
      expect(count('payment.refunded.v1'), explain(played)).toBe(refunded);
      expect(count('payment.processed.v1'), explain(played)).toBeLessThanOrEqual(1);
      for (const payment of ledger.payments)
        expect(['refunded', 'canceled'], explain(played)).toContain(payment.state);
      expect(played.of('refund').filter(isRefused)).toEqual([]);
      /* A charge is answered as done until its refund has begun, and as compensated from then on. */
      const stored = played.of('pay').filter((answer) => isDone(answer) || isRefused(answer));
      for (const answer of stored)
        expect(['done', 'OperationCompensated']).toContain(typeOf(answer) ?? 'done');
    }, 240);
  });

  test('charges once when the customer gives another card while the first one waits for him', async () => {
    await holdsInStorms(async (storm) => {
      let waits = false;
      const fateOf = (method: string): CardFate =>
        method === 'pm_first' ? 'needs the customer' : 'succeeds';
      const played = await play(storm, fateOf, (act, orderId) => [
        {
          name: 'first',
          wanted: always,
          attempt: (actor) => act.pay(actor, { orderId, n: 1, paymentMethodId: 'pm_first' }),
          reached: (answer) => {
            waits ||= typeOf(answer) === 'CustomerActionRequired';
            return reached(answer);
          },
        },
        {
          name: 'second',
          wanted: () => waits,
          attempt: (actor) => act.pay(actor, { orderId, n: 2, paymentMethodId: 'pm_second' }),
          reached,
        },
      ]);
      const { stripe, ledger } = played;
      expect(stripe.charged(), explain(played)).toHaveLength(1);
      expect(stripe.kept(), explain(played)).toHaveLength(1);
      expect(
        ledger.payments.filter(({ state }) => state === 'charged'),
        explain(played),
      ).toHaveLength(1);
      expect(ledger.eventTypes, explain(played)).toEqual(['payment.processed.v1']);
      expect(ledger.status, explain(played)).toBe('payment_processed');
    }, 240);
  });

  test('charges once when the customer pays the declined card’s intent in another tab as well', async () => {
    await holdsInStorms(async (storm) => {
      let declined = false;
      const fateOf = (method: string): CardFate => (method === 'pm_first' ? 'declines' : 'succeeds');
      const played = await play({ ...storm, secondTab: true }, fateOf, (act, orderId) => [
        {
          name: 'first',
          wanted: always,
          attempt: (actor) => act.pay(actor, { orderId, n: 1, paymentMethodId: 'pm_first' }),
          reached: (answer) => {
            declined ||= typeOf(answer) === 'CardDeclined';
            return reached(answer);
          },
        },
        {
          name: 'second',
          wanted: () => declined,
          attempt: (actor) => act.pay(actor, { orderId, n: 2, paymentMethodId: 'pm_second' }),
          reached,
        },
      ]);
      const { stripe, ledger } = played;
      stripe.payInAnotherTab();
      const late = played.of('first').some(isDone);
      expect(stripe.charged(), explain(played)).toHaveLength(1);
      expect(ledger.eventTypes.filter((type) => type === 'payment.processed.v1')).toHaveLength(1);
      expect(late || declined, explain(played)).toBe(true);
    }, 240);
  });

  test('leaves no charge of any card behind once its compensation has ended', async () => {
    await holdsInStorms(async (storm) => {
      let waits = false;
      const fateOf = (method: string): CardFate =>
        method === 'pm_first' ? 'needs the customer' : 'succeeds';
      const played = await play(storm, fateOf, (act, orderId) => [
        {
          name: 'first',
          wanted: (step) => step < 4 * storm.from,
          attempt: (actor) => act.pay(actor, { orderId, n: 1, paymentMethodId: 'pm_first' }),
          reached: (answer) => {
            waits ||= typeOf(answer) === 'CustomerActionRequired';
            return reached(answer);
          },
        },
        {
          name: 'second',
          wanted: (step) => waits && step < 4 * storm.from,
          attempt: (actor) => act.pay(actor, { orderId, n: 2, paymentMethodId: 'pm_second' }),
          reached,
        },
        {
          name: 'refund',
          wanted: (step) => step >= storm.from * 3,
          attempt: (actor) => act.refund(actor, orderId),
          reached,
        },
      ]);
      const { stripe, ledger } = played;
      expect(stripe.kept(), explain(played)).toEqual([]);
      expect(stripe.charged().length, explain(played)).toBeLessThanOrEqual(1);
      const refunds = ledger.eventTypes.filter((type) => type === 'payment.refunded.v1');
      expect(refunds, explain(played)).toHaveLength(stripe.charged().length);
    }, 300);
  });

  test('buys exactly one label', async () => {
    await holdsInStorms(async (storm) => {
      const played = await play(
        storm,
        () => 'succeeds',
        (act, orderId) => [
          { name: 'ship', wanted: always, reached, attempt: (actor) => act.ship(actor, orderId) },
        ],
      );
      const { carrier, ledger } = played;
      expect(carrier.bought(), explain(played)).toHaveLength(1);
      const [label] = carrier.bought();
      for (const answer of played.answers.filter(isDone)) {
        expect(answer).toMatchObject({ value: { trackingCode: `track-${label?.shipmentId}` } });
      }
      expect(ledger.shipments).toMatchObject([
        { n: 1, state: 'bought', providerShipmentId: label?.shipmentId },
      ]);
      expect(ledger.eventTypes, explain(played)).toEqual(['shipment.generated.v1']);
    });
  });

  test('sends every label back once its compensation has ended', async () => {
    await holdsInStorms(async (storm) => {
      const played = await play(
        storm,
        () => 'succeeds',
        (act, orderId) => [
          {
            name: 'ship',
            wanted: (step) => step < 2 * storm.from,
            reached,
            attempt: (actor) => act.ship(actor, orderId),
          },
          {
            name: 'void',
            wanted: (step) => step >= storm.from,
            reached,
            attempt: (actor) => act.void(actor, orderId),
          },
        ],
      );
      const { carrier, ledger } = played;
      expect(carrier.kept(), explain(played)).toEqual([]);
      expect(carrier.bought().length, explain(played)).toBeLessThanOrEqual(1);
      const voided = ledger.eventTypes.filter((type) => type === 'shipment.voided.v1');
      expect(voided, explain(played)).toHaveLength(carrier.bought().length);
      for (const { state } of ledger.shipments)
        expect(['void_requested', 'refused'], explain(played)).toContain(state);
    }, 240);
  });
});

const address = { name: 'A', street1: '1 Road', city: 'Pune', postalCode: '411001', country: 'IN' };
