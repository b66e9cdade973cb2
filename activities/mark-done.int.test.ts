import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectSqliteStore } from '../adapters/sqlite/sqlite-store.ts';
import { operationKeys } from '../domain/ids.ts';
import type { Address } from '../domain/order.ts';
import type { Store } from '../ports/store.ts';
import type { Answer, Goal } from '../test/support/interleaving.ts';
import { givenCharge } from '../test/contract/store-fixtures.ts';
import { attemptTimeoutMs, createModelledOrder } from '../test/support/modelled-order.ts';
import { holdsInStorms, isDone, reached, typeOf, type Storm } from '../test/support/random-failures.ts';

const address: Address = { name: 'A', street1: '1 Road', city: 'Pune', postalCode: '411001', country: 'IN' };
const who = { actor: 'grace', reason: 'seen at the provider' };

describe('a step that a person marks as done, or tries with another input, while its attempts come late', () => {
  let folder: string;
  let store: Store;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'order-saga-marks-'));
    store = await connectSqliteStore({ path: join(folder, 'orders.sqlite') });
  });
  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  type Order = Awaited<ReturnType<typeof createModelledOrder>>;

  /** The goals of a parked step: late attempts, a person's reference, a compensation. */
  const goalsOf = ({ act, orderId }: Order, { from }: Storm) => {
    const early = (step: number) => step < 3 * from;
    const late = (step: number) => step >= from;
    return {
      pay: {
        name: 'pay',
        wanted: early,
        reached,
        attempt: (actor) =>
          act(actor, (a) => a.processPayment({ orderId, n: 1, paymentMethodId: 'pm_1', attemptTimeoutMs })),
      },
      payAgain: {
        name: 'again',
        wanted: late,
        reached,
        attempt: (actor) =>
          act(actor, (a) => a.processPayment({ orderId, n: 2, paymentMethodId: 'pm_2', attemptTimeoutMs })),
      },
      markPayment: {
        name: 'mark',
        wanted: late,
        reached,
        attempt: (actor) =>
          act(actor, (a) =>
            a.markPaymentDone({ ...who, orderId, n: 1, reference: 'pi_by_hand', attemptTimeoutMs }),
          ),
      },
      refund: {
        name: 'refund',
        wanted: (step) => step >= 2 * from,
        reached,
        attempt: (actor) => act(actor, (a) => a.refundPayment({ orderId, attemptTimeoutMs })),
      },
      ship: {
        name: 'ship',
        wanted: early,
        reached,
        attempt: (actor) =>
          act(actor, (a) => a.generateShipment({ orderId, n: 1, address, attemptTimeoutMs })),
      },
      shipFast: {
        name: 'fast',
        wanted: late,
        reached,
        attempt: (actor) =>
          act(actor, (a) =>
            a.generateShipment({ orderId, n: 1, address, service: 'Express', attemptTimeoutMs }),
          ),
      },
      markShipment: {
        name: 'mark',
        wanted: late,
        reached,
        attempt: (actor) =>
          act(actor, (a) =>
            a.markShipmentDone({ ...who, orderId, n: 1, reference: 'shp_by_hand', attemptTimeoutMs }),
          ),
      },
      void: {
        name: 'void',
        wanted: (step) => step >= 2 * from,
        reached,
        attempt: (actor) => act(actor, (a) => a.voidShipment({ orderId, attemptTimeoutMs })),
      },
    } satisfies Record<string, Goal>;
  };

  async function play(storm: Storm, choose: (goals: ReturnType<typeof goalsOf>) => Goal[]) {
    const { decisions, redis } = storm;
    const order = await createModelledOrder({ store, decisions, redis });
    const { world, orderId, stripe, carrier } = order;
    stripe.chargeByHand(orderId, { amountMinor: 149_900, currency: 'INR' });
    const goals = choose(goalsOf(order, storm));
    if (goals.some(({ name }) => name === 'ship')) await givenCharge(store, orderId);
    carrier.buyByHand(operationKeys.generateShipment(orderId, 1));
    const answers = await world.run(goals);
    const ledger = await order.ledger();
    const marked = answers.filter(({ actor }) => actor.startsWith('mark#')).some(isDone);
    const explain = `${world.log.join('\n')}\n${JSON.stringify(ledger)}`;
    return { ...order, ledger, answers, marked, explain };
  }

  const holds = (property: (storm: Storm) => Promise<void>) => holdsInStorms(property, 210, 25);

  const values = (answers: readonly Answer[], field: string): unknown[] => [
    ...new Set(
      answers.flatMap((answer) =>
        'value' in answer ? (answer.value as Record<string, unknown>)[field] : [],
      ),
    ),
  ];

  test('has the label of the reference and never another, once that is taken', async () => {
    let taken = 0;
    await holds(async (storm) => {
      const { carrier, ledger, answers, marked, explain } = await play(storm, (goals) => [
        goals.ship,
        goals.markShipment,
      ]);
      const own = carrier.bought().filter(({ shipmentId }) => shipmentId !== 'shp_by_hand');
      const [tracking, ...others] = values(answers, 'trackingCode');
      expect(others, explain).toEqual([]);
      expect(own.length, explain).toBeLessThanOrEqual(1);
      if (tracking === 'track-shp_by_hand') expect(own, explain).toEqual([]);
      taken += Number(tracking === 'track-shp_by_hand');
      /* An attempt may have ended without anybody's hearing of it. */
      const bought = ledger.shipments.some(({ state }) => state === 'bought');
      expect(bought, explain).toBe(bought || marked || tracking !== undefined);
      expect(ledger.eventTypes, explain).toEqual(bought ? ['shipment.generated.v1'] : []);
      if (tracking)
        expect(ledger.shipments, explain).toMatchObject([{ state: 'bought', trackingCode: tracking }]);
    });
    expect(taken).toBeGreaterThan(0);
  });

  test('keeps no label that it took, once it is taken back', async () => {
    await holds(async (storm) => {
      const { carrier, ledger, marked, explain } = await play(storm, (goals) => [
        goals.ship,
        goals.markShipment,
        goals.void,
      ]);
      const kept = carrier.kept().map(({ shipmentId }) => shipmentId);
      /* A label that was never confirmed is the person's own. */
      expect(
        kept.filter((id) => marked || id !== 'shp_by_hand'),
        explain,
      ).toEqual([]);
      for (const { state } of ledger.shipments)
        expect(['void_requested', 'refused'], explain).toContain(state);
      const events = ledger.eventTypes.filter((type) => type === 'shipment.voided.v1').length;
      const sentBack = carrier.bought().filter(({ refund }) => refund !== 'none').length;
      expect(events, explain).toBe(sentBack);
    });
  });

  test('buys one label, whichever service is tried', async () => {
    await holds(async (storm) => {
      const { carrier, answers, explain } = await play(storm, (goals) => [goals.ship, goals.shipFast]);
      const own = carrier.bought().filter(({ shipmentId }) => shipmentId !== 'shp_by_hand');
      expect(own, explain).toHaveLength(1);
      expect(values(answers, 'trackingCode'), explain).toEqual([`track-${own[0]?.shipmentId}`]);
    });
  });

  test('has the charge of the reference and never another, once that is taken', async () => {
    let taken = 0;
    await holds(async (storm) => {
      const { stripe, ledger, answers, explain } = await play(storm, (goals) => [
        goals.pay,
        goals.markPayment,
      ]);
      const own = stripe.kept().filter(({ intentId }) => intentId !== 'pi_by_hand');
      const [intentId, ...others] = values(answers, 'intentId');
      expect(others, explain).toEqual([]);
      expect(own.length, explain).toBeLessThanOrEqual(1);
      if (intentId === 'pi_by_hand') expect(own, explain).toEqual([]);
      taken += Number(intentId === 'pi_by_hand');
      if (intentId === undefined) return;
      const charged = ledger.payments.filter(({ state }) => state === 'charged');
      expect(charged, explain).toMatchObject([{ intentId }]);
      expect(ledger.eventTypes, explain).toEqual(['payment.processed.v1']);
    });
    expect(taken).toBeGreaterThan(0);
  });

  test('keeps no charge that it took, once it is taken back', async () => {
    await holds(async (storm) => {
      const { stripe, marked, explain } = await play(storm, (goals) => [
        goals.pay,
        goals.markPayment,
        goals.refund,
      ]);
      const kept = stripe.kept().map(({ intentId }) => intentId);
      expect(
        kept.filter((id) => marked || id !== 'pi_by_hand'),
        explain,
      ).toEqual([]);
    });
  });

  test('charges once, whenever another payment method is given', async () => {
    await holds(async (storm) => {
      const { stripe, ledger, answers, explain } = await play(storm, (goals) => [goals.pay, goals.payAgain]);
      const own = stripe.kept().filter(({ intentId }) => intentId !== 'pi_by_hand');
      expect(own, explain).toHaveLength(1);
      expect(values(answers, 'intentId'), explain).toEqual([own[0]?.intentId]);
      expect(
        ledger.payments.filter(({ state }) => state === 'charged'),
        explain,
      ).toHaveLength(1);
      expect(answers.map(typeOf), explain).not.toContain('OperationCompensated');
    });
  });
});
