import type { HandlerResult } from '../ports/broker.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/**
 * Counts what a handler decided in `messages_consumed_total` and, where it gave the message up, in
 * `messages_dead_lettered_total` with the reason. `counted`: what the first calls it, by default the result's status.
 */
export function countHandled(
  metrics: Metrics,
  {
    queue,
    result,
    counted = result.status,
  }: { queue: string; result: HandlerResult; counted?: HandlerResult['status'] | 'duplicate' },
): void {
  metrics.messagesConsumed.inc({ queue, result: counted });
  if (result.status === 'dead-letter') metrics.messagesDeadLettered.inc({ queue, reason: result.reason });
}
