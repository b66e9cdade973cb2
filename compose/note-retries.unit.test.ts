import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { refusalFailure, technicalFailure } from '../activities/failures.ts';
import { TechnicalFailure } from '../domain/failures.ts';
import type { NotedRetry } from '../domain/retries.ts';
import type { Store, StoreTransaction } from '../ports/store.ts';
import { noteRetries } from './note-retries.ts';

const orderId = '0b9d1f6e-2a43-5c1c-8e7f-6f1f1d6f0a11';
const clock = { nowUtc: () => '2026-01-02T00:00:00.000Z' };

function noting(answer: () => Promise<unknown> = async () => undefined) {
  const written: [string, Partial<NotedRetry>][] = [];
  const write = (what: string) => async (input: Partial<NotedRetry>) => {
    await answer();
    written.push([what, input]);
  };
  const retries = { note: write('note'), remove: write('remove') };
  const store = {
    transaction: <T>(work: (tx: StoreTransaction) => Promise<T>) =>
      work({ retries } as unknown as StoreTransaction),
  } as unknown as Store;
  const intercept = noteRetries({ store, clock });
  const attempt = async (end: () => unknown, info: object = {}): Promise<unknown> => {
    const { inbound } = intercept({
      info: {
        activityType: 'generateShipment',
        attempt: 3,
        isLocal: false,
        workflowExecution: { workflowId: `order-${orderId}`, runId: 'r' },
        retryPolicy: { initialInterval: 500, backoffCoefficient: 2, maximumInterval: 20_000 },
        ...info,
      },
    } as never);
    const next = async () => end();
    if (!inbound?.execute) return end();
    return inbound.execute({ args: [], headers: {} }, next);
  };
  return { attempt, written };
}

const fails = (error: unknown) => () => {
  throw error;
};
const away = technicalFailure(new TechnicalFailure('ProviderUnavailable', 'no connection'), 3);

describe('an attempt of a step', () => {
  it('that fails and is tried again is noted: how often, what it said, when it is tried next', async () => {
    const { attempt, written } = noting();
    await expect(attempt(fails(away))).rejects.toBe(away);
    expect(written).toEqual([
      [
        'note',
        {
          orderId,
          activity: 'generateShipment',
          failures: 3,
          failureType: 'ProviderUnavailable',
          failure: 'no connection',
          failedAtUtc: '2026-01-02T00:00:00.000Z',
          nextAttemptAtUtc: '2026-01-02T00:00:02.000Z',
          staleAfterUtc: '2026-01-02T00:10:02.000Z',
        },
      ],
    ]);
  });

  it('waits as long as the failure asks for, and at most the longest interval', async () => {
    const { attempt, written } = noting();
    const asks = new TechnicalFailure('ProviderUnavailable', 'busy', { retryAfterMs: 7_000 });
    await attempt(fails(technicalFailure(asks))).catch(() => {});
    await attempt(fails(new Error('a bug')), { attempt: 30 }).catch(() => {});
    const notes = written.map(([, note]) => note);
    expect(notes).toMatchObject([
      { nextAttemptAtUtc: '2026-01-02T00:00:07.000Z' },
      { nextAttemptAtUtc: '2026-01-02T00:00:20.000Z', failureType: 'Error', failure: 'a bug' },
    ]);
  });

  it('that ends otherwise takes the note away, and at first writes nothing', async () => {
    const { attempt, written } = noting();
    expect(await attempt(() => 'done')).toBe('done');
    const refusal = refusalFailure({ type: 'CardDeclined', reason: 'no' });
    await expect(attempt(fails(refusal))).rejects.toBe(refusal);
    expect(written.map(([what]) => what)).toEqual(['remove', 'remove']);
    expect(await attempt(() => 'done', { attempt: 1 })).toBe('done');
    await attempt(fails(refusal), { attempt: 1 }).catch(() => {});
    expect(written).toHaveLength(2);
  });

  it.each([
    ['beside an order', { workflowExecution: { workflowId: 'refund-1', runId: 'r' } }, away],
    ['beside the path', { activityType: 'recordNote' }, away],
    ['next to the workflow', { isLocal: true }, away],
    ['while SQL is away', {}, ApplicationFailure.create({ type: 'StoreUnavailable', message: 'SQL' })],
  ])('%s is not noted', async (_, info, error) => {
    const { attempt, written } = noting();
    await expect(attempt(fails(error), info)).rejects.toBe(error);
    expect(written).toEqual([]);
  });

  it('that was canceled is not noted as tried again', async () => {
    const { attempt, written } = noting();
    await attempt(fails(new CancelledFailure('stop'))).catch(() => {});
    expect(written.map(([what]) => what)).toEqual(['remove']);
  });

  it('fails as it failed, and at once, also where the note cannot be written or hangs', async () => {
    const refused = noting(() => Promise.reject(new Error('SQL is away')));
    await expect(refused.attempt(fails(away))).rejects.toBe(away);
    let begun = 0;
    const hanging = noting(() => {
      begun += 1;
      return new Promise(() => {});
    });
    for (let n = 0; n < 100; n += 1) await expect(hanging.attempt(fails(away))).rejects.toBe(away);
    expect(begun, 'as many as may be under way').toBe(20);
  });
});
