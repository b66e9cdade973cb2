import { beforeEach, expect, it } from 'vitest';
import type { EmailTask } from '../domain/email-task.ts';
import { businessFailures, type FailureType } from '../domain/failures.ts';
import type { Money } from '../domain/money.ts';
import type { Delivery, HandlerResult } from '../ports/broker.ts';
import type { Mail, MailAnswer } from '../ports/mailer.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { startEmailConsumer } from './email-consumer.ts';
import { renderEmail } from './email-templates.ts';

const confirmation: EmailTask = {
  taskId: 'task-1',
  template: 'order-confirmation',
  to: 'ada@example.com',
  orderId: 'order-1',
  customerName: 'Ada <script>alert("x")</script>\nTotal paid: 0',
  items: [
    { productId: 'keyboard-mx', quantity: 2 },
    { productId: 'desk-mat', quantity: 1 },
  ],
  total: { amountMinor: 1_500, currency: 'JPY' },
};
const shipped: EmailTask = {
  ...confirmation,
  template: 'order-shipped',
  shipment: { carrier: 'USPS', service: 'Priority', trackingCode: '9400', labelUrl: 'https://label.example' },
};

let consumed: string;
let declared: string[];
let mails: Mail[];
let answer: MailAnswer;
let remembered: Set<string>;
let seenAnswers: boolean;
let handle: (delivery: Delivery) => Promise<HandlerResult>;
let metrics: ReturnType<typeof createMetrics>;

beforeEach(async () => {
  mails = [];
  declared = [];
  answer = { status: 'sent' };
  remembered = new Set();
  seenAnswers = true;
  metrics = createMetrics();
  await startEmailConsumer({
    broker: {
      declare: async ({ queues }) => void declared.push(...queues.map(({ name }) => name)),
      consume: async ({ queue, handler }) => {
        consumed = queue;
        handle = handler;
        return { close: async () => {} };
      },
    },
    mailer: {
      send: async (mail) => {
        mails.push(mail);
        return answer;
      },
    },
    seen: {
      seen: async ({ id }) => (seenAnswers ? (remembered.has(id) ? 'seen' : 'new') : 'unavailable'),
      remember: async ({ id }) => void (seenAnswers && remembered.add(id)),
    },
    logger: createLogger({ process: 'test', level: 'silent' }),
    metrics,
    pauseMs: 7,
    laterMs: [60, 300],
    clock: { nowUtc: () => '2026-01-03T00:00:00.000Z' },
  });
});

const delivery = (changes: Partial<Delivery> = {}): Delivery => ({
  messageId: 'task-1',
  type: 'email.order-confirmation.v1',
  body: confirmation,
  headers: {},
  redelivered: false,
  attempt: 1,
  exchange: '',
  routingKey: 'email-queue',
  signal: new AbortController().signal,
  queue: 'email-queue',
  content: Buffer.from(''),
  ...changes,
});

it('sends one mail for a task, however often it is delivered', async () => {
  expect(await handle(delivery())).toEqual({ status: 'done' });
  expect(await handle(delivery({ redelivered: true }))).toEqual({ status: 'done' });
  expect(consumed).toBe('email-queue');
  expect(mails.map(({ to, messageId }) => [to, messageId])).toEqual([['ada@example.com', 'task-1']]);
  const counted = (await metrics.messagesConsumed.get()).values.map(({ labels }) => labels.result);
  expect(counted).toEqual(['done', 'duplicate']);
});

it('sends without Redis as well', async () => {
  seenAnswers = false;
  expect(await handle(delivery())).toEqual({ status: 'done' });
  expect(mails.length).toBe(1);
});

it('pauses while the mail server is away and sends the mail afterwards', async () => {
  answer = { status: 'unavailable', reason: 'ECONNREFUSED' };
  expect(await handle(delivery())).toEqual({
    status: 'pause',
    ms: 7,
    reason: 'mail server away: ECONNREFUSED',
  });
  answer = { status: 'sent' };
  expect(await handle(delivery({ redelivered: true }))).toEqual({ status: 'done' });
  expect(mails.length).toBe(2);
});

it('lets the broker hold a mail that is not taken now, ever longer, until it is 24 h old', async () => {
  expect(declared).toEqual(['email-queue.delay.60ms', 'email-queue.delay.300ms']);
  answer = { status: 'later', reason: '451 greylisted' };
  const later = { reason: 'mail-later', error: '451 greylisted' };
  const sentAtUtc = '2026-01-02T12:00:00.000Z';
  expect(await handle(delivery({ sentAtUtc }))).toEqual({ status: 'retry', delayMs: 60, ...later });
  for (const attempt of [2, 3, 9]) {
    expect(await handle(delivery({ sentAtUtc, attempt }))).toEqual({
      status: 'retry',
      delayMs: 300,
      ...later,
    });
  }
  const expired = {
    status: 'dead-letter',
    reason: 'expired',
    error: 'not taken within 24 h: 451 greylisted',
  };
  expect(await handle(delivery({ sentAtUtc: '2026-01-02T00:00:00.000Z' }))).toEqual(expired);
  const headers = { 'x-first-failed-at': '2026-01-01T00:00:00.000Z' };
  expect(await handle(delivery({ headers, attempt: 40 }))).toEqual(expired);
  answer = { status: 'sent' };
  expect(await handle(delivery({ sentAtUtc, attempt: 3 }))).toEqual({ status: 'done' });
});

it('dead-letters a mail that the server refuses for good, and would try it again when replayed', async () => {
  answer = { status: 'refused', reason: '550 no such user' };
  const refused = { status: 'dead-letter', reason: 'mail-refused', error: '550 no such user' };
  expect(await handle(delivery())).toEqual(refused);
  expect(await handle(delivery())).toEqual(refused);
  expect(mails.length).toBe(2);
  expect((await metrics.messagesDeadLettered.get()).values).toMatchObject([
    { labels: { queue: 'email-queue', reason: 'mail-refused' }, value: 2 },
  ]);
});

it.each([
  ['invalid-json', 'Unexpected end', { body: undefined, parseError: 'Unexpected end of JSON input' }],
  ['unknown-type', 'came "email.order-confirmation.v2"', { type: 'email.order-confirmation.v2' }],
  ['unknown-type', 'came ""', { type: '' }],
  ['invalid-payload', 'total: expected money', { body: { ...confirmation, total: undefined } }],
  ['invalid-payload', 'template: expected that of', { body: shipped }],
  ['missing-id', 'expected a messageId', { messageId: '' }],
])('dead-letters what is no email task as %s: %s', async (reason, error, changes) => {
  expect(await handle(delivery(changes))).toEqual({
    status: 'dead-letter',
    reason,
    error: expect.stringContaining(error) as string,
  });
  expect(mails).toEqual([]);
});

it('writes the confirmation with items and total, and lets no customer write HTML or lines of ours', () => {
  const { subject, text, html } = renderEmail(confirmation);
  expect(subject).toBe('Your order is confirmed');
  expect(text.split('\n')).toEqual([
    'Hello Ada <script>alert("x")</script> Total paid: 0,',
    '',
    'thank you for your order. Your payment was received for:',
    '',
    '  - 2 x keyboard-mx',
    '  - 1 x desk-mat',
    '',
    'Total paid: 1500 JPY',
    '',
    'Your order number is order-1.',
    '',
  ]);
  expect(html).toContain('Hello Ada &lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; Total paid: 0,');
  expect(html).toContain('<li>2 x keyboard-mx</li>');
  expect(html).not.toContain('<script');
});

it('writes the shipping mail with carrier and tracking code', () => {
  const { subject, text, html } = renderEmail(shipped);
  expect(subject).toBe('Your order is on its way');
  expect(text).toContain('with USPS Priority');
  expect(text).toContain('Tracking code: 9400');
  expect(html).toContain('<p>Tracking code: 9400</p>');
});

it('tells a customer what becomes of the money, and when', () => {
  const { total: amount } = confirmation as { total: Money };
  const { text: ended } = renderEmail({
    ...confirmation,
    template: 'order-ended',
    canceled: true,
    back: amount,
    heldByBank: amount,
  });
  expect(ended).toMatch(/was canceled[^]*1500 JPY go back to the payment method[^]*5 to 10 business days/);
  expect(ended).toMatch(/Your bank holds 1500 JPY[^]*we refund to you/);
  const nothing = renderEmail({ ...confirmation, template: 'order-ended', canceled: false });
  expect([nothing.subject, nothing.text]).toEqual([
    'Your order cannot be delivered',
    expect.stringContaining('Nothing was charged.'),
  ]);
  const byHand = renderEmail({ ...confirmation, template: 'order-ended', canceled: true, chargeLeft: true });
  expect(byHand.text).toMatch(/taken a payment from you themselves, it does not go back by itself/);
  expect(byHand.text).not.toContain('Nothing was charged');
  const refund = renderEmail({ ...confirmation, template: 'money-refunded', amount });
  expect(refund.text).toMatch(/refunded 1500 JPY[^]*5 to 10 business days/);
});

it.each(Object.keys(businessFailures) as FailureType[])(
  'tells a customer why an order failed, in words for customers: %s',
  (failureType) => {
    const failed = { ...confirmation, template: 'order-ended', canceled: false } as const;
    const plain = renderEmail(failed).text.split('\n\n');
    const [why, ...more] = renderEmail({ ...failed, failureType })
      .text.split('\n\n')
      .filter((paragraph) => !plain.includes(paragraph));
    expect(more).toEqual([]);
    expect(why).toMatch(/^[A-Z][^]{10,}\.$/);
    expect(why).not.toMatch(/_|\b[a-z]+[A-Z]|undefined|Idempotency|operator|shop|catalog|Temporal|API/);
    expect(why).not.toContain(failureType);
  },
);
