const dayMs = 86_400_000;

/**
 * Least age of what may be purged, in days: until then Temporal may hold a run of the order, and a message may be
 * replayed, which the marks of handled events keep from happening twice.
 */
const leastDays = 7;

/** Milliseconds of an age in whole days, such as `90d`. Throws for anything else and for less than 7 days. */
export function ageMs(text: string): number {
  const days = Number(/^([1-9]\d{0,4})d$/.exec(text)?.[1] ?? 0);
  if (days < leastDays)
    throw new Error(`Age "${text}": expected whole days, at least ${leastDays}d, such as 90d`);
  return days * dayMs;
}
