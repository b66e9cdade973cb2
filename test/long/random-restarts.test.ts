import { WorkflowUpdateFailedError } from '@temporalio/client';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isEnded, type Address, type OrderView } from '../../domain/order.ts';
import type { PolicyChanges } from '../../domain/policy.ts';
import type { fulfillOrder } from '../../workflows/index.ts';
import { getOrder } from '../../workflows/messages.ts';
import { booksOf, newOrderId, sagaSuite } from '../e2e/saga-suite.ts';
import { goodAddress, until } from '../setup/saga-environment.ts';
import { casesFixture, type CaseAct } from '../support/cases-fixture.ts';
import { providerDashboard } from '../support/provider-dashboard.ts';

const acts = ['cancel', 'payment', 'shipping-address', 'approve', 'extend', 'resolve'] as const;
type ActName = (typeof acts)[number];

/**
 * Somebody helps an order that waits at a step, at the provider's own desk, maybe takes that back, and then sends the
 * order on. A charge beside one of ours that is stored is left out: nobody looks for it then, by design.
 */
interface ByHand {
  what: 'by hand';
  step: 'payment' | 'shipping';
  /** How much of it is given back again before the order goes on; a label goes back whole. */
  back: number;
  /** `go on`: another try where it is parked, what mends the hold where it is held. */
  then: 'go on' | 'cancel' | CaseAct;
  /** Waits until the order waits at that step, and fails where it never does. */
  surely?: true;
}

/** What happens to an order, one after another; `twice`: two people at one moment. */
type Happening =
  | { what: 'act' | 'twice'; name: ActName; other: ActName }
  | { what: 'repeat what was refused' | 'restart' | 'compensate' }
  | { what: 'refund by hand'; share: number; surely?: true }
  | { what: 'pause'; ms: number }
  | ByHand;

interface Life {
  card: string;
  street1: string;
  approval: boolean;
  /** What the provider does not do until somebody has been at its dashboard. */
  out?: ByHand | undefined;
  happenings: Happening[];
}

const name = fc.constantFrom(...acts);
const byHand: fc.Arbitrary<ByHand> = fc.record({
  what: fc.constant('by hand'),
  step: fc.constantFrom('payment', 'shipping'),
  back: fc.constantFrom(0, 0, 0.3, 1),
  then: fc.constantFrom('go on', 'go on', 'cancel', 'restart', 'compensate'),
});
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ what: fc.constantFrom('act', 'act', 'twice'), name, other: name }),
  fc.record({
    what: fc.constantFrom('repeat what was refused', 'restart', 'restart', 'compensate'),
  }),
  byHand,
  fc.record({ what: fc.constant('refund by hand'), share: fc.constantFrom(0.3, 1) }),
  fc.record({ what: fc.constant('pause'), ms: fc.integer({ min: 0, max: 700 }) }),
);
const life: fc.Arbitrary<Life> = fc.record({
  card: fc.constantFrom('pm_card_visa', 'pm_card_chargeDeclined', 'pm_card_authenticationRequired'),
  street1: fc.constantFrom(goodAddress.street1, 'UNDELIVERABLE 1', 'LABEL-REFUSED 1'),
  approval: fc.boolean(),
  out: fc.option(byHand, { nil: undefined, freq: 2 }),
  happenings: fc.array(happening, { minLength: 3, maxLength: 8 }),
});

const plain: Life = {
  card: 'pm_card_visa',
  street1: goodAddress.street1,
  approval: false,
  happenings: [],
};
const surely = (step: ByHand['step']): ByHand => ({
  what: 'by hand',
  step,
  back: 0,
  then: 'go on',
  surely: true,
});
const refund = (share: number): Happening => ({ what: 'refund by hand', share, surely: true });
/** What random lives come to too rarely. */
const always: Record<string, Life> = {
  'a charge by hand, then another try': { ...plain, out: surely('payment') },
  'a charge by hand, then another card': {
    ...plain,
    card: 'pm_card_chargeDeclined',
    happenings: [surely('payment')],
  },
  'a charge by hand while the customer is awaited, then another card': {
    ...plain,
    card: 'pm_card_authenticationRequired',
    happenings: [surely('payment')],
  },
  'a label by hand, then another try': { ...plain, out: surely('shipping') },
  'a label by hand, then a corrected address': {
    ...plain,
    street1: 'LABEL-REFUSED 1',
    happenings: [surely('shipping')],
  },
  'a part refunded by hand before shipping': {
    ...plain,
    street1: 'LABEL-REFUSED 1',
    happenings: [refund(0.3)],
  },
  'all refunded by hand before shipping': { ...plain, street1: 'LABEL-REFUSED 1', happenings: [refund(1)] },
};

const small = { attemptTimeoutMs: 1_200, budgetMs: 2_000, initialIntervalMs: 50, maximumIntervalMs: 100 };
const outages = {
  payment: { provider: 'stripe', operation: 'payment_intents.create', kind: 'outage', mode: '503' },
  shipping: { provider: 'easypost', operation: 'shipments.create', kind: 'outage', mode: '503' },
} as const;

const LIVES = 48;
const AT_ONCE = 4;
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

/* Random lives on the real server: people act, two at once, again after a refusal and at the providers' desks, runs are terminated and begun again. */
describe('orders with people at every entry point, and runs that are terminated at any moment', () => {
  const saga = sagaSuite();

  const done = { payment: 0, shipping: 0 };

  async function live({ card, street1, approval, out, happenings }: Life): Promise<string> {
    const orderId = newOrderId();
    const shippingAddress: Address = { ...goodAddress, ...(out ? {} : { street1 }) };
    const policy: PolicyChanges = {
      ...(approval ? { approval: { aboveMinor: { INR: 0 } } } : {}),
      ...(out ? { steps: { [out.step]: small } } : {}),
    };
    if (out) await saga().addFault({ ...outages[out.step], id: orderId, match: { orderId } });
    const { workflowId } = await saga().start({ orderId, paymentMethodId: card, shippingAddress }, policy);
    const dashboard = providerDashboard(saga(), orderId);
    const helped = new Set<ByHand['step']>();
    let outage = out?.step;
    const endOutage = async () => {
      if (outage) await saga().removeFault(orderId);
      outage = undefined;
    };
    const run = saga().client.workflow.getHandle<typeof fulfillOrder>(workflowId);
    const cases = casesFixture(saga());
    const taken: { actor: string; name: ActName }[] = [];
    let refused: { wanted: ActName; actor: string; args: [object]; updateId: string } | undefined;
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
      await send({ wanted, actor, args, updateId: crypto.randomUUID() });
    }
    /* Under its own key, also when it is repeated. */
    async function send(sent: NonNullable<typeof refused>): Promise<void> {
      const { wanted, actor, args, updateId } = sent;
      await run.executeUpdate(wanted, { args, updateId }).then(
        () => taken.push({ actor, name: wanted }),
        (error: unknown) => {
          if (error instanceof WorkflowUpdateFailedError) refused = sent;
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
          return refused && send(refused);
        case 'by hand':
          return help(one);
        case 'refund by hand': {
          const intentId = await until(
            dashboard.ownCharge,
            (own) => own !== undefined || !one.surely,
            20_000,
          );
          /* The order may be taking it back at this moment. */
          return intentId === undefined
            ? undefined
            : dashboard.refund(intentId, one.share).catch(() => undefined);
        }
        case 'restart':
        case 'compensate':
          return again(one.what);
        case 'pause':
          return new Promise((done) => setTimeout(done, one.ms));
      }
    }
    /** Whether the order waits at the step, without any effect of its own there. */
    const waitsAt = (view: OrderView | undefined, step: ByHand['step']): boolean => {
      const { parked, hold } = view ?? {};
      const refusedAtLabel = hold?.status === 'address_rejected' && view?.step === 'shipping';
      if (step === 'shipping') return parked ? parked.activity === 'shipping' : refusedAtLabel;
      const held = hold?.status === 'payment_failed' || hold?.status === 'payment_action_required';
      return parked ? parked.activity === 'payment' : held;
    };
    async function help({ step, back, then, surely: waits }: ByHand): Promise<void> {
      if (helped.has(step)) return;
      const isOut = outage === step || waits;
      const view = await until(
        async () => {
          const now = await run.query(getOrder).catch(() => undefined);
          if (!isOut || waitsAt(now, step)) return now;
          if (now?.hold?.status === 'awaiting_approval') await act('approve');
          else if (now?.hold && step === 'shipping') await act('payment');
          return now;
        },
        (now) => !isOut || waitsAt(now, step) || (now !== undefined && isEnded(now.status)),
        20_000,
      );
      if (!view || !waitsAt(view, step) || (step === 'payment' && (await dashboard.ownCharge()))) return;
      /* Until then an attempt of ours may still take effect. */
      if (view.parked) await new Promise((over) => setTimeout(over, 2 * small.attemptTimeoutMs));
      if (outage === step) await endOutage();
      helped.add(step);
      done[step] += 1;
      const made = step === 'payment' ? await dashboard.charge(view) : await dashboard.label(view);
      if (step === 'payment') await dashboard.refund(made, back);
      else if (back > 0) await dashboard.voidLabel(made);
      if (then === 'restart' || then === 'compensate') return again(then);
      const mend = step === 'payment' ? 'payment' : 'shipping-address';
      await act(then === 'cancel' ? 'cancel' : view.parked ? 'resolve' : mend);
    }
    const stored = () => saga().deps.store.read.order(orderId);
    /** People do what the order waits for, until it has ended. */
    async function finish(): Promise<OrderView | undefined> {
      const next = async () => {
        const view = await run.query(getOrder).catch(() => undefined);
        if (view?.parked?.failureType === 'FoundAtProvider') await dashboard.takeBack();
        if (view?.parked) await act('resolve');
        else if (view?.hold?.status === 'awaiting_approval') await act('approve');
        else if (view?.hold?.status === 'address_rejected') await act('shipping-address');
        else if (view?.hold) await act('payment');
        return stored();
      };
      return until(next, (view) => view !== undefined && isEnded(view.status), 60_000);
    }

    if (out) {
      await help(out);
      await endOutage();
    }
    for (const one of happenings) await happen(one);
    const status = (await finish())?.status ?? '';
    const steps = [out, ...happenings].flatMap((one) =>
      one?.what === 'by hand' && one.surely ? [one.step] : [],
    );
    for (const step of steps)
      expect(helped, `the order waited at ${step} and was helped there`).toContain(step);
    await expectRecorded();
    await saga().check(orderId);
    const { provider } = await booksOf(saga(), orderId);
    const backOf = (intentId: string) =>
      provider.refunded
        .filter(({ intent }) => intent === intentId)
        .reduce((sum, { amount }) => sum + amount, 0);
    /* Theirs is the order's, and nothing was made beside it. */
    if (steps.includes('payment')) expect(provider.charged).toHaveLength(1);
    if (steps.includes('shipping')) expect(provider.labels).toHaveLength(1);
    const kept = provider.charged.filter(({ intent, amount }) => backOf(intent) < amount);
    expect(kept.length).toBeLessThanOrEqual(status === 'completed' ? 1 : 0);
    return status;
  }

  test.each(Object.entries(always))('end right after %s', async (what, one) => {
    const status = await live(one);
    expect(status).toBe(what.startsWith('all refunded') ? 'failed' : 'completed');
  });

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
    expect(Math.min(done.payment, done.shipping)).toBeGreaterThan(0);
    expect(ends).toMatchObject({ completed: expect.any(Number), cancelled: expect.any(Number) });
  });
});
