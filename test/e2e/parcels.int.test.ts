import { beforeAll, describe, expect, test } from 'vitest';
import { productId, type OrderId } from '../../domain/ids.ts';
import type { Address } from '../../domain/order.ts';
import type { ProductFacts } from '../../ports/store/goods.ts';
import { setShippingAddress } from '../../workflows/messages.ts';
import { goodAddress } from '../setup/saga-environment.ts';
import { act, expectEnd, sagaSuite, type StartedOrder } from './saga-suite.ts';

const facts: ProductFacts = {
  weightGrams: 1_100,
  lengthMm: 440,
  widthMm: 140,
  heightMm: 40,
  hsCode: '847160',
  originCountry: 'TW',
  customsDescription: 'Computer keyboard',
};
const abroad: Address = {
  name: 'Jonas Weber',
  street1: 'Invalidenstr. 117',
  city: 'Berlin',
  postalCode: '10115',
  country: 'DE',
  phone: '+4930123456',
};
const { phone: _, ...silent } = abroad;

describe('the parcel of an order', () => {
  const saga = sagaSuite();
  const described = productId('described');
  const plain = productId('plain');

  beforeAll(async () => {
    await saga().putProduct({ productId: described, onHand: 1_000 });
    await saga().putProduct({ productId: plain, onHand: 100_000, priceMinor: 10_000 });
    await saga().putProduct({ productId: 'withdrawn', onHand: 10 });
    await saga().deps.store.transaction(async (tx) => {
      await tx.inventory.describeProduct({ productId: described, ...facts });
      await tx.inventory.describeProduct({
        productId: productId('withdrawn'),
        withdrawnAtUtc: '2026-01-02T03:04:05.000Z',
      });
    });
  });

  const orderOf = (id: typeof plain, quantity: number, shippingAddress: Address = goodAddress) =>
    saga().start({ items: [{ productId: id, quantity }], shippingAddress });
  const correct = (order: StartedOrder, address: Address) =>
    order.executeUpdate(setShippingAddress, { args: [{ ...act, address }] });
  const heldFor = (order: StartedOrder, reason: RegExp) =>
    saga().until(order.orderId, ({ hold }) => reason.test(hold?.reason ?? ''));

  /** The order's shipment as the carrier has it. */
  async function atCarrier(orderId: OrderId): Promise<Record<string, unknown>> {
    const [ledger] = await saga().deps.store.read.ledger(orderId);
    const id = ledger?.shipments.find(({ state }) => state === 'bought')?.providerShipmentId;
    const authorization = `Basic ${Buffer.from('EZTK_sandbox:').toString('base64')}`;
    const response = await fetch(`${saga().sandbox.url}/v2/shipments/${id}`, { headers: { authorization } });
    return (await response.json()) as Record<string, unknown>;
  }

  test.concurrent.each([
    ['1,000 units of half a pound', 1_000, 'ParcelTooLarge', /weighs 226\.8 kg, more than one parcel may/],
    ['a withdrawn product', 1, 'ProductWithdrawn', /^withdrawn was withdrawn from sale\.$/],
  ])('with %s is refused before anything is charged', async (_case, quantity, failure, reason) => {
    const order = await orderOf(quantity > 1 ? plain : productId('withdrawn'), quantity);
    const { view, provider } = await expectEnd(saga(), order, {
      status: 'failed',
      failure,
      events: ['order.created', 'order.failed'],
    });
    expect(view.failure?.reason).toMatch(reason);
    expect(provider).toMatchObject({ intents: [], labels: [] });
  });

  test.concurrent('has weight and measures from the catalog, and no papers at home', async () => {
    const order = await orderOf(described, 4);
    await expectEnd(saga(), order, { status: 'completed' });
    expect(await atCarrier(order.orderId)).toMatchObject({
      parcel: { weight: 155.3, length: 17.4, width: 6.3, height: 5.6 },
      customs_info: null,
    });
  });

  test.concurrent('abroad is bought with its customs papers and the recipient’s phone', async () => {
    const order = await orderOf(described, 2, abroad);
    await expectEnd(saga(), order, { status: 'completed' });
    expect(await atCarrier(order.orderId)).toMatchObject({
      to_address: { phone: abroad.phone },
      customs_info: {
        customs_items: [
          {
            description: 'Computer keyboard',
            quantity: 2,
            value: 2000,
            currency: 'INR',
            hs_tariff_number: '847160',
            origin_country: 'TW',
          },
        ],
      },
    });
  });

  test.concurrent.each([
    ['without a phone number', described, silent, "the recipient's phone number"],
    ['of a product without an HS code', plain, abroad, 'HS code, country of origin, weight of plain'],
  ])('abroad %s is refused before anything is charged', async (_case, id, address, lacking) => {
    const order = await orderOf(id, 1, address);
    const { view, provider } = await expectEnd(saga(), order, {
      status: 'failed',
      failure: 'CustomsIncomplete',
    });
    expect(view.failure?.reason).toContain(lacking);
    expect(provider).toMatchObject({ intents: [], labels: [] });
  });

  test.concurrent('is held while a corrected address needs papers that it lacks', async () => {
    const order = await orderOf(plain, 1, { ...goodAddress, street1: 'UNDELIVERABLE 1' });
    await saga().until(order.orderId, ({ hold }) => hold?.status === 'address_rejected');
    await correct(order, abroad);
    await heldFor(order, /customs, whose papers lack .*HS code/);
    const [ledger] = await saga().deps.store.read.ledger(order.orderId);
    expect(ledger?.payments).toEqual([]);
    await correct(order, goodAddress);
    await expectEnd(saga(), order, { status: 'completed' });
  });

  test.concurrent('that was paid is held, and not bought, while its papers lack something', async () => {
    const order = await orderOf(described, 1, { ...goodAddress, street1: 'LABEL-REFUSED Road 7' });
    await saga().until(order.orderId, ({ hold }) => hold?.status === 'address_rejected');
    await correct(order, silent);
    await heldFor(order, /customs, whose papers lack the recipient's phone number/);
    await correct(order, abroad);
    await expectEnd(saga(), order, { status: 'completed' });
    expect(await atCarrier(order.orderId)).toMatchObject({ to_address: { phone: abroad.phone } });
  });
});
