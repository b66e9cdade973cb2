import type { DemoAddresses } from './demo-client.ts';
import type { Progress } from './follow-order.ts';

/** What a person can do for an order that waits, as commands that work when pasted. */
export interface NextCommand {
  why: string;
  command: string;
}

/** The next command for an order that waits for a person; undefined for any other. */
export function nextCommand(
  { orderId, order }: Progress,
  { api, sandbox }: DemoAddresses,
  apiKey?: string,
): NextCommand | undefined {
  if (!orderId || !order) return undefined;
  const at = `${api}/orders/${orderId}`;
  if (order.sagaState === 'parked') {
    return {
      why: order.parked?.failure ?? `step ${order.parked?.step ?? ''} used up its attempts`,
      command: curl('POST', `${at}/resolve`, { action: 'retry' }, apiKey),
    };
  }
  if (!order.hold) return undefined;
  const { status, reason: why, nextAction } = order.hold;
  switch (status) {
    case 'payment_failed':
      return { why, command: curl('POST', `${at}/payment`, { paymentMethodId: 'pm_card_visa' }, apiKey) };
    case 'payment_action_required':
      return { why, command: authenticate(nextAction?.clientSecret, { at, sandbox, apiKey }) };
    case 'address_rejected':
      return { why, command: curl('PUT', `${at}/shipping-address`, goodAddress, apiKey) };
    case 'payment_disputed':
      return { why, command: curl('POST', `${at}/cancel`, { reason: 'its charge is disputed' }, apiKey) };
    case 'awaiting_approval':
      return { why, command: curl('POST', `${at}/approve`, { reason: 'looked at' }, apiKey) };
  }
}

const goodAddress = {
  name: 'Ada Lovelace',
  street1: '12 MG Road',
  city: 'Bengaluru',
  state: 'KA',
  postalCode: '560001',
  country: 'IN',
};

/** The sandbox lets you be the customer; without its payment another method resumes the order as well. */
function authenticate(
  clientSecret: string | undefined,
  { at, sandbox, apiKey }: { at: string; sandbox: string; apiKey: string | undefined },
): string {
  const [intent] = clientSecret?.split('_secret_') ?? [];
  return intent
    ? curl('POST', `${sandbox}/sandbox/payment_intents/${intent}/authenticate`, { outcome: 'succeed' })
    : curl('POST', `${at}/payment`, { paymentMethodId: 'pm_card_visa' }, apiKey);
}

function curl(method: string, url: string, body: unknown, apiKey?: string): string {
  return [
    `curl -sS -X ${method} '${url}'`,
    `-H 'Content-Type: application/json'`,
    ...(apiKey ? [`-H 'Authorization: Bearer ${apiKey}'`] : []),
    `-d '${JSON.stringify(body)}'`,
  ].join(' ');
}

/** The order's run in Temporal's Web UI; undefined where no Web UI is known. */
export const webUiLink = (
  { orderId }: Progress,
  { temporalUi }: DemoAddresses,
  namespace: string,
): string | undefined =>
  orderId && temporalUi ? `${temporalUi}/namespaces/${namespace}/workflows/order-${orderId}` : undefined;
