import { DefaultLogger } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import { bulkBody } from '../../api/operations/order-act-bodies.ts';
import { refuseInBulk, type OrderAct } from '../../domain/order-acts.ts';
import { bundleOrderWorkflows } from '../../workers/saga/workflow-bundle.ts';
import { acts, actTable, reasons, type Act, type Place } from '../support/act-table.ts';
import { addressOf, startModelledOrder, type Plan } from '../support/modelled-saga.ts';
import { createIsolate, type Scheduled, type WorkflowCreator } from '../support/modelled-workflow.ts';

const MAXIMUM_TASKS = 200;
const person = { actor: 'ana', reason: 'because' };

/* The workflow in the SDK's own runtime, led into each state of the table; then every act comes, by update and by signal. */
describe.each(Object.entries(actTable))('an order that %s', (_, { place, acts: expected }) => {
  let isolate: WorkflowCreator;
  beforeAll(async () => {
    isolate = await isolateOfAll();
  });

  test.each(Object.entries(expected) as [Act, string][])('%s: %s', async (act, outcome) => {
    for (const way of ['update', 'signal'] as const) {
      const order = await lead(isolate, place);
      const { taken, told } = await order.deliver(act, way);
      if (outcome in reasons) {
        expect(told, `${way} ${told}`).toContain(reasons[outcome as keyof typeof reasons]);
      } else {
        expect(taken, `${way} ${told}`).toBe(true);
        expect(await order.end(act), way).toBe(outcome);
        expect(order.asked().filter(effects[act]).length, `${way} had no effect`).toBeGreaterThan(0);
      }
      await order.dispose();
    }
  });
});

test.each(Object.entries(acts))('what may be said for many orders: %s', (_, { name, input, forMany }) => {
  const deadline = name === 'extend' ? { untilUtc: '2027-01-02T03:04:05Z' } : {};
  const act = { kind: name, ...input, ...deadline };
  const said = bulkBody.safeParse({ where: { sagaState: 'parked' }, act, reason: person.reason });
  const refused = said.success ? refuseInBulk(act as OrderAct) : said.error.message;
  expect(refused === undefined, JSON.stringify(refused)).toBe(forMany);
});

type Asked = Record<string, unknown>;

const byPerson = ({ name, actor }: Asked): boolean => name === 'resumeOrder' && actor === person.actor;
const withCard = ({ name, paymentMethodId }: Asked): boolean =>
  name === 'processPayment' && paymentMethodId === 'pm_other';
const sent = ({ name }: Asked, ...names: string[]): boolean => names.includes(String(name));

/** What the order asks for because of an act; one that comes to nothing is written down as overtaken. */
const effects: Record<Act, (asked: Asked) => boolean> = {
  cancel: ({ name, ending }) => name === 'closeOrder' && JSON.stringify(ending).includes(person.actor),
  payment: withCard,
  address: (asked) =>
    asked['result'] === 'overtaken' ||
    (sent(asked, 'verifyAddress', 'verifyAddressAtOnce', 'generateShipment') &&
      JSON.stringify(asked).includes('OTHER')),
  approve: byPerson,
  extend: (asked) => sent(asked, 'extendHold'),
  retry: byPerson,
  'another card': withCard,
  'another service': ({ name, service }) => name === 'generateShipment' && service === 'Priority',
  'mark done': byPerson,
  skip: byPerson,
  'resolve cancel': (asked) => effects.cancel(asked),
};

let shared: Promise<WorkflowCreator> | undefined;
const isolateOfAll = (): Promise<WorkflowCreator> => {
  shared ??= bundleOrderWorkflows({ logger: new DefaultLogger('ERROR') }).then(createIsolate);
  return shared;
};

/** Leads an order to its place in the table. */
async function lead(isolate: WorkflowCreator, place: Place) {
  const plan: Plan = {
    card: place.card ?? 'good',
    address: place.address ?? 'good',
    needsApproval: place.needsApproval ?? false,
    disputed: place.disputed ?? false,
    failingCalls: 1,
    acts: [],
    haste: 0,
    together: false,
    decisions: [],
  };
  const { run, perform, world } = await startModelledOrder(isolate, plan);
  const notes: Asked[] = [];
  let broken = place.fails !== undefined;
  let asked = 0;

  const answer = (scheduled: Scheduled): object => {
    const { name, input } = scheduled;
    notes.push({ name, ...(input as object) });
    if (name === 'providerState') return run.end(scheduled, { done: adviceOf(place, broken) });
    if (name !== place.fails || !broken) return run.end(scheduled, perform(scheduled));
    asked += 1;
    return asked > (place.failsFrom ?? 0)
      ? run.end(scheduled, { technical: 'nobody answers' })
      : run.end(scheduled, perform(scheduled));
  };
  const isParkedOrWaits = (): boolean =>
    notes.some(({ name, result }) => name === 'parkOrder' || (name === 'recordNote' && result === 'waits'));

  /** Everything takes its course until the activity is asked for, or people are waited for. */
  async function goOn(until: string | undefined, parks: boolean): Promise<void> {
    for (let tasks = 0; tasks < MAXIMUM_TASKS && !run.closed(); tasks += 1) {
      const pending = run.pending();
      if (pending.some(({ name }) => name === until)) return;
      const jobs: object[] = run.takeCanceled().map((scheduled) => run.cancel(scheduled));
      const [next] = run.pending();
      const [timer] = run.timers();
      if (jobs.length === 0 && next) jobs.push(answer(next));
      else if (jobs.length === 0) {
        const waits = !parks || isParkedOrWaits();
        if (until === undefined && waits) return;
        if (!timer) return;
        run.passTo(timer.dueMs);
        jobs.push(run.fire(timer.seq));
      }
      await run.activate(jobs as never);
    }
  }

  await goOn(place.at, broken && !place.canceled);
  if (place.canceled) {
    await run.activate([run.update('cancel', 'cancel', { ...person, actor: 'eve' })]);
    await goOn(place.canceled.until, broken);
  }

  return {
    dispose: () => run.dispose(),
    /** Every activity that was asked for. */
    asked: (): readonly Asked[] => notes,

    async deliver(act: Act, way: 'update' | 'signal'): Promise<{ taken: boolean; told?: string }> {
      const { name, input } = acts[act];
      const later = new Date(run.nowMs() + 30 * 60_000).toISOString();
      const more = {
        ...person,
        ...input,
        ...(act === 'address' ? { address: addressOf('OTHER') } : {}),
        ...(act === 'extend' ? { untilUtc: later } : {}),
      };
      const before = notes.length;
      await run.activate([
        way === 'update' ? run.update('act', name, more) : run.signal(name, more),
      ] as never);
      /* A reference is looked up first, and SQL is asked whether the label is dispatched. */
      for (const check of run.pending().filter((one) => /^(mark|stopShipping)/.test(one.name)))
        await run.activate([run.end(check, { done: { stopped: place.undispatched === true } })]);
      if (way === 'update') {
        const said = run.answerOf('act');
        return { taken: said?.accepted ?? false, told: String(said?.told) };
      }
      /* Until SQL knows the order, nobody writes down what was refused. */
      if (place.at === 'recordOrder') await goOn('reserveInventory', false);
      const refused = [...notes.slice(before), ...run.pending().map((one) => one.input as object)].find(
        (note) => 'result' in note && note.result === 'refused',
      );
      return refused
        ? { taken: false, told: String((refused as { reason?: string }).reason) }
        : { taken: true };
    },

    /** Whatever failed is mended, and nobody does anything any more. */
    async end(act: Act): Promise<string | undefined> {
      broken = false;
      await goOnToTheEnd(act);
      return (run.closed()?.result as { status?: string } | undefined)?.status ?? world.closedAs;
    },
  };

  async function goOnToTheEnd(act: Act): Promise<void> {
    for (let tasks = 0; tasks < MAXIMUM_TASKS && !run.closed(); tasks += 1) {
      await goOn('nothing of this name', false);
      if (run.closed() || run.pending().length > 0 || run.timers().length > 0) continue;
      /* Still parked: an act that does not move it on leaves that to an operator. */
      expect(act, 'the order waits, and nothing moves it on').toMatch(/cancel|address|extend/);
      await run.activate([run.update(`on-${tasks}`, 'resolve', { ...person, action: 'retry' })]);
    }
  }
}

const adviceOf = ({ paused }: Place, broken: boolean) =>
  paused && broken
    ? {
        advice: 'wait',
        wait: { state: 'paused', sinceUtc: '2026-01-02T03:04:05.000Z', reason: 'maintenance' },
      }
    : { advice: paused ? 'again' : 'park' };
