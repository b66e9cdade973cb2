import { describe, expect, it } from 'vitest';
import type { Product } from '../../ports/store/goods.ts';
import { createApp } from '../app.ts';
import { fakeDeps, fakeStore, operatorKey, send, settings, shopKey } from '../testing/fake-deps.ts';

const keyboard: Product = {
  productId: 'keyboard' as Product['productId'],
  name: 'Keyboard',
  price: { amountMinor: 74_950, currency: 'INR' },
  available: 5,
};
const put = { productId: 'mouse', name: 'Mouse', price: { amount: '12.50', currency: 'EUR' }, available: 7 };

function build(reads = {}) {
  const fake = fakeStore({ products: [keyboard], reads });
  const app = createApp(fakeDeps({ store: fake.store }));
  const post = (products: unknown[], key = operatorKey) =>
    send(app, 'POST', '/products', { body: { products }, key });
  return { ...fake, app, post };
}

describe('the catalog', () => {
  it('lists products with prices as decimal strings', async () => {
    const response = await send(build().app, 'GET', '/products');
    expect(await response.json()).toEqual({
      products: [
        {
          productId: 'keyboard',
          name: 'Keyboard',
          price: { amount: '749.50', currency: 'INR' },
          available: 5,
        },
      ],
      shipping: [{ amount: '0.00', currency: 'INR' }],
    });
  });

  it('says what shipping adds, once for each currency', async () => {
    const dear = { ...keyboard, productId: 'mouse' as Product['productId'] };
    const yen = { ...keyboard, price: { amountMinor: 1_200, currency: 'JPY' as const } };
    const { store } = fakeStore({
      products: [keyboard, dear, { ...yen, productId: 'fan' as Product['productId'] }],
    });
    const app = createApp(
      fakeDeps({ store, settings: settings({ shippingFees: { INR: 5_000, JPY: 700, USD: 500 } }) }),
    );
    expect(await (await send(app, 'GET', '/products')).json()).toMatchObject({
      shipping: [
        { amount: '50.00', currency: 'INR' },
        { amount: '700', currency: 'JPY' },
      ],
    });
  });

  it.each([
    ['JPY', '1200', 1200],
    ['BHD', '1.250', 1250],
    ['USD', '1.25', 125],
  ])('reads %s %s with its own decimals', async (currency, amount, amountMinor) => {
    const { post, products } = build();
    expect((await post([{ ...put, price: { amount, currency } }])).status).toBe(200);
    expect(products.get('mouse' as Product['productId'])?.price.amountMinor).toBe(amountMinor);
  });

  it('sets what can be reserved from now on, whatever is reserved already, with an audit row', async () => {
    const { post, reserved, audit } = build();
    reserved.set('keyboard', 3);
    const response = await post([{ ...put, productId: 'keyboard', available: 10 }, put]);
    expect(response.status).toBe(200);
    expect(
      ((await response.json()) as { products: Product[] }).products.map(({ available }) => available),
    ).toEqual([10, 7]);
    expect(audit).toMatchObject([
      {
        subject: 'product:keyboard',
        actor: 'help-desk',
        from: 'Keyboard, 749.50 INR, 5 available',
        to: 'Mouse, 12.50 EUR, 10 available',
      },
      { subject: 'product:mouse', from: '' },
    ]);
  });

  it('leaves the stock alone where none is given', async () => {
    const { post } = build();
    const response = await post([{ ...put, productId: 'keyboard', available: undefined }]);
    expect(await response.json()).toMatchObject({ products: [{ available: 5, name: 'Mouse' }] });
  });

  it('is changed by operators alone', async () => {
    const { post, products } = build();
    expect((await post([put], shopKey)).status).toBe(403);
    expect(products.size).toBe(1);
  });

  it.each<[string, unknown[], string]>([
    ['no products', [], '/products'],
    ['the same product twice', [put, put], '/products/1/productId'],
    [
      'too many decimals',
      [{ ...put, price: { amount: '1.234', currency: 'EUR' } }],
      '/products/0/price/amount',
    ],
    ['a negative price', [{ ...put, price: { amount: '-1', currency: 'EUR' } }], '/products/0/price/amount'],
    ['a negative stock', [{ ...put, available: -1 }], '/products/0/available'],
    ['a difference of nothing', [{ ...put, available: undefined, adjustBy: 0 }], '/products/0/adjustBy'],
    ['both ways to say the stock', [{ ...put, adjustBy: 1 }], '/products/0/adjustBy'],
    ['half a unit', [{ ...put, available: 0.5 }], '/products/0/available'],
    ['an unknown field', [{ ...put, onHand: 1 }], '/products/0/onHand'],
    ['an id with a path', [{ ...put, productId: '../x' }], '/products/0/productId'],
    ['a name of 10 KB', [{ ...put, name: 'x'.repeat(10_240) }], '/products/0/name'],
  ])('refuses %s with 422 and changes nothing', async (_, products, field) => {
    const { post, products: stored } = build();
    const response = await post(products);
    expect(response.status).toBe(422);
    expect(((await response.json()) as { errors: { field: string }[] }).errors.map((e) => e.field)).toContain(
      field,
    );
    expect(stored.size).toBe(1);
  });

  it('answers 503 with Retry-After while the store is away', async () => {
    const { app } = build({ products: () => new Promise(() => {}) });
    const response = await send(app, 'GET', '/products');
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
  });
});
