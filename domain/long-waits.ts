/**
 * How waits that repeat grow, so that an order that waits for months keeps a short history: each lasts this share of
 * the time waited already, `maximumMs` at most, and never less than its own short interval.
 */
export interface LongWaits {
  /** Above 0, at most 1: with 0.125 a provider that was away for a day is asked again within three hours. */
  share: number;
  maximumMs: number;
}

/** The next wait, in whole milliseconds; always the short one where a recorded policy knows no long waits. */
export function nextWaitMs(
  longWaits: LongWaits | undefined,
  { shortMs, waitedMs }: { shortMs: number; waitedMs: number },
): number {
  if (!longWaits) return shortMs;
  return Math.max(shortMs, Math.min(Math.round(waitedMs * longWaits.share), longWaits.maximumMs));
}
