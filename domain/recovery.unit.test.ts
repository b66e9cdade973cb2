import { expect, it } from 'vitest';
import type { OrderStatus } from './order.ts';
import { isStoreBehind } from './recovery.ts';

const cases: [OrderStatus, string | undefined, OrderStatus | undefined, boolean][] = [
  ['payment_processed', 'TERMINATED', 'payment_processed', false],
  ['payment_processed', 'TERMINATED', 'inventory_reserved', false],
  ['payment_processed', 'TERMINATED', 'shipment_generated', true],
  ['received', 'TIMED_OUT', 'inventory_reserved', true],
  ['payment_processed', 'FAILED', undefined, false],
  ['payment_processed', 'COMPLETED', 'completed', true],
  ['payment_processed', 'CANCELED', 'cancelled', true],
  ['payment_failed', 'TERMINATED', 'inventory_reserved', false],
  ['inventory_reserved', 'TERMINATED', 'payment_failed', false],
  ['received', undefined, 'inventory_reserved', false],
];

it.each(cases)('SQL at %s and a run %s at %s: behind is %s', (status, closedAs, orderStatus, behind) => {
  expect(isStoreBehind(status, { closedAs, orderStatus })).toBe(behind);
});
