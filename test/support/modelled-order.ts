import type { ActivityDeps } from '../../activities/deps.ts';
import {
  createCarrierActivities,
  createOrderActivities,
  createPaymentActivities,
} from '../../activities/create-activities.ts';
import { findOrder, writeTransition } from '../../activities/transition.ts';
import type { OrderId } from '../../domain/ids.ts';
import type { Money } from '../../domain/money.ts';
import type { Store } from '../../ports/store.ts';
import { givenOrder } from '../contract/store-fixtures.ts';
import { createInterleaving, type Actor, type Answer } from './interleaving.ts';
import { createLockModel, inActivity, quietDeps, storeFor } from './modelled-deps.ts';
import { createCarrierModel, createStripeModel, type CardFate } from './provider-models.ts';

/** Time of one attempt in the model; the carrier may do what it was asked up to as much later. */
export const attemptTimeoutMs = 1_000;

export interface Scene {
  store: Store;
  /** What happens, step by step; none for a world without faults. */
  decisions?: readonly number[];
  redis?: 'up' | 'down';
  fateOf?: (paymentMethodId: string) => CardFate;
  /** The customer may confirm what was declined again, at any time. */
  secondTab?: true;
}

/** One order in the real store, with models of the providers and of Redis, and its activities as attempts run them. */
export async function createModelledOrder({
  store,
  decisions = [],
  redis = 'up',
  fateOf = () => 'succeeds',
  secondTab,
}: Scene) {
  const world = createInterleaving(decisions);
  const stripe = createStripeModel(world, fateOf);
  const carrier = createCarrierModel(world, attemptTimeoutMs);
  const locks = createLockModel(world, redis);
  const { orderId } = await givenOrder(store, { runId: 'run-model' });
  world.also({ label: 'Redis loses its data', run: locks.forget });
  world.also({ label: 'the customer authenticates', run: stripe.authenticate });
  if (secondTab) world.also({ label: 'the customer pays in another tab', run: stripe.payInAnotherTab });

  /* Providers of its own, whose ids repeat those of other orders' in the same store. */
  const neighbours = new Set<OrderId>([orderId]);
  const ofThisWorld = async (owners: Promise<OrderId[]>) => (await owners).filter((id) => neighbours.has(id));
  const own: Store = {
    ...store,
    transaction: (work) =>
      store.transaction((tx) =>
        work({
          ...tx,
          payments: { ...tx.payments, ordersOf: (id) => ofThisWorld(tx.payments.ordersOf(id)) },
          shipments: { ...tx.shipments, ordersOf: (id) => ofThisWorld(tx.shipments.ordersOf(id)) },
        }),
      ),
  };

  const activitiesFor = (actor: Actor) => {
    const deps: ActivityDeps = {
      ...quietDeps,
      store: storeFor(world, actor, own),
      payments: stripe.gatewayFor(actor),
      carrier: carrier.carrierFor(actor),
      locks: locks.locksFor(actor),
      clock: world.clock,
    };
    return {
      ...createOrderActivities(deps),
      ...createPaymentActivities(deps),
      ...createCarrierActivities(deps),
    };
  };
  type Activities = ReturnType<typeof activitiesFor>;

  const act = (actor: Actor, call: (activities: Activities) => Promise<unknown>): Promise<unknown> =>
    inActivity(() => call(activitiesFor(actor)));

  /** One execution of an activity, without faults. */
  const once = async (call: (activities: Activities) => Promise<unknown>): Promise<Answer> => {
    const name = `call${crypto.randomUUID()}`;
    const goal = {
      name,
      wanted: () => true,
      reached: () => true,
      attempt: (actor: Actor) => act(actor, call),
    };
    const answers = await world.run([goal]);
    return answers.at(-1) as Answer;
  };

  /** The first row of its trail, as recordOrder writes it: accepted, or refused for a reason. */
  const receive = (reason: string): Promise<void> =>
    inActivity(() =>
      store.transaction(async (tx) =>
        writeTransition(tx, {
          order: await findOrder(tx, orderId),
          actor: 'shop-a',
          step: 'receive',
          from: '',
          to: 'received',
          reason,
          event: { type: 'order.created.v1', details: {} },
          nowUtc: world.clock.nowUtc(),
        }),
      ),
    );

  /** The order is paid by intent `pi_1`, as it is after processPayment, in SQL and at the payment provider. */
  const charged = async (amount: Money): Promise<void> => {
    const nowUtc = world.clock.nowUtc();
    await store.transaction(async (tx) => {
      await tx.payments.put({
        orderId,
        n: 1,
        state: 'charged',
        amount,
        intentId: 'pi_1',
        createRequestedAtUtc: nowUtc,
        createKeyNumber: 1,
        confirmKeyNumber: 1,
        cancelKeyNumber: 1,
        refundKeyNumber: 1,
      });
      await tx.orders.update({ orderId, status: 'payment_processed', updatedAtUtc: nowUtc });
    });
    stripe.intents.set('pi_1', {
      intentId: 'pi_1',
      orderId,
      operationKey: `payment-${orderId}-1`,
      amount,
      fate: 'succeeds',
      status: 'charged',
      refunds: [],
      createdMs: world.nowMs(),
    });
  };

  return {
    world,
    stripe,
    carrier,
    orderId,
    neighbours,
    act,
    once,
    receive,
    charged,
    ledger: () => ledgerOf(store, orderId),
  };
}

async function ledgerOf(store: Store, orderId: OrderId) {
  const [ledger] = await store.read.ledger(orderId);
  if (!ledger) throw new Error(`SQL does not know order ${orderId}`);
  return ledger;
}
