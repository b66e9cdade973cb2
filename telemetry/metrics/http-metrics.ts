import type { MetricFactory } from './metric-factory.ts';

const shownBy = ['api'] as const;
const checkoutResults = ['started', 'replayed', 'conflict', 'refused', 'unavailable', 'error'] as const;
export type CheckoutResult = (typeof checkoutResults)[number];

/** The API: rate, errors and duration of requests, checkouts and their replays. */
export const createHttpMetrics = (define: MetricFactory) => ({
  httpRequestDuration: define.histogram({
    name: 'http_request_duration_seconds',
    help: 'Time to answer an HTTP request, in seconds, the wait that `Prefer: wait` asks for included.',
    labels: {
      method: 'HTTP methods',
      route: "the routes' patterns, or unknown",
      status: 'HTTP status codes',
    },
    buckets: [0.005, 0.01, 0.025, 0.047, 0.1, 0.25, 0.5, 1, 2.5],
    shownBy,
  }),
  httpRequestsInFlight: define.gauge({
    name: 'http_requests_in_flight',
    help: 'HTTP requests that are being answered.',
    shownBy,
  }),
  checkouts: define.counter({
    name: 'checkouts_total',
    help: 'Checkouts by result: an order was started; a replay of its Idempotency-Key; a conflict (the key with another body); refused (the request does not fit); unavailable (Temporal did not answer); error (a fault of ours).',
    labels: { result: checkoutResults },
    shownBy,
  }),
  checkoutDuration: define.histogram({
    name: 'checkout_duration_seconds',
    help: 'Time from the arrival of a checkout until its order is known to be started, in seconds, by result as in checkouts_total. Goal: 0.047 at the 99th percentile.',
    labels: { result: checkoutResults },
    buckets: [0.005, 0.01, 0.015, 0.02, 0.03, 0.047, 0.075, 0.1, 0.25, 0.5, 1, 2.5, 5],
    shownBy,
  }),
  paymentWebhooks: define.counter({
    name: 'payment_webhooks_total',
    help: "The payment provider's webhooks by result.",
    labels: { result: ['signalled', 'followed', 'duplicate', 'ignored', 'refused'] },
    shownBy,
  }),
  eventStreams: define.gauge({
    name: 'event_streams_open',
    help: 'Open streams of server-sent events.',
    shownBy,
  }),
});
