import { Command } from 'commander';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createApp } from '../api/app.ts';
import { fakeDeps, fakeStore, operatorKey, someOrder, viewOf } from '../api/testing/fake-deps.ts';
import type { Refund, RefundAnswer, RequestRefund } from '../domain/refunds.ts';
import type { PaymentRow } from '../ports/store/money.ts';
import { createApiClient } from './api-client.ts';
import type { CliDeps } from './deps.ts';
import { ordersCommand } from './orders.ts';

const hundred = { amountMinor: 10_000, currency: 'INR' } as const;
const charged: PaymentRow = {
  orderId: someOrder,
  n: 1,
  state: 'charged',
  amount: { amountMinor: 149_900, currency: 'INR' },
  intentId: 'pi_1',
  createRequestedAtUtc: '2026-01-02T03:04:05.678Z',
  createKeyNumber: 1,
  confirmKeyNumber: 1,
  cancelKeyNumber: 1,
  refundKeyNumber: 1,
};
const before: Refund = {
  orderId: someOrder,
  refundId: 'r-before',
  n: 1,
  state: 'refunded',
  amount: hundred,
  reason: 'one key was stuck',
  actor: 'ana',
  requestedAtUtc: '2026-01-02T03:04:05.678Z',
};

/** The API in this process: an amount that went back before is refused until it is confirmed. */
function given({ atTerminal = false, answers = [] as boolean[], broken = false } = {}) {
  const [out, said, asked]: [string[], string[], string[]] = [[], [], []];
  const sent: { refund: RequestRefund; saidBefore: string }[] = [];
  const answerOf = (refund: RequestRefund): RefundAnswer =>
    refund.amount?.amountMinor === hundred.amountMinor && !refund.confirmSameAmount
      ? { status: 'refused', code: 'same_amount', reason: '100.00 INR went back already.' }
      : { status: 'taken', refund: { ...before, ...refund, amount: refund.amount ?? hundred } };
  const money = async () => ({
    payments: [charged],
    refunds: [{ ...before, fingerprint: 'f', keyNumber: 1 }],
    disputes: [],
  });
  const { store } = fakeStore({ reads: { order: async () => viewOf({ status: 'completed' }), money } });
  const refunds = {
    start: async (refund: RequestRefund) => {
      sent.push({ refund, saidBefore: said.join('\n') });
      return { status: 'started' as const };
    },
    end: async (refund: RequestRefund) => answerOf(refund),
    follow: async () => {},
  };
  const app = createApp(fakeDeps({ refunds, store }));
  vi.stubGlobal('fetch', async (url: URL, init: RequestInit) => {
    if (broken && init.method === 'POST') throw new Error('the connection is gone');
    return app.request(url.pathname, init);
  });
  const deps: CliDeps = {
    client: () => createApiClient('http://api', operatorKey),
    print: (text) => out.push(text),
    say: (text) => said.push(text),
    confirm: async (question) => {
      asked.push(question);
      return answers[asked.length - 1] ?? false;
    },
    atTerminal,
  };
  const run = (...options: string[]) =>
    new Command()
      .exitOverride()
      .addCommand(ordersCommand(deps))
      .parseAsync(['orders', 'refund', someOrder, '--reason', 'late', ...options], { from: 'user' });
  return { run, out, said, asked, sent };
}

afterEach(() => vi.unstubAllGlobals());

describe('orders refund', () => {
  it('needs a key where nobody can be asked', async () => {
    const { run, sent } = given();
    await expect(run('--amount', '50.00')).rejects.toThrow('Without a terminal --key is required');
    expect(sent).toEqual([]);
    await run('--amount', '50.00', '--key', 'ticket-1');
    expect(sent).toHaveLength(1);
  });

  it('says without --amount what goes back before it sends it, and leaves JSON alone on the standard output', async () => {
    const { run, sent, out, asked } = given();
    await run('--key', 'ticket-1', '--json');
    expect(sent[0]?.saidBefore).toContain('To be refunded: 1399.00 INR');
    expect(JSON.parse(out.join('\n'))).toMatchObject({ state: 'refunded' });
    expect(asked).toEqual([]);
  });

  it('at a terminal shows what was charged and refunded, asks, and says the key that it has made before it sends it', async () => {
    const { run, sent, said, asked } = given({ atTerminal: true, answers: [true] });
    await run('--amount', '50.00');
    expect(said[0]).toContain('Charged: 1499.00 INR. Refunded so far: 100.00 INR.');
    expect(said[0]).toContain('refund r-before: refunded, 100.00 INR, by ana: one key was stuck');
    expect(asked).toEqual([`Refund 50.00 INR of order ${someOrder}?`]);
    expect(sent[0]?.saidBefore).toMatch(/Key of this refund: [0-9a-f-]{36}\./);
  });

  it('sends nothing when nobody agrees', async () => {
    const { run, sent } = given({ atTerminal: true });
    await expect(run('--amount', '50.00')).rejects.toThrow('Nothing was refunded');
    expect(sent).toEqual([]);
  });

  it('asks once more before the same amount goes back within a day, under the same key', async () => {
    const { run, sent, asked } = given({ atTerminal: true, answers: [true, true] });
    await run('--amount', '100.00');
    expect(asked).toEqual([`Refund 100.00 INR of order ${someOrder}?`, 'Refund the same amount once more?']);
    const [first, second] = sent.map(({ refund }) => refund);
    expect(second).toEqual({ ...first, confirmSameAmount: true });
  });

  it.each([
    ['without a terminal', false],
    ['with --yes', true],
  ])('%s it names the option that confirms the same amount', async (_, atTerminal) => {
    const { run, sent } = given({ atTerminal });
    await expect(run('--amount', '100.00', '--key', 'k', '--yes')).rejects.toThrow('--confirm-same-amount');
    await run('--amount', '100.00', '--key', 'k', '--yes', '--confirm-same-amount');
    expect(sent.map(({ refund }) => refund.confirmSameAmount)).toEqual([undefined, true]);
  });

  it('--dry-run says what would go back, by the rules of the request, and asks for nothing', async () => {
    const { run, sent, out } = given();
    await run('--amount', '50.00', '--dry-run');
    expect(out.join()).toContain('would be: refund');
    expect(out.join()).toContain('50.00 INR');
    await expect(run('--amount', '5000.00', '--dry-run')).rejects.toThrow('1399.00 INR');
    expect(sent).toEqual([]);
  });

  it('names the key to ask again with when nobody knows what came of it', async () => {
    const { run } = given({ broken: true });
    await expect(run('--key', 'ticket-1')).rejects.toThrow('repeat the command with --key ticket-1');
  });
});
