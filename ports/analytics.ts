/** One event on its way to analytics: the body as it was published. */
export interface AnalyticsEvent {
  eventId: string;
  eventType: string;
  occurredAtUtc: string;
  body: Record<string, unknown>;
}

/** Where analytics is kept. Best effort: an event may be written twice, and is dropped when nobody takes it for hours. */
export interface AnalyticsSink {
  /**
   * Writes a batch. `dropped`: the sink will never take it. Rejects when it may take it later.
   */
  write(batch: readonly AnalyticsEvent[]): Promise<'written' | 'dropped'>;
}
