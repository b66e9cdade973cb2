import { productId, type OrderId } from '../../domain/ids.ts';
import { defaultPolicy, withPolicy, type PolicyChanges } from '../../domain/policy.ts';
import type { OrderView } from '../../domain/order.ts';
import type { OrderResult } from '../../workflows/messages.ts';
import {
  startModelledRun,
  type ActivityEnd,
  type ModelledRun,
  type Scheduled,
  type WorkflowCreator,
} from './modelled-workflow.ts';
import type { FulfillOrder } from '../../domain/order-run.ts';

/** What somebody does to the order at some time; the actor is unique, so that its traces can be told apart. */
export interface PlannedAct {
  name: 'cancel' | 'payment' | 'shipping-address' | 'approve' | 'extend' | 'resolve' | 'temporal-cancel';
  way: 'update' | 'signal';
  /** A card that charges, an address that is taken. */
  good: boolean;
  /** For `extend`: how much later than now. */
  laterMs: number;
  /** Is sent in the place of an act that makes sense. */
  raw?: unknown;
}

export interface Plan {
  /** What goes wrong by itself before anybody acts. */
  card: 'good' | 'declined' | 'asks';
  address: 'good' | 'unknown' | 'refused at the label';
  needsApproval: boolean;
  /** The customer's bank holds the charge when the label is to be bought, and has not decided when the hold is over. */
  disputed?: boolean;
  /** One of so many calls of a provider fails beyond its budget. */
  failingCalls: number;
  acts: readonly PlannedAct[];
  /** How likely the next act is to come, in 40ths. */
  haste: number;
  /** All acts come within one workflow task. */
  together: boolean;
  /** What happens next, again and again; when they are used up, everything takes its course. */
  decisions: readonly number[];
}

/** An act as it was delivered, and what came of it. */
export interface Delivered extends PlannedAct {
  actor: string;
  atMs: number;
  accepted?: boolean;
  told?: unknown;
}

export interface Note {
  name: string;
  atMs: number;
  input: Record<string, unknown>;
}

/** How the world of one order stands after its run has closed. */
export interface Played {
  plan: Plan;
  result: OrderResult | undefined;
  canceled: boolean;
  failure: string | undefined;
  acts: Delivered[];
  notes: Note[];
  world: World;
  /** Workflow time at which the walk back was decided. */
  takenBackAtMs: number | undefined;
  log: string[];
}

interface World {
  reserved: boolean;
  charged: string[];
  refunded: number;
  label: boolean;
  voided: boolean;
  tried: string[];
  closedAs: string | undefined;
}

const total = { amountMinor: 749_900, currency: 'INR' } as const;
const minute = 60_000;
const policy = (changes: PolicyChanges) =>
  withPolicy(defaultPolicy, {
    name: 'model',
    holdPaymentMs: 10 * minute,
    holdAddressMs: 10 * minute,
    holdApprovalMs: 10 * minute,
    holdDisputeMs: 10 * minute,
    maximumHoldMs: 60 * minute,
    actionPollMs: minute,
    ...changes,
  });

export const addressOf = (street1: string) => ({
  name: 'A',
  street1,
  city: 'B',
  postalCode: '110034',
  state: 'DL',
  country: 'IN',
});
const streets = { good: 'GOOD', unknown: 'BAD', 'refused at the label': 'LABEL-BAD' };

const inputOf = ({ card, address, needsApproval }: Plan, orderId: string): FulfillOrder =>
  ({
    checkout: {
      orderId,
      callerId: 'local',
      customerId: 'customer-1',
      customerEmail: 'a@b.example',
      items: [{ productId: productId('keyboard'), quantity: 1 }],
      paymentMethodId: `pm_${card}`,
      shippingAddress: addressOf(streets[address]),
      currency: 'INR',
    },
    policy: policy(needsApproval ? { approval: { aboveMinor: { INR: 0 } } } : {}),
    taskQueues: { orders: 'o', payments: 'p', carrier: 'c', ops: 'x' },
    traceparent: '00-0-0-01',
  }) as unknown as FulfillOrder;

/** What is written beside the order's own state; its fulfillment and mails are of no account here. */
const noteNames = ['holdOrder', 'remindOfHold', 'extendHold', 'resumeOrder', 'parkOrder', 'recordNote'];
const withoutEffect = new Set([
  ...noteNames,
  'recordAct',
  'recordAddress',
  'requestEmail',
  'createFulfillment',
  'cancelFulfillment',
  'seekLabels',
  'seekCharges',
]);

/** The effects of activities, as their own idempotence leaves them: a compensation stands against late effects. */
function createWorld({ disputed = false }: Plan) {
  const world: World = {
    reserved: false,
    charged: [],
    refunded: 0,
    label: false,
    voided: false,
    tried: [],
    closedAs: undefined,
  };
  const compensated = new Set<string>();
  const done = (value: unknown = null): ActivityEnd => ({ done: value });
  const refused = (type: string, reason = `${type}.`, details = {}): ActivityEnd => ({
    refused: { type, reason, details },
  });
  const gone = refused('OperationCompensated');
  const dispute = { disputeId: 'dp_1', state: 'open' };
  const undeliverable = (address: { street1: string }, street: string) => address.street1 === street;

  const verifyAddress = ({ address }: { address: { street1: string } }) =>
    undeliverable(address, 'BAD') ? refused('AddressUndeliverable') : done();
  const effects: Record<string, (input: never) => ActivityEnd> = {
    recordOrder: () => done({ total }),
    reserveInventory() {
      if (compensated.has('inventory')) return gone;
      world.reserved = true;
      return done();
    },
    releaseInventory() {
      compensated.add('inventory');
      world.reserved = false;
      return done();
    },
    verifyAddress,
    verifyAddressAtOnce: verifyAddress,
    processPayment({ paymentMethodId }: { paymentMethodId: string }) {
      world.tried.push(paymentMethodId);
      if (compensated.has('payment')) return gone;
      if (world.charged.length > 0) return done({});
      if (paymentMethodId === 'pm_declined') return refused('CardDeclined');
      if (paymentMethodId === 'pm_asks') return refused('CustomerActionRequired');
      world.charged.push(paymentMethodId);
      return done({});
    },
    refundPayment() {
      if (!compensated.has('payment')) world.refunded = world.charged.length;
      compensated.add('payment');
      return done();
    },
    generateShipment({ address }: { address: { street1: string } }) {
      if (compensated.has('shipment')) return gone;
      if (disputed) return refused('PaymentDisputed', 'Dispute dp_1 is open.', dispute);
      if (undeliverable(address, 'LABEL-BAD')) return refused('AddressUndeliverable');
      world.label = true;
      return done({ carrier: 'c', service: 's', trackingCode: 't', labelUrl: 'u' });
    },
    stopShipping() {
      if (world.label && !compensated.has('shipment')) return done({ stopped: false, voided: false });
      compensated.add('shipment');
      return done({ stopped: true, voided: true });
    },
    voidShipment() {
      compensated.add('shipment');
      world.voided = world.label;
      return done();
    },
    completeOrder() {
      world.closedAs = 'completed';
      return done();
    },
    closeOrder({ ending }: { ending: { status: string } }) {
      world.closedAs = ending.status;
      return done();
    },
    recordDispute: () => done({ state: dispute.state }),
    providerState: () => done({ state: 'available' }),
  };
  const perform = ({ name, input }: Scheduled): ActivityEnd => {
    if (withoutEffect.has(name) || name.startsWith('mark')) return done();
    const effect = effects[name];
    if (!effect) throw new Error(`The model of the world does not know the activity ${name}`);
    return effect(input as never);
  };
  return { world, perform };
}

const providerCalls = new Set(['processPayment', 'refundPayment', 'generateShipment', 'voidShipment']);
const MAXIMUM_TASKS = 600;

/** Starts the run of an order, with a world that answers its activities. */
export async function startModelledOrder(isolate: WorkflowCreator, plan: Plan) {
  const orderId = crypto.randomUUID() as OrderId;
  const input = inputOf(plan, orderId);
  const workflowId = `order-${orderId}`;
  const run = await startModelledRun(isolate, { workflowType: 'fulfillOrder', workflowId, input });
  return { run, ...createWorld(plan) };
}

type ModelledOrder = Awaited<ReturnType<typeof startModelledOrder>>;

/** Plays one order from its checkout to the end of its run. */
export async function playOrder(isolate: WorkflowCreator, plan: Plan): Promise<Played> {
  const { run, ...world } = await startModelledOrder(isolate, plan);
  try {
    return await play({ run, ...world }, plan);
  } finally {
    await run.dispose();
  }
}

async function play({ run, world, perform }: ModelledOrder, plan: Plan): Promise<Played> {
  const acts: Delivered[] = [];
  const notes: Note[] = [];
  const log: string[] = [];
  const noted = new Set<number>();
  const left = [...plan.acts];
  const decisions = [...plan.decisions];
  let takenBackAtMs: number | undefined;
  let operators = 0;
  const pick = (count: number): number => (decisions.shift() ?? 0) % count;

  function see(): void {
    for (const { seq, name, input } of run.pending()) {
      if (noted.has(seq)) continue;
      noted.add(seq);
      const facts = input as Record<string, unknown>;
      if (noteNames.includes(name)) notes.push({ name, atMs: run.nowMs(), input: facts });
      const back = facts['result'] === 'compensating' || name === 'closeOrder';
      if (back) takenBackAtMs ??= run.nowMs();
    }
  }

  const deliver = (planned: PlannedAct): object => {
    const actor = `${planned.name}-${acts.length}`;
    acts.push({ ...planned, actor, atMs: run.nowMs() });
    log.push(`${actor} by ${planned.way} at ${run.nowMs()}`);
    if (planned.name === 'temporal-cancel') return run.cancelRun();
    const sense = { actor, reason: 'because', ...extras(planned, run.nowMs()) };
    const act = 'raw' in planned ? planned.raw : sense;
    return planned.way === 'update' ? run.update(actor, planned.name, act) : run.signal(planned.name, act);
  };

  const end = (scheduled: Scheduled, technical = false): object => {
    log.push(`${scheduled.name} ${technical ? 'fails' : 'ends'}`);
    if (!technical) return run.end(scheduled, perform(scheduled));
    /* The effect may have happened all the same. */
    if (pick(2) === 0) perform(scheduled);
    return run.end(scheduled, { technical: 'the provider does not answer' });
  };

  const fire = (): object[] => {
    const [next] = run.timers();
    if (!next) return [];
    run.passTo(next.dueMs);
    log.push(`a timer fires at ${next.dueMs}`);
    return [run.fire(next.seq)];
  };

  /** What ends an activity that is no longer waited for; its effect may have come before. */
  const cancellations = (): object[] =>
    run.takeCanceled().map((scheduled) => {
      if (pick(2) === 0) perform(scheduled);
      log.push(`${scheduled.name} is no longer waited for`);
      return run.cancel(scheduled);
    });

  /** Several things at once: all of them reach the run in one workflow task, in this order. */
  function storm(): object[] {
    const jobs: object[] = [];
    for (let count = 1 + pick(3); count > 0; count -= 1) {
      const pending = run.pending();
      const choice = pick(40);
      if (choice < plan.haste && left.length > 0) {
        jobs.push(...left.splice(0, plan.together ? left.length : 1).map(deliver));
      } else if (choice < 32 && pending.length > 0) {
        const scheduled = pending[pick(pending.length)];
        if (scheduled)
          jobs.push(end(scheduled, providerCalls.has(scheduled.name) && pick(plan.failingCalls) === 0));
      } else if (choice < 36 || pending.length === 0) jobs.push(...fire());
      else run.passTo(run.nowMs() + 1 + pick(5 * minute));
    }
    return jobs;
  }

  /** Everything takes its course: activities end, acts still due are done, people resolve, time goes by. */
  function calm(): object[] {
    const [first] = run.pending();
    if (first) return [end(first)];
    const next = left.shift();
    if (next) return [deliver(next)];
    const parked = notes.findLast(({ name }) => name === 'parkOrder' || name === 'resumeOrder');
    if (parked?.name === 'parkOrder' && operators < 20) {
      operators += 1;
      return [deliver({ name: 'resolve', way: 'update', good: true, laterMs: 0 })];
    }
    return fire();
  }

  for (let tasks = 0; !run.closed(); tasks += 1) {
    see();
    const jobs = [...cancellations(), ...(decisions.length > 0 ? storm() : calm())];
    if (tasks > MAXIMUM_TASKS) throw new Error(`No end after ${tasks} tasks:\n${log.slice(-40).join('\n')}`);
    if (jobs.length > 0) await run.activate(ordered(jobs) as never);
    see();
    readAnswers(run, acts);
  }
  const closed = run.closed();
  return {
    plan,
    result: closed?.result as OrderResult | undefined,
    canceled: closed?.canceled ?? false,
    failure: closed?.failure,
    acts,
    notes,
    world,
    takenBackAtMs,
    log,
  };
}

/** Ways to move a parked order on; when everything takes its course (`laterMs` 0) the first. */
const resolutions: readonly object[] = [
  { action: 'retry' },
  { action: 'mark-done', reference: 'ref_1' },
  { action: 'retry-with', input: { paymentMethodId: 'pm_good' } },
  { action: 'retry-with', input: { service: 'Priority' } },
  { action: 'cancel' },
  { action: 'skip' },
];

function extras({ name, good, laterMs }: PlannedAct, nowMs: number): object {
  switch (name) {
    case 'payment':
      return { paymentMethodId: good ? 'pm_good' : 'pm_declined' };
    case 'shipping-address':
      return { address: addressOf(good ? 'GOOD' : 'BAD') };
    case 'extend':
      return { untilUtc: new Date(nowMs + laterMs).toISOString() };
    case 'resolve':
      return good ? (resolutions[Math.abs(laterMs) % resolutions.length] ?? {}) : { action: 'give-up' };
    case 'approve':
    case 'cancel':
    case 'temporal-cancel':
      return {};
  }
}

/** Temporal's core hands over signals first, then updates, then everything else. */
const ordered = (jobs: readonly object[]): object[] => {
  const rank = (job: object) => ('signalWorkflow' in job ? 0 : 'doUpdate' in job ? 1 : 2);
  return jobs.toSorted((one, two) => rank(one) - rank(two));
};

function readAnswers(run: ModelledRun, acts: readonly Delivered[]): void {
  for (const act of acts) {
    const answer = run.answerOf(act.actor);
    if (answer) Object.assign(act, answer);
  }
}

/** The view in an accepted update's answer. */
export const viewIn = ({ told }: Delivered): OrderView => told as OrderView;
