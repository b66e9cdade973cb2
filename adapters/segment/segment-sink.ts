import type { AnalyticsEvent, AnalyticsSink } from '../../ports/analytics.ts';

const TIMEOUT_MS = 10_000;

/** Segment's HTTP tracking API, `POST <url>/v1/batch`, or one that is like it. `messageId` makes repeats harmless there. */
export function createSegmentSink({ url, writeKey }: { url: string; writeKey: string }): AnalyticsSink {
  const address = new URL('v1/batch', url.endsWith('/') ? url : `${url}/`);
  return {
    async write(batch) {
      const response = await fetch(address, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Basic ${btoa(`${writeKey}:`)}` },
        body: JSON.stringify({ batch: batch.map(trackOf), sentAt: new Date().toISOString() }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await response.body?.cancel();
      if (response.ok) return 'written';
      if (response.status === 400 || response.status === 413) return 'dropped';
      throw new Error(`analytics: POST ${address.pathname} answered ${response.status}`);
    },
  };
}

const trackOf = ({ eventId, eventType, occurredAtUtc, body }: AnalyticsEvent) => {
  const payload = (body['payload'] ?? {}) as Record<string, unknown>;
  return {
    type: 'track',
    event: eventType,
    messageId: eventId,
    userId: typeof payload['customerId'] === 'string' ? payload['customerId'] : '',
    timestamp: occurredAtUtc,
    properties: payload,
  };
};
