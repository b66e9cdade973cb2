import { describe, expect, it } from 'vitest';
import type { DomainEvent } from '../../../domain/events.ts';
import { businessFailures } from '../../../domain/failures.ts';
import type { OrderBooks } from '../../../domain/owed.ts';
import type { DisputeState, RefundState } from '../../../domain/refunds.ts';
import { fromTrail, readTrails, type TrailRow } from '../../../test/replay/order-trails.ts';
import { tellOrder } from './order-story.ts';

const golden = new URL('../../../test/replay/order-stories.txt', import.meta.url).pathname;

const noBooks: OrderBooks = { payments: [], refunds: [], disputes: [] };

const charge = (state: string, n = 1) => ({
  n,
  state,
  amount: { amountMinor: 149_900, currency: 'INR' as const },
});

const refund = (state: RefundState, amountMinor: number, second = 0) => ({
  refundId: `refund-${second}`,
  n: 1,
  state,
  amount: { amountMinor, currency: 'INR' as const },
  requestedAtUtc: `2026-01-02T12:00:0${second}.000Z`,
  settledAtUtc: `2026-01-02T12:00:0${second}.000Z`,
});

const dispute = (state: DisputeState, amountMinor: number) => ({
  disputeId: 'dp_1',
  n: 1,
  state,
  amount: { amountMinor, currency: 'INR' as const },
});

const row = (step: string, from: string, to: string, reason: string, causedBy?: string): TrailRow => ({
  actor: 'saga',
  step,
  from,
  to,
  reason,
  ...(causedBy ? { causedBy } : {}),
});

const told = (rows: TrailRow[], heldUntilUtc?: string, books: OrderBooks = noBooks) => {
  const trail = fromTrail({ rows, ...(heldUntilUtc ? { heldUntilUtc } : {}) });
  return tellOrder(trail.rows, books, trail.events);
};

const begun = [
  row('receive', '', 'received', 'checkout accepted'),
  row('inventory', 'received', 'inventory_reserved', 'all items reserved', 'order.created.v1'),
];
const paid = [...begun, row('payment', 'inventory_reserved', 'payment_processed', 'charged')];

describe('the story of an order', () => {
  const trails = Object.entries(readTrails());
  const stories = trails.map(([name, trail]) => {
    const { rows, events } = fromTrail(trail);
    const { story, next } = tellOrder(rows, trail.books, events);
    return [`# ${name}`, ...story, `Next: ${next}`].join('\n');
  });

  it('is the agreed one for every fate', async () => {
    await expect(`${stories.join('\n\n')}\n`).toMatchFileSnapshot(golden);
  });

  it('names no person, no address, and nothing of how this system is made', () => {
    const personal = /Asha|Rao|Residency|560025|Bengaluru|@|customer-1|UNDELIVERABLE|LABEL-REFUSED/;
    const ours = /Temporal|activity|workflow|EasyPost|_|\bHTTP\b|\b50\d\b/;
    for (const story of stories) {
      const [, ...sentences] = story.split('\n');
      for (const line of sentences) {
        expect(line).not.toMatch(personal);
        expect(line).not.toMatch(ours);
      }
    }
  });

  /* What shops and customers may not read of a reason is left out of its row before the story is told. */
  it.each(Object.keys(businessFailures))('says why an order failed, reason or not: %s', (failureType) => {
    const { rows, events } = fromTrail({
      rows: [...begun, row('closing', 'inventory_reserved', 'failed', '')],
    });
    const failed = { eventId: 'failed', eventType: 'order.failed.v1', payload: { failureType } };
    const { story } = tellOrder(rows, noBooks, [...events, failed as unknown as DomainEvent]);
    const end = story.find((line) => line.includes('closed without being delivered'));
    expect(end).toMatch(/without being delivered: [A-Z][^]{10,}\.$/);
    expect(end).not.toMatch(/_|\b[a-z]+[A-Z]|undefined|Idempotency|operator|catalog|Temporal|API/);
  });

  it('begins with what is known when there is nothing yet', () => {
    expect(tellOrder([], noBooks, [])).toEqual({ story: [], next: 'The order is being taken in.' });
  });

  it('says where an order on its path goes next', () => {
    expect(told(paid)).toMatchObject({
      story: [{}, {}, 'January 2, 2026 at 03:06 UTC: The payment went through.'],
      next: 'The warehouse gets the order next.',
    });
  });

  it('says until when the customer can mend a hold, as it was extended last', () => {
    const held = [
      ...begun,
      row('payment', 'inventory_reserved', 'payment_failed', 'Your card was declined.'),
    ];
    expect(told(held, '2026-01-02T12:00:00.000Z').next).toMatch(
      /another payment method until January 2, 2026 at 12:00 UTC; otherwise .* nothing is charged/,
    );
    const extended = row('payment', 'held', 'extended', 'until 2026-01-03T12:00:00.000Z: she calls her bank');
    const longer = told([...held, extended], '2026-01-02T12:00:00.000Z');
    expect(longer.next).toContain('until January 3, 2026 at 12:00 UTC');
    expect(longer.story).toContain(
      'January 2, 2026 at 03:07 UTC: There is more time to mend it: until January 3, 2026 at 12:00 UTC: she calls her bank.',
    );
    expect(longer.story).toContain('Nothing was charged so far.');
  });

  it('says what was refunded, how much of it, and what is left', () => {
    const { story } = told(
      [
        ...paid,
        row(
          'payment',
          'charged',
          'refund_requested',
          '500.00 INR, 999.00 INR of the charge are left: one key was stuck',
        ),
        row(
          'payment',
          'refund_requested',
          'refunded',
          '500.00 INR, 999.00 INR of the charge are left: one key was stuck',
        ),
        row('payment', 'charged', 'refunded', '999.00 INR, 0.00 INR of the charge are left: compensation'),
      ],
      undefined,
      { ...noBooks, payments: [charge('refunded')] },
    );
    expect(story.slice(3).map((line) => line.replace(/^.*UTC: /, ''))).toEqual([
      'A refund of 500.00 INR was asked for: one key was stuck.',
      '500.00 INR were refunded; 999.00 INR of the payment stay with us: one key was stuck.',
      '999.00 INR were refunded; nothing of the payment is left with us.',
    ]);
  });

  it('tells that somebody has acted by hand, and where', () => {
    const lastOf = (reason: string) => {
      const { story } = told([...paid, row('shipping', 'running', 'parked', reason)]);
      return story.find((line) => line.includes('by hand'));
    };
    expect(lastOf('FoundAtProvider: Somebody has bought a label of order 7 at the carrier. 2 …')).toMatch(
      /Somebody was found to have acted for the order at the carrier by hand, and our staff have to look at that first\.$/,
    );
    expect(lastOf('FoundAtProvider: Somebody has charged for order 7 at the payment provider.')).toMatch(
      /at the payment provider by hand/,
    );
  });

  it('tells of a parked step in plain words, and that nobody need do anything', () => {
    const failure = 'ProviderUnavailable: EasyPost answered 503 to POST /shipments';
    const { story, next } = told([
      ...paid,
      row('shipping', 'running', 'parked', failure, 'payment.processed.v1'),
    ]);
    expect(story.slice(3)).toEqual([
      'January 2, 2026 at 03:07 UTC: After the payment had gone through, a technical problem stopped the shipping label: the carrier could not be reached.',
      'The last step that succeeded: the payment went through.',
    ]);
    expect(next).toContain('the customer need not do anything');
  });

  it('tells what staff did about a parked step, and which request was refused and why', () => {
    const { story } = told([
      ...paid,
      row('shipping', 'resolve', 'refused', 'Reference shp_1 is not taken.'),
      { ...row('shipping', 'parked', 'running', 'retry-with (Priority): storm'), actor: 'ada' },
      { ...row('shipping', 'parked', 'running', 'mark-done (shp_1): printed by hand'), actor: 'ada' },
      { ...row('address', 'parked', 'running', 'skip: known address'), actor: 'ada' },
      row('shipping', 'cancel', 'refused', 'Shipping has started.'),
    ]);
    expect(story.slice(3).map((line) => line.replace(/^.*UTC: /, ''))).toEqual([
      'A request of our staff about the technical problem was refused: Reference is not taken.',
      'Our staff tried it with Priority and the order went on: storm.',
      'Our staff found that it had been done and the order went on: printed by hand.',
      'Our staff left it out and the order went on: known address.',
      'A request to cancel the order was refused: Shipping has started.',
    ]);
  });

  const lines = ({ story }: { story: string[] }) => story.map((line) => line.replace(/^.*UTC: /, ''));

  it('does not say that an address was accepted before it says that another one went first', () => {
    const act = 'shipping-address';
    const { story } = told([
      ...begun,
      row('payment', act, 'asked', 'moved'),
      row('payment', act, 'asked', 'moved again'),
      row('payment', act, 'overtaken', 'another act had gone first: moved'),
    ]);
    const text = story.join('\n');
    expect(text).toContain('Another address was asked for: moved again.');
    expect(text).not.toMatch(/another address was accepted|went from/i);
  });

  it('never says that a refused checkout was accepted', () => {
    const reason = 'The catalog has no unheard-of in INR.';
    const story = lines(
      told([row('receive', '', 'received', reason), row('receive', 'received', 'failed', reason)]),
    );
    expect(story).toEqual([
      'The order was placed, and could not be accepted: The catalog has no unheard-of in INR.',
      'The order was closed without being delivered.',
      'Nothing was charged.',
    ]);
  });

  it('says of which payment nothing was charged, when another one went through and is refunded', () => {
    const story = lines(
      told(
        [
          ...begun,
          row('payment', 'inventory_reserved', 'payment_failed', 'Your card was declined.'),
          row('payment', 'payment_failed', 'payment_failed', 'Your card was declined.'),
          row('payment', 'held', 'running', 'asked for by phone'),
          row('payment', 'payment_failed', 'payment_processed', 'charged'),
          row('fulfillment', 'cancel', 'compensating', 'changed her mind'),
          row('payment', 'declined', 'canceled', 'compensation'),
          row('payment', 'charged', 'refunded', '1499.00 INR, 0.00 INR of the charge are left: compensation'),
          row('fulfillment', 'payment_processed', 'cancelled', 'changed her mind'),
        ],
        undefined,
        {
          payments: [charge('canceled'), charge('refunded', 2)],
          refunds: [refund('refunded', 149_900)],
          disputes: [],
        },
      ),
    );
    expect(story.slice(2)).toEqual([
      'The payment did not go through: Your card was declined.',
      'Another payment method was given, and the order went on: asked for by phone.',
      'The payment of 1499.00 INR went through.',
      'A cancellation was accepted: changed her mind. Everything done so far is being taken back.',
      'An earlier payment, which had not gone through, was canceled; it charged nothing.',
      '1499.00 INR were refunded; nothing of the payment is left with us.',
      'The order was canceled.',
      'The last step that succeeded: the payment went through.',
      'The 1499.00 INR that were charged were refunded.',
    ]);
  });

  it('names the request that was refused and says why', () => {
    const story = lines(
      told([
        ...paid,
        row('payment', 'paymnt', 'refused', 'There is no signal of this name; there are cancel, payment.'),
        row(
          'payment',
          'extend',
          'refused',
          'untilUtc: expected a UTC time such as 2026-01-02T12:00:00.000Z.',
        ),
        row('payment', 'approve', 'refused', 'The order has ended (completed).'),
        row('shipping', 'compensate', 'refused: the label is bought', 'she called'),
      ]),
    );
    expect(story.slice(3)).toEqual([
      'A request by the unknown name “paymnt” was refused: there is no such request.',
      'A request for more time was refused: expected a UTC time such as January 2, 2026 at 12:00 UTC.',
      'A request to approve the order was refused: The order has ended (completed).',
      'Our staff wanted the order taken back; that was refused, since the shipping label is bought already: she called.',
    ]);
  });

  const refunded = row(
    'payment',
    'charged',
    'refunded',
    '1499.00 INR, 0.00 INR of the charge are left: goodwill',
  );

  it('says of a dispute after a full refund that the money was refunded before', () => {
    const disputed = (amount: string) =>
      row('payment', 'refunded', 'dispute_open', `dp_1, ${amount} INR, the bank says: not_received`);
    const books = { payments: [charge('refunded')], refunds: [refund('refunded', 149_900)], disputes: [] };
    const nothing = told([...paid, refunded, disputed('0.00')], undefined, {
      ...books,
      disputes: [dispute('open', 0)],
    });
    expect(lines(nothing).slice(-2)).toEqual([
      'The customer’s bank disputed the payment (not received) and takes nothing of it back; all of it had been refunded before.',
      'The 1499.00 INR that were charged were refunded.',
    ]);
    expect(nothing.next).not.toContain('holds');
    const twice = told([...paid, refunded, disputed('1499.00')], undefined, {
      ...books,
      disputes: [dispute('open', 149_900)],
    });
    expect(lines(twice).slice(-2)).toEqual([
      'The customer’s bank disputed the payment (not received) and holds 1499.00 INR until that is decided; all of it had been refunded before.',
      'Of the 1499.00 INR that were charged, 1499.00 INR were refunded; 1499.00 INR are held by the customer’s bank until it has decided; that is 1499.00 INR more than was charged.',
    ]);
  });

  it('says that a question of the bank was closed, not that a dispute was won', () => {
    const said = (from: string, to: string) =>
      row('payment', from, to, 'dp_1, 1499.00 INR, the bank says: fraudulent');
    const story = lines(
      told([...paid, said('charged', 'dispute_inquiry'), said('dispute_inquiry', 'dispute_won')]),
    );
    expect(story.slice(3)).toEqual([
      'The customer’s bank asked about the payment (fraudulent).',
      'The customer’s bank has closed its question about the payment and took nothing back.',
    ]);
  });

  it('says what an order that was held and is paying again does next', () => {
    const again = [
      ...begun,
      row('payment', 'inventory_reserved', 'payment_failed', 'Your card was declined.'),
      row('payment', 'held', 'running', 'asked for by phone'),
    ];
    expect(told(again).next).toBe('The payment is being tried again.');
    const corrected = [
      ...paid,
      row('shipping', 'payment_processed', 'address_rejected', 'Address not found'),
      row('shipping', 'held', 'running', 'asked for by phone'),
    ];
    expect(told(corrected).next).toBe('The address is checked again and the shipping label bought next.');
  });

  it('says what is still owed after a refund has failed, until it is refunded again', () => {
    const part = '500.00 INR, 999.00 INR of the charge are left: one key was stuck';
    const failed = [
      ...paid,
      row('completion', 'shipment_generated', 'completed', 'shipped'),
      row('payment', 'charged', 'refunded', part),
      row(
        'payment',
        'refunded',
        'refund_failed',
        '500.00 INR did not go back (The account is closed.); 1499.00 INR of the charge are left: one key was stuck',
      ),
    ];
    const books = { payments: [charge('charged')], refunds: [refund('failed', 50_000, 1)], disputes: [] };
    const owing = told(failed, undefined, books);
    expect(lines(owing).slice(4)).toEqual([
      '500.00 INR were refunded; 999.00 INR of the payment stay with us: one key was stuck.',
      'A refund of 500.00 INR came back and is not with the customer: The account is closed.',
      'Of the 1499.00 INR that were charged, 500.00 INR are still owed to the customer; 999.00 INR stay with us.',
    ]);
    expect(owing.next).toBe(
      'The order is complete. 500.00 INR are still owed to the customer: our staff ask the customer where the money can go, and refund it there.',
    );
    const again = told([...failed, row('payment', 'charged', 'refunded', part)], undefined, {
      ...books,
      refunds: [...books.refunds, refund('refunded', 50_000, 2)],
    });
    expect(again.next).toBe('Nothing more: the order is complete.');
    const ended = told(
      [...paid, row('fulfillment', 'payment_processed', 'cancelled', 'changed her mind')],
      undefined,
      { ...books, refunds: [refund('failed', 149_900)] },
    );
    expect(ended.next).toMatch(/^The order has ended\. 1499\.00 INR are still owed to the customer: /);
  });

  it('says what a bank holds of an order that was taken back, and that what it gives back is refunded', () => {
    const rows = [
      ...paid,
      row('payment', 'charged', 'dispute_open', 'dp_1, 1499.00 INR, the bank says: fraudulent'),
      row('fulfillment', 'cancel', 'compensating', 'changed her mind'),
      row(
        'payment',
        'charged',
        'refund_owed',
        '1499.00 INR are owed until dispute dp_1 is over: compensation',
      ),
      row('fulfillment', 'payment_processed', 'cancelled', 'changed her mind'),
    ];
    const books = {
      payments: [charge('charged')],
      refunds: [refund('owed', 149_900)],
      disputes: [{ ...dispute('open', 149_900), dueByUtc: '2026-01-20T12:00:00.000Z' }],
    };
    const waiting = told(rows, undefined, books);
    expect(lines(waiting).slice(5)).toEqual([
      '1499.00 INR are owed to the customer as soon as the bank has decided.',
      'The order was canceled.',
      'The last step that succeeded: the payment went through.',
      'The 1499.00 INR that were charged are held by the customer’s bank until it has decided.',
    ]);
    expect(waiting.next).toBe(
      'The order has ended. The customer’s bank decides about the 1499.00 INR that it holds; what it gives back is refunded to the customer. Our staff can answer it until January 20, 2026 at 12:00 UTC. Whoever wants the goods after all orders them again.',
    );
    const won = row('payment', 'dispute_open', 'dispute_won', 'dp_1, 1499.00 INR, the bank says: fraudulent');
    const settling = told([...rows, won], undefined, { ...books, disputes: [dispute('won', 149_900)] });
    expect(settling.next).toMatch(/1499\.00 INR are still owed to the customer and go back by themselves\./);
    const back = '1499.00 INR, 0.00 INR of the charge are left: compensation';
    const done = told([...rows, won, row('payment', 'refund_owed', 'refunded', back)], undefined, {
      payments: [charge('refunded')],
      refunds: [refund('refunded', 149_900)],
      disputes: [dispute('won', 149_900)],
    });
    expect(lines(done).slice(-3)).toEqual([
      '1499.00 INR were refunded; nothing of the payment is left with us.',
      'The last step that succeeded: the payment went through.',
      'The 1499.00 INR that were charged were refunded.',
    ]);
    expect(done.next).toMatch(/^Nothing more: the order has ended\./);
  });

  it('tells of a charge that nobody had heard of when it is given back', () => {
    const rows = [
      ...begun,
      row('payment', 'running', 'parked', 'OutcomeUnknown: confirm'),
      row('payment', 'cancel', 'compensating', 'changed her mind'),
      row('payment', 'charged', 'refunded', '1499.00 INR, 0.00 INR of the charge are left: compensation'),
    ];
    const parked = told(rows.slice(0, 3));
    expect(parked.story.at(-1)).toBe('It is not known yet whether the payment was charged.');
    const books = { payments: [charge('refunded')], refunds: [refund('refunded', 149_900)], disputes: [] };
    expect(lines(told(rows, undefined, books)).slice(4)).toEqual([
      'The payment of 1499.00 INR had gone through after all; 1499.00 INR were refunded; nothing of the payment is left with us.',
      'The last step that succeeded: the goods were set aside.',
      'The 1499.00 INR that were charged were refunded.',
    ]);
  });

  it('does not count what a bank holds as left with us', () => {
    const story = lines(
      told(
        [
          ...paid,
          row('payment', 'charged', 'dispute_open', 'dp_1, 500.00 INR, the bank says: fraudulent'),
          row('payment', 'charged', 'refunded', '999.00 INR, 500.00 INR of the charge are left: goodwill'),
        ],
        undefined,
        {
          payments: [charge('charged')],
          refunds: [refund('refunded', 99_900)],
          disputes: [dispute('open', 50_000)],
        },
      ),
    );
    expect(story.at(-2)).toBe('999.00 INR were refunded; nothing of the payment is left with us: goodwill.');
  });

  it('does not take a shipment that was given up for a refused request', () => {
    expect(lines(told([...paid, row('shipping', 'created', 'refused', 'compensation')])).at(-1)).toBe(
      'No shipping label had been bought, and none will be.',
    );
  });

  it('does not say that a lost order was tried again and again', () => {
    const gone = 'Temporal closed run 1 (terminated) while the order was open; nothing was taken back';
    const lost = { ...row('shipping', 'running', 'parked', gone), actor: 'sweep' };
    expect(lines(told([...paid, lost]))[3]).toBe(
      'A technical problem stopped the order: what moves it was lost, and our staff have to start it again.',
    );
  });

  it('says that our records are behind, and does not send anybody to start such an order again', () => {
    const behind = 'SQL is behind: run 1 (COMPLETED) had come to completed, SQL only to payment_processed';
    const rows = [
      { ...row('shipping', 'running', 'parked', behind), actor: 'sweep' },
      { ...row('shipping', 'case', 'noted', 'the backup was put back'), actor: 'ana' },
      { ...row('refund', 'refund without a run', 'begun again', 'the run had closed'), actor: 'sweep' },
    ];
    expect(lines(told([...paid, ...rows])).slice(3, 6)).toEqual([
      'Our records of the order are behind what was done for it, and our staff have to mend them first.',
      'Our staff took note that our records of the order are behind: the backup was put back.',
      'The refund had been stopped by mistake and goes on.',
    ]);
  });

  it('tells two refunds of the same amount as two', () => {
    const part = (left: string) =>
      row('payment', 'charged', 'refund_requested', `5.00 INR, ${left} INR of the charge are left: late`);
    expect(lines(told([...paid, part('1494.00'), part('1489.00')])).slice(3)).toHaveLength(2);
  });

  it('leaves no quotes behind where it leaves out an id', () => {
    const unknown = "No such PaymentMethod: 'pm_gone'. It may have been detached.";
    const rows = [...begun, row('payment', 'inventory_reserved', 'payment_failed', unknown)];
    expect(lines(told(rows))[2]).toBe('The payment did not go through: No such PaymentMethod.');
  });

  it('leaves nothing out that it has no words for', () => {
    expect(told([...paid, row('shipping', 'label', 'reprinted', 'smudged')]).story.at(-1)).toBe(
      'January 2, 2026 at 03:07 UTC: The shipping label went from label to reprinted: smudged.',
    );
  });
});

describe('money that moved where nobody expected it', () => {
  const plain = (story: readonly string[]) => story.map((line) => line.replace(/^.*UTC: /, ''));
  const declinedRow = row('payment', 'inventory_reserved', 'payment_failed', 'Your card was declined.');
  const atDesk = (to: string, amounts: string) =>
    row('payment', 'charged', to, `${amounts} of the charge are left: Refunded at the payment provider`);
  const late = row(
    'payment',
    'declined',
    'charged_late',
    'pi_1 was charged when the order was failed: it goes back',
  );
  const back = row(
    'payment',
    'charged',
    'refunded',
    '1499.00 INR, 0.00 INR of the charge are left: compensation',
  );

  it('tells of a payment that came too late, and that it goes back', () => {
    const books = { ...noBooks, payments: [charge('refunded')], refunds: [refund('refunded', 149_900)] };
    expect(plain(told([...begun, declinedRow, late, back], undefined, books).story).slice(3, 5)).toEqual([
      'The payment of 1499.00 INR had gone through after all; it goes back to the customer.',
      '1499.00 INR were refunded; nothing of the payment is left with us.',
    ]);
  });

  it('tells of a second payment as another one', () => {
    const books = {
      ...noBooks,
      payments: [charge('refunded'), charge('charged', 2)],
      refunds: [refund('refunded', 149_900)],
    };
    const { story } = told([...paid, late, back], undefined, books);
    expect(plain(story).slice(2)).toEqual([
      'The payment of 1499.00 INR went through.',
      'Another payment of 1499.00 INR had gone through as well; it goes back to the customer.',
      '1499.00 INR were refunded; 1499.00 INR of the payment stay with us.',
      'Of the 2998.00 INR that were charged, 1499.00 INR were refunded; 1499.00 INR stay with us.',
    ]);
  });

  it('does not count what is charged only afterwards', () => {
    const books = {
      ...noBooks,
      payments: [charge('refunded'), charge('charged', 2)],
      refunds: [refund('refunded', 149_900)],
    };
    const { story } = told(
      [
        ...begun,
        declinedRow,
        atDesk('refunded', '1499.00 INR, 0.00 INR'),
        row('payment', 'held', 'running', 'New card'),
        row('payment', 'payment_failed', 'payment_processed', 'charged'),
      ],
      undefined,
      books,
    );
    expect(plain(story)[3]).toBe(
      'The payment of 1499.00 INR had gone through after all; 1499.00 INR were refunded; nothing of the payment is left with us: Refunded at the payment provider.',
    );
    expect(plain(story)[5]).toBe('The payment of 1499.00 INR went through.');
  });

  it('says once that a payment went through, also where its dispute was known first', () => {
    const books = { ...noBooks, payments: [charge('charged')], disputes: [dispute('open', 149_900)] };
    const { story } = told(
      [
        ...begun,
        declinedRow,
        row('payment', 'charged', 'dispute_open', 'dp_1, 1499.00 INR, the bank says: fraudulent'),
        row('payment', 'payment_failed', 'payment_processed', 'charged: the customer has paid after all'),
      ],
      undefined,
      books,
    );
    expect(plain(story).slice(3, 5)).toEqual([
      'The payment of 1499.00 INR had gone through after all; the customer’s bank disputed the payment (fraudulent) and holds 1499.00 INR until that is decided.',
      'The order took the payment that had gone through.',
    ]);
  });

  it('keeps what was refunded apart from what was paid in another way', () => {
    const books = {
      ...noBooks,
      payments: [charge('refunded')],
      refunds: [
        refund('failed', 149_900),
        refund('paid_otherwise', 50_000, 1),
        refund('refunded', 99_900, 2),
      ],
    };
    const ended = [...paid, row('payment', 'payment_processed', 'cancelled', 'Ordered twice')];
    expect(told(ended, undefined, books).story.at(-1)).toBe(
      'Of the 1499.00 INR that were charged, 999.00 INR were refunded; 500.00 INR were paid to the customer in another way.',
    );
  });

  it('promises no shipping for a better address when the payment went back', () => {
    const books = { ...noBooks, payments: [charge('refunded')], refunds: [refund('refunded', 149_900)] };
    const held = [
      ...paid,
      row('shipping', 'payment_processed', 'address_rejected', 'Unknown street.'),
      atDesk('refunded', '1499.00 INR, 0.00 INR'),
    ];
    expect(told(held, '2026-01-02T12:00:00.000Z', books).next).toBe(
      'The order does not ship, whatever its address, since nothing of its payment is left with us: it can be canceled; otherwise the order is taken back, at the latest on January 2, 2026 at 12:00 UTC.',
    );
  });

  it('says what is still owed while the bank holds all of the payment', () => {
    const completed = [...paid, row('completion', 'shipment_generated', 'completed', 'shipped')];
    const books = {
      ...noBooks,
      payments: [charge('charged')],
      refunds: [refund('failed', 20_000)],
      disputes: [dispute('open', 149_900)],
    };
    expect(told(completed, undefined, books).next).toBe(
      'The order is complete. The customer’s bank decides about the 1499.00 INR that it holds; of what it gives back, 200.00 INR are still owed to the customer.',
    );
  });
});

it('tells the seconds of what falls into one minute, and no others', () => {
  const { rows } = fromTrail({
    rows: [
      row('receive', '', 'received', ''),
      row('inventory', 'received', 'inventory_reserved', ''),
      row('payment', 'inventory_reserved', 'payment_processed', ''),
    ],
  });
  const at = ['2026-01-02T03:04:05.678Z', '2026-01-02T03:04:59.000Z', '2026-01-02T03:05:00.000Z'];
  const moved = rows.map((one, index) => ({ ...one, occurredAtUtc: at[index] ?? '' }));
  expect(
    tellOrder(moved, noBooks, [])
      .story.slice(0, 3)
      .map((line) => line.split(' UTC')[0]),
  ).toEqual(['January 2, 2026 at 03:04:05', 'January 2, 2026 at 03:04:59', 'January 2, 2026 at 03:05']);
});
