import { expect, it } from 'vitest';
import { parseEmailTask } from './email-task.ts';

const confirmation = {
  taskId: 't',
  template: 'order-confirmation',
  to: 'ada@example.com',
  orderId: 'o',
  customerName: 'Ada',
  items: [{ productId: 'p', quantity: 2 }],
  total: { amountMinor: 149_900, currency: 'INR' },
};
const shipped = {
  ...confirmation,
  template: 'order-shipped',
  total: undefined,
  shipment: { carrier: 'USPS', service: 'Priority', trackingCode: '94', labelUrl: 'https://label' },
};

const ended = { ...confirmation, template: 'order-ended', canceled: true, back: confirmation.total };
const refunded = { ...confirmation, template: 'money-refunded', amount: confirmation.total };

it.each([
  ['a confirmation', confirmation],
  ['the end of an order', ended],
  ['a failed order', { ...ended, canceled: false, failureType: 'OutOfStock' }],
  ['a refund', refunded],
  ['a shipping mail without total', JSON.parse(JSON.stringify(shipped))],
])('takes %s', (_, payload: unknown) => {
  expect(parseEmailTask(payload)).toEqual({ ok: true, task: payload });
});

it.each([
  ['no object', [], 'the payload: expected an object, came a list'],
  ['null', null, 'the payload: expected an object, came null'],
  [
    'an unknown template',
    { ...confirmation, template: 'toString' },
    'template: expected order-confirmation or',
  ],
  ['no template', { ...confirmation, template: undefined }, 'came undefined'],
  ['an empty task id', { ...confirmation, taskId: ' ' }, 'taskId: expected a text'],
  ['a shipping that is no money', { ...confirmation, shipping: 5 }, 'shipping: expected money'],
  ['a number for a name', { ...confirmation, customerName: 1 }, 'customerName: expected a text'],
  [
    'an address with a line break',
    { ...confirmation, to: 'a@b.c\r\nBcc: x@y.z' },
    'to: expected one mail address',
  ],
  ['two addresses', { ...confirmation, to: 'a@b.c,d@e.f' }, 'to: expected one mail address'],
  ['no items', { ...confirmation, items: [] }, 'items: expected at least one item'],
  [
    'half an item',
    { ...confirmation, items: [{ productId: 'p', quantity: 1.5 }] },
    'items: expected productId',
  ],
  ['a confirmation without total', { ...confirmation, total: undefined }, 'total: expected money'],
  [
    'an unknown currency',
    { ...confirmation, total: { amountMinor: 1, currency: 'inr' } },
    'total: expected money',
  ],
  ['a broken total in a shipping mail', { ...shipped, total: { amountMinor: '1' } }, 'total: expected money'],
  ['an end that does not say how', { ...ended, canceled: undefined }, 'canceled: expected true or false'],
  ['an end with broken money', { ...ended, owed: { amountMinor: 1.5 } }, 'owed: expected money'],
  ['a failure that is no text', { ...ended, failureType: 1 }, 'failureType: expected a text'],
  ['a refund without amount', { ...refunded, amount: undefined }, 'amount: expected money'],
  ['a shipping mail without shipment', { ...shipped, shipment: {} }, 'shipment: expected carrier'],
])('refuses %s and says why', (_, payload: unknown, reason) => {
  expect(parseEmailTask(payload)).toEqual({ ok: false, reason: expect.stringContaining(reason) as string });
});

it('never repeats personal data in its reasons', () => {
  const answer = parseEmailTask({ ...confirmation, to: 'ada lovelace' });
  expect(answer).toEqual({ ok: false, reason: 'to: expected one mail address, came another text' });
});
