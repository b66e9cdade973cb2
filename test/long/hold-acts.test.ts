import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, inject, test } from 'vitest';
import type { HeldStatus } from '../../domain/order.ts';
import type { PolicyChanges } from '../../domain/policy.ts';
import {
  approveOrder,
  cancelOrder,
  extendHold,
  extendSignal,
  resolveParked,
  setShippingAddress,
  updatePayment,
} from '../../workflows/messages.ts';
import { projectFolder } from '../../infra/runtime-folder.ts';
import { goodAddress, until } from '../setup/saga-environment.ts';
import {
  act,
  auditedActs,
  detailsOf,
  eventsOf,
  expectEnd,
  refusalOf,
  sagaSuite,
  shownOf,
  type StartedOrder,
} from '../e2e/saga-suite.ts';

const HOUR = 3_600_000;
const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();

/** A dispute is mended by no act; test/e2e/dispute-holds has that hold. */
type Mendable = Exclude<HeldStatus, 'payment_disputed'>;

/** Every hold: how an order comes into it, which act mends it, what stands when nobody does. */
const holds: Record<Mendable, { overrides: object; policy: PolicyChanges; mends: string; failure: string }> =
  {
    payment_failed: {
      overrides: { paymentMethodId: 'pm_card_chargeDeclined' },
      policy: {},
      mends: 'payment',
      failure: 'CardDeclined',
    },
    payment_action_required: {
      overrides: { paymentMethodId: 'pm_card_authenticationRequired' },
      policy: { actionPollMs: 60_000 },
      mends: 'payment',
      failure: 'CustomerActionRequired',
    },
    address_rejected: {
      overrides: { shippingAddress: { ...goodAddress, street1: 'UNDELIVERABLE 1' } },
      policy: {},
      mends: 'shipping-address',
      failure: 'AddressUndeliverable',
    },
    awaiting_approval: {
      overrides: {},
      policy: { approval: { aboveMinor: { INR: 0 } } },
      mends: 'approve',
      failure: 'ApprovalMissing',
    },
  };
const kinds = Object.keys(holds) as Mendable[];
const deadlines = (ms: number): PolicyChanges => ({
  holdPaymentMs: ms,
  holdAddressMs: ms,
  holdApprovalMs: ms,
});

describe('acts on a held order', () => {
  const saga = sagaSuite();

  const start = async (kind: Mendable, more: PolicyChanges = {}) => {
    const { overrides, policy } = holds[kind];
    const order = await saga().start(overrides, { ...policy, ...more });
    const { hold } = await saga().until(order.orderId, (view) => view.hold?.status === kind);
    return { order, hold };
  };
  const acts: Record<string, (order: StartedOrder) => Promise<unknown>> = {
    payment: (order) =>
      order.executeUpdate(updatePayment, { args: [{ ...act, paymentMethodId: 'pm_card_visa' }] }),
    'shipping-address': (order) =>
      order.executeUpdate(setShippingAddress, { args: [{ ...act, address: goodAddress }] }),
    approve: (order) => order.executeUpdate(approveOrder, { args: [act] }),
    resolve: (order) => order.executeUpdate(resolveParked, { args: [{ ...act, action: 'retry' }] }),
  };
  const extend = (order: StartedOrder, untilUtc: unknown) =>
    order.executeUpdate(extendHold, { args: [{ ...act, untilUtc: untilUtc as string }] });
  const cancel = (order: StartedOrder) => order.executeUpdate(cancelOrder, { args: [act] });
  const audited = (order: StartedOrder, name: string) =>
    until(
      () => auditedActs(saga(), order.orderId, name),
      (rows) => rows.length > 0,
    );

  describe.each(kinds)('%s', (kind) => {
    test.concurrent('takes what mends it and refuses what does not', async () => {
      const { order } = await start(kind, deadlines(60_000));
      /* An address may be corrected before shipping whatever the order waits for. */
      const illegal = Object.keys(acts).filter(
        (name) => name !== holds[kind].mends && name !== 'shipping-address',
      );
      for (const name of illegal) {
        expect(await refusalOf(acts[name]?.(order) ?? Promise.resolve())).toMatch(
          /only while its payment is held|only an order that waits for approval|is not parked/,
        );
      }
      await acts[holds[kind].mends]?.(order);
      await expectEnd(saga(), order, { status: 'completed' });
    });

    test.concurrent('is extended, reminded of again, and ends at the later deadline', async () => {
      const { order, hold } = await start(kind, deadlines(2_000));
      const untilUtc = inMs(4_000);
      const view = (await extend(order, untilUtc)) as { hold: { untilUtc: string; remindAtUtc?: string } };
      expect(view.hold.untilUtc).toBe(untilUtc);
      const remindMs = Date.parse(view.hold.remindAtUtc ?? '');
      expect(remindMs).toBeGreaterThan(Date.parse(hold?.untilUtc ?? ''));
      expect(remindMs).toBeLessThan(Date.parse(untilUtc));
      const { audit } = await expectEnd(saga(), order, { status: 'failed', failure: holds[kind].failure });
      expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(untilUtc));
      const told = (await eventsOf(saga(), order.orderId)).filter((type) => /extended|reminded/.test(type));
      expect(told).toContain('order.hold_extended');
      expect(told.at(-1)).toBe('order.hold_reminded');
      expect(audit.find(({ to }) => to === 'extended')).toMatchObject({
        actor: act.actor,
        reason: `until ${untilUtc}: ${act.reason}`,
      });
    });

    test.concurrent('is cancelled', async () => {
      const { order } = await start(kind);
      await cancel(order);
      await expectEnd(saga(), order, { status: 'cancelled' });
    });
  });

  test.concurrent('extend: in the future, after the present deadline, within the longest hold', async () => {
    const { order, hold } = await start('payment_failed', { ...deadlines(HOUR), maximumHoldMs: 3 * HOUR });
    const after = (ms: number) => new Date(Date.parse(hold?.sinceUtc ?? '') + ms).toISOString();
    const refused = (untilUtc: unknown) => refusalOf(extend(order, untilUtc));
    for (const nonsense of [
      undefined,
      null,
      5,
      {},
      [],
      '',
      'tomorrow',
      '2999-13-01T00:00Z',
      inMs(HOUR * 2).replace('Z', '+05:30'),
    ]) {
      expect(await refused(nonsense)).toMatch(/^untilUtc: expected a UTC time such as 20/);
    }
    expect(await refused(inMs(-HOUR))).toMatch(/expected a time after the present deadline/);
    expect(await refused(hold?.untilUtc)).toMatch(/expected a time after the present deadline/);
    expect(await refused(after(3 * HOUR + 1))).toBe(
      `untilUtc: this hold may last until ${after(3 * HOUR)} at most; came ${after(3 * HOUR + 1)}.`,
    );
    await extend(order, after(2 * HOUR));
    expect(await refused(after(2 * HOUR - 1))).toMatch(/expected a time after the present deadline/);
    await extend(order, after(3 * HOUR));
    expect(await detailsOf(order)).toMatch(/It cannot be extended any further/);
    await until(
      () => saga().deps.store.read.order(order.orderId),
      (stored) => stored?.hold?.untilUtc === after(3 * HOUR),
    );
    await cancel(order);
    await expectEnd(saga(), order, { status: 'cancelled' });
  });

  test.concurrent(
    'extend is refused where nothing is held, and a refused signal is written down',
    async () => {
      const orderId = crypto.randomUUID();
      await saga().addFault({
        id: orderId,
        provider: 'easypost',
        operation: 'shipments.buy',
        kind: 'latency',
        ms: 3_000,
        match: { orderId },
      });
      const order = await saga().start({ orderId: orderId as never });
      await saga().until(order.orderId, ({ step }) => step === 'shipping');
      expect(await refusalOf(extend(order, inMs(HOUR)))).toMatch(/is not held \(running\)/);
      await order.signal(extendSignal, { untilUtc: inMs(HOUR), actor: 'desk' });
      expect(await audited(order, 'extend')).toEqual([
        expect.stringMatching(/^refused: The order is not held/),
      ]);
      await expectEnd(saga(), order, { status: 'completed' });
    },
  );

  test.concurrent('each command of the details works as it stands', async () => {
    const { order, hold } = await start('awaiting_approval');
    const commandOf = async (name: string) =>
      [...(await detailsOf(order)).matchAll(/`(npm run -s temporal -- workflow signal [^`]*)`/g)]
        .map(([, command = '']) => command)
        .find((command) => command.includes(`--name ${name} `)) ?? '';
    expect(await commandOf('cancel')).toContain(`--workflow-id order-${order.orderId}`);
    const run = async (command: string) => {
      const path = `${dirname(inject('temporalCli'))}:${process.env['PATH']}`;
      const env = { ...process.env, PATH: path, TEMPORAL_ADDRESS: inject('temporalAddress') };
      await promisify(execFile)('sh', ['-c', command], { cwd: projectFolder, env });
    };
    await run(await commandOf('extend'));
    const longer = await saga().until(order.orderId, (view) => view.hold?.untilUtc !== hold?.untilUtc);
    const twice = 2 * Date.parse(hold?.untilUtc ?? '') - Date.parse(hold?.sinceUtc ?? '');
    expect(Date.parse(longer.hold?.untilUtc ?? '')).toBe(twice);
    await run(await commandOf('approve'));
    const { audit } = await expectEnd(saga(), order, { status: 'completed' });
    expect(audit.filter(({ actor }) => actor === 'your-name').map(({ to }) => to)).toEqual([
      'accepted',
      'extended',
      'accepted',
      'running',
    ]);
  });

  test.concurrent('signals in an encoding that nobody knows are refused and stop nothing', async () => {
    const { order } = await start('awaiting_approval');
    const address = `--address ${inject('temporalAddress')} --workflow-id order-${order.orderId}`;
    const signal = `'${inject('temporalCli')}' workflow signal ${address} --name cancel --input 'cancel it, please'`;
    await promisify(execFile)('sh', ['-c', `${signal} --input-meta encoding=text/plain`]);
    expect(await audited(order, 'cancel')).toEqual([
      'refused: The input could not be read: Unknown encoding: text/plain.',
    ]);
    await acts['approve']?.(order);
    await expectEnd(saga(), order, { status: 'completed' });
  });

  test.concurrent('signals that are nonsense or unknown fail nothing and are written down', async () => {
    const { order } = await start('payment_failed');
    const untypable = { toString: 1, valueOf: 1 };
    const nonsense: [string, unknown][] = [
      ['payment', 'pm_card_visa'],
      ['payment', ['pm_card_visa']],
      ['payment', null],
      ['payment', { paymentMethodId: 'x'.repeat(1_500_000) }],
      ['payment', { paymentMethodId: untypable, actor: untypable, reason: untypable }],
      ['shipping-address', { address: { ...goodAddress, street2: 'x'.repeat(500_000) } }],
      ['shipping-address', { address: { ...goodAddress, city: untypable } }],
      ['approve', { actor: 'x'.repeat(1_000), reason: 'line\nbreak \ud800' }],
      ['resolve', { action: untypable }],
      ['extend', new Uint8Array([1, 2, 3])],
      ['aprove', { actor: 'fat-finger' }],
    ];
    for (const [name, input] of nonsense) await order.signal(name, input);
    const rows = await until(
      async () =>
        (await saga().deps.store.read.audit(`order:${order.orderId}`)).filter(({ to }) => to === 'refused'),
      (all) => all.length === nonsense.length,
    );
    expect(rows.map(({ from }) => from).sort()).toEqual(nonsense.map(([name]) => name).sort());
    expect(rows.find(({ from }) => from === 'aprove')).toMatchObject({
      actor: 'fat-finger',
      reason: expect.stringMatching(/^There is no signal of this name; there are approve, cancel, extend/),
    });
    expect(rows.every(({ reason, actor }) => reason.length <= 500 && actor.length <= 160)).toBe(true);
    expect(await detailsOf(order)).toMatch(/Refused signal aprove at .*There is no signal of this name/);
    expect((await shownOf(order)).sagaState).toBe('held');
    await acts['payment']?.(order);
    await expectEnd(saga(), order, { status: 'completed' });
  });
});
