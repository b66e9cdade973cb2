import { describe, expect, test } from 'vitest';
import type { OrderBooks } from './books.ts';
import { orderViolations } from './check-invariants.ts';
import { goodBooks, lines, write, type Line } from './written-books.ts';

type Doctoring = [what: string, doctor: (books: OrderBooks) => void, found: RegExp];

const first = <Item>(list: readonly Item[]): Item => {
  if (list[0] === undefined) throw new Error('expected an entry');
  return list[0];
};

const reminded: Line = ['payment', 'held', 'reminded', 'order.hold_reminded.v1'];

/** Writes another trail over the same books; the outbox list follows. */
const rewrite = (books: OrderBooks, told: readonly Line[]): void => {
  Object.assign(books, write(told));
  books.ledger.eventTypes = books.events.map(({ eventType }) => eventType);
};

const eventsSwapped = (told: readonly Line[], a: number, b: number): Line[] =>
  told.map((line, index) => told[index === a ? b : index === b ? a : index] ?? line);

const refundOf = (amount: number) => ({
  refund: 're_9',
  intent: 'pi_1',
  amount,
  currency: 'inr',
  status: 'succeeded',
});

/** An operator has given back a part after the end. */
function refundByHand(books: OrderBooks, amountMinor: number): void {
  const at = '2026-01-02T03:04:05.678Z';
  books.ledger.refunds.push({
    orderId: books.ledger.orderId,
    refundId: 'by-hand',
    n: 1,
    state: 'refunded',
    amount: { amountMinor, currency: 'INR' },
    reason: 'one key was stuck',
    actor: 'help-desk',
    requestedAtUtc: at,
    settledAtUtc: at,
    providerRefundId: 're_9',
    fingerprint: 'f',
    keyNumber: 1,
  });
  books.provider.refunded.push(refundOf(amountMinor));
  rewrite(books, [
    ...lines.completed,
    ['payment', 'charged', 'refund_requested'],
    ['payment', 'refund_requested', 'refunded', 'payment.refunded.v1'],
  ]);
  Object.assign(books.events.at(-1)?.payload ?? {}, { refundId: 're_9' });
}

function disputed(books: OrderBooks, state: 'open' | 'lost'): void {
  const { ledger, provider } = books;
  const at = '2026-01-02T03:04:05.678Z';
  const amount = { amountMinor: 1_499_800, currency: 'INR' } as const;
  const dispute = { disputeId: 'dp_1', n: 1, state, amount, reason: 'fraudulent' };
  ledger.disputes.push({ orderId: ledger.orderId, ...dispute, openedAtUtc: at, updatedAtUtc: at });
  provider.disputes.push({ dispute: 'dp_1', intent: 'pi_1', amount: 1_499_800, status: state });
  rewrite(books, [
    ...lines.completed,
    ['payment', 'charged', 'dispute_open', 'payment.disputed.v1'],
    ...(state === 'lost' ? [['payment', 'dispute_open', 'dispute_lost', 'dispute.closed.v1'] as Line] : []),
  ]);
}

const completed: Doctoring[] = [
  [
    'an act that is still to have its effect',
    ({ acts }) => Object.assign(first(acts), { state: 'accepted' }),
    /an accepted act without effect: shipping-address act-1 of an order that is completed/,
  ],
  [
    'a second charge',
    ({ provider }) => provider.charged.push({ ...first(provider.charged), intent: 'pi_2' }),
    /charged twice after the end.*charged 2 times.*\n.*a charge that no row knows: pi_2/s,
  ],
  [
    'a charge by hand of which a part was given back',
    ({ provider }) => {
      provider.charged.push({ ...first(provider.charged), intent: 'pi_2' });
      const { amount, currency } = first(provider.charged);
      const back = { refund: 're_2', intent: 'pi_2', amount: amount - 1, currency, status: 'succeeded' };
      provider.refunded.push(back);
    },
    /a charge that no row knows: pi_2/,
  ],
  [
    'a second charge that SQL knows',
    ({ ledger, provider }) => {
      ledger.payments.push({ ...first(ledger.payments), n: 2, intentId: 'pi_2' });
      provider.charged.push({ ...first(provider.charged), intent: 'pi_2' });
    },
    /charged twice after the end: .*charged 2 times/,
  ],
  ['no charge', ({ provider }) => provider.charged.pop(), /it is charged 0 times/],
  [
    'another amount',
    ({ provider }) => Object.assign(first(provider.charged), { amount: 1 }),
    /it is charged 1 times, 1 in all/,
  ],
  [
    'another currency',
    ({ provider }) => Object.assign(first(provider.charged), { currency: 'usd' }),
    /is charged 1499800 inr once; it is charged/,
  ],
  [
    'a refund that SQL does not know',
    ({ provider }) => provider.refunded.push(refundOf(5)),
    /refunded 5 as re_9; SQL knows nothing of it/,
  ],
  [
    'a refund of another amount',
    (books) => {
      refundByHand(books, 5);
      books.provider.refunded = [refundOf(6)];
    },
    /refunded 6 as re_9; SQL knows another amount/,
  ],
  [
    'a refund that never went back',
    (books) => {
      refundByHand(books, 5);
      books.provider.refunded = [];
    },
    /refund by-hand went back in SQL; the provider has no re_9/,
  ],
  [
    'more refunded than charged',
    (books) => refundByHand(books, 1_499_801),
    /1499801 of the charge pi_1 of 1499800 were refunded/,
  ],
  [
    'a refund without event',
    (books) => {
      refundByHand(books, 5);
      rewrite(books, lines.completed);
    },
    /payment\.refunded\.v1: expected 1 by the books, found 0/,
  ],
  [
    'a dispute without event',
    (books) => {
      disputed(books, 'open');
      rewrite(books, lines.completed);
    },
    /a dispute has no event/,
  ],
  [
    'two labels',
    ({ provider }) => provider.labels.push({ ...first(provider.labels), shipment: 'shp_2' }),
    /label kept twice: shp_1, shp_2.*a label that no row knows: shp_2/s,
  ],
  [
    'a label bought while the bank has the money',
    (books) => {
      disputed(books, 'open');
      rewrite(books, [
        ...lines.completed.slice(0, 4),
        ['payment', 'charged', 'dispute_open', 'payment.disputed.v1'],
        ...lines.completed.slice(4),
      ]);
    },
    /shipped unpaid: its label was bought while dispute as told was open or lost/,
  ],
  [
    'a label bought after all was refunded',
    (books) => {
      refundByHand(books, 1_499_800);
      Object.assign(first(books.ledger.refunds), { requestedAtUtc: '2026-01-02T03:04:05.000Z' });
    },
    /shipped unpaid: its label was bought after all of its charge was refunded/,
  ],
  ['no label', ({ provider }) => provider.labels.pop(), /keeps 1 label\(s\); it has 0.*sold no label/s],
  [
    'a label that was taken back',
    ({ provider }) => Object.assign(first(provider.labels), { refundStatus: 'submitted' }),
    /keeps 1 label\(s\); it has 0/,
  ],
  [
    'another tracking code',
    ({ provider }) => Object.assign(first(provider.labels), { trackingCode: 'T2' }),
    /tracked as T1 in SQL and T2/,
  ],
  [
    'stock still reserved',
    ({ ledger }) => Object.assign(ledger, { reservedUnits: 2, consumedUnits: 0 }),
    /has taken all its units/,
  ],
  ['a unit too few', ({ ledger }) => Object.assign(ledger, { consumedUnits: 1 }), /has taken 1 of 2/],
  [
    'a cancelled fulfillment',
    ({ ledger }) => Object.assign(ledger, { fulfillment: 'cancelled' }),
    /open fulfillment; it is cancelled/,
  ],
  [
    'a saga that has not ended',
    ({ ledger }) => Object.assign(ledger, { sagaState: 'running' }),
    /is completed and its saga running/,
  ],
  [
    'a hold left over',
    ({ view }) => Object.assign(view, { hold: { status: 'payment_failed' } }),
    /shown as held or parked/,
  ],
  [
    'a failure left over',
    ({ view }) => Object.assign(view, { failure: { type: 'CardDeclined', reason: '' } }),
    /names the failure CardDeclined/,
  ],
  ['no shipment shown', ({ view }) => delete view.shipment, /shows no shipment/],
  [
    'a lost event',
    (books) => {
      books.events.splice(2, 1);
      books.ledger.eventTypes.splice(2, 1);
    },
    /has the sequence 4.*cannot have the events.*5 events have 6 audit rows/s,
  ],
  [
    'a lost last event',
    (books) => {
      books.events.pop();
      books.ledger.eventTypes.pop();
    },
    /has one event order\.completed\.v1; it has 0/,
  ],
  [
    'an event without a fact that its contract promises',
    (books) => Object.assign(first(books.events).payload, { currency: undefined }),
    /event 1 breaks its contract: .*must have required property 'currency'/,
  ],
  [
    'an event with a fact that its contract does not mention',
    (books) => Object.assign(first(books.events).payload, { customerEmail: 'asha@customers.example' }),
    /event 1 breaks its contract: .*additional properties/,
  ],
  [
    'an event twice',
    (books) => {
      books.events.push({ ...first(books.events) });
      books.ledger.eventTypes.push('order.created.v1');
    },
    /repeats the event id 0{8}-/,
  ],
  [
    'events of an impossible order',
    (books) => rewrite(books, eventsSwapped(lines.completed, 2, 3)),
    /cannot have the events order\.created\.v1, inventory\.reserved\.v1, fulfillment/,
  ],
  [
    'a second end',
    (books) =>
      rewrite(books, [...lines.completed, ['completion', 'completed', 'completed', 'order.completed.v1']]),
    /it has 2 end events/,
  ],
  [
    'an unknown type',
    (books) => Object.assign(first(books.events), { eventType: 'order.made.v1' }),
    /of an unknown type.*outbox holds other events/s,
  ],
  [
    'another cause',
    ({ events }) => Object.assign(events[1]?.metadata ?? {}, { causationId: 'x' }),
    /predecessor as cause.*names another cause/s,
  ],
  [
    'an event of another order',
    ({ events }) => Object.assign(events[1]?.payload ?? {}, { orderId: 'x' }),
    /belongs to order/,
  ],
  [
    'an event of another customer',
    ({ events }) => Object.assign(events[1]?.payload ?? {}, { customerId: 'x' }),
    /names customer x/,
  ],
  [
    'an event without its effect',
    (books) =>
      rewrite(books, [
        ...lines.completed.slice(0, 4),
        ['inventory', 'reserved', 'released', 'inventory.released.v1'],
        ...lines.completed.slice(4),
      ]),
    /inventory\.released\.v1: expected 0 by the books, found 1/,
  ],
  [
    'a changed audit row',
    ({ audit }) => Object.assign(first(audit), { reason: 'another' }),
    /row 1 was changed/,
  ],
  [
    'a removed audit row',
    (books) => books.audit.splice(3, 1),
    /row 4 has the number 5.*row 4 does not follow/s,
  ],
  ['a cut-off trail', (books) => books.audit.pop(), /head says row 6; the last row is 5/],
  [
    'a trail without head',
    (books) => Object.assign(books, { auditHead: undefined }),
    /head says row undefined/,
  ],
  [
    'a status nobody moved it to',
    (books) =>
      rewrite(
        books,
        lines.completed.filter(([step]) => step !== 'fulfillment'),
      ),
    /moves the order from fulfillment_created; it was payment_processed/,
  ],
  [
    'a trail that ends elsewhere',
    (books) => rewrite(books, lines.completed.slice(0, -1)),
    /is completed; its audit trail ends in shipment_generated/,
  ],
  [
    'a change without event',
    (books) =>
      rewrite(
        books,
        lines.completed.map(([step, from, to, event]): Line =>
          step === 'payment' ? [step, from, to] : [step, from, to, event],
        ),
      ),
    /moves the order from inventory_reserved to payment_processed and no event tells/,
  ],
  [
    'a reminder of a hold that never was',
    (books) => rewrite(books, [...lines.completed.slice(0, 2), reminded, ...lines.completed.slice(2)]),
    /a hold was reminded of or extended before there was one/,
  ],
  [
    'an extension after the end',
    (books) =>
      rewrite(books, [
        ...lines.completed.slice(0, 2),
        ['payment', 'inventory_reserved', 'awaiting_approval', 'order.approval_requested.v1'],
        ['payment', 'held', 'running'],
        ...lines.completed.slice(2),
        ['payment', 'held', 'extended', 'order.hold_extended.v1'],
      ]),
    /a hold was reminded of or extended before there was one, or after the end/,
  ],
  [
    'an approval asked for after payment',
    (books) =>
      rewrite(books, [
        ...lines.completed.slice(0, 3),
        ['payment', 'payment_processed', 'awaiting_approval', 'order.approval_requested.v1'],
        ['payment', 'held', 'running'],
        ...lines.completed.slice(3),
      ]),
    /a completed order cannot have the events/,
  ],
  [
    'a row with another event',
    (books) =>
      rewrite(
        books,
        lines.completed.map(([step, from, to, event]): Line => [
          step,
          from,
          to,
          step === 'payment' ? 'order.held.v1' : event,
        ]),
      ),
    /\(inventory_reserved to payment_processed\) comes with order\.held/,
  ],
  [
    'a row without actor',
    (books) => Object.assign(first(books.audit), { actor: '' }),
    /does not say who and why/,
  ],
  [
    'a row without run',
    (books) => Object.assign(first(books.audit), { runId: '' }),
    /does not say in which run/,
  ],
];

const cancelled: Doctoring[] = [
  [
    'an act that is still to have its effect',
    ({ acts }) => Object.assign(first(acts), { state: 'accepted' }),
    /an accepted act without effect: shipping-address act-1 of an order that is cancelled/,
  ],
  [
    'money kept',
    ({ provider }) => provider.refunded.pop(),
    /keeps no money; it is charged 1 times, 1499800 in all, refunded 0/,
  ],
  [
    'too little refunded',
    ({ provider }) => Object.assign(first(provider.refunded), { amount: 1 }),
    /keeps no money/,
  ],
  [
    'a refund SQL does not know of',
    ({ ledger }) => Object.assign(first(ledger.payments), { state: 'charged' }),
    /is charged in SQL; by the provider's books it is refunded/,
  ],
  [
    'an intent that may still charge',
    ({ provider }) => provider.intents.push({ intent: 'pi_2', status: 'requires_action' }),
    /pi_2 is requires_action: it may still charge/,
  ],
  [
    'a declined intent that may be paid again',
    ({ provider }) => provider.intents.push({ intent: 'pi_2', status: 'requires_payment_method' }),
    /pi_2 is requires_payment_method: it may still charge/,
  ],
  [
    'a label kept',
    ({ provider }) => Object.assign(first(provider.labels), { refundStatus: null }),
    /keeps 0 label\(s\); it has 1/,
  ],
  ['stock kept', ({ ledger }) => Object.assign(ledger, { reservedUnits: 2 }), /holds no stock/],
  ['stock taken', ({ ledger }) => Object.assign(ledger, { consumedUnits: 2 }), /has taken none/],
  [
    'an open fulfillment',
    ({ ledger }) => Object.assign(ledger, { fulfillment: 'open' }),
    /has no open fulfillment/,
  ],
  [
    'no refund event',
    (books) =>
      rewrite(
        books,
        lines.cancelled.filter(([, , to]) => to !== 'refunded'),
      ),
    /payment\.refunded\.v1: expected 1 by the books, found 0/,
  ],
  [
    'compensations out of order',
    (books) => rewrite(books, eventsSwapped(lines.cancelled, 7, 8)),
    /cancelled order cannot have the events/,
  ],
  [
    'the end of another fate',
    (books) =>
      rewrite(books, [
        ...lines.cancelled.slice(0, -1),
        ['shipping', 'fulfillment_created', 'failed', 'order.failed.v1'],
      ]),
    /one event order\.cancelled\.v1; it has 1 end events/,
  ],
  [
    'parked after the end',
    (books) => rewrite(books, [...lines.cancelled, ['shipping', 'ended', 'parked', 'order.parked.v1']]),
    /parked before its first or after its last event/,
  ],
  [
    'an event of a charge that never was',
    ({ provider }) => Object.assign(provider, { charged: [], refunded: [] }),
    /a charge that the provider does not have/,
  ],
];

describe('the rules about one order', () => {
  test.each(['completed', 'cancelled'] as const)('find nothing in the good books of a %s order', (status) => {
    expect(orderViolations(goodBooks(status))).toEqual([]);
  });

  test.each(completed)('find %s in a completed order', (_what, doctor, found) => {
    const books = goodBooks('completed');
    doctor(books);
    expect(orderViolations(books).join('\n')).toMatch(found);
  });

  test.each(cancelled)('find %s in a cancelled order', (_what, doctor, found) => {
    const books = goodBooks('cancelled');
    doctor(books);
    expect(orderViolations(books).join('\n')).toMatch(found);
  });

  test('find nothing when people refunded a part of a shipped order, or all of it, or its charge is disputed', () => {
    for (const amountMinor of [500, 1_499_800]) {
      const books = goodBooks('completed');
      refundByHand(books, amountMinor);
      if (amountMinor === 1_499_800) first(books.ledger.payments).state = 'refunded';
      expect(orderViolations(books)).toEqual([]);
    }
    for (const state of ['open', 'lost'] as const) {
      const books = goodBooks('completed');
      disputed(books, state);
      expect(orderViolations(books)).toEqual([]);
    }
  });

  test('let a cancelled order keep what came back from the customer’s bank, and no more', () => {
    const books = goodBooks('cancelled');
    Object.assign(first(books.ledger.refunds), { state: 'failed' });
    Object.assign(first(books.ledger.payments), { state: 'charged' });
    books.provider.refunded = [];
    rewrite(books, [...lines.cancelled, ['payment', 'refunded', 'refund_failed', 'refund.failed.v1']]);
    expect(orderViolations(books)).toEqual([]);
    first(books.ledger.refunds).amount = { amountMinor: 5, currency: 'INR' };
    expect(orderViolations(books).join()).toMatch(/keeps no money/);
  });

  test('let a cancelled order owe what the bank holds, and find a debt that is not said', () => {
    const books = goodBooks('cancelled');
    Object.assign(first(books.ledger.refunds), { state: 'owed' });
    delete first(books.ledger.refunds).providerRefundId;
    Object.assign(first(books.ledger.payments), { state: 'charged' });
    books.provider.refunded = [];
    const told = lines.cancelled.map((line): Line =>
      line[2] === 'refunded' ? ['payment', line[1], 'refund_owed', 'refund.owed.v1'] : line,
    );
    rewrite(books, told);
    expect(orderViolations(books)).toEqual([]);
    first(books.ledger.refunds).amount = { amountMinor: 1_499_900, currency: 'INR' };
    expect(orderViolations(books).join()).toMatch(
      /owes its customer 1499800, and says 1499900: owed and not said/,
    );
    first(books.ledger.refunds).amount = { amountMinor: 5, currency: 'INR' };
    expect(orderViolations(books).join()).toMatch(/keeps no money/);
  });

  test('let a held order keep its stock and its money, but no second charge', () => {
    const books = heldBooks();
    expect(orderViolations(books)).toEqual([]);
    books.provider.charged.push({ intent: 'pi_1', amount: 1, currency: 'inr' });
    expect(orderViolations(books).join()).toMatch(/charged at most once/);
  });

  test('find a held order that holds part of its stock or does not say what it waits for', () => {
    const books = heldBooks();
    books.ledger.reservedUnits = 1;
    delete books.view.hold;
    expect(orderViolations(books).join('\n')).toMatch(
      /does not say what it waits for.*\n.*all its units or none/,
    );
  });
});

/** After payment, held for an address that the carrier refused at the label. */
function heldBooks(): OrderBooks {
  const books = goodBooks('completed');
  rewrite(books, [
    ...lines.completed.slice(0, 4),
    ['shipping', 'fulfillment_created', 'address_rejected'],
    ['shipping', 'address_rejected', 'address_rejected', 'order.held.v1'],
  ]);
  Object.assign(books.ledger, {
    status: 'address_rejected',
    sagaState: 'held',
    reservedUnits: 2,
    consumedUnits: 0,
    shipments: [
      {
        ...first(books.ledger.shipments),
        state: 'refused',
      },
    ],
  });
  Object.assign(books.view, { status: 'address_rejected', sagaState: 'held' });
  books.view.hold = {
    status: 'address_rejected',
    failureType: 'AddressUndeliverable',
    reason: 'no such street',
    sinceUtc: '2026-01-02T03:04:05.678Z',
    untilUtc: '2026-01-03T03:04:05.678Z',
  };
  books.provider.labels = [];
  return books;
}
