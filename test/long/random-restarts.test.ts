import { WorkflowUpdateFailedError } from '@temporalio/client';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isEnded, type Address, type OrderView } from '../../domain/order.ts';
import type { fulfillOrder } from '../../workflows/index.ts';
import { getOrder } from '../../workflows/messages.ts';
import { booksOf, sagaSuite } from '../e2e/saga-suite.ts';
import { goodAddress, until } from '../setup/saga-environment.ts';
import { casesRoom, type CaseAct } from '../support/cases-room.ts';

const acts = ['cancel', 'payment', 'shipping-address', 'approve', 'extend', 'resolve'] as const;
type ActName = (typeof acts)[number];

/** What happens to an order, one after another; `twice`: two people at one moment. */
type Happening =
  | { what: 'act' | 'twice'; name: ActName; other: ActName }
  | { what: 'repeat what was refused' | 'restart' | 'compensate' }
  | { what: 'pause'; ms: number };

interface Life {
  card: string;
  street1: string;
  approval: boolean;
  happenings: Happening[];
}

const name = fc.constantFrom(...acts);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ what: fc.constantFrom('act', 'act', 'twice'), name, other: name }),
  fc.record({
    what: fc.constantFrom('repeat what was refused', 'restart', 'restart', 'compensate'),
  }),
  fc.record({ what: fc.constant('pause'), ms: fc.integer({ min: 0, max: 700 }) }),
);
const life: fc.Arbitrary<Life> = fc.record({
  card: fc.constantFrom('pm_card_visa', 'pm_card_chargeDeclined', 'pm_card_authenticationRequired'),
  street1: fc.constantFrom(goodAddress.street1, 'UNDELIVERABLE 1', 'LABEL-REFUSED 1'),
  approval: fc.boolean(),
  happenings: fc.array(happening, { minLength: 3, maxLength: 8 }),
});

const LIVES = 48;
const AT_ONCE = 4;
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

/* Random lives on the real server: people act, two at once and again after a refusal, runs are terminated and begun again. */
describe('orders with people at every door, and runs that are terminated at any moment', () => {
  const saga = sagaSuite();

  async function live({ card, street1, approval, happenings }: Life): Promise<string> {
    const shippingAddress: Address = { ...goodAddress, street1 };
    const policy = approval ? { approval: { aboveMinor: { INR: 0 } } } : {};
    const { orderId, workflowId } = await saga().start({ paymentMethodId: card, shippingAddress }, policy);
    const run = saga().client.workflow.getHandle<typeof fulfillOrder>(workflowId);
    const cases = casesRoom(saga());
    const taken: { actor: string; name: ActName }[] = [];
    let refused: ActName | undefined;
    let people = 0;

    const inputOf = (act: ActName): object => {
      const inputs = {
        cancel: {},
        approve: {},
        payment: { paymentMethodId: 'pm_card_visa' },
        'shipping-address': { address: goodAddress },
        extend: { untilUtc: new Date(Date.now() + 50 * 60_000 + people * 60_000).toISOString() },
        resolve: { action: 'retry' },
      };
      return inputs[act];
    };
    async function act(wanted: ActName): Promise<void> {
      people += 1;
      const actor = `person-${people}`;
      const args: [object] = [{ actor, reason: 'at random', ...inputOf(wanted) }];
      await run.executeUpdate(wanted, { args }).then(
        () => taken.push({ actor, name: wanted }),
        (error: unknown) => {
          if (error instanceof WorkflowUpdateFailedError) refused = wanted;
        },
      );
    }
    const trail = () => saga().deps.store.read.audit(`order:${orderId}`);
    const missing = (rows: { actor: string }[]) =>
      taken.filter(({ actor }) => !rows.some((row) => row.actor === actor));
    async function expectRecorded(): Promise<void> {
      await until(trail, (rows) => missing(rows).length === 0, 10_000).catch(async () => {
        const rows = await trail();
        const told = rows.map(({ actor, step, from, to, reason }) =>
          [actor, step, from, to, reason].join(' '),
        );
        throw new Error(`accepted and without effect: ${JSON.stringify(missing(rows))}\n${told.join('\n')}`);
      });
    }
    const terminate = () => run.terminate('by an operator').catch(() => undefined);
    const begin = (way: CaseAct) =>
      until(
        () => cases.act(orderId, way),
        ({ status }) => status !== 503,
      );
    async function again(way: CaseAct): Promise<void> {
      await terminate();
      if ((await begin(way)).status !== 202) await begin('restart');
    }
    async function happen(one: Happening): Promise<void> {
      switch (one.what) {
        case 'act':
          return act(one.name);
        case 'twice':
          return void (await Promise.all([act(one.name), act(one.other)]));
        case 'repeat what was refused':
          return refused && act(refused);
        case 'restart':
        case 'compensate':
          return again(one.what);
        case 'pause':
          return new Promise((done) => setTimeout(done, one.ms));
      }
    }
    const stored = () => saga().deps.store.read.order(orderId);
    /** People do what the order waits for, until it has ended. */
    async function help(): Promise<OrderView | undefined> {
      const helped = async () => {
        const view = await run.query(getOrder).catch(() => undefined);
        if (view?.parked) await act('resolve');
        else if (view?.hold?.status === 'awaiting_approval') await act('approve');
        else if (view?.hold?.status === 'address_rejected') await act('shipping-address');
        else if (view?.hold) await act('payment');
        return stored();
      };
      return until(helped, (view) => view !== undefined && isEnded(view.status), 60_000);
    }

    for (const one of happenings) await happen(one);
    const status = (await help())?.status ?? '';
    await expectRecorded();
    await saga().check(orderId);
    const { provider } = await booksOf(saga(), orderId);
    expect(provider.charged.length - provider.refunded.length).toBe(status === 'completed' ? 1 : 0);
    return status;
  }

  test(`end right, and every act that was taken is on record (SEED=${seed})`, async () => {
    const lives = fc.sample(life, { numRuns: LIVES, seed });
    const ends: Record<string, number> = {};
    const lane = async (): Promise<void> => {
      for (let one = lives.shift(); one; one = lives.shift()) {
        const told = JSON.stringify(one);
        const status = await live(one).catch((error: unknown) => {
          throw new Error(`${told}: ${error instanceof Error ? error.message : String(error)}`, {
            cause: error,
          });
        });
        ends[status] = (ends[status] ?? 0) + 1;
      }
    };
    const lanes = await Promise.allSettled(Array.from({ length: AT_ONCE }, lane));
    const broken = lanes.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
    expect(broken).toEqual([]);
    expect(ends).toMatchObject({ completed: expect.any(Number), cancelled: expect.any(Number) });
  });
});
