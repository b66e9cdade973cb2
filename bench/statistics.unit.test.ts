import { describe, expect, test } from 'vitest';
import { closedLoop } from './closed-loop.ts';
import { distributionOf } from './statistics.ts';

describe('the distribution of measured times', () => {
  test('takes percentiles by nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(distributionOf(hundred)).toEqual({ count: 100, p50: 50, p99: 99, max: 100 });
    expect(distributionOf([3])).toEqual({ count: 1, p50: 3, p99: 3, max: 3 });
  });

  test('does not invent figures for nothing', () => {
    expect(distributionOf([])).toEqual({ count: 0, p50: NaN, p99: NaN, max: NaN });
  });
});

describe('the closed loop', () => {
  test('keeps so many in flight and counts only what finishes while it measures', async () => {
    let inFlight = 0;
    let most = 0;
    let all = 0;
    const work = async () => {
      most = Math.max(most, (inFlight += 1));
      await new Promise((resolve) => setTimeout(resolve, 10));
      inFlight -= 1;
      all += 1;
    };
    const result = await closedLoop({ inFlight: 4, warmUpMs: 60, measureMs: 60, work });
    expect(most).toBe(4);
    expect(result.finished).toBeGreaterThan(0);
    expect(result.finished).toBeLessThan(all);
    expect(result.perSecond).toBeCloseTo(result.finished / 0.06);
  });

  test('fails with the first failure of the work', async () => {
    const work = () => Promise.reject(new Error('no order'));
    await expect(closedLoop({ inFlight: 1, warmUpMs: 1, measureMs: 20, work })).rejects.toThrow('no order');
  });
});
