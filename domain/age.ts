const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** What an age looks like, for messages. */
export const ageFormat = 'a whole number with s, m, h or d, such as 30m';

/** Milliseconds of an age such as `90s`, `30m`, `12h` or `7d`; undefined for anything else. */
export function parseAgeMs(text: string): number | undefined {
  const [, count, unit] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? [];
  return count && unit ? Number(count) * unitMs[unit as keyof typeof unitMs] : undefined;
}
