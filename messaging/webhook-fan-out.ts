import { outsideEvent } from '../domain/outside-words.ts';
import { messageHeaders } from '../domain/message-headers.ts';
import type { Delivery, HandlerResult, Publisher } from '../ports/broker.ts';
import type { StoreReads } from '../ports/store.ts';
import { activeTraceparent } from '../telemetry/tracing.ts';
import { parseWebhookEvent, webhookDeliveryMessage } from './webhook-delivery.ts';

export interface FanOutDeps {
  broker: Publisher;
  read: Pick<StoreReads['webhooks'], 'subscribers'>;
}

/**
 * Makes one delivery message for each endpoint that subscribed to the event, and acknowledges the event when the broker
 * has confirmed all of them. Interrupted, it makes them again under the same ids; what was delivered meanwhile is
 * skipped then.
 */
export async function fanOut(deps: FanOutDeps, delivery: Delivery): Promise<HandlerResult> {
  const parsed = parseWebhookEvent(delivery.body);
  if (!parsed.ok) {
    const reason = 'isUnknownType' in parsed ? 'unknown-type' : 'invalid-payload';
    return { status: 'dead-letter', reason, error: delivery.parseError ?? parsed.reason };
  }
  /* Said again for events that were published before they left the house in outside words. */
  const event = outsideEvent(parsed.value);
  const endpointIds = await deps.read.subscribers(event.eventType);
  const answers = await Promise.all(
    endpointIds.map((endpointId) =>
      deps.broker.publish(
        webhookDeliveryMessage({
          endpointId,
          event,
          subject: headerOf(delivery, messageHeaders.orderId) || event.eventId,
          traceparent: activeTraceparent() ?? headerOf(delivery, messageHeaders.traceparent),
        }),
      ),
    ),
  );
  const missing = answers.find(({ status }) => status !== 'confirmed');
  if (missing === undefined || missing.status === 'confirmed') return { status: 'done' };
  if (missing.status === 'refused')
    return { status: 'dead-letter', reason: 'fan-out-refused', error: missing.reason };
  return { status: 'pause', ms: 1_000, reason: `deliveries could not be stored: ${missing.reason}` };
}

const headerOf = ({ headers }: Delivery, name: string): string => {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
};
