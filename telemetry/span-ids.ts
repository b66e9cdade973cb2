import type { IdGenerator } from '@opentelemetry/sdk-trace';

let given: string | undefined;

/** Spans that `start` starts have this id. */
export function withSpanId<T>(spanId: string, start: () => T): T {
  given = spanId;
  try {
    return start();
  } finally {
    given = undefined;
  }
}

/** Ids by chance, unless `withSpanId` gives one. */
export const givenOr = (random: IdGenerator): IdGenerator => ({
  generateTraceId: () => random.generateTraceId(),
  generateSpanId: () => given ?? random.generateSpanId(),
});
