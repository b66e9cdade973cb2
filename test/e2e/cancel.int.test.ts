import { describe, expect, test } from 'vitest';
import type { OrderView } from '../../domain/order.ts';
import { cancelOrder, cancelSignal, resolveSignal } from '../../workflows/messages.ts';
import type { FaultRuleInput } from '../../sandbox/faults/fault-rules.ts';
import { goodAddress, until } from '../setup/saga-environment.ts';
import {
  act,
  auditedActs,
  booksOf,
  expectCanceledRun,
  expectEnd,
  newOrderId,
  refusalOf,
  sagaSuite,
  shownOf,
  detailsOf,
  type StartedOrder,
} from './saga-suite.ts';

const released = ['inventory.released', 'order.cancelled'];

describe('cancelling an order', () => {
  const saga = sagaSuite();

  const cancel = (order: StartedOrder) => order.executeUpdate(cancelOrder, { args: [act] });
  /** Starts an order whose calls of one operation run into a fault. */
  const startWith = async (
    fault: FaultRuleInput,
    ...more: Parameters<ReturnType<typeof saga>['start']> | []
  ) => {
    const orderId = newOrderId();
    await saga().addFault({ ...fault, id: orderId, match: { orderId } });
    const [overrides, policy] = more;
    return saga().start({ ...overrides, orderId }, policy);
  };
  const hangingPayment = {
    provider: 'stripe',
    operation: 'payment_intents.create',
    kind: 'latency',
    ms: 1_200,
  } as const;
  const hangingLabel = {
    provider: 'easypost',
    operation: 'shipments.buy',
    kind: 'latency',
    ms: 1_200,
  } as const;
  const reaches = (order: StartedOrder, step: string) =>
    saga().until(order.orderId, (view) => view.step === step);

  /** An attempt of the label has begun in SQL. */
  const dispatched = (order: StartedOrder) =>
    until(
      async () => (await booksOf(saga(), order.orderId)).ledger.shipments,
      (shipments) => shipments.length > 0,
    );

  test.concurrent('right after the checkout takes back whatever has been done', async () => {
    const order = await saga().start();
    await cancel(order);
    const { view, audit } = await expectEnd(saga(), order, { status: 'cancelled' });
    expect(view.cancelRequested).toEqual(act);
    expect(audit.at(-1)).toMatchObject({ actor: act.actor, reason: act.reason, to: 'cancelled' });
  });

  test.concurrent('together with the start cancels before anything is reserved or charged', async () => {
    const orderId = newOrderId();
    const starting = saga().start({ orderId });
    const order = await starting;
    await order.signal(cancelSignal, act);
    await expectEnd(saga(), order, { status: 'cancelled' });
  });

  test.concurrent('while the card is held gives the stock back', async () => {
    const order = await saga().start({ paymentMethodId: 'pm_card_chargeDeclined' });
    await saga().until(order.orderId, ({ hold }) => hold !== undefined);
    const view = await cancel(order);
    expect(view.cancelRequested).toEqual(act);
    const before = ['order.created', 'inventory.reserved', 'payment.failed', 'order.held'];
    await expectEnd(saga(), order, { status: 'cancelled', events: [...before, ...released] });
    expect(await shownOf(order)).toMatchObject({
      run: 'COMPLETED',
      orderStatus: 'cancelled',
      sagaState: 'ended',
    });
    expect((await shownOf(order)).failureType).toBeUndefined();
  });

  test.concurrent('while the customer is awaited makes the intent unable to charge', async () => {
    const order = await saga().start({ paymentMethodId: 'pm_card_authenticationRequired' });
    await saga().until(order.orderId, ({ hold }) => hold !== undefined);
    await cancel(order);
    const { provider } = await expectEnd(saga(), order, { status: 'cancelled' });
    expect(provider.intents).toEqual([expect.objectContaining({ status: 'canceled' })]);
  });

  test.concurrent('while the address is held charges nothing', async () => {
    const order = await saga().start({ shippingAddress: { ...goodAddress, street1: 'UNDELIVERABLE' } });
    await saga().until(order.orderId, ({ hold }) => hold !== undefined);
    await order.signal(cancelSignal);
    const { provider, audit } = await expectEnd(saga(), order, { status: 'cancelled' });
    expect(provider.charged).toEqual([]);
    expect(audit.at(-1)).toMatchObject({ actor: 'signal', reason: 'by signal' });
  });

  test.concurrent('while the payment hangs answers at once, and no money stays with us', async () => {
    const order = await startWith(hangingPayment);
    await reaches(order, 'payment');
    const startedMs = Date.now();
    await cancel(order);
    expect(Date.now() - startedMs).toBeLessThan(1_000);
    const { provider } = await expectEnd(saga(), order, { status: 'cancelled' });
    expect(provider.charged).toHaveLength(provider.refunded.length);
  });

  test.concurrent('while the charge is on its way refunds it', async () => {
    const order = await startWith({
      provider: 'stripe',
      operation: 'payment_intents.confirm',
      kind: 'latency',
      ms: 1_000,
    });
    await reaches(order, 'payment');
    await new Promise((resolve) => setTimeout(resolve, 300));
    await cancel(order);
    await expectEnd(saga(), order, { status: 'cancelled' });
  });

  test.concurrent('after the payment refunds it once', async () => {
    const order = await saga().start({ shippingAddress: { ...goodAddress, street1: 'LABEL-REFUSED' } });
    await saga().until(order.orderId, ({ hold }) => hold !== undefined);
    await cancel(order);
    const before = [
      'order.created',
      'inventory.reserved',
      'payment.processed',
      'fulfillment.created',
      'order.held',
    ];
    const { provider } = await expectEnd(saga(), order, {
      status: 'cancelled',
      events: [...before, 'fulfillment.cancelled', 'payment.refunded', ...released],
    });
    expect(provider).toMatchObject({ charged: [{}], refunded: [{}] });
  });

  test.concurrent('during shipping is refused with the reason, and the order completes', async () => {
    const order = await startWith(hangingLabel);
    await dispatched(order);
    expect(await refusalOf(cancel(order))).toMatch(/Shipping has started/);
    await order.signal(cancelSignal, act);
    const { audit } = await expectEnd(saga(), order, { status: 'completed' });
    expect(await auditedActs(saga(), order.orderId, 'cancel')).toEqual(
      Array(2).fill(expect.stringMatching(/^refused: Shipping has started/)),
    );
    expect(audit.find(({ from }) => from === 'cancel')?.actor).toBe(act.actor);
    expect(await detailsOf(order)).toMatch(/Refused signal cancel at .*Shipping has started/);
  });

  test.concurrent('after the end is refused', async () => {
    const order = await saga().start();
    await expectEnd(saga(), order, { status: 'completed' });
    await expect(cancel(order)).rejects.toThrow(/already completed/);
  });

  test.concurrent('twice is refused the second time', async () => {
    const order = await startWith(hangingPayment);
    await reaches(order, 'payment');
    await cancel(order);
    expect(await refusalOf(cancel(order))).toMatch(/being (cancelled|taken back) already/);
    await order.signal(cancelSignal, { ...act, actor: 'second' });
    const { audit } = await expectEnd(saga(), order, { status: 'cancelled' });
    expect(
      audit.filter(({ actor, from, to }) => `${actor} ${from} ${to}` === 'second cancel refused'),
    ).toHaveLength(1);
  });

  test.concurrent('without saying who or why is a cancel all the same', async () => {
    const order = await saga().start({ paymentMethodId: 'pm_card_chargeDeclined' });
    await saga().until(order.orderId, ({ hold }) => hold !== undefined);
    const view = await order.executeUpdate<OrderView, []>('cancel');
    expect(view).toMatchObject({ cancelRequested: { actor: 'update', reason: 'by update' } });
    await expectEnd(saga(), order, { status: 'cancelled' });
  });

  describe("with Temporal's own cancel", () => {
    test.concurrent('before shipping compensates and closes as Canceled', async () => {
      const order = await saga().start({ paymentMethodId: 'pm_card_chargeDeclined' });
      await saga().until(order.orderId, ({ hold }) => hold !== undefined);
      await order.cancel();
      await expectCanceledRun(saga(), order);
    });

    test.concurrent('at the very start compensates and closes as Canceled', async () => {
      const order = await saga().start();
      await order.cancel();
      await expectCanceledRun(saga(), order);
    });

    test.concurrent('while the payment hangs keeps no money', async () => {
      const order = await startWith(hangingPayment);
      await reaches(order, 'payment');
      await order.cancel();
      await expectCanceledRun(saga(), order);
    });

    test.concurrent('after shipping started is recorded, and the order completes', async () => {
      const order = await startWith(hangingLabel);
      await dispatched(order);
      await order.cancel();
      await expectEnd(saga(), order, { status: 'completed' });
      expect(await auditedActs(saga(), order.orderId, 'cancel')).toEqual([
        expect.stringMatching(/^refused: Shipping has started/),
      ]);
      expect(await shownOf(order)).toMatchObject({
        run: 'COMPLETED',
        orderStatus: 'completed',
        details: expect.stringMatching(/Temporal's cancel came too late/),
      });
    });

    test.concurrent('a refused signal meanwhile does not end the compensation', async () => {
      const order = await startWith(
        { provider: 'stripe', operation: 'refunds.create', kind: 'latency', ms: 1_000 },
        {
          shippingAddress: { ...goodAddress, street1: 'LABEL-REFUSED' },
        },
      );
      await saga().until(order.orderId, ({ hold }) => hold !== undefined);
      await order.cancel();
      await saga().until(order.orderId, ({ sagaState }) => sagaState === 'compensating');
      await order.signal(resolveSignal, { action: 'retry', ...act });
      await order.signal(cancelSignal, { ...act, actor: 'second' });
      await expectCanceledRun(saga(), order);
      expect(await auditedActs(saga(), order.orderId, 'resolve')).toHaveLength(1);
    });
  });
});
