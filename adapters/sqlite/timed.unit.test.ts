import { expect, it } from 'vitest';
import { timed } from './timed.ts';

it('tells the time of each method by family and member, also when it throws', () => {
  const times: [string, number][] = [];
  const methods = {
    find: (id: string) => id.length,
    fail(): void {
      throw new Error('no');
    },
  };
  const orders = timed('orders', methods, (...time) => times.push(time));
  expect(orders.find('abc')).toBe(3);
  expect(() => orders.fail()).toThrow('no');
  expect(times.map(([name]) => name)).toEqual(['orders.find', 'orders.fail']);
  expect(times.every(([, seconds]) => seconds >= 0 && seconds < 1)).toBe(true);
  expect(timed('orders', methods, undefined)).toBe(methods);
});
