import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TechnicalFailure, type TechnicalFailureType } from '../../domain/failures.ts';
import type { Carrier } from '../../ports/carrier.ts';
import type { PaymentGateway } from '../../ports/payment-gateway.ts';
import { createCircuitBreaker, type CircuitBreaker } from './circuit-breaker.ts';
import { guardedCarrier, guardedPayments } from './guarded-gateways.ts';

const policy = { minimumCalls: 4, failureShare: 0.5, windowMs: 30_000, probeAfterMs: 10_000 };
const failing = (type: TechnicalFailureType) => async () => {
  throw new TechnicalFailure(type, `${type}: 503`);
};
const answering = async () => 'answer';

describe('a circuit breaker', () => {
  let circuit: CircuitBreaker;
  let changes: string[];
  let refused: number;
  beforeEach(() => {
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 2) });
    changes = [];
    refused = 0;
    circuit = createCircuitBreaker({
      provider: 'carrier',
      policy,
      onChange: () => changes.push(circuit.status().state),
      onRefused: () => (refused += 1),
    });
  });
  afterEach(() => vi.useRealTimers());

  const calls = async (count: number, request: () => Promise<unknown>): Promise<string[]> => {
    const results: string[] = [];
    for (let call = 0; call < count; call += 1) {
      const ended = circuit.call(request).then(
        () => 'ok',
        (error: Error) => error.message,
      );
      results.push(await ended);
    }
    return results;
  };
  const open = () => calls(4, failing('OutcomeUnknown'));

  it('tells other orders in our own words why it is open', async () => {
    const words = { summary: 'EasyPost shipments.buy: the carrier cannot do it now (422)' };
    const message =
      'EasyPost shipments.buy: the carrier cannot do it now (422: 12 Residency Road is invalid)';
    await calls(4, () => Promise.reject(new TechnicalFailure('ProviderUnavailable', message, words)));
    expect(circuit.status().reason).toBe(words.summary);
    expect(await calls(1, answering)).toEqual([expect.not.stringContaining('Residency')]);
  });

  it.each(['OutcomeUnknown', 'ProviderUnavailable'] as const)(
    'opens on sustained %s and sends nothing more',
    async (type) => {
      await calls(3, failing(type));
      expect(circuit.status().state).toBe('closed');
      await calls(1, failing(type));
      expect(circuit.status()).toEqual({
        state: 'open',
        sinceUtc: '2026-01-02T00:00:00.000Z',
        reason: `${type}: 503`,
      });
      const request = vi.fn<() => Promise<string>>(answering);
      vi.advanceTimersByTime(4_000);
      await expect(circuit.call(request)).rejects.toMatchObject({
        type: 'ProviderUnavailable',
        retryAfterMs: 6_000,
        message: expect.stringMatching(/^Nothing was sent to carrier: its circuit is open since 2026/),
      });
      expect([request.mock.calls.length, refused]).toEqual([0, 1]);
    },
  );

  it('stays closed while half of the requests are answered', async () => {
    for (let round = 0; round < 20; round += 1) {
      await calls(1, answering);
      await calls(1, failing('OutcomeUnknown'));
    }
    expect(circuit.status().state).toBe('closed');
    await calls(1, failing('OutcomeUnknown'));
    expect(circuit.status().state).toBe('open');
  });

  it('counts neither refusals, which are answers, nor what no pause can mend', async () => {
    const refusal = async () => ({ status: 'declined' });
    await calls(50, refusal);
    await calls(3, failing('ProviderMisconfigured'));
    const bug = async () => {
      throw new TypeError('a bug of ours');
    };
    expect(await calls(50, bug)).toContain('a bug of ours');
    await calls(50, failing('ProviderMisconfigured'));
    expect([circuit.status().state, changes]).toEqual(['closed', []]);
  });

  it('opens at the first refused key, says so, and closes once a key is taken', async () => {
    const refusing = async () => {
      throw new TechnicalFailure('ProviderMisconfigured', 'the secret key is refused', { keyRefused: true });
    };
    await calls(10, answering);
    await calls(1, refusing);
    expect(circuit.status()).toEqual({
      state: 'open',
      sinceUtc: '2026-01-02T00:00:00.000Z',
      reason: 'the secret key is refused',
      keyRefused: true,
    });
    expect(await calls(1, answering)).toEqual([expect.stringMatching(/^Nothing was sent/)]);
    vi.advanceTimersByTime(10_000);
    await calls(1, refusing);
    expect(circuit.status()).toMatchObject({ state: 'open', keyRefused: true });
    vi.advanceTimersByTime(10_000);
    await calls(1, failing('OutcomeUnknown'));
    expect(circuit.status()).toEqual({
      state: 'open',
      sinceUtc: expect.any(String),
      reason: expect.any(String),
    });
    vi.advanceTimersByTime(10_000);
    expect(await calls(1, answering)).toEqual(['ok']);
    expect(circuit.status()).toMatchObject({ state: 'closed', reason: '' });
  });

  it('forgets failures that are older than its window, however few requests there are', async () => {
    for (let call = 0; call < 10; call += 1) {
      await calls(1, failing('OutcomeUnknown'));
      vi.advanceTimersByTime(11_000);
    }
    expect(circuit.status().state).toBe('closed');
  });

  it('lets one request try after a while, refuses the others meanwhile, and closes when that one is answered', async () => {
    await open();
    vi.advanceTimersByTime(9_999);
    expect(circuit.probeInMs()).toBe(1);
    expect(await calls(1, answering)).toEqual([expect.stringMatching(/^Nothing was sent/)]);
    vi.advanceTimersByTime(1);
    expect(circuit.probeInMs()).toBe(0);
    const probe = Promise.withResolvers<string>();
    const probed = circuit.call(() => probe.promise);
    expect(await calls(3, answering)).toEqual(Array(3).fill(expect.stringMatching(/half-open/)));
    probe.resolve('back');
    expect(await probed).toBe('back');
    expect(await calls(2, answering)).toEqual(['ok', 'ok']);
    expect(changes).toEqual(['open', 'half-open', 'closed']);
    expect(circuit.status().reason).toBe('');
  });

  it('opens again when the probe fails, and still says since when it has been open', async () => {
    await open();
    vi.advanceTimersByTime(10_000);
    expect(await calls(2, failing('OutcomeUnknown'))).toEqual([
      'OutcomeUnknown: 503',
      expect.stringMatching(/^Nothing was sent/),
    ]);
    expect(circuit.status()).toMatchObject({ state: 'open', sinceUtc: '2026-01-02T00:00:00.000Z' });
    expect(circuit.probeInMs()).toBe(10_000);
  });

  it('stands before every request of a gateway and before nothing else', async () => {
    await open();
    const sent: string[] = [];
    const methods = (names: readonly string[]) =>
      Object.fromEntries(names.map((name) => [name, async () => void sent.push(name)]));
    const requests = ['create', 'confirm', 'retrieve', 'findByOperation', 'cancel', 'refund', 'added-later'];
    const gateway = guardedPayments(
      {
        ...methods(requests),
        payable: () => ({ ok: true }),
        verifyWebhook: () => undefined,
      } as unknown as PaymentGateway,
      circuit,
    ) as unknown as Record<string, (input: unknown) => Promise<unknown>>;
    for (const name of requests) await expect(gateway[name]?.({}), name).rejects.toThrow('Nothing was sent');
    expect(gateway['payable']?.({})).toEqual({ ok: true });
    const names = ['verifyAddress', 'createShipment', 'buy', 'retrieve', 'refundLabel'];
    const carrier = guardedCarrier(methods(names) as unknown as Carrier, circuit);
    for (const send of Object.values(carrier) as ((input: unknown) => Promise<unknown>)[]) {
      await expect(send({})).rejects.toThrow('Nothing was sent');
    }
    expect(sent).toEqual([]);
  });
});
