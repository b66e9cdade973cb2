import { describe, expect, test } from 'vitest';
import type { Address } from '../../domain/order.ts';
import { setShippingAddress, shippingAddressSignal, updatePayment } from '../../workflows/messages.ts';
import { goodAddress, until } from '../setup/saga-environment.ts';
import { act, expectEnd, refusalOf, sagaSuite, shownOf, type StartedOrder } from './saga-suite.ts';

const nowhere: Address = { ...goodAddress, street1: 'UNDELIVERABLE 1' };
const refusedAtLabel: Address = { ...goodAddress, street1: 'LABEL-REFUSED Road 7' };

describe('an order whose address is refused', () => {
  const saga = sagaSuite();

  const held = (order: StartedOrder) =>
    saga().until(order.orderId, ({ hold }) => hold?.status === 'address_rejected');
  const correct = (order: StartedOrder, address: Address = goodAddress) =>
    order.executeUpdate(setShippingAddress, { args: [{ ...act, address }] });

  test.concurrent('is held before anything is charged and completes with the corrected one', async () => {
    const order = await saga().start({ shippingAddress: nowhere });
    const { hold } = await held(order);
    expect(hold).toMatchObject({ failureType: 'AddressUndeliverable', reason: expect.any(String) });
    expect(await shownOf(order)).toMatchObject({
      orderStatus: 'address_rejected',
      sagaState: 'held',
      failureType: 'AddressUndeliverable',
      details: expect.stringMatching(
        /Mend it: `npm run -s temporal -- workflow signal .* --name shipping-address --input/,
      ),
    });
    expect(
      await refusalOf(order.executeUpdate(updatePayment, { args: [{ ...act, paymentMethodId: 'pm' }] })),
    ).toMatch(/only while its payment is held/);
    await correct(order);
    const events = ['order.created', 'inventory.reserved', 'order.held', 'payment.processed'];
    await expectEnd(saga(), order, {
      status: 'completed',
      events: [...events, 'fulfillment.created', 'shipment.generated', 'order.completed'],
    });
  });

  test.concurrent(
    'completes with one that has no postal code, by signal, where its country has none',
    async () => {
      const {
        postalCode: _,
        state: __,
        ...address
      } = { ...goodAddress, city: 'Hong Kong', country: 'HK', phone: '+85221234567' };
      const order = await saga().start({ shippingAddress: nowhere });
      await held(order);
      await order.signal(shippingAddressSignal, { address: { ...address, country: 'IN' } });
      await until(
        async () => (await shownOf(order)).details,
        (details) => details.includes('address.state: required in IN'),
      );
      await order.signal(shippingAddressSignal, {
        address: { ...address, name: 'As\u200bha Rao', state: '' },
      });
      await expectEnd(saga(), order, { status: 'completed' });
      const stored = await saga().deps.store.transaction((tx) => tx.orders.find(order.orderId));
      expect(stored?.shippingAddress).toEqual(address);
    },
  );

  test.concurrent('is held again while the correction is no better', async () => {
    const order = await saga().start({ shippingAddress: nowhere });
    const first = await held(order);
    await correct(order, { ...nowhere, street1: 'UNDELIVERABLE 2' });
    await saga().until(
      order.orderId,
      ({ hold }) => hold !== undefined && hold.sinceUtc !== first.hold?.sinceUtc,
    );
    await order.signal(shippingAddressSignal, { address: goodAddress });
    await expectEnd(saga(), order, { status: 'completed' });
  });

  test.concurrent('fails at the deadline without any charge', async () => {
    const order = await saga().start({ shippingAddress: nowhere }, { holdAddressMs: 400 });
    const { provider } = await expectEnd(saga(), order, {
      status: 'failed',
      failure: 'AddressUndeliverable',
      events: ['order.created', 'inventory.reserved', 'order.held', 'inventory.released', 'order.failed'],
    });
    expect(provider).toMatchObject({ charged: [], intents: [], labels: [] });
  });

  test.concurrent('at the label is held after payment and completes with the corrected one', async () => {
    const order = await saga().start({ shippingAddress: refusedAtLabel });
    await held(order);
    await correct(order);
    const { ledger } = await expectEnd(saga(), order, {
      status: 'completed',
      events: [
        'order.created',
        'inventory.reserved',
        'payment.processed',
        'fulfillment.created',
        'order.held',
        'shipment.generated',
        'order.completed',
      ],
    });
    expect(ledger.shipments.map(({ state }) => state)).toEqual(['refused', 'bought']);
  });

  test.concurrent('at the label is refunded at the deadline, and its stock goes back', async () => {
    const order = await saga().start({ shippingAddress: refusedAtLabel }, { holdAddressMs: 400 });
    await expectEnd(saga(), order, {
      status: 'failed',
      failure: 'AddressUndeliverable',
      events: [
        'order.created',
        'inventory.reserved',
        'payment.processed',
        'fulfillment.created',
        'order.held',
        'fulfillment.cancelled',
        'payment.refunded',
        'inventory.released',
        'order.failed',
      ],
    });
  });

  test.concurrent('refuses an address that is none and tells what is missing', async () => {
    const order = await saga().start({ shippingAddress: nowhere });
    await held(order);
    expect(await refusalOf(correct(order, { ...goodAddress, city: '' }))).toMatch(
      /address\.city: required in IN/,
    );
    expect(await refusalOf(correct(order, null as unknown as Address))).toMatch(
      /address: expected an object/,
    );
    await correct(order);
    await expectEnd(saga(), order, { status: 'completed' });
  });

  test.concurrent('an address changed while the card is held is the one that is shipped to', async () => {
    const order = await saga().start({ paymentMethodId: 'pm_card_chargeDeclined' });
    await saga().until(order.orderId, ({ hold }) => hold?.status === 'payment_failed');
    await correct(order, { ...goodAddress, street1: '99 New Street' });
    await order.executeUpdate(updatePayment, { args: [{ ...act, paymentMethodId: 'pm_card_visa' }] });
    const { audit } = await expectEnd(saga(), order, { status: 'completed' });
    const stored = await saga().deps.store.transaction((tx) => tx.orders.find(order.orderId));
    expect(stored?.shippingAddress.street1).toBe('99 New Street');
    expect(audit.filter(({ actor }) => actor === act.actor).length).toBeGreaterThanOrEqual(2);
  });
});
