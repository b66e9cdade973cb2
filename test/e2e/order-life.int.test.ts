import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { productId } from '../../domain/ids.ts';
import { eventsOf, expectEnd, newOrderId, sagaSuite, shownOf } from './saga-suite.ts';

const path = [
  'order.created',
  'inventory.reserved',
  'payment.processed',
  'fulfillment.created',
  'shipment.generated',
  'order.completed',
];

describe('the life of an order', () => {
  const saga = sagaSuite();

  test.concurrent('a paid order is shipped and completes, and its run explains itself', async () => {
    const order = await saga().start();
    const { provider } = await expectEnd(saga(), order, { status: 'completed', events: path });
    expect(provider).toMatchObject({ charged: [{ amount: 749_900 }], labels: [{ refundStatus: null }] });
    const shown = await shownOf(order);
    expect(shown).toMatchObject({ run: 'COMPLETED', orderStatus: 'completed', sagaState: 'ended' });
    expect(shown).toMatchObject({ parkedStep: undefined, failureType: undefined });
    expect(shown.details).toMatch(/\*\*completed\*\* \(ended.*7499\.00 INR/);
    expect(shown.details).toMatch(/Shipped with USPS, tracking \d+/);
    expect(shown.details).not.toMatch(/asha|Residency/i);
  });

  test.concurrent('the activities of a run say what they are for', async () => {
    const order = await saga().start();
    await expectEnd(saga(), order, { status: 'completed' });
    const { events } = await order.fetchHistory();
    const summaries = events?.flatMap(({ userMetadata }) =>
      userMetadata?.summary?.data ? [JSON.parse(Buffer.from(userMetadata.summary.data).toString())] : [],
    );
    expect(summaries).toEqual(
      expect.arrayContaining([
        'Reserve the stock',
        'Verify the address with the carrier',
        'Charge the order (payment 1)',
        'Buy the shipping label',
      ]),
    );
  });

  test.concurrent('confirmation and shipping mail are requested once each, beside the order', async () => {
    const order = await saga().start();
    await expectEnd(saga(), order, { status: 'completed' });
    const [ledger] = await saga().deps.store.read.ledger(order.orderId);
    expect((ledger?.unpublished ?? 0) - path.length).toBe(2);
  });

  test.concurrent(
    'an order of a product that is out of stock fails without anybody stepping in',
    async () => {
      await saga().putProduct({ productId: 'rare', onHand: 1 });
      const items = [{ productId: productId('rare'), quantity: 2 }];
      const order = await saga().start({ items });
      const events = ['order.created', 'order.failed'];
      const { view } = await expectEnd(saga(), order, { status: 'failed', failure: 'OutOfStock', events });
      expect(view.failure?.reason).toContain('rare');
      expect(await shownOf(order)).toMatchObject({
        run: 'COMPLETED',
        orderStatus: 'failed',
        failureType: 'OutOfStock',
      });
    },
  );

  test.concurrent('of an order with one line too many nothing is reserved', async () => {
    await saga().putProduct({ productId: 'plenty', onHand: 5 });
    await saga().putProduct({ productId: 'none-left', onHand: 0 });
    const items = ['plenty', 'none-left'].map((id) => ({ productId: productId(id), quantity: 1 }));
    const order = await saga().start({ items });
    await expectEnd(saga(), order, { status: 'failed', failure: 'OutOfStock' });
  });

  test.concurrent('an order of an unknown product fails', async () => {
    const order = await saga().start({ items: [{ productId: productId('unheard-of'), quantity: 1 }] });
    const events = ['order.created', 'order.failed'];
    await expectEnd(saga(), order, { status: 'failed', failure: 'UnknownProduct', events });
  });

  test.concurrent('an order whose price is not the expected one fails', async () => {
    const order = await saga().start({ expectedTotal: { amountMinor: 700_000, currency: 'INR' } });
    const { view } = await expectEnd(saga(), order, { status: 'failed', failure: 'PriceChanged' });
    expect(view.failure?.reason).toMatch(/costs 7499\.00 INR, not the expected 7000\.00 INR/);
  });

  test.concurrent('an order below what the payment provider charges fails', async () => {
    await saga().putProduct({ productId: 'sticker', onHand: 5, priceMinor: 10 });
    const order = await saga().start({ items: [{ productId: productId('sticker'), quantity: 1 }] });
    await expectEnd(saga(), order, { status: 'failed', failure: 'AmountNotPayable' });
  });

  test.concurrent('of 30 orders for the last 10 units exactly 10 ship', async () => {
    await saga().putProduct({ productId: 'last-ones', onHand: 10 });
    const items = [{ productId: productId('last-ones'), quantity: 1 }];
    const orders = await Promise.all(Array.from({ length: 30 }, () => saga().start({ items })));
    const results = await Promise.all(orders.map((order) => order.result()));
    const counts = await saga().check(...orders.map(({ orderId }) => orderId));
    expect(counts).toMatchObject({ completed: 10, failed: 20, charges: 10, labels: 10 });
    expect(results.filter(({ failure }) => failure?.type === 'OutOfStock')).toHaveLength(20);
    const products = await saga().deps.store.read.products();
    expect(products.find((product) => product.productId === 'last-ones')?.available).toBe(0);
  });

  test.concurrent('a running order cannot be started a second time', async () => {
    const orderId = newOrderId();
    const order = await saga().start({ orderId });
    await expect(saga().start({ orderId })).rejects.toThrow(WorkflowExecutionAlreadyStartedError);
    await expectEnd(saga(), order, { status: 'completed', events: path });
  });

  test.concurrent('a second run of an order that has ended charges nothing and says so', async () => {
    const orderId = newOrderId();
    await expectEnd(saga(), await saga().start({ orderId }), { status: 'completed' });
    const second = await saga().start({ orderId });
    const result = await second.result();
    expect(result).toMatchObject({ status: 'completed', failure: { type: 'OrderClosed' } });
    expect(await saga().check(orderId)).toMatchObject({ charges: 1, labels: 1 });
    expect(await eventsOf(saga(), orderId)).toEqual(path);
    expect(await shownOf(second)).toMatchObject({ orderStatus: 'completed', failureType: 'OrderClosed' });
  });
});
