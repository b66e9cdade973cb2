import {
  Connection,
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
  type ConnectionOptions,
} from '@temporalio/client';

type Interceptor = NonNullable<ConnectionOptions['interceptors']>[number];

const RESOURCE_EXHAUSTED = 8;

/** Pauses between retries stay short beside the deadlines of a request, which are what ends them. */
const pauses = defaultGrpcRetryOptions({ initialIntervalMs: () => 50, maxIntervalMs: () => 250 });
const retry = makeGrpcRetryInterceptor(pauses);
const retryUnlessLimited = makeGrpcRetryInterceptor({
  ...pauses,
  retryableDecider: (attempt, status) =>
    status.code !== RESOURCE_EXHAUSTED && pauses.retryableDecider(attempt, status),
});

/** Too many updates are answered at once, so that the client decides when to come back; all else is tried again. */
const interceptor: Interceptor = (options, nextCall) =>
  options.method_definition.path.endsWith('/UpdateWorkflowExecution')
    ? retryUnlessLimited(options, nextCall)
    : retry(options, nextCall);

/**
 * A connection to Temporal that connects at its first call and again within a second after Temporal was away. Calls
 * are bounded by the deadlines they are made with, not by the connection.
 */
export const lazyTemporalConnection = (options: ConnectionOptions): Connection =>
  Connection.lazy({
    ...options,
    interceptors: [interceptor],
    channelArgs: {
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.min_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1_000,
      ...options.channelArgs,
    },
  });
