import type { OrderActivities } from '../../activities/create-activities.ts';
import { orderSubject } from '../../domain/audit.ts';
import { isFailureType, type FailureType } from '../../domain/failures.ts';
import { compensationNames, operationKeys, productId, type CompensationName } from '../../domain/ids.ts';
import { isEnded, type HeldStatus, type StepName } from '../../domain/order.ts';
import type { Store } from '../../ports/store.ts';
import type { Answer } from './interleaving.ts';
import { attemptTimeoutMs, createModelledOrder } from './modelled-order.ts';
import { isRefused, typeOf } from './random-failures.ts';

/** What is read of an order whenever somebody asks for its story. */
export async function readWalk(store: Store, orderId: Parameters<Store['read']['order']>[0]) {
  const [view, rows, money, events, ledgers] = await Promise.all([
    store.read.order(orderId),
    store.read.audit(orderSubject(orderId)),
    store.read.money(orderId),
    store.read.events({ orderId, afterSequence: 0 }),
    store.read.ledger(orderId),
  ]);
  const [ledger] = ledgers;
  if (!view || !money || !ledger) throw new Error(`Order ${orderId} is not in the store`);
  return { view, rows, money, events, ledger };
}

export type WalkReading = Awaited<ReturnType<typeof readWalk>>;

const address = {
  name: 'Asha Rao',
  street1: '1 Main Road',
  city: 'Pune',
  postalCode: '411001',
  country: 'IN',
};
const nowhere = { ...address, city: 'Nowhere' };

function refusalOf(answer: Answer): { type: FailureType; reason: string } {
  const type = typeOf(answer);
  if (!('error' in answer) || type === undefined || !isFailureType(type))
    throw 'error' in answer ? answer.error : new Error('Expected a business answer; the step was done');
  return { type, reason: answer.error instanceof Error ? answer.error.message : '' };
}

/** Ends the walk: the order is taken back. */
class TurnedBack extends Error {}

/**
 * One order's life in the real store: its own activities write the rows, in the order in which the saga calls them;
 * `decisions` say what customers, banks, providers and staff do. `look` is called after everything that happened.
 */
export async function walkOrder(
  store: Store,
  decisions: readonly number[],
  look: (reading: WalkReading, nowUtc: string) => void | Promise<void>,
): Promise<void> {
  let at = 0;
  /** 0 … n-1; 0 once the decisions are used up, which is the way straight ahead. */
  const pick = (n: number): number => (decisions[at++] ?? 0) % n;
  const fates = ['succeeds', 'declines', 'needs the customer'] as const;
  let fate: (typeof fates)[number] = 'succeeds';
  const order = await createModelledOrder({ store, fateOf: () => fate });
  const { orderId, once, stripe, world } = order;
  await store.transaction((tx) =>
    tx.inventory.putProduct({
      productId: productId('keyboard'),
      name: 'Keyboard',
      price: { amountMinor: 74_900, currency: 'INR' },
      onHand: 1_000_000,
    }),
  );

  let step: StepName = 'receive';
  let notes = 0;
  let failure: { type: FailureType; reason: string } | undefined;
  let cancelRequested: { actor: string; reason: string } | undefined;
  const disputes = new Map<string, 'inquiry' | 'open'>();

  const seen = async () => {
    world.pass(1_000);
    await look(await readWalk(store, orderId), world.clock.nowUtc());
  };
  const call = async (run: Parameters<typeof once>[0]) => {
    const answer = await once(run);
    if ('error' in answer && !isRefused(answer)) throw answer.error;
    await seen();
    return answer;
  };
  type NoteName = 'holdOrder' | 'remindOfHold' | 'extendHold' | 'resumeOrder' | 'parkOrder' | 'recordNote';
  const note = <Name extends NoteName>(
    name: Name,
    facts: Omit<Parameters<OrderActivities[Name]>[0], 'orderId' | 'n' | 'run' | 'step'>,
  ) => {
    notes += 1;
    const input = { ...facts, orderId, n: notes, run: 'run-model', step };
    return call((a) => (a[name] as (note: unknown) => Promise<null>)(input));
  };

  /** What may happen at any time: banks, refunds, mistyped requests. */
  async function aside(): Promise<void> {
    const { money, view } = await readWalk(store, orderId);
    const charge = money.payments.find(({ state }) => state === 'charged' || state === 'refunded');
    switch (pick(charge ? 9 : 3)) {
      case 1:
        return void (await note('recordNote', {
          actor: 'signal',
          act: ['extend', 'approve', 'paymnt', 'resolve'][pick(4)] ?? '',
          result: 'refused',
          reason: 'untilUtc: expected a UTC time such as 2026-01-02T12:00:00.000Z.',
        }));
      case 3:
        return refundPart();
      case 4: {
        const [refund] = money.refunds.filter(
          ({ state, providerRefundId }) => state === 'refunded' && providerRefundId,
        );
        if (!refund?.providerRefundId) return;
        stripe.failRefund(refund.providerRefundId);
        return record('refund', refund.providerRefundId);
      }
      case 5:
      case 6: {
        if (disputes.size > 0 || !charge?.intentId || view.sagaState === 'compensating') return;
        const state = pick(2) === 0 ? 'open' : 'inquiry';
        const id = stripe.dispute(charge.intentId, state);
        disputes.set(id, state);
        return record('dispute', id);
      }
      case 7:
      case 8:
        for (const [id, state] of disputes) {
          const next = state === 'inquiry' && pick(2) === 0 ? 'open' : pick(2) === 0 ? 'won' : 'lost';
          const to = state === 'inquiry' && next === 'lost' ? 'won' : next;
          stripe.decide(id, to);
          if (to === 'open') disputes.set(id, to);
          else disputes.delete(id);
          await record('dispute', id);
        }
        return settleDebts();
    }
  }

  /** Technical failures are tried again, as Temporal does it. */
  async function patiently(run: Parameters<typeof once>[0], tries = 5): Promise<void> {
    const answer = await once(run);
    await seen();
    if ('value' in answer || isRefused(answer)) return;
    if (tries === 1) throw answer.error;
    await patiently(run, tries - 1);
  }

  /** As the workers' sweep does it. */
  async function settleDebts(): Promise<void> {
    const { money } = await readWalk(store, orderId);
    for (const { n } of money.refunds.filter(({ state }) => state === 'owed'))
      await patiently((a) => a.settleDebt({ orderId, n, attemptTimeoutMs }));
  }

  const record = async (kind: 'refund' | 'dispute', id: string): Promise<void> => {
    await call((a) =>
      kind === 'refund'
        ? a.recordRefund({ subject: { kind, id }, attemptTimeoutMs })
        : a.recordDispute({ subject: { kind, id }, attemptTimeoutMs }),
    );
  };

  async function refundPart(): Promise<void> {
    const refundId = `part-${crypto.randomUUID()}`;
    const amount = { amountMinor: 100 * (1 + pick(900)), currency: 'INR' as const };
    const wanted = { orderId, refundId, amount, reason: 'one key was stuck', actor: 'ada', fingerprint: 'f' };
    const all = pick(3) === 0;
    const { amount: _, ...whole } = wanted;
    const asked = await call((a) => a.requestRefund(all ? whole : wanted));
    const taken = 'value' in asked && (asked.value as { status: string }).status === 'taken';
    if (taken) await call((a) => a.refundPart({ orderId, refundId, attemptTimeoutMs }));
  }

  /** At a step's end: go on, cancel, or another run takes over. */
  async function between(): Promise<void> {
    await aside();
    const choice = pick(8);
    if (choice === 5) cancel();
    if (choice === 6) await restart();
    if (choice === 7) await park('running');
  }

  function cancel(): never {
    cancelRequested = { actor: pick(2) === 0 ? 'shop-a' : 'temporal', reason: 'changed her mind' };
    throw new TurnedBack();
  }

  const restart = () =>
    note('recordNote', {
      actor: pick(2) === 0 ? 'ada' : 'saga',
      act: 'restart',
      result: 'begun',
      reason: 'the run was terminated by mistake',
      sagaState: failure || cancelRequested ? 'compensating' : 'running',
      resumes: true,
    });

  async function park(after: 'running' | 'compensating'): Promise<void> {
    const parked = {
      step,
      activity: step,
      failure: 'OutcomeUnknown: POST /shipments answered 503',
      budgets: 1,
      sinceUtc: world.clock.nowUtc(),
      actions: [],
    };
    await note('parkOrder', { parked });
    await aside();
    if (after === 'running' && pick(4) === 3) cancel();
    const reasons = [
      'asked for by phone',
      'mark-done (shp_1): printed by hand',
      'retry-with (Priority): storm',
    ];
    await note('resumeOrder', {
      actor: 'ada',
      reason: reasons[pick(3)] ?? '',
      sagaState: after,
    });
  }

  /** Waits for a person; goes on where one comes in time. */
  async function hold(status: HeldStatus, refusal: { type: FailureType; reason: string }): Promise<void> {
    const held = {
      status,
      failureType: refusal.type,
      reason: refusal.reason,
      sinceUtc: world.clock.nowUtc(),
      untilUtc: '2026-01-09T03:04:05.000Z',
    };
    await note('holdOrder', { hold: held });
    await aside();
    if (pick(3) === 1) await note('remindOfHold', { hold: held });
    if (pick(3) === 1) await note('extendHold', { actor: 'ada', reason: 'she asks her bank', hold: held });
    const end = pick(5);
    if (end === 3) {
      failure = { ...refusal, reason: `${refusal.reason} Nobody mended it before the deadline.` };
      throw new TurnedBack();
    }
    if (end === 4) cancel();
    await note('resumeOrder', {
      actor: 'ada',
      reason: 'asked for by phone',
      sagaState: 'running',
      status: step === 'shipping' ? 'fulfillment_created' : 'inventory_reserved',
    });
  }

  /** A provider that gives no answer parks the step; then staff have it tried again, or the order is canceled. */
  async function tryUntilAnswered(run: Parameters<typeof once>[0]) {
    const answer = await once(run);
    await seen();
    if ('value' in answer || isRefused(answer)) return answer;
    await park('running');
    return call(run);
  }

  function charge(n: number) {
    if (pick(5) === 4)
      stripe.breakNext(pick(2) === 0 ? 'create' : 'confirm', pick(2) === 0 ? 'reply-lost' : 'dropped');
    return tryUntilAnswered((a) =>
      a.processPayment({ orderId, n, paymentMethodId: `pm_${n}`, attemptTimeoutMs }),
    );
  }

  async function pay(): Promise<void> {
    for (let n = 1; ; n += 1) {
      fate = n < 4 ? (fates[pick(3)] ?? 'succeeds') : 'succeeds';
      const answer = await charge(n);
      if ('value' in answer) return;
      const type = typeOf(answer) === 'CustomerActionRequired' ? 'CustomerActionRequired' : 'CardDeclined';
      const reason =
        type === 'CardDeclined' ? 'Your card was declined.' : 'The customer has to authenticate.';
      if (type === 'CustomerActionRequired' && pick(2) === 1) {
        await hold('payment_action_required', { type, reason });
        stripe.authenticate();
        const paid = await charge(n);
        if ('value' in paid) return;
      }
      const status = type === 'CardDeclined' ? 'payment_failed' : 'payment_action_required';
      await hold(status, { type, reason });
    }
  }

  /** An attempt at the label is under way, and dies with its worker. */
  async function beginLabel(n: number): Promise<void> {
    const key = operationKeys.generateShipment(orderId, n);
    const leaseUntilUtc = new Date(world.nowMs() + 1).toISOString();
    await store.transaction((tx) => tx.operations.begin({ key, orderId, step, leaseUntilUtc }));
    await look(await readWalk(store, orderId), world.clock.nowUtc());
    world.pass(1_000);
  }

  async function ship(): Promise<void> {
    for (let n = 1; ; n += 1) {
      const to = n < 3 && pick(3) === 1 ? nowhere : address;
      const label = pick(4);
      if (label === 2) await beginLabel(n);
      if (label === 3) order.carrier.breakNext('buy', 'refused');
      const answer = await tryUntilAnswered((a) =>
        a.generateShipment({ orderId, n, address: to, attemptTimeoutMs }),
      );
      if ('value' in answer) return;
      const { type, reason } = refusalOf(answer);
      if (type === 'PaymentDisputed' && pick(2) === 1) {
        await hold('payment_disputed', { type, reason });
        n -= 1;
        continue;
      }
      if (type !== 'AddressUndeliverable') {
        failure = { type, reason };
        throw new TurnedBack();
      }
      await hold('address_rejected', { type, reason });
    }
  }

  async function forward(): Promise<void> {
    await receive();
    step = 'inventory';
    await call((a) => a.reserveInventory({ orderId }));
    step = 'payment';
    if (pick(4) === 1)
      await hold('awaiting_approval', { type: 'ApprovalMissing', reason: 'The total is above 1.00 INR.' });
    await between();
    await pay();
    await between();
    step = 'fulfillment';
    await call((a) => a.createFulfillment({ orderId }));
    step = 'shipping';
    await between();
    await ship();
    await aside();
    step = 'completion';
    await call((a) => a.completeOrder({ orderId }));
  }

  async function receive(): Promise<void> {
    const refused = pick(12) === 11;
    const reason = refused ? 'The catalog has no unheard-of in INR.' : 'checkout accepted';
    await order.receive(reason);
    await seen();
    if (!refused) return;
    failure = { type: 'UnknownProduct', reason };
    throw new TurnedBack();
  }

  async function takeBack(): Promise<void> {
    const begun = step !== 'receive';
    const compensating = () =>
      note('recordNote', {
        actor: cancelRequested?.actor ?? 'saga',
        act: cancelRequested ? 'cancel' : 'fail',
        result: 'compensating',
        reason: cancelRequested?.reason ?? failure?.reason ?? '',
        sagaState: 'compensating',
        ...(cancelRequested ? { cancelRequested } : {}),
        ...(failure ? { failure } : {}),
      });
    if (begun) await compensating();
    const undo: Record<CompensationName, () => Promise<unknown>> = {
      voidShipment: () => call((a) => a.voidShipment({ orderId, attemptTimeoutMs })),
      cancelFulfillment: () => call((a) => a.cancelFulfillment({ orderId })),
      refundPayment: () => refundAll(),
      releaseInventory: () => call((a) => a.releaseInventory({ orderId })),
    };
    for (const name of begun ? compensationNames.toReversed() : []) {
      if (pick(6) === 5) await park('compensating');
      if (pick(6) === 5) {
        await restart();
        await compensating();
      }
      await undo[name]();
    }
    const { actor, reason } = cancelRequested ?? { actor: 'saga', reason: '' };
    const close = () =>
      call((a) =>
        a.closeOrder({
          orderId,
          step,
          ending: failure ? { status: 'failed', failure } : { status: 'cancelled', actor, reason },
        }),
      );
    const closed = await close();
    const left = 'value' in closed ? (closed.value as { compensate: CompensationName[] } | null) : null;
    for (const name of left?.compensate ?? []) await undo[name]();
    if (left) await close();
  }

  /** What a bank holds is owed from then on. */
  async function refundAll(): Promise<void> {
    for (const id of pick(2) === 0 ? disputes.keys() : []) {
      stripe.decide(id, pick(2) === 0 ? 'won' : 'lost');
      await record('dispute', id);
      disputes.delete(id);
    }
    await patiently((a) => a.refundPayment({ orderId, attemptTimeoutMs }));
  }

  await forward().catch(async (error: unknown) => {
    if (!(error instanceof TurnedBack)) throw error;
    await takeBack();
  });
  for (let more = pick(5); more > 0; more -= 1) await aside();
  const { view } = await readWalk(store, orderId);
  if (!isEnded(view.status)) throw new Error(`Order ${orderId} has not ended: ${view.status}`);
}
