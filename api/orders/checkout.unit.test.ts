import { describe, expect, it } from 'vitest';
import type { OrderView } from '../../domain/order.ts';
import { createApp } from '../app.ts';
import { firstFingerprintOf } from './order-identity.ts';
import { TemporalUnavailable, type OrderSummary } from '../../ports/temporal.ts';
import {
  checkout,
  checkoutBody,
  fakeDeps,
  fakeStore,
  fakeWorkflows,
  operatorKey,
  otherShopKey,
  send,
  settings,
  shopKey,
  summaryOf,
  viewOf,
} from '../testing/fake-deps.ts';

function build(changes: Parameters<typeof fakeWorkflows>[0] = {}) {
  const fake = fakeWorkflows(changes);
  return { ...fake, app: createApp(fakeDeps({ workflows: fake.workflows })) };
}

const problemOf = async (response: Response) => {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  return (await response.json()) as {
    type: string;
    status: number;
    detail: string;
    errors?: { field: string }[];
  };
};

describe('checkout', () => {
  it('starts one workflow with the checkout, memo, hash and trace, and answers 202 with Location and links', async () => {
    const { app, started } = build();
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const response = await checkout(app, checkoutBody(), { traceparent });
    expect(response.status).toBe(202);
    const body = (await response.json()) as {
      orderId: string;
      status: string;
      links: Record<string, string>;
    };
    expect(body.status).toBe('received');
    expect(body.orderId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(response.headers.get('location')).toBe(`/orders/${body.orderId}`);
    expect(body.links).toMatchObject({
      self: `/orders/${body.orderId}`,
      events: `/orders/${body.orderId}/events`,
    });
    const [order] = [...started.values()];
    expect(order?.input).toMatchObject({
      traceparent,
      checkout: { callerId: 'shop-a', currency: 'INR', customerEmail: 'asha@example.com' },
    });
    expect(order?.memo).toMatchObject({ callerId: 'shop-a', summary: '1 line, 2 units, INR' });
    expect(order?.customerHash).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify([order?.memo, order?.customerHash])).not.toContain('asha');
  });

  it('answers the same bytes to the same key and body, and starts nothing more', async () => {
    const { app, started } = build();
    const first = await checkout(app);
    const second = await checkout(app);
    expect(second.status).toBe(202);
    expect(await second.text()).toBe(await first.text());
    expect(started.size).toBe(1);
  });

  it('takes a body that means the same, written differently, for the same', async () => {
    const { app, started } = build();
    await checkout(app);
    const { items: _, ...rest } = checkoutBody();
    const reordered = {
      currency: 'INR',
      ...rest,
      items: [
        { quantity: 1, productId: 'keyboard' },
        { productId: 'keyboard', quantity: 1.0 },
      ],
    };
    expect((await checkout(app, reordered)).status).toBe(202);
    expect(started.size).toBe(1);
  });

  it.each([
    ['another quantity', { items: [{ productId: 'keyboard', quantity: 3 }] }],
    ['another email', { customerEmail: 'other@example.com' }],
    ['an expected total', { expectedTotal: { amount: '1.00', currency: 'INR' } }],
    ['another card', { paymentMethodId: 'pm_card_mastercard' }],
    ['a risk mark', { riskMark: 'new-account' }],
  ])('refuses the same key with %s with 422', async (_, change) => {
    const { app, started } = build();
    await checkout(app);
    const response = await checkout(app, { ...checkoutBody(), ...change });
    expect(response.status).toBe(422);
    expect((await problemOf(response)).type).toBe('/docs/problems#idempotency-key-reused');
    expect(started.size).toBe(1);
  });

  it("keeps callers' keys apart", async () => {
    const { app, started } = build();
    await checkout(app, checkoutBody(), {}, shopKey);
    await checkout(app, checkoutBody(), {}, otherShopKey);
    expect(started.size).toBe(2);
  });

  it('lets one of several racing requests start and gives all the same answer', async () => {
    const { app, started } = build();
    const answers = await Promise.all(Array.from({ length: 8 }, () => checkout(app)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(await Promise.all(answers.map((answer) => answer.text()))).size).toBe(1);
    expect(started.size).toBe(1);
  });

  it("hands the shop's risk mark to the order", async () => {
    const { app, started } = build();
    expect((await checkout(app, { ...checkoutBody(), riskMark: 'new-account' })).status).toBe(202);
    expect([...started.values()][0]?.input.checkout.riskMark).toBe('new-account');
  });

  it('merges items of the same product in the order they first appear', async () => {
    const { app, started } = build();
    const items = [
      { productId: 'a', quantity: 600 },
      { productId: 'b', quantity: 1 },
      { productId: 'a', quantity: 400 },
    ];
    expect((await checkout(app, { ...checkoutBody(), items })).status).toBe(202);
    expect([...started.values()][0]?.input.checkout.items).toEqual([
      { productId: 'a', quantity: 1000 },
      { productId: 'b', quantity: 1 },
    ]);
  });

  describe('whose run was terminated before SQL knew it', () => {
    const repeated = async (summary: Partial<OrderSummary>, order: () => Promise<OrderView | undefined>) => {
      const { store } = fakeStore({ reads: { order } });
      const { workflows, started } = fakeWorkflows({
        describe: async (id) => {
          const { memo } = started.get(id) ?? {};
          return memo && summaryOf({ orderId: id, memo, running: false, ...summary });
        },
      });
      const app = createApp(fakeDeps({ store, workflows }));
      expect((await checkout(app)).status).toBe(202);
      return checkout(app);
    };

    it('says so when it is repeated, and whom to ask', async () => {
      const response = await repeated({ closedAs: 'TERMINATED' }, async () => undefined);
      expect(response.status).toBe(409);
      expect(await problemOf(response)).toMatchObject({
        type: '/docs/problems#run-lost',
        code: 'run_lost',
        detail: expect.stringMatching(/before SQL had taken it; nothing was reserved or charged.*\/restart/),
      });
    });

    it('is answered as before where SQL knows the order or does not answer', async () => {
      const lost = { closedAs: 'TERMINATED' };
      expect((await repeated(lost, async () => viewOf())).status).toBe(202);
      expect((await repeated(lost, () => new Promise(() => {}))).status).toBe(202);
      expect((await repeated({ closedAs: 'COMPLETED' }, async () => undefined)).status).toBe(202);
    });

    it('says that its key is used up where the order had ended and was purged', async () => {
      const over = { closedAs: 'COMPLETED', status: 'completed', failureType: 'OrderClosed' } as const;
      const response = await repeated(over, async () => undefined);
      expect(response.status).toBe(409);
      expect(await problemOf(response)).toMatchObject({
        type: '/docs/problems#order-closed',
        detail: expect.stringContaining('a new order needs a new key'),
      });
      expect((await repeated(over, async () => viewOf({ status: 'completed' }))).status).toBe(202);
    });
  });

  describe('repeated after the default currency was changed', () => {
    const inDollars = settings({ defaultCurrency: 'USD' });
    const first = { ...checkoutBody(), expectedTotal: { amount: '1499.00', currency: 'INR' } };

    it.each([
      ['', checkoutBody()],
      [' with an expected total', first],
    ])('is the same request%s', async (_, body) => {
      const { app, workflows, started } = build();
      expect((await checkout(app, body)).status).toBe(202);
      const later = createApp(fakeDeps({ workflows, settings: inDollars }));
      expect((await checkout(later, body)).status).toBe(202);
      expect((await checkout(later, { ...body, currency: 'INR' })).status).toBe(202);
      const dollars = { ...checkoutBody(), currency: 'USD' };
      expect((await problemOf(await checkout(later, dollars))).type).toMatch(/idempotency-key-reused$/);
      expect([...started.values()].map(({ input }) => input.checkout.currency)).toEqual(['INR']);
    });

    it('is the same request where shipping has another fee as well', async () => {
      const { app, workflows, started } = build();
      const body = { ...checkoutBody(), expectedTotal: { amount: '1549.00', currency: 'INR' } };
      expect((await checkout(app, body)).status).toBe(202);
      const later = settings({ defaultCurrency: 'USD', shippingFees: { INR: 9_900, USD: 500 } });
      expect((await checkout(createApp(fakeDeps({ workflows, settings: later })), body)).status).toBe(202);
      expect(started.size).toBe(1);
    });

    it('is the same request where the run is of an earlier version, and another body is another one', async () => {
      const { app, workflows, started } = build();
      await checkout(app);
      for (const order of started.values()) {
        const { currency: _, ...memo } = order.memo;
        order.memo = { ...memo, fingerprint: firstFingerprintOf(order.input.checkout) };
      }
      const later = createApp(fakeDeps({ workflows, settings: inDollars }));
      expect((await checkout(later)).status).toBe(202);
      expect((await checkout(later, { ...checkoutBody(), customerId: 'c' })).status).toBe(422);
      expect((await checkout(later, { ...checkoutBody(), currency: 'USD' })).status).toBe(422);
    });
  });

  it('answers 503 with Retry-After when Temporal is away, and neither SQL nor Redis is asked for', async () => {
    const away = async () => {
      throw new TemporalUnavailable('start', undefined);
    };
    const { app } = build({ start: away });
    const response = await checkout(app);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('2');
    expect((await problemOf(response)).type).toBe('/docs/problems#temporal-unavailable');
  });

  it('answers 202 while the store rejects and never answers', async () => {
    const never = () => new Promise<never>(() => {});
    const { store } = fakeStore({ reads: { order: never, placed: never } });
    const app = createApp(fakeDeps({ store }));
    expect((await checkout(app)).status).toBe(202);
  });
});

describe('a checkout that waits', () => {
  it.each([
    'payment_processed',
    'completed',
    'payment_failed',
    'address_rejected',
    'failed',
    'cancelled',
  ] as const)('answers 200 with the order and the applied preference once it is %s', async (status) => {
    const { app } = build({ query: async (orderId) => viewOf({ orderId, status }) });
    const response = await checkout(app, checkoutBody(), { prefer: 'respond-async, wait=5' });
    expect(response.status).toBe(200);
    expect(response.headers.get('preference-applied')).toBe('wait=5');
    expect(await response.json()).toMatchObject({ status, source: 'workflow', total: { amount: '1499.00' } });
  });

  it('answers the plain 202 when the time passes, no matter how slow the reading is', async () => {
    const { app } = build({ query: () => new Promise(() => {}) });
    const start = performance.now();
    const response = await checkout(app, checkoutBody(), { prefer: 'wait=1' });
    expect(response.status).toBe(202);
    expect(await response.text()).toBe(await (await checkout(app)).text());
    const seconds = (performance.now() - start) / 1_000;
    expect(seconds).toBeGreaterThan(0.95);
    expect(seconds).toBeLessThan(1.5);
  });

  it('answers 202 at once when the server drains', async () => {
    const fake = fakeWorkflows();
    const draining = new AbortController();
    const app = createApp(fakeDeps({ workflows: fake.workflows, draining: draining.signal }));
    const start = performance.now();
    setTimeout(() => draining.abort(), 50);
    expect((await checkout(app, checkoutBody(), { prefer: 'wait=20' })).status).toBe(202);
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  it.each(['wait=abc', 'wait=-1', 'wait', '=;,,"', 'wait=1.5', 'wait="'])(
    'ignores Prefer: %s',
    async (prefer) => {
      const { app } = build();
      const start = performance.now();
      expect((await checkout(app, checkoutBody(), { prefer })).status).toBe(202);
      expect(performance.now() - start).toBeLessThan(500);
    },
  );
});

const long = (length: number) => 'x'.repeat(length);
const base = checkoutBody();
const withItems = (...items: unknown[]) => ({ ...base, items });
const abroad = { city: 'Hong Kong', state: null, postalCode: '', country: 'HK' };
const withAddress = (change: object) => ({
  ...base,
  shippingAddress: { ...base.shippingAddress, ...change },
});

describe('a checkout whose fields do not fit is refused with 422, the field and a reason, and starts nothing', () => {
  it.each<[string, unknown, string]>([
    ['an array', [], ''],
    ['a string', '"text"', ''],
    ['null', 'null', ''],
    ['a number', '1', ''],
    ['an empty object', {}, '/customerId'],
    ['an unknown field', { ...base, coupon: 'x' }, '/coupon'],
    ['a price', withItems({ productId: 'a', quantity: 1, price: '0.01' }), '/items/0/price'],
    ['__proto__', JSON.stringify(base).replace('{', '{"__proto__":{"x":1},'), '/__proto__'],
    [
      '__proto__ in an item',
      withItems(JSON.parse('{"productId":"a","quantity":1,"__proto__":{}}')),
      '/items/0/__proto__',
    ],
    ['constructor', { ...base, constructor: {} }, '/constructor'],
    ['an unknown field with a slash and a tilde', { ...base, 'a/b~c': 1 }, '/a~1b~0c'],
    ['no items', withItems(), '/items'],
    [
      '101 items',
      withItems(...Array.from({ length: 101 }, (_, i) => ({ productId: `p${i}`, quantity: 1 }))),
      '/items',
    ],
    ['items as an object', { ...base, items: { 0: { productId: 'a', quantity: 1 } } }, '/items'],
    ...[0, -1, 1.5, '1', true, null, 1001, 2 ** 53].map((quantity): [string, unknown, string] => [
      `quantity ${JSON.stringify(quantity)}`,
      withItems({ productId: 'a', quantity }),
      '/items/0/quantity',
    ]),
    ['quantity 1e400', JSON.stringify(base).replace('"quantity":2', '"quantity":1e400'), '/items/0/quantity'],
    [
      'a merged quantity over 1,000',
      withItems({ productId: 'a', quantity: 600 }, { productId: 'a', quantity: 401 }),
      '/items/1/quantity',
    ],
    ...['', '../a', 'a b', 'a\u0000', 'а', long(65), 'a\n', '\ud800'].map(
      (productId): [string, unknown, string] => [
        `product id ${JSON.stringify(productId).slice(0, 20)}`,
        withItems({ productId, quantity: 1 }),
        '/items/0/productId',
      ],
    ),
    ...['', '../c', 'c\u0007', long(65), 5].map((customerId): [string, unknown, string] => [
      `customer id ${JSON.stringify(customerId).slice(0, 20)}`,
      { ...base, customerId },
      '/customerId',
    ]),
    ...[
      '',
      'a',
      'a@b',
      '@b.co',
      'a@b.co\n',
      'a@b.co\r\nBcc: x@y.zz',
      'a b@c.de',
      'a@b..co',
      'a.@b.co',
      `${long(65)}@b.co`,
      `a@${long(250)}.co`,
      'a@b.co,c@d.co',
      '"a"@b.co',
      'ä@b.co',
      'a@-b.co',
    ].map((customerEmail): [string, unknown, string] => [
      `email ${JSON.stringify(customerEmail).slice(0, 30)}`,
      { ...base, customerEmail },
      '/customerEmail',
    ]),
    ['a name of 10 KB', withAddress({ name: long(10_240) }), '/shippingAddress/name'],
    ['a blank name', withAddress({ name: '   ' }), '/shippingAddress/name'],
    ['a name with a control character', withAddress({ name: 'A\u0000B' }), '/shippingAddress/name'],
    ['a name with a line break', withAddress({ name: 'A\nB' }), '/shippingAddress/name'],
    ['a lone surrogate', withAddress({ name: 'A\ud800B' }), '/shippingAddress/name'],
    ['a customer whom no address can name', { ...base, customerId: '..' }, '/customerId'],
    ['a direction override', withAddress({ name: 'A\u202eB' }), '/shippingAddress/name'],
    [
      'no postal code where the country has them',
      withAddress({ postalCode: null }),
      '/shippingAddress/postalCode',
    ],
    ['another country’s postal code', withAddress({ postalCode: 'SW1A 1AA' }), '/shippingAddress/postalCode'],
    ['a tag in an address', withAddress({ street2: 'x\u{e0041}' }), '/shippingAddress/street2'],
    ['a country null', withAddress({ country: null }), '/shippingAddress/country'],
    ['a name null', withAddress({ name: null }), '/shippingAddress/name'],
    ['an unknown address field', withAddress({ company: 'x' }), '/shippingAddress/company'],
    ['a phone number that is none', withAddress({ phone: '1' }), '/shippingAddress/phone'],
    [
      'no phone number where customs want one',
      withAddress({ ...abroad, phone: '' }),
      '/shippingAddress/phone',
    ],
    ['an address without a city', withAddress({ city: undefined }), '/shippingAddress/city'],
    ...['', 'in', 'XX', 'UK', 'IND', 'EU', 'AN'].map((country): [string, unknown, string] => [
      `country ${country || 'empty'}`,
      withAddress({ country }),
      '/shippingAddress/country',
    ]),
    ...['', ' x', 'x'.repeat(65), 'a\nb', '<b>', 7, null].map((riskMark): [string, unknown, string] => [
      `risk mark ${JSON.stringify(riskMark)}`,
      { ...base, riskMark },
      '/riskMark',
    ]),
    ['a lower-case currency', { ...base, currency: 'inr' }, '/currency'],
    ['an unknown currency', { ...base, currency: 'XXX' }, '/currency'],
    ['toString as currency', { ...base, currency: 'toString' }, '/currency'],
    [
      'an expected total as a number',
      { ...base, expectedTotal: { amount: 1499, currency: 'INR' } },
      '/expectedTotal/amount',
    ],
    ...[
      '1,00',
      '1.',
      '.5',
      '01',
      '-1.00',
      '+1',
      '1e3',
      '',
      ' 1',
      '1.000',
      '0.001',
      '99999999999999999999',
      '0x10',
      '١',
    ].map((amount): [string, unknown, string] => [
      `expected total ${JSON.stringify(amount)}`,
      { ...base, expectedTotal: { amount, currency: 'INR' } },
      '/expectedTotal/amount',
    ]),
    [
      'a total below the provider’s minimum',
      { ...base, expectedTotal: { amount: '0.49', currency: 'INR' } },
      '/expectedTotal/amount',
    ],
    [
      'a total above the provider’s maximum',
      { ...base, expectedTotal: { amount: '1000000.00', currency: 'INR' } },
      '/expectedTotal/amount',
    ],
    [
      'yen with decimals',
      { ...base, currency: 'JPY', expectedTotal: { amount: '100.5', currency: 'JPY' } },
      '/expectedTotal/amount',
    ],
    [
      'dinars with four decimals',
      { ...base, currency: 'BHD', expectedTotal: { amount: '1.0001', currency: 'BHD' } },
      '/expectedTotal/amount',
    ],
    [
      'a total in another currency',
      { ...base, expectedTotal: { amount: '1.00', currency: 'USD' } },
      '/expectedTotal/currency',
    ],
    ['a payment method with a space', { ...base, paymentMethodId: 'pm x' }, '/paymentMethodId'],
    ['an over-long payment method', { ...base, paymentMethodId: long(256) }, '/paymentMethodId'],
  ])('%s', async (_, body, field) => {
    const { app, started } = build();
    const response = await checkout(app, body);
    expect(response.status).toBe(422);
    const problem = await problemOf(response);
    expect(problem.type).toBe('/docs/problems#invalid-fields');
    expect(problem.errors?.map((error) => error.field)).toContain(field);
    expect(problem.errors?.every((error) => 'reason' in error && error.reason !== '')).toBe(true);
    expect(started.size).toBe(0);
  });

  it('reports every field at once and bounds the answer', async () => {
    const { app } = build();
    const two = await problemOf(await checkout(app, { ...base, customerId: '', currency: 'x' }));
    expect(two.errors).toHaveLength(2);
    const many = Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`unknown${i}`, 1]));
    expect((await (await checkout(app, many)).text()).length).toBeLessThan(16_000);
    const longName = { ...base, [long(60_000)]: 1 };
    expect((await (await checkout(app, longName)).text()).length).toBeLessThan(2_000);
  });
});

describe('what fits is taken', () => {
  const phone = '+85221234567';
  it.each<[string, unknown]>([
    ['yen without decimals', { ...base, currency: 'JPY', expectedTotal: { amount: '100', currency: 'JPY' } }],
    [
      'dinars with three decimals',
      { ...base, currency: 'BHD', expectedTotal: { amount: '1.500', currency: 'BHD' } },
    ],
    [
      '100 items',
      withItems(...Array.from({ length: 100 }, (_, i) => ({ productId: `p${i}`, quantity: 1000 }))),
    ],
    ['quantity 1.0', JSON.stringify(base).replace('"quantity":2', '"quantity":1.0')],
    [
      'Hong Kong without a postal code',
      withAddress({ city: 'Hong Kong', postalCode: undefined, country: 'HK', phone }),
    ],
    ['an emirate', withAddress({ city: null, state: 'Dubai', postalCode: '', country: 'AE', phone })],
    ['optional fields that are null', { ...base, currency: null, expectedTotal: null }],
    ['names of other scripts', withAddress({ name: 'आशा राव', city: 'बेंगलुरु' })],
    ['a plus address', { ...base, customerEmail: "o'neil+tag@mail.example.co.uk" }],
  ])('%s', async (_, body) => {
    const { app } = build();
    expect((await checkout(app, body)).status).toBe(202);
  });

  it('takes empty and null optional parts of an address for absent', async () => {
    const { app, started } = build();
    await checkout(
      app,
      withAddress({ street2: ' \u200b', state: null, postalCode: '', country: 'HK', phone }),
    );
    const { shippingAddress } = [...started.values()][0]?.input.checkout ?? {};
    expect(Object.keys(shippingAddress ?? {}).sort()).toEqual([
      'city',
      'country',
      'name',
      'phone',
      'street1',
    ]);
  });

  it.each(['', null, ' \u200b'])('takes the phone number %j for none', async (none) => {
    const { app, started } = build();
    expect((await checkout(app, withAddress({ phone: none }))).status).toBe(202);
    const { shippingAddress } = [...started.values()][0]?.input.checkout ?? {};
    expect(Object.keys(shippingAddress ?? {})).not.toContain('phone');
  });

  it('cleans a phone number as it cleans every text', async () => {
    const { app, started } = build();
    await checkout(app, withAddress({ phone: ' +918012345678\u200e' }));
    expect([...started.values()][0]?.input.checkout.shippingAddress.phone).toBe('+918012345678');
  });

  it.each([
    ['asha@bücher.example', 'asha@xn--bcher-kva.example'],
    ['asha@例え.テスト', 'asha@xn--r8jz45g.xn--zckzah'],
    ['Asha@Example.COM', 'Asha@Example.COM'],
  ])('keeps %s as %s', async (customerEmail, kept) => {
    const { app, started } = build();
    expect((await checkout(app, { ...base, customerEmail })).status).toBe(202);
    expect([...started.values()][0]?.input.checkout.customerEmail).toBe(kept);
  });

  it('names what is against a local part beyond ASCII', async () => {
    const { app } = build();
    const { errors } = await problemOf(await checkout(app, { ...base, customerEmail: 'jörg@example.com' }));
    expect(errors).toEqual([
      { field: '/customerEmail', reason: expect.stringMatching(/before the @.*SMTPUTF8/) },
    ]);
  });

  it('cleans text: outer white space goes, the rest becomes NFC', async () => {
    const { app, started } = build();
    await checkout(app, withAddress({ name: '  Jose\u0301 ' }));
    expect([...started.values()][0]?.input.checkout.shippingAddress.name).toBe('Jos\u00e9');
  });
});

describe('a checkout that cannot be read is refused and starts nothing', () => {
  const text = JSON.stringify(base);
  const key = { 'idempotency-key': 'k-1' };
  const big = `{"customerId":"${long(70_000)}"}`;
  const chunks = (size: number) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (let i = 0; i < 10; i++) controller.enqueue(Buffer.alloc(size / 10, 'x'));
        controller.close();
      },
    });

  it.each<[string, number, RequestInit & { headers?: Record<string, string> }]>([
    ['one name twice', 400, { body: text.replace('{', '{"customerId":"other",') }],
    [
      'one name twice further inside',
      400,
      { body: text.replace('"quantity":2', '"quantity":2,"quantity":1') },
    ],
    ['truncated JSON', 400, { body: text.slice(0, -1) }],
    ['an empty body', 400, { body: '' }],
    ['NaN', 400, { body: text.replace('"quantity":2', '"quantity":NaN') }],
    ['a trailing comma', 400, { body: text.replace('}', ',}') }],
    [
      'invalid UTF-8',
      400,
      { body: Buffer.concat([Buffer.from('{"customerId":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]) },
    ],
    ['UTF-16', 400, { body: Buffer.from(text, 'utf16le') }],
    ['text/plain', 415, { body: text, headers: { 'content-type': 'text/plain' } }],
    ['a form', 415, { body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
    ['application/jsonp', 415, { body: text, headers: { 'content-type': 'application/jsonp' } }],
    [
      'another charset',
      415,
      { body: text, headers: { 'content-type': 'application/json; charset=iso-8859-1' } },
    ],
    ['no content type', 415, { body: Buffer.from(text), headers: { 'content-type': '' } }],
    ['a compressed body', 415, { body: text, headers: { 'content-encoding': 'gzip' } }],
    ['a body over 64 KiB', 413, { body: big }],
    ['a declared length over 64 KiB', 413, { body: big, headers: { 'content-length': '70017' } }],
    ['chunks over 64 KiB', 413, { body: chunks(70_000), duplex: 'half' }],
    ['chunks that are no JSON', 400, { body: chunks(60_000), duplex: 'half' }],
  ])('%s: %i', async (_, status, init) => {
    const { app, started } = build();
    const headers = { authorization: `Bearer ${shopKey}`, 'content-type': 'application/json', ...key };
    const response = await app.request('/checkout', {
      method: 'POST',
      ...init,
      headers: Object.assign(headers, init.headers),
    });
    expect(response.status).toBe(status);
    expect((await problemOf(response)).status).toBe(status);
    expect(started.size).toBe(0);
  });

  it('takes JSON nested thousands deep for fields that do not fit, not for a crash', async () => {
    const { app } = build();
    expect((await checkout(app, `${'['.repeat(30_000)}${']'.repeat(30_000)}`)).status).toBe(422);
    expect((await checkout(app, `{"items":${'['.repeat(30_000)}${']'.repeat(30_000)}}`)).status).toBe(422);
  });

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['over 255 characters', long(256)],
    ['not ASCII', 'cl\u00e9'],
    ['a control character', 'a\tb'],
  ])('an Idempotency-Key that is %s: 400', async (_, value) => {
    const { app, started } = build();
    const headers = value === undefined ? {} : { 'idempotency-key': value };
    const response = await send(app, 'POST', '/checkout', { body: base, headers });
    expect(response.status).toBe(400);
    expect((await problemOf(response)).type).toBe('/docs/problems#idempotency-key');
    expect(started.size).toBe(0);
  });

  it('takes an Idempotency-Key of 255 printable characters, spaces included', async () => {
    const { app } = build();
    expect((await checkout(app, base, { 'idempotency-key': `a ~${long(252)}` })).status).toBe(202);
  });
});

describe('callers', () => {
  it.each([
    ['no key', {}],
    ['an unknown key', { authorization: 'Bearer nobody-0123456789' }],
    ['another scheme', { authorization: `Basic ${shopKey}` }],
    ['an empty key', { authorization: 'Bearer ' }],
  ])('refuses %s with 401 and WWW-Authenticate', async (_, headers) => {
    const { app, started } = build();
    const response = await send(app, 'POST', '/checkout', {
      body: base,
      key: null,
      headers: { 'idempotency-key': 'k', ...headers },
    });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer realm=/);
    expect(started.size).toBe(0);
  });

  it('takes operators for callers of their own', async () => {
    const { app, started } = build();
    expect((await checkout(app, base, {}, operatorKey)).status).toBe(202);
    expect([...started.values()][0]?.memo.callerId).toBe('help-desk');
  });
});
