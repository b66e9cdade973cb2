import { expect, it } from 'vitest';
import { ageMs } from './age.ts';

it('reads whole days', () => {
  expect(ageMs('90d')).toBe(90 * 86_400_000);
  expect(ageMs('7d')).toBe(7 * 86_400_000);
});

it.each(['', '90', '6d', '0d', '-90d', '1.5d', '90 d', '90h', '1e3d', '999999d'])('refuses "%s"', (text) => {
  expect(() => ageMs(text)).toThrow('at least 7d');
});
