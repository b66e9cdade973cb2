const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

/** How often and how much the relay does; milliseconds. */
export interface RelayTiming {
  /** Looks for messages at least so often, bell or not. */
  sweepMs: number;
  /** Least time between the starts of two passes that found less than a full batch: rings in between share one pass. */
  passGapMs: number;
  /** Partitions of a relay that died are taken over after so long. */
  leaseMs: number;
  renewLeaseMs: number;
  /** Pause after the broker or the store was unavailable; doubles up to the second number. */
  unavailableMs: number;
  maximumUnavailableMs: number;
  /** Pause before an order's message that could not be published is tried again; doubles up to the second number. */
  retryMs: number;
  maximumRetryMs: number;
  gaugesMs: number;
  /** Published messages older than the retention are deleted, so often and a few hundred at a time. */
  purgeMs: number;
  retentionMs: number;
}

export const defaultRelayTiming: RelayTiming = {
  sweepMs: SECOND,
  passGapMs: 25,
  leaseMs: 10 * SECOND,
  renewLeaseMs: 3 * SECOND,
  unavailableMs: 100,
  maximumUnavailableMs: 2 * SECOND,
  retryMs: SECOND,
  maximumRetryMs: 30 * SECOND,
  gaugesMs: 5 * SECOND,
  purgeMs: MINUTE,
  retentionMs: 7 * DAY,
};
