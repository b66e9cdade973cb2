import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRequestRefund } from '../../activities/refunds/refund-order.ts';
import { createStopShipping } from '../../activities/shipping/stop-shipping.ts';
import type { ActivityDeps } from '../../activities/deps.ts';
import { connectSqliteStore } from '../../adapters/sqlite/sqlite-store.ts';
import { isTakenBack, shippingRefusal } from '../../domain/way-back.ts';
import type { Store } from '../../ports/store.ts';
import { inActivity } from '../../test/support/modelled-deps.ts';
import { walkOrder, type WalkReading } from '../../test/support/order-walk.ts';
import { mayBeStopped, refuseCancelNow, type OrderState } from '../../workflows/fulfill-order/state.ts';
import { moneyNowOf } from './money-now-body.ts';
import { tellOrder } from '../orders/story/order-story.ts';

/** The store, with transactions that are done and taken back. */
const withoutEffect = (store: Store): Store => ({
  ...store,
  async transaction(work) {
    const undone = new Error('taken back');
    let answer: { value: Awaited<ReturnType<typeof work>> } | undefined;
    await store
      .transaction(async (tx) => {
        answer = { value: await work(tx) };
        throw undone;
      })
      .catch((error: unknown) => {
        if (error !== undone) throw error;
      });
    if (!answer) throw new Error('The transaction gave no answer');
    return answer.value;
  },
});

/** What a cancel would be told now: by the workflow, and where that cannot know by SQL. */
async function canceled(deps: ActivityDeps, { view, ledger }: WalkReading): Promise<string | undefined> {
  const labelIsNext = view.status === 'fulfillment_created' && view.sagaState === 'running';
  const order = {
    ...view,
    /* SQL hears of the step when it ends. */
    step: labelIsNext ? 'shipping' : view.step,
    pivotPassed: ledger.shipments.some(({ state }) => state === 'bought'),
    takenBackParked: view.sagaState === 'parked' && isTakenBack(view),
    input: {},
    accepted: [],
  } as unknown as OrderState;
  if (!mayBeStopped(order)) return refuseCancelNow(order);
  const { stopped } = await inActivity(() => createStopShipping(deps)({ orderId: view.orderId }));
  return stopped ? undefined : shippingRefusal;
}

describe('what may be done with the money of an order', () => {
  let folder: string;
  let store: Store;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'order-saga-money-'));
    store = await connectSqliteStore({ path: join(folder, 'orders.sqlite') });
  });
  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('is what a cancel and a refund are answered, and what the story and the events tell', async () => {
    const met = new Set<string>();
    const answers = ['cancel', 'nothing', 'refund', 'return', 'wait'];
    const look = async (reading: WalkReading, nowUtc: string): Promise<void> => {
      const { view, money, rows, events } = reading;
      const { orderId } = view;
      const deps = { store: withoutEffect(store), clock: { nowUtc: () => nowUtc } } as ActivityDeps;
      const told = moneyNowOf(orderId, view, { money, nowUtc });
      const story = tellOrder(rows, money, events, told);
      const wanted = { orderId, refundId: 'probe', reason: 'probe', actor: 'ada', fingerprint: 'probe' };
      const ask = (more: { paidOtherwise?: true } = {}) =>
        inActivity(() => createRequestRefund(deps)({ ...wanted, ...more }));
      const [all, otherwise, cancel] = [
        await ask(),
        await ask({ paidOtherwise: true }),
        await canceled(deps, reading),
      ];
      met.add(told.act);
      const about = JSON.stringify(
        { told, all, otherwise, cancel, view, money, rows: rows.slice(-3) },
        null,
        1,
      );
      const code = all.status === 'refused' ? all.code : 'taken';
      expect(cancel === undefined, about).toBe(told.act === 'cancel');
      switch (told.act) {
        case 'cancel':
          expect(['cancel_instead', 'nothing_charged', 'disputed', 'nothing_left'], about).toContain(code);
          break;
        case 'refund':
          expect(all.status === 'taken' || otherwise.status === 'taken', about).toBe(true);
          if (all.status === 'taken') expect(told.refundable, about).toEqual(all.refund.amount);
          break;
        case 'return':
          expect(code, about).toBe('being_shipped');
          expect(cancel, about).toBe(shippingRefusal);
          break;
        case 'wait':
          expect(['disputed', 'compensating'], about).toContain(code);
          break;
        case 'nothing':
          expect(['compensating', 'nothing_charged', 'nothing_left', 'disputed'], about).toContain(code);
      }
      expect(/can (still )?be canceled/.test(story.next), `${story.next} ${about}`).toBe(
        told.act === 'cancel',
      );
      const event = events.at(-1);
      const says = event?.payload['moneyAct'];
      /* An attempt at the label may have begun since. */
      const isSince = (money.labelUntilUtc ?? '') > nowUtc;
      if (says !== undefined && !isSince && event?.occurredAtUtc === rows.at(-1)?.occurredAtUtc)
        expect(says, about).toBe(told.act);
    };
    const decisions = fc.array(fc.nat(10_000), { minLength: 10, maxLength: 120, size: 'max' });
    const walks = fc.asyncProperty(decisions, (picks) => walkOrder(store, picks, look));
    /* Chance may leave one of the answers out; then more orders are looked at. */
    for (let rounds = 0; rounds === 0 || (met.size < answers.length && rounds < 8); rounds += 1) {
      await fc.assert(walks, {
        numRuns: Number(process.env['PROPERTY_RUNS'] ?? 60),
        plugins: [fc.interruptAfterTimeLimit(40_000)],
        endOnFailure: process.env['PROPERTY_SHRINK'] === 'no',
      });
    }
    expect([...met].toSorted()).toEqual(answers);
  }, 60_000);
});
