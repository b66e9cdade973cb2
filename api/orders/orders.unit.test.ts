import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../domain/placed-request.ts';
import type { ActView } from '../../domain/order.ts';
import { createApp } from '../app.ts';
import { TemporalUnavailable, type OrderWorkflows, type UpdateAnswer } from '../../ports/temporal.ts';
import {
  fakeDeps,
  fakeStore,
  fakeWorkflows,
  operatorKey,
  otherShopKey,
  send,
  settings,
  someOrder,
  summaryOf,
  viewOf,
} from '../testing/fake-deps.ts';

const away = async () => {
  throw new TemporalUnavailable('test', undefined);
};
const broken = async () => {
  throw new Error('SQL is down');
};
const never = () => new Promise<never>(() => {});

function build(
  workflows: Partial<OrderWorkflows> = {},
  reads: NonNullable<Parameters<typeof fakeStore>[0]>['reads'] = {},
) {
  const fake = fakeWorkflows(workflows);
  return {
    ...fake,
    app: createApp(fakeDeps({ workflows: fake.workflows, store: fakeStore({ reads }).store })),
  };
}

const typeOf = async (response: Response) => ((await response.json()) as { type: string }).type.split('#')[1];
const path = `/orders/${someOrder}`;

describe('reading an order', () => {
  it('asks the workflow first, then the store, then Temporal, and says which it was', async () => {
    const query = async () => viewOf();
    const order = async () => viewOf({ status: 'completed' });
    const describe_ = async () => summaryOf({ status: 'failed', failureType: 'OutOfStock' });
    const sources = await Promise.all(
      [
        build({ query, describe: describe_ }, { order }),
        build({ query: away, describe: describe_ }, { order }),
        build({ query: away, describe: describe_ }, {}),
        build({ query: away, describe: describe_ }, { order: broken }),
      ].map(async ({ app }) => (await (await send(app, 'GET', path)).json()) as Record<string, unknown>),
    );
    expect(sources.map(({ source, status }) => [source, status])).toEqual([
      ['workflow', 'payment_processed'],
      ['store', 'completed'],
      ['temporal', 'failed'],
      ['temporal', 'failed'],
    ]);
    expect(sources[3]).toMatchObject({ failure: { type: 'OutOfStock' } });
  });

  it('asks the store of an order that had ended before its run was reset', async () => {
    const failure = { type: 'OrderClosed', reason: 'It has already ended (completed).' } as const;
    const query = async () => viewOf({ status: 'completed', sagaState: 'ended', step: 'receive', failure });
    const order = async () => viewOf({ status: 'completed', sagaState: 'ended', step: 'completion' });
    const stored = await send(build({ query }, { order }).app, 'GET', path);
    const body = (await stored.json()) as object;
    expect(body).toMatchObject({ source: 'store', step: 'completion' });
    expect(body).not.toHaveProperty('failure');
    const { app } = build({ query }, { order: broken });
    expect(await (await send(app, 'GET', path)).json()).toMatchObject({ source: 'workflow', failure });
  });

  it('shows money as a decimal string and keeps the caller id inside', async () => {
    const response = await send(build({ query: async () => viewOf() }).app, 'GET', path);
    const body = (await response.json()) as object;
    expect(body).toMatchObject({ total: { amount: '1499.00', currency: 'INR' } });
    expect(body).not.toHaveProperty('callerId');
  });

  it('does not wait for a store that hangs', async () => {
    const { app } = build({ query: away, describe: async () => summaryOf() }, { order: never });
    const start = performance.now();
    expect((await send(app, 'GET', path)).status).toBe(200);
    expect(performance.now() - start).toBeLessThan(800);
  });

  it("answers 404 for an unknown order, another caller's order and what is no id at all", async () => {
    const theirs = build({ query: async () => viewOf() }).app;
    const theirsStored = build({}, { order: async () => viewOf() }).app;
    const theirsDescribed = build({ describe: async () => summaryOf() }).app;
    for (const response of [
      await send(build().app, 'GET', path),
      await send(theirs, 'GET', path, { key: otherShopKey }),
      await send(theirsStored, 'GET', path, { key: otherShopKey }),
      await send(theirsDescribed, 'GET', path, { key: otherShopKey }),
      await send(theirs, 'GET', '/orders/..%2f..%2fetc'),
      await send(theirs, 'GET', '/orders/%00'),
      await send(theirs, 'GET', `/orders/${someOrder.toUpperCase()}`),
    ]) {
      expect(response.status).toBe(404);
      expect(await typeOf(response)).toBe('unknown-order');
    }
  });

  it('shows every order to an operator', async () => {
    const { app } = build({ query: async () => viewOf() });
    expect((await send(app, 'GET', path, { key: operatorKey })).status).toBe(200);
  });

  it('answers 503, not 404, when nobody can say whether the order exists', async () => {
    const { app } = build({ query: away, describe: away }, {});
    const response = await send(app, 'GET', path);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('2');
  });
});

describe('acts on an order', () => {
  const open = { describe: async () => summaryOf() };
  const address = {
    name: 'A',
    street1: 'B 1',
    city: 'C',
    postalCode: '10115',
    country: 'DE',
    phone: '+4930123456',
  };
  const domestic = { name: 'A', street1: 'B 1', city: 'C', postalCode: '560001', country: 'IN' };
  const acts: [string, string, unknown, string, object][] = [
    ['POST', 'cancel', { reason: 'twice' }, 'cancel', { actor: 'help-desk', reason: 'twice' }],
    ['POST', 'cancel', undefined, 'cancel', { actor: 'help-desk', reason: 'Canceled through the API' }],
    [
      'POST',
      'cancel',
      { reason: '', actor: null },
      'cancel',
      { actor: 'help-desk', reason: 'Canceled through the API' },
    ],
    [
      'PUT',
      'shipping-address',
      { ...address, street2: '', state: null, postalCode: '\u200b', country: 'HK' },
      'shipping-address',
      { address: { name: 'A', street1: 'B 1', city: 'C', country: 'HK', phone: '+4930123456' } },
    ],
    [
      'PUT',
      'shipping-address',
      { ...domestic, phone: '' },
      'shipping-address',
      { actor: 'help-desk', address: domestic },
    ],
    [
      'POST',
      'payment',
      { paymentMethodId: 'pm_x' },
      'payment',
      { actor: 'help-desk', paymentMethodId: 'pm_x' },
    ],
    ['PUT', 'shipping-address', address, 'shipping-address', { actor: 'help-desk', address }],
    ['POST', 'resolve', { action: 'retry' }, 'resolve', { actor: 'help-desk', action: 'retry' }],
    [
      'POST',
      'resolve',
      { action: 'retry-with', input: { service: 'Express' } },
      'resolve',
      { action: 'retry-with', input: { service: 'Express' } },
    ],
    [
      'POST',
      'resolve',
      { action: 'mark-done', reference: 'shp_1', actor: 'grace' },
      'resolve',
      { action: 'mark-done', reference: 'shp_1', actor: 'grace (help-desk)' },
    ],
    [
      'POST',
      'resolve',
      { action: 'mark-done', reference: 'shp_1', confirmDifferences: true },
      'resolve',
      { action: 'mark-done', reference: 'shp_1', confirmDifferences: true },
    ],
    ['POST', 'approve', { reason: 'known' }, 'approve', { actor: 'help-desk', reason: 'known' }],
    [
      'POST',
      'extend',
      { minutes: 30, reason: 'bank' },
      'extend',
      { reason: 'bank', untilUtc: '2026-01-02T03:34:05.678Z' },
    ],
    [
      'POST',
      'extend',
      { untilUtc: '2026-01-03T00:00:00Z', reason: 'bank' },
      'extend',
      { reason: 'bank', untilUtc: '2026-01-03T00:00:00.000Z' },
    ],
    ['POST', 'cancel', { actor: 'grace' }, 'cancel', { actor: 'grace (help-desk)' }],
    ['PUT', 'shipping-address', { ...address, actor: 'grace' }, 'shipping-address', { address }],
  ];

  it.each(acts)('%s /%s %j becomes the update %s', async (method, act, body, name, input) => {
    const { app, acts: sent } = build(open);
    const response = await send(app, method, `${path}/${act}`, { body, key: operatorKey });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ orderId: someOrder, source: 'workflow' });
    expect(sent).toMatchObject([{ id: someOrder, name, act: input }]);
    expect(sent[0]?.act).toHaveProperty('reason', expect.stringMatching(/./));
  });

  it.each<[UpdateAnswer, number, string, string | null]>([
    [{ status: 'refused', reason: 'Shipping has started.', code: undefined }, 409, 'act-refused', null],
    [{ status: 'limited', reason: '10 in flight' }, 429, 'too-many-updates', '1'],
    [{ status: 'unanswered' }, 503, 'no-worker', '5'],
  ])('answers %j', async (answer, status, type, retryAfter) => {
    const { app } = build({ ...open, update: async () => answer });
    const response = await send(app, 'POST', `${path}/cancel`);
    expect(response.status).toBe(status);
    expect(response.headers.get('retry-after')).toBe(retryAfter);
    expect(await typeOf(response)).toBe(type);
  });

  it.each(acts)(
    '%s /%s %j as a dry run asks the validator of %s, and changes nothing',
    async (method, act, body, name) => {
      const asked: unknown[] = [];
      const ask = (refusal: string | null | undefined) => {
        const workflows = {
          ...open,
          query: async () => viewOf(),
          refusal: async (_: unknown, input: { name: string; input: object }) => {
            asked.push(input);
            return refusal;
          },
        };
        const { app, acts: sent } = build(workflows);
        const sentBody = { ...(body as object), dryRun: true };
        return { sent, response: send(app, method, `${path}/${act}`, { body: sentBody, key: operatorKey }) };
      };
      const answers = [ask(null), ask('Not now.'), ask(undefined)];
      expect(await Promise.all(answers.map(async ({ response }) => (await response).status))).toEqual([
        200, 409, 503,
      ]);
      expect(answers.flatMap(({ sent }) => sent)).toEqual([]);
      expect(asked).toMatchObject([{ name }, { name }, { name }]);
      expect(JSON.stringify(asked)).not.toContain('dryRun');
    },
  );

  it('passes on why the workflow refuses', async () => {
    const update = async (): Promise<UpdateAnswer> => ({
      status: 'refused',
      reason: 'Shipping has started.',
      code: undefined,
      legalActs: ['resolve retry', 'extend'],
    });
    const response = await send(build({ ...open, update }).app, 'POST', `${path}/cancel`);
    expect(await response.json()).toMatchObject({
      detail: 'Shipping has started.',
      code: 'act_refused',
      legalActs: ['resolve retry', 'extend'],
    });
  });

  describe('repeated under a key while neither run nor SQL could say what has come of it', () => {
    const headers = { 'idempotency-key': 'act-1' };
    const stored = { actId: 'act-1', name: 'cancel', state: 'pending' } as const;
    const cancel = (app: ReturnType<typeof build>['app'], body: object = {}) =>
      send(app, 'POST', `${path}/cancel`, { headers, body });
    /** Temporal answers what it stored for the update; the run is asked before that and after it. */
    const repeat = (answer: UpdateAnswer, ...told: (ActView | undefined)[]) => {
      const act = async () => told.shift();
      const query = async () => viewOf({ status: 'cancelled' });
      return build({ ...open, act, query, update: async () => answer }, { acts: broken }).app;
    };
    const accepted = { status: 'accepted', view: viewOf({ act: stored }) } as const;
    const refused: UpdateAnswer = {
      status: 'refused',
      reason: 'Not then.',
      code: undefined,
      legalActs: ['extend'],
    };

    it.each([
      ['what is known of it now', { ...stored, state: 'done' }, 200, { state: 'done' }],
      ['pending, where nobody can say yet', undefined, 202, { state: 'pending' }],
    ] as const)(
      'answers %s and the order as it is, never what Temporal stored',
      async (_, now, status, act) => {
        const response = await cancel(repeat(accepted, undefined, now));
        expect(response.status).toBe(status);
        expect(await response.json()).toMatchObject({ status: 'cancelled', act: { id: 'act-1', ...act } });
      },
    );

    it('answers an act that has been accepted since a stored refusal', async () => {
      const response = await cancel(repeat(refused, undefined, { ...stored, state: 'accepted' }));
      expect([response.status, await response.json()]).toMatchObject([200, { act: { state: 'accepted' } }]);
    });

    it('says why it was refused, and what would be taken', async () => {
      const response = await cancel(repeat(refused, undefined, { ...stored, state: 'refused' }));
      expect([response.status, await response.json()]).toMatchObject([
        409,
        { detail: 'Not then.', legalActs: ['extend'] },
      ]);
    });

    it.each([
      ['accepted', repeat({ ...accepted, view: viewOf({ act: { ...stored, fingerprint: 'other' } }) })],
      ['refused', repeat(refused, undefined, { ...stored, state: 'refused', fingerprint: 'other' })],
    ])('is refused with another body than the one that was %s', async (_, app) => {
      expect(await typeOf(await cancel(app))).toBe('idempotency-key-reused');
    });
  });

  it('is told apart from others by a keyed hash, and known by those of before', async () => {
    const body = { ...address, street1: '9 Long Street' };
    const put = async (app: ReturnType<typeof build>['app'], sent: object) =>
      send(app, 'PUT', `${path}/shipping-address`, { body: sent, headers: { 'idempotency-key': 'act-1' } });
    const { app, acts: sent } = build(open);
    await put(app, body);
    const [{ act: first } = { act: {} }] = sent;
    const { fingerprint } = first as { fingerprint: string };
    const content = canonicalJson({ callerId: 'shop-a', name: 'shipping-address', body });
    const plain = createHash('sha256').update(content).digest('hex');
    expect(fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(fingerprint).not.toBe(plain);
    for (const before of [fingerprint, plain]) {
      for (const customerHashKey of ['a-key-for-tests-only', 'another-key-since-then']) {
        const act = async () =>
          ({ actId: 'act-1', name: 'shipping-address', state: 'done', fingerprint: before }) as const;
        const { workflows } = fakeWorkflows({ ...open, act, query: async () => viewOf() });
        const keys = { customerHashKey, formerCustomerHashKeys: ['a-key-for-tests-only'] };
        const later = createApp(fakeDeps({ workflows, settings: settings(keys) }));
        expect((await put(later, body)).status).toBe(200);
        expect(await typeOf(await put(later, { ...body, street1: '8 Long Street' }))).toBe(
          'idempotency-key-reused',
        );
      }
    }
  });

  it('answers 409 for a closed run, for one that closes meanwhile, and for one only the store remembers', async () => {
    const closed = build({ describe: async () => summaryOf({ running: false, status: 'completed' }) });
    let calls = 0;
    const closing = build(
      {
        describe: async () => (calls++ === 0 ? summaryOf() : undefined),
        update: async () => ({ status: 'gone' }),
      },
      { order: async () => viewOf({ status: 'completed' }) },
    );
    const forgotten = build({}, { order: async () => viewOf({ status: 'completed' }) });
    for (const { app, acts: sent } of [closed, closing, forgotten]) {
      const response = await send(app, 'POST', `${path}/cancel`);
      expect(response.status).toBe(409);
      expect(await response.json()).toMatchObject({
        type: '/docs/problems#order-closed',
        code: 'order_closed',
      });
      expect(sent).toEqual([]);
    }
  });

  it("answers 404 for unknown orders and another caller's, and sends no update", async () => {
    const unknown = build();
    const theirs = build(open);
    expect((await send(unknown.app, 'POST', `${path}/cancel`)).status).toBe(404);
    expect((await send(theirs.app, 'POST', `${path}/cancel`, { key: otherShopKey })).status).toBe(404);
    expect([...unknown.acts, ...theirs.acts]).toEqual([]);
  });

  it.each([
    ['resolve', { action: 'retry' }],
    ['approve', { reason: 'known' }],
    ['extend', { minutes: 5, reason: 'bank' }],
    ['cancel', { actor: 'grace' }],
  ])('lets operators alone /%s %j', async (act, body) => {
    const { app, acts: sent } = build(open);
    const response = await send(app, 'POST', `${path}/${act}`, { body });
    expect(response.status).toBe(403);
    expect(sent).toEqual([]);
  });

  it.each<[string, string, unknown, number]>([
    ['POST', 'cancel', { reason: 'x'.repeat(501) }, 422],
    ['POST', 'cancel', { actor: 'x'.repeat(65) }, 422],
    ['POST', 'cancel', '[1', 400],
    ['POST', 'payment', {}, 422],
    ['POST', 'payment', undefined, 415],
    ['POST', 'payment', { paymentMethodId: 'pm\n' }, 422],
    ['POST', 'resolve', { action: 'give-up' }, 422],
    ['POST', 'resolve', { action: 'retry-with', input: { price: 1 } }, 422],
    ['POST', 'approve', {}, 422],
    ['POST', 'extend', { reason: 'bank' }, 422],
    ['POST', 'extend', { reason: 'bank', minutes: 5, untilUtc: '2026-01-03T00:00:00Z' }, 422],
    ['POST', 'extend', { reason: 'bank', untilUtc: 'tomorrow' }, 422],
    ['POST', 'extend', { reason: 'bank', minutes: 0 }, 422],
    ['PUT', 'shipping-address', { ...address, country: 'Germany' }, 422],
    ['PUT', 'shipping-address', { ...address, postalCode: null }, 422],
    ['PUT', 'shipping-address', { ...address, country: 'AT' }, 422],
    ['POST', 'cancel', '{"reason":"a","reason":"b"}', 400],
    ['PUT', 'shipping-address', { address }, 422],
  ])('%s /%s %j is refused with %i', async (method, act, body, status) => {
    const { app, acts: sent } = build(open);
    expect((await send(app, method, `${path}/${act}`, { body, key: operatorKey })).status).toBe(status);
    expect(sent).toEqual([]);
  });

  it('refuses a body of another type where none is needed', async () => {
    const { app } = build(open);
    const headers = { 'content-type': 'text/plain' };
    expect((await send(app, 'POST', `${path}/cancel`, { body: '{}', headers })).status).toBe(415);
  });

  it('answers 503 when Temporal is away', async () => {
    const { app } = build({ describe: away });
    expect(await typeOf(await send(app, 'POST', `${path}/cancel`))).toBe('temporal-unavailable');
  });
});

describe('listing orders', () => {
  const orders = ['shop-a', 'shop-b', 'shop-a', 'shop-b', 'shop-a'].map((callerId, i) =>
    summaryOf({
      orderId: someOrder.replace(/.$/, String(i)) as typeof someOrder,
      memo: { fingerprint: 'f', callerId, customerId: 'c', summary: '' },
    }),
  );
  const list: OrderWorkflows['list'] = async ({ pageSize, pageToken }) => {
    const from = pageToken ? Number(Buffer.from(pageToken).toString()) : 0;
    const next = from + pageSize;
    return {
      orders: orders.slice(from, next),
      nextPageToken: next < orders.length ? Buffer.from(String(next)) : undefined,
    };
  };
  type Page = { orders: { orderId: string }[]; nextCursor?: string };

  it('pages through all orders for an operator and through its own for a shop, without gap or double', async () => {
    const { app } = build({ list });
    for (const [key, expected] of [
      [operatorKey, [0, 1, 2, 3, 4]],
      [undefined, [0, 2, 4]],
    ] as const) {
      const seen: string[] = [];
      let cursor = '';
      do {
        const response = await send(app, 'GET', `/orders?limit=2${cursor}`, key ? { key } : {});
        expect(response.status).toBe(200);
        const page = (await response.json()) as Page;
        seen.push(...page.orders.map((order) => order.orderId.slice(-1)));
        cursor = page.nextCursor ? `&cursor=${page.nextCursor}` : '';
      } while (cursor);
      expect(seen).toEqual(expected.map(String));
    }
  });

  it('hashes the customer and passes the filters on', async () => {
    const asked: unknown[] = [];
    const { app } = build({
      list: async (input) => {
        asked.push(input);
        return { orders: [], nextPageToken: undefined };
      },
    });
    await send(app, 'GET', '/orders?status=failed&sagaState=ended&customerId=customer-42');
    await send(app, 'GET', '/orders?step=shipping&failureType=Unheard&olderThan=30m&youngerThan=7d', {
      key: operatorKey,
    });
    expect(asked).toEqual([
      {
        status: 'failed',
        sagaState: 'ended',
        customerHash: expect.stringMatching(/^[0-9a-f]{64}$/),
        callerId: 'shop-a',
        pageSize: 20,
      },
      {
        step: 'shipping',
        failureType: 'Unheard',
        startedBeforeUtc: '2026-01-02T02:34:05.678Z',
        startedAfterUtc: '2025-12-26T03:04:05.678Z',
        pageSize: 20,
      },
    ]);
  });

  it('answers 400 for a cursor that was tampered with or belongs to another list or caller', async () => {
    const { app } = build({ list });
    const { nextCursor = '' } = (await (
      await send(app, 'GET', '/orders?limit=2', { key: operatorKey })
    ).json()) as Page;
    expect(nextCursor).not.toBe('');
    const flipped = (nextCursor.startsWith('A') ? 'B' : 'A') + nextCursor.slice(1);
    for (const [cursor, query, key] of [
      [flipped, '', operatorKey],
      [`${nextCursor}x`, '', operatorKey],
      ['abc', '', operatorKey],
      ['', '', operatorKey],
      [nextCursor, '&status=failed', operatorKey],
      [nextCursor, '', otherShopKey],
    ] as const) {
      const response = await send(app, 'GET', `/orders?cursor=${encodeURIComponent(cursor)}${query}`, {
        key,
      });
      expect(response.status).toBe(400);
      expect(await typeOf(response)).toBe('invalid-cursor');
    }
  });

  it.each([
    ['status=paid', 'status'],
    ['status=', 'status'],
    ["status=failed'%20OR%20''='", 'status'],
    ["customerId=x'%20OR%20'1'='1", 'customerId'],
    ["failureType=x'%20OR%20'1'='1", 'failureType'],
    ['step=payments', 'step'],
    ['olderThan=30', 'olderThan'],
    ['youngerThan=-1h', 'youngerThan'],
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['limit=1.5', 'limit'],
    ['state=failed', 'state'],
    ['status=failed&status=completed', 'status'],
  ])('refuses ?%s with 422 and the parameter', async (query, field) => {
    const { app } = build({ list: away });
    const response = await send(app, 'GET', `/orders?${query}`);
    expect(response.status).toBe(422);
    expect(((await response.json()) as { errors: { field: string }[] }).errors[0]?.field).toBe(field);
  });
});

describe('addresses, methods and media types', () => {
  it.each([
    ['PUT', '/checkout', 'POST'],
    ['GET', '/checkout', 'POST'],
    ['DELETE', path, 'GET, HEAD'],
    ['GET', `${path}/cancel`, 'POST'],
    ['POST', `${path}/shipping-address`, 'PUT'],
    ['DELETE', '/products', 'GET, HEAD, POST'],
    ['POST', '/healthz', 'GET, HEAD'],
  ])('%s %s is 405 with Allow', async (method, address, allow) => {
    const response = await send(build().app, method, address);
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe(`${allow}, OPTIONS`);
    expect(await typeOf(response)).toBe('method-not-allowed');
  });

  it('answers OPTIONS with Allow and HEAD without a body', async () => {
    const { app } = build({ query: async () => viewOf() });
    const options = await send(app, 'OPTIONS', '/checkout');
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'POST, OPTIONS']);
    const head = await send(app, 'HEAD', path);
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it.each([
    ['/', 'not-found'],
    ['/orders/', 'not-found'],
    ['/checkout/x', 'not-found'],
    ['/docs/../../package.json', 'not-found'],
  ])('%s is 404 as a problem', async (address, type) => {
    const response = await send(build().app, 'GET', address);
    expect(response.status).toBe(404);
    expect(await typeOf(response)).toBe(type);
  });

  it.each([
    ['text/html', 406],
    ['application/xml, text/*;q=0.5', 406],
    ['application/json;q=0, */*', 406],
    ['application/json', 200],
    ['text/html, */*;q=0.1', 200],
    ['application/*', 200],
    ['APPLICATION/JSON', 200],
  ])('Accept: %s gets %i', async (accept, status) => {
    const { app } = build({ query: async () => viewOf() });
    expect((await send(app, 'GET', path, { headers: { accept } })).status).toBe(status);
  });

  it('refuses an unsupported Accept before it starts anything', async () => {
    const { app, started } = build();
    const headers = { accept: 'application/xml', 'idempotency-key': 'k' };
    expect((await send(app, 'POST', '/checkout', { body: {}, headers })).status).toBe(406);
    expect(started.size).toBe(0);
  });

  it('answers 500 without telling what went wrong', async () => {
    const { app } = build({ query: broken });
    const response = await send(app, 'GET', path);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('SQL is down');
  });

  it('takes everybody as operator without callers, but only under a loopback name', async () => {
    const app = createApp(fakeDeps({ settings: settings({ callers: undefined }) }));
    expect((await app.request('http://localhost:3000/products')).status).toBe(200);
    expect((await app.request('http://127.0.0.1:3000/products')).status).toBe(200);
    expect((await app.request('http://evil.example:3000/products')).status).toBe(403);
  });
});
