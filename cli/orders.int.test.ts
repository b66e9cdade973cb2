import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OrderId } from '../domain/ids.ts';
import type { OrderView } from '../domain/order.ts';
import type { PolicyChanges } from '../domain/policy.ts';
import { newOrderId, sagaSuite, type StartedOrder } from '../test/e2e/saga-suite.ts';
import { goodAddress, until } from '../test/setup/saga-environment.ts';
import { startOpsFixture, type CommandResult, type OpsFixture } from '../test/support/ops-fixture.ts';
import type { DryRunAnswer, ProgressAnswer } from './order-tables.ts';

const why = 'asked for by phone';
/** For the step that is meant to park: soon enough, and still time to get through on a busy machine once mended. */
const small = { attemptTimeoutMs: 1_500, budgetMs: 2_500, maximumIntervalMs: 100 };
const parksSoon: PolicyChanges = { steps: { shipping: small } };
const deadline = new Date(Date.now() + 7_200_000).toISOString();

/* Circuits stay closed: these tests are about steps that park. */
const saga = sagaSuite({
  env: { PROVIDER_POLICY: JSON.stringify({ maximumPerSecond: 1_000, circuit: { minimumCalls: 1e6 } }) },
});
let fixture: OpsFixture;
beforeAll(async () => {
  fixture = await startOpsFixture(saga());
});
afterAll(() => fixture.close());

const isHeld = ({ hold }: OrderView): boolean => hold !== undefined;
const isParked = ({ sagaState }: OrderView): boolean => sagaState === 'parked';
const reached = async (
  condition: (view: OrderView) => boolean,
  ...start: Parameters<ReturnType<typeof saga>['start']>
): Promise<StartedOrder> => {
  const order = await saga().start(...start);
  await saga().until(order.orderId, condition);
  return order;
};
const declined = () => reached(isHeld, { paymentMethodId: 'pm_card_chargeDeclined' });

/** Parked at its label; the carrier is back when this answers. */
async function parkedOrder(): Promise<StartedOrder> {
  const orderId = newOrderId();
  const fault = { provider: 'easypost', operation: 'shipments.create', kind: 'outage' } as const;
  await saga().addFault({ ...fault, id: orderId, match: { orderId } });
  const order = await reached(isParked, { orderId }, parksSoon);
  await saga().removeFault(orderId);
  return order;
}

interface Act {
  begin(): Promise<StartedOrder>;
  http: [method: string, path: string, body: object];
  cli: string[];
  signal: [name: string, input: object];
  done(view: OrderView): boolean;
}

const { name, street1, city, postalCode, country, state } = goodAddress;
const acts: Record<string, Act> = {
  cancel: {
    begin: declined,
    http: ['POST', 'cancel', {}],
    cli: ['cancel'],
    signal: ['cancel', {}],
    done: ({ status }) => status === 'cancelled',
  },
  'retry-payment': {
    begin: declined,
    http: ['POST', 'payment', { paymentMethodId: 'pm_card_visa' }],
    cli: ['retry-payment', '--payment-method', 'pm_card_visa'],
    signal: ['payment', { paymentMethodId: 'pm_card_visa' }],
    done: ({ status }) => status === 'completed',
  },
  'set-address': {
    begin: () => reached(isHeld, { shippingAddress: { ...goodAddress, street1: 'UNDELIVERABLE 1' } }),
    http: ['PUT', 'shipping-address', goodAddress],
    cli: ['set-address', '--name', name, '--street1', street1, '--city', city, '--state', state ?? ''].concat(
      ['--postal-code', postalCode, '--country', country],
    ),
    signal: ['shipping-address', { address: goodAddress }],
    done: ({ status }) => status === 'completed',
  },
  approve: {
    begin: () => reached(isHeld, {}, { approval: { aboveMinor: { INR: 0 } } }),
    http: ['POST', 'approve', {}],
    cli: ['approve'],
    signal: ['approve', {}],
    done: ({ status }) => status === 'completed',
  },
  extend: {
    begin: declined,
    http: ['POST', 'extend', { untilUtc: deadline }],
    cli: ['extend', '--until', deadline],
    signal: ['extend', { untilUtc: deadline }],
    done: ({ hold }) => hold?.untilUtc === deadline,
  },
  resolve: {
    begin: parkedOrder,
    http: ['POST', 'resolve', { action: 'retry' }],
    cli: ['resolve', '--action', 'retry'],
    signal: ['resolve', { action: 'retry' }],
    done: ({ status }) => status === 'completed',
  },
};

/** Does the act through each entry point. */
const entryPoints: Record<string, { actor: string; go(id: OrderId, act: Act): Promise<void> }> = {
  HTTP: {
    actor: 'help-desk',
    async go(id, { http: [method, path, body] }) {
      const response = await fixture.http(method, `/orders/${id}/${path}`, { ...body, reason: why });
      expect([response.status, await response.clone().text()]).toEqual([200, expect.anything()]);
    },
  },
  'command line': {
    actor: 'ada (help-desk)',
    async go(id, { cli: [verb = '', ...options] }) {
      const { out, error } = await fixture.ops([verb, id, ...options, '--reason', why, '--actor', 'ada']);
      expect([error, out]).toEqual([undefined, expect.stringContaining(`accepted: ${id}`)]);
    },
  },
  signal: {
    actor: 'signal',
    go: (id, { signal: [signalName, input] }) => fixture.signal(id, signalName, { ...input, reason: why }),
  },
};

const rowsOf = async (id: OrderId) => {
  const rows = await saga().deps.store.read.audit(`order:${id}`);
  return rows.filter(({ reason }) => reason.includes(why));
};

describe('an act through HTTP, the command line and a signal', () => {
  test.concurrent.each(Object.entries(acts))('%s has one effect and one record', async (_, act) => {
    const records = Object.entries(entryPoints).map(async ([entryPoint, { actor, go }]) => {
      const { orderId } = await act.begin();
      await go(orderId, act);
      await saga().until(orderId, act.done);
      const rows = await until(
        () => rowsOf(orderId),
        /* That it was accepted, and what came of it. */
        (found) => found.some(({ to }) => to !== 'accepted'),
      );
      expect([entryPoint, new Set(rows.map((row) => row.actor))]).toEqual([entryPoint, new Set([actor])]);
      return rows.map(({ step, from, to, reason }) => ({ step, from, to, reason }));
    });
    const [first, ...others] = await Promise.all(records);
    expect(first).not.toEqual([]);
    for (const other of others) expect(other).toEqual(first);
  });

  test.concurrent('is refused with one reason, which says what the order takes instead', async () => {
    const { orderId } = await parkedOrder();
    const response = await fixture.http('POST', `/orders/${orderId}/resolve`, {
      action: 'skip',
      reason: why,
    });
    const problem = (await response.json()) as { detail: string };
    expect([response.status, problem]).toEqual([
      409,
      expect.objectContaining({
        detail: expect.stringMatching(/"skip" is not possible .*possible now: retry/),
        legalActs: ['cancel', 'resolve retry', 'resolve retry-with', 'resolve mark-done', 'resolve cancel'],
      }),
    ]);
    const { error } = await fixture.ops(['resolve', orderId, '--action', 'skip', '--reason', why]);
    expect(error).toContain(problem.detail);
    expect(error).toContain('Allowed actions: cancel, resolve retry');
    await fixture.signal(orderId, 'resolve', { action: 'skip', reason: why });
    const [refused] = await until(
      async () =>
        (await saga().deps.store.read.audit(`order:${orderId}`)).filter(({ to }) => to === 'refused'),
      (rows) => rows.length > 0,
    );
    expect(refused).toMatchObject({ actor: 'signal', from: 'resolve', reason: problem.detail });
    await fixture.ops(['resolve', orderId, '--reason', why]);
    await saga().until(orderId, ({ status }) => status === 'completed');
  });
});

describe('from a terminal', () => {
  test.concurrent('an order is shown with its story, and followed until it has ended', async () => {
    const { orderId } = await parkedOrder();
    const shown = await fixture.ops(['show', orderId.slice(0, 13)]);
    expect(shown.out).toMatch(/fulfillment_created \(parked, step shipping\)/);
    expect(shown.out).toMatch(/parked +│? *at shipping since/);
    expect(shown.out).toMatch(/What happened:\n {2}\w+ \d+, \d{4} at .*placed and accepted/);
    expect(shown.out).toMatch(/Next: Our staff have been told/);
    const watching = fixture.ops(['watch', orderId]);
    await fixture.ops(['resolve', orderId, '--reason', why]);
    const { out, error } = await watching;
    expect(error).toBeUndefined();
    expect(out).toMatch(/order\.parked\.v1[^]*shipment\.generated\.v1[^]*order\.completed\.v1/);
    expect(out).toMatch(/completed \(ended\)/);
  });

  test.concurrent('money is given back once for one key', async () => {
    const order = await saga().start();
    await order.result();
    const refund = ['refund', order.orderId, '--amount', '500.00', '--reason', why, '--key', 'ticket-1'];
    const first = await fixture.ops(refund);
    expect([first.error, first.out]).toEqual([undefined, expect.stringMatching(/refunded, 500.00 INR/)]);
    expect((await fixture.ops(refund)).out).toBe(first.out);
    const other = (...args: string[]) =>
      fixture.ops(['refund', order.orderId, '--reason', why, '--key', 'ticket-2', ...args]);
    expect((await other('--amount', '7000.00')).error).toContain('6999.00 INR');
    expect((await other('--amount', '500.00')).error).toContain('--confirm-same-amount');
    const confirmed = await other('--amount', '500.00', '--confirm-same-amount');
    expect([confirmed.error, confirmed.out]).toEqual([undefined, expect.stringMatching(/refunded, 500.00/)]);
  });

  test.concurrent('what is asked for wrongly is said in words', async () => {
    const messages = await Promise.all([
      fixture.ops(['list', '--where', 'step=carrier']),
      fixture.ops(['cancel', '--reason', why]),
      fixture.ops(['cancel', newOrderId(), '--where', 'state=held', '--reason', why]),
      fixture.ops(['resolve', '--where', 'state=parked', '--reference', 'x', '--reason', why]),
      fixture.ops(['resolve', '--where', 'state=parked', '--confirm-differences', '--reason', why]),
      fixture.ops([
        'resolve',
        '--where',
        'state=parked',
        '--payment-method',
        'pm_card_visa',
        '--reason',
        why,
      ]),
      fixture.ops(['show', 'nothing']),
    ]);
    expect(messages.map(({ error }: CommandResult) => error)).toEqual([
      expect.stringContaining('expected receive, inventory'),
      'Expected either orders or --where',
      'Expected either orders or --where',
      '--reference belongs to one order: name that order alone',
      '--confirm-differences belongs to one order: name that order alone',
      '--payment-method belongs to one order: name that order alone',
      expect.stringContaining('There is no order "nothing"'),
    ]);
  });
});

describe('an act on many orders', () => {
  test('counts what refuses and what has ended, and leaves the rest as it was', async () => {
    const [held, shipped] = await Promise.all([declined(), saga().start()]);
    await shipped.result();
    const ids = [held.orderId, shipped.orderId, newOrderId()];
    const body = { where: { orderIds: ids }, act: { kind: 'approve' }, reason: why };
    const started = (await (await fixture.http('POST', '/order-acts', body)).json()) as ProgressAnswer;
    const end = await until(
      async () => (await (await fixture.http('GET', started.links.self)).json()) as ProgressAnswer,
      ({ status }) => status === 'completed',
    );
    expect(end).toMatchObject({ accepted: 0, refused: 1, gone: 2, unanswered: 0 });
    expect(end.refusals).toEqual([
      { orderId: held.orderId, reason: expect.stringMatching(/only an order that waits for approval/) },
    ]);
    const printed = await fixture.ops(['progress', started.actId]);
    expect(printed.out).toMatch(/completed: approve: 0 accepted, 1 refused, 2 had ended/);
    const { error, out } = await fixture.ops(['cancel', held.orderId, shipped.orderId, '--reason', why]);
    expect([error, out]).toEqual([undefined, expect.stringContaining('1 accepted')]);
    await saga().until(held.orderId, ({ status }) => status === 'cancelled');
    const trail = await saga().deps.store.read.audit(`order-act:${started.actId}`);
    expect(trail.map(({ to }) => to)).toEqual([
      'running',
      'completed: 0 accepted, 1 refused, 2 gone, 0 unanswered',
    ]);
  });

  test(
    'moves fifty parked orders on while new ones arrive, asks first, and reports',
    { timeout: 120_000 },
    async () => {
      const fault = { provider: 'easypost', operation: 'shipments.create', kind: 'outage' } as const;
      await saga().addFault({ ...fault, id: 'storm' });
      const parked = await Promise.all(Array.from({ length: 50 }, () => saga().start({}, parksSoon)));
      const where = ['--where', 'step=shipping state=parked age<1h'];
      const resolve = ['resolve', ...where, '--reason', why, '--actor', 'ada', '--rate', '50'];
      const dry = await until(
        async () => {
          const { out, error } = await fixture.ops([...resolve, '--dry-run', '--json']);
          if (error !== undefined) throw new Error(error);
          return JSON.parse(out) as DryRunAnswer;
        },
        ({ count, checked }) => count === 50 && checked === 20,
        60_000,
      );
      expect([dry.orders.length, dry.refused]).toEqual([20, []]);
      await saga().removeFault('storm');
      const unasked = await fixture.ops(resolve);
      expect(unasked.error).toBe('50 orders left as they are: confirm, or give --yes');
      expect(unasked.out).toMatch(/Would resolve \(retry\) 50 orders[^]*… and 30 more/);
      expect((await fixture.ops(['list', ...where, '--limit', '3'])).out).toMatch(/parked +.*shipping/);

      const fresh = Promise.all(Array.from({ length: 5 }, () => saga().start({}, parksSoon)));
      const done = await fixture.ops(resolve, true);
      expect(done.error).toBeUndefined();
      expect(done.out).toMatch(/completed: resolve \(retry\): 50 accepted, 0 refused/);
      const results = await Promise.all([...parked, ...(await fresh)].map((order) => order.result()));
      expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['completed']));
      const [first] = parked;
      const rows = await rowsOf(first?.orderId as OrderId);
      const actor = 'ada (help-desk)';
      expect(rows).toMatchObject([
        { actor, from: 'resolve', to: 'accepted', reason: why },
        { actor, from: 'parked', to: 'running', reason: why },
      ]);
    },
  );
});
