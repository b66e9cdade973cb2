import { describe, expect, test } from 'vitest';
import { resolveActions } from '../../domain/order.ts';
import { legalActions, needsOf, refuseAction, type ParkedActivity } from './rules.ts';

const forward = (activity: string, onlyForward = false): ParkedActivity => ({
  activity,
  direction: 'forward',
  onlyForward,
});
const back = (activity: string): ParkedActivity => ({
  activity,
  direction: 'compensating',
  onlyForward: false,
});

/** Everything that can be parked, with what is legal there, as `action` or `action field`. */
const table: [ParkedActivity, string][] = [
  [forward('receive'), 'retry, cancel'],
  [forward('receive', true), 'retry'],
  [forward('inventory'), 'retry, cancel'],
  [forward('address'), 'retry, skip, cancel'],
  [forward('payment'), 'retry, retry-with input.paymentMethodId, mark-done reference, cancel'],
  [forward('fulfillment'), 'retry, cancel'],
  [forward('shipping'), 'retry, retry-with input.service, mark-done reference, cancel'],
  [forward('completion', true), 'retry'],
  [forward('closeOrder', true), 'retry'],
  [back('releaseInventory'), 'retry'],
  [back('refundPayment'), 'retry, mark-done reference'],
  [back('cancelFulfillment'), 'retry'],
  [back('voidShipment'), 'retry, mark-done reference'],
  [forward('a step of a later version'), 'retry, cancel'],
];

describe('what may be done about a parked step', () => {
  test.each(table)('%o: %s', (parked, expected) => {
    const needs = needsOf(parked);
    const shown = legalActions(parked).map((action) => [action, needs[action] ?? ''].join(' ').trim());
    expect(shown.join(', ')).toBe(expected);
  });

  test.each(table)('%o: every other act is refused with its reason and the legal ones', (parked) => {
    const legal = legalActions(parked);
    for (const action of resolveActions) {
      const refusal = refuseAction(action, parked);
      if (legal.includes(action)) expect(refusal).toBeUndefined();
      else {
        expect(refusal).toMatch(
          new RegExp(
            `^"${action}" is not possible for ${parked.activity}: .{20,}; possible now: ${legal.join(', ')}\\.$`,
          ),
        );
      }
    }
  });

  test.each([undefined, null, 'give-up', 7, {}, 'constructor'])(
    'what is no action (%o) is refused with the legal ones',
    (action) => {
      expect(refuseAction(action, forward('shipping'))).toMatch(
        /is no action of resolve; possible now: retry/,
      );
    },
  );
});
