import { describe, expect, it } from 'vitest';
import { fromTrail, readTrails, type TrailRow } from '../test/replay/order-trails.ts';
import { tellOrder } from './order-story.ts';

const golden = new URL('../test/replay/order-stories.txt', import.meta.url).pathname;

const row = (step: string, from: string, to: string, reason: string, causedBy?: string): TrailRow => ({
  actor: 'saga',
  step,
  from,
  to,
  reason,
  ...(causedBy ? { causedBy } : {}),
});

const told = (rows: TrailRow[], heldUntilUtc?: string) => {
  const trail = fromTrail({ rows, ...(heldUntilUtc ? { heldUntilUtc } : {}) });
  return tellOrder(trail.rows, trail.events);
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
    const { story, next } = tellOrder(rows, events);
    return [`# ${name}`, ...story, `Next: ${next}`].join('\n');
  });

  it('is the agreed one for every fate', async () => {
    await expect(`${stories.join('\n\n')}\n`).toMatchFileSnapshot(golden);
  });

  it('names no person, no address, and nothing of how this system is made', () => {
    const personal = /Asha|Rao|Residency|560025|Bengaluru|@|customer-1|UNDELIVERABLE|LABEL-REFUSED/;
    const ours = /Temporal|activity|workflow|EasyPost|_|\bHTTP\b|\b50\d\b/;
    for (const story of stories) {
      const [, ...lines] = story.split('\n');
      for (const line of lines) {
        expect(line).not.toMatch(personal);
        expect(line).not.toMatch(ours);
      }
    }
  });

  it('begins with what is known when there is nothing yet', () => {
    expect(tellOrder([], [])).toEqual({ story: [], next: 'The order is being taken in.' });
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
    expect(longer.story).toContain('Nothing was charged.');
  });

  it('says what was refunded, how much of it, and what is left', () => {
    const { story } = told([
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
    ]);
    expect(story.slice(3).map((line) => line.replace(/^.*UTC: /, ''))).toEqual([
      'A refund of 500.00 INR was asked for: one key was stuck.',
      '500.00 INR were refunded; 999.00 INR of the payment stay with us: one key was stuck.',
      '999.00 INR were refunded; nothing of the payment is left with us.',
    ]);
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

  it('tells what staff did about a parked step, and keeps to itself what they were refused', () => {
    const { story } = told([
      ...paid,
      row('shipping', 'resolve', 'refused', 'Reference shp_1 is not taken.'),
      { ...row('shipping', 'parked', 'running', 'retry-with (Priority): storm'), actor: 'ada' },
      { ...row('shipping', 'parked', 'running', 'mark-done (shp_1): printed by hand'), actor: 'ada' },
      { ...row('address', 'parked', 'running', 'skip: known address'), actor: 'ada' },
      row('shipping', 'cancel', 'refused', 'Shipping has started.'),
    ]);
    expect(story.slice(3).map((line) => line.replace(/^.*UTC: /, ''))).toEqual([
      'A request of our staff was refused.',
      'Our staff tried it with Priority and the order went on: storm.',
      'Our staff found that it had been done and the order went on: printed by hand.',
      'Our staff left it out and the order went on: known address.',
      'A request to cancel the order was refused: Shipping has started.',
    ]);
  });

  it('leaves nothing out that it has no words for', () => {
    expect(told([...paid, row('shipping', 'label', 'reprinted', 'smudged')]).story.at(-1)).toBe(
      'January 2, 2026 at 03:07 UTC: The shipping label went from label to reprinted: smudged.',
    );
  });
});
