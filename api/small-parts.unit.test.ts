import { describe, expect, it } from 'vitest';
import { requireSafeAddress } from './http/bind-address.ts';
import { pause, within } from '../ports/bounded.ts';
import { isCountryCode } from '../domain/address.ts';
import { lazyStore } from '../compose/lazy-store.ts';
import { fingerprintOf, orderIdFor } from './orders/order-identity.ts';
import { parseWait } from './http/prefer.ts';
import { fakeStore } from './testing/fake-deps.ts';
import { continueTrace } from './http/traceparent.ts';
import type { Checkout } from '../domain/order.ts';
import type { Store } from '../ports/store.ts';

describe('Prefer', () => {
  it.each<[string | undefined, number | undefined]>([
    [undefined, undefined],
    ['', undefined],
    ['wait=10', 10],
    ['WAIT = 10', 10],
    ['wait="10"', 10],
    ['respond-async, wait=10', 10],
    ['foo="a, wait=3", wait=4', 4],
    ['foo="a\\", wait=3", wait=4', 4],
    ['wait=10; foo=bar', 10],
    ['return=minimal; foo="some parameter", wait=2', 2],
    ['wait=5, wait=9', 5],
    ['wait=100', 30],
    ['wait=99999999999999', undefined],
    ['wait=0', 0],
    ['wait', undefined],
    ['wait=', undefined],
    ['wait=1.5', undefined],
    ['wait=-1', undefined],
    ['waiting=5', undefined],
    ['x wait=5', undefined],
    ['"wait=5', undefined],
    [`wait=5, foo=${'x'.repeat(1_000)}`, undefined],
  ])('%j waits %j', (header, seconds) => {
    expect(parseWait(header)).toBe(seconds);
  });

  it('costs next to nothing however it is made', () => {
    const start = performance.now();
    for (const unit of ['"', ',', '\\"', 'a="', 'a;', ' =']) parseWait(unit.repeat(16_000 / unit.length));
    expect(performance.now() - start).toBeLessThan(50);
  });
});

describe('traceparent', () => {
  const valid = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  it('is continued when valid', () => {
    expect(continueTrace(valid)).toBe(valid);
    expect(continueTrace(`01${valid.slice(2)}-more`)).toBe(valid);
  });
  it.each([
    undefined,
    '',
    valid.toUpperCase(),
    `ff${valid.slice(2)}`,
    `${valid}-more`,
    valid.replace('4bf92f3577b34da6a3ce929d0e0e4736', '0'.repeat(32)),
    valid.replace('00f067aa0ba902b7', '0'.repeat(16)),
    valid.slice(1),
  ])('is made anew for %j', (header) => {
    const made = continueTrace(header);
    expect(made).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(made).not.toBe(continueTrace(header));
  });
});

describe('order identity', () => {
  it('is a UUID version 5 that never changes for a caller and key', () => {
    const id = orderIdFor({ callerId: 'shop-a', idempotencyKey: 'cart-1' });
    expect(id).toBe('4785870e-653e-5f8c-8fbc-2af83de6f1a2');
    expect(orderIdFor({ callerId: 'shop-b', idempotencyKey: 'cart-1' })).not.toBe(id);
    expect(orderIdFor({ callerId: 'shop-a","x', idempotencyKey: 'y' })).not.toBe(
      orderIdFor({ callerId: 'shop-a', idempotencyKey: 'x","y' }),
    );
  });
  it('fingerprints what a request means, not the order of its fields', () => {
    const a = { callerId: 'c', items: [{ productId: 'p', quantity: 1 }] } as unknown as Checkout;
    const b = { items: [{ quantity: 1, productId: 'p' }], callerId: 'c' } as unknown as Checkout;
    expect(fingerprintOf(a)).toBe(fingerprintOf(b));
    expect(fingerprintOf({ ...a, callerId: 'd' })).not.toBe(fingerprintOf(a));
  });
});

describe('country codes', () => {
  it('are the 249 assigned ones, each a region that Unicode knows', () => {
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('');
    const all = letters.flatMap((a) => letters.map((b) => a + b)).filter(isCountryCode);
    expect(all).toHaveLength(249);
    const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
    expect(all.filter((code) => names.of(code) === undefined)).toEqual([]);
  });
});

describe('the address to bind to', () => {
  it.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('%s needs no callers', (host) => {
    expect(() => requireSafeAddress({ host, hasCallers: false })).not.toThrow();
  });
  it.each(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example.com', ''])(
    '%s without callers is refused, with the fix',
    (host) => {
      expect(() => requireSafeAddress({ host, hasCallers: false })).toThrow(/Set API_CALLERS=/);
      expect(() => requireSafeAddress({ host, hasCallers: true })).not.toThrow();
    },
  );
});

describe('bounded calls', () => {
  it('answer in time with a result, an error or TookTooLong', async () => {
    await expect(within(50, 'x', async () => 1)).resolves.toBe(1);
    await expect(within(50, 'x', () => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
    await expect(within(20, 'the store', () => new Promise(() => {}))).rejects.toThrow(
      'the store did not answer within 20 ms',
    );
  });
  it('pauses end early when aborted', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 10);
    expect(await pause(5_000, stop.signal)).toBe(false);
    expect(await pause(5_000, stop.signal)).toBe(false);
    expect(await pause(1, new AbortController().signal)).toBe(true);
  });
});

describe('the lazily opened store', () => {
  it('is opened once at first use, and again after a failure', async () => {
    let openings = 0;
    const store = lazyStore(async () => {
      openings += 1;
      if (openings === 1) throw new Error('SQL is down');
      return { ...fakeStore().store, close: async () => {} } as Store;
    });
    expect(openings).toBe(0);
    await expect(store.read.products()).rejects.toThrow('SQL is down');
    expect(await Promise.all([store.read.products(), store.read.products()])).toEqual([[], []]);
    await store.ping();
    expect(openings).toBe(2);
    await store.close();
  });

  it('tells once that it is away, however often it is asked, and once that it is back', async () => {
    const told: string[] = [];
    let away = true;
    const store = lazyStore(
      async () => {
        if (away) throw new Error('SQL is down');
        return fakeStore().store as Store;
      },
      { onAway: (error) => told.push(String(error)), onBack: () => told.push('back') },
    );
    for (let asked = 0; asked < 3; asked += 1) await expect(store.ping()).rejects.toThrow('SQL is down');
    expect(told).toEqual(['Error: SQL is down']);
    away = false;
    await store.read.products();
    await store.read.products();
    expect(told).toEqual(['Error: SQL is down', 'back']);
  });
});
