/** p50, p99 and the largest of some durations, in the unit they came in, rounded to a hundredth. */
export interface Distribution {
  count: number;
  p50: number;
  p99: number;
  max: number;
}

export function distributionOf(values: readonly number[]): Distribution {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    count: sorted.length,
    p50: percentile(sorted, 50),
    p99: percentile(sorted, 99),
    max: percentile(sorted, 100),
  };
}

/** Nearest rank over sorted values: the smallest that at least `percent` of them do not exceed; NaN for none. */
function percentile(sorted: readonly number[], percent: number): number {
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length));
  return rounded(sorted[rank - 1] ?? Number.NaN, 2);
}

export const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
