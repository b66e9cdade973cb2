import { expect, it } from 'vitest';
import { parseAgeMs } from './age.ts';

it('reads seconds, minutes, hours and days', () => {
  expect(['90s', '30m', '12h', '7d'].map(parseAgeMs)).toEqual([90_000, 1_800_000, 43_200_000, 604_800_000]);
});

it.each(['', '30', 'm', '0m', '-1h', '1.5h', '1 h', '1w', '1e3s', '9999999d', '1h30m'])(
  'refuses "%s"',
  (text) => {
    expect(parseAgeMs(text)).toBeUndefined();
  },
);
