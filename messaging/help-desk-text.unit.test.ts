import { expect, it } from 'vitest';
import { parseEmailTask } from '../domain/email-task.ts';
import { exampleOf } from './contracts/event-contract.ts';
import { eventContracts } from './contracts/event-contracts.ts';
import { renderEmail } from './email-templates.ts';
import { helpDeskText, type WaitingOrder } from './help-desk-text.ts';

const eventOf = (type: WaitingOrder['eventType'], details: object = {}): WaitingOrder => {
  const event = exampleOf(type, eventContracts[type]) as WaitingOrder;
  return { ...event, payload: { ...event.payload, orderId: 'order-1', ...details } } as WaitingOrder;
};
const api = 'https://api.example/';

it.each([
  ['payment_failed', /-X POST 'https:\/\/api\.example\/orders\/order-1\/payment'/],
  ['payment_action_required', /authenticate.*-X POST 'https:\/\/api\.example\/orders\/order-1\/payment'/],
  ['address_rejected', /-X PUT 'https:\/\/api\.example\/orders\/order-1\/shipping-address'/],
])('says what happened, until when and how to mend a hold: %s', (status, command) => {
  const untilUtc = '2026-01-03T03:04:05.678Z';
  const { subject, lines } = helpDeskText(eventOf('order.held.v1', { status, reason: 'why', untilUtc }), api);
  expect(subject).toBe(`Order order-1 waits for you until ${untilUtc}: ${status}`);
  const text = lines.join('\n');
  expect(text).toContain('why');
  expect(text).toContain(`Until ${untilUtc}`);
  expect(text).toMatch(command);
  expect(text).toContain('https://api.example/orders/order-1/why');
  expect(text).toMatch(/needs longer: .*-X POST 'https:\/\/api\.example\/orders\/order-1\/extend'.*untilUtc/);
});

it('asks for approval and says how to give it', () => {
  const untilUtc = '2026-01-03T03:04:05.678Z';
  const { subject, lines } = helpDeskText(
    eventOf('order.approval_requested.v1', { reason: 'above 5000.00 USD', untilUtc }),
    api,
  );
  expect(subject).toBe(`Order order-1 waits for you until ${untilUtc}: awaiting_approval`);
  expect(lines.join('\n')).toMatch(
    /above 5000\.00 USD[^]*-X POST 'https:\/\/api\.example\/orders\/order-1\/approve'/,
  );
});

it('says that a disputed order is not shipped, and what decides', () => {
  const untilUtc = '2026-01-09T03:04:05.678Z';
  const { subject, lines } = helpDeskText(
    eventOf('order.shipping_suspended.v1', { reason: 'Dispute du_1 is open', untilUtc }),
    api,
  );
  expect(subject).toBe(`Order order-1 waits for you until ${untilUtc}: payment_disputed`);
  expect(lines.join('\n')).toMatch(
    /du_1[^]*Answer the dispute at the payment provider[^]*-X POST 'https:\/\/api\.example\/orders\/order-1\/cancel'/,
  );
});

it('reminds of a hold with since when it waits and the same act', () => {
  const event = eventOf('order.hold_reminded.v1', { status: 'address_rejected' });
  const { subject, lines } = helpDeskText(event, api);
  expect(subject).toMatch(/^Reminder: order order-1 waits for you until .*: address_rejected$/);
  expect(lines[0]).toMatch(/waited since 2026-01-02T03:04:05.678Z/);
  expect(lines.join('\n')).toMatch(/-X PUT 'https:\/\/api\.example\/orders\/order-1\/shipping-address'/);
  const later = eventOf('order.hold_reminded.v1', { status: 'from_a_later_version' });
  expect(helpDeskText(later, api).lines.join('\n')).toContain(
    'What mends it is told at https://api.example/orders/order-1.',
  );
});

it('says which step is parked, why, and how to try again', () => {
  const { subject, lines } = helpDeskText(eventOf('order.parked.v1', { failure: '503' }), api);
  expect(subject).toBe('Order order-1 is parked at shipping');
  expect(lines.join('\n')).toMatch(
    /503[^]*-X POST 'https:\/\/api\.example\/orders\/order-1\/resolve'.*"action":"retry"/,
  );
});

it('tells of a lost run with both ways on', () => {
  const event = eventOf('order.parked.v1', {
    activity: 'run',
    failure: 'Temporal closed run r (TERMINATED)',
  });
  const { subject, lines } = helpDeskText(event, api);
  expect(subject).toBe('Order order-1 has lost its run');
  expect(lines.join('\n')).toMatch(
    /TERMINATED[^]*'https:\/\/api\.example\/cases\/order-1\/restart'[^]*\/cases\/order-1\/compensate'[^]*\/orders\/order-1\/why/,
  );
});

it('tells of a refund that came back and how to refund again', () => {
  const failed = eventOf('refund.failed.v1', { amount: 5, currency: 'INR', reason: 'lost_or_stolen_card' });
  const { subject, lines } = helpDeskText(failed, api);
  expect(subject).toBe('A refund of order order-1 did not arrive: 5 INR');
  expect(lines.join('\n')).toMatch(
    /lost_or_stolen_card[^]*-X POST 'https:\/\/api\.example\/orders\/order-1\/refunds'.*Idempotency-Key: …/,
  );
});

it('says that a customer does not have the money only where it is owed', () => {
  const text = (details: object) =>
    helpDeskText(eventOf('refund.failed.v1', { amount: 5, currency: 'INR', ...details }), api).lines.join(
      '\n',
    );
  expect(text({ owed: 3 })).toMatch(/3 INR are owed to the customer\. Ask them[^]*To refund/);
  expect(text({ owed: 0 })).toMatch(/Nothing is owed/);
  expect(text({ owed: 0 })).not.toMatch(/refund again|does not have/);
  const earlier = text({ owed: undefined });
  expect(earlier).toMatch(/What is owed to the customer now is told by the order[^]*\/why/);
  expect(earlier).not.toMatch(/undefined|does not have/);
});

it('never says that a bank has taken back nothing, and tells of what was refunded before', () => {
  const disputed = (details: object) =>
    helpDeskText(eventOf('payment.disputed.v1', { currency: 'INR', refundable: false, ...details }), api);
  const nothing = disputed({ disputedAmount: 0, refundedAmount: 5 });
  expect(nothing.subject).toBe('The charge of order order-1 is disputed, and was refunded before');
  const text = nothing.lines.join('\n');
  expect(text).toMatch(
    /disputes the charge, and takes nothing back[^]*5 INR of the charge had been refunded/,
  );
  expect(text).not.toMatch(/taken back 0|not refunded meanwhile/);
  const part = disputed({ disputedAmount: 3, refundedAmount: 2 }).lines.join('\n');
  expect(part).toMatch(
    /has taken back 3 INR[^]*2 INR of the charge had been refunded[^]*not refunded meanwhile/,
  );
  const closed = (details: object) =>
    helpDeskText(eventOf('dispute.closed.v1', { currency: 'INR', ...details }), api);
  expect(closed({ outcome: 'won', inquiry: true }).lines[0]).toMatch(/is closed; nothing was taken back/);
  expect(closed({ outcome: 'lost', refundedAmount: 2 }).lines.join('\n')).toMatch(
    /has the money; 2 INR had been refunded before/,
  );
});

it('tells of a debt that waits for the bank, and until when the bank can be answered', () => {
  const owed = { amount: 5, currency: 'INR', disputeId: 'dp_1', respondByUtc: '2026-01-09T03:04:05.000Z' };
  const { subject, lines } = helpDeskText(eventOf('refund.owed.v1', owed), api);
  expect(subject).toBe('Order order-1 was taken back and owes its customer 5 INR');
  expect(lines.join('\n')).toMatch(/holds the charge \(dp_1\)[^]*until 2026-01-09T03:04:05.000Z/);
  const unknown = helpDeskText(
    eventOf('refund.owed.v1', { ...owed, disputeId: null, respondByUtc: null }),
    api,
  );
  expect(unknown.lines.join('\n')).not.toMatch(/null|undefined/);
});

it('tells of a dispute, of an inquiry and of the end, with what it means for refunds', () => {
  const text = (type: WaitingOrder['eventType'], details: object) =>
    helpDeskText(eventOf(type, details), api).lines.join('\n');
  expect(text('payment.disputed.v1', { refundable: false })).toMatch(
    /taken back[^]*is not refunded meanwhile/,
  );
  const inquiry = (moneyAct: string | undefined) =>
    text('payment.disputed.v1', { refundable: true, moneyAct });
  expect(inquiry(undefined)).toMatch(/asks about[^]*inquiry[^]*or refund/);
  expect(inquiry('refund')).toMatch(/asks about[^]*inquiry[^]*To refund: curl[^]*\/refunds'/);
  expect(inquiry('cancel')).toMatch(/has not shipped[^]*\/cancel'/);
  expect(inquiry('cancel')).not.toMatch(/\/refunds'/);
  expect(inquiry('of a later version')).toMatch(/What can be done is told at/);
  expect(text('dispute.closed.v1', { outcome: 'lost' })).toMatch(/is lost[^]*refunding it again is refused/);
  const won = (moneyAct: string | undefined) => text('dispute.closed.v1', { outcome: 'won', moneyAct });
  expect(won(undefined)).toMatch(/is won[^]*can be refunded/);
  expect(won('refund')).toMatch(/is won[^]*To refund: curl/);
  expect(won('return')).toMatch(/is won[^]*once its label is bought/);
});

it('is a mail of lines that nobody’s error can add to', () => {
  const text = helpDeskText(eventOf('order.parked.v1', { failure: 'one\nSubject: two <b>' }), api);
  const task = { taskId: 't', template: 'help-desk', to: 'desk@shop.example', orderId: 'order-1', ...text };
  const parsed = parseEmailTask(task);
  if (!parsed.ok) throw new Error(parsed.reason);
  const mail = renderEmail(parsed.task);
  expect(mail.text.split('\n')).not.toContainEqual(expect.stringMatching(/^Subject/));
  expect(mail.html).toContain('two &lt;b&gt;');
  expect(parseEmailTask({ ...task, lines: [] })).toEqual({
    ok: false,
    reason: 'lines: expected at least one text, came a list',
  });
});
