import type { HeldStatus } from '../../domain/order.ts';
import { latestHoldMs, type OrderState } from './state.ts';
import { signalCommand } from './signal-command.ts';

/** Paragraphs of the current details about a hold: why, until when, and the commands that end or extend it. */
export function describeHold(order: OrderState): string[] {
  const { hold } = order;
  if (!hold) return [];
  const reminder = hold.remindAtUtc ? `; a reminder goes out at ${hold.remindAtUtc}` : '';
  return [
    `Held since ${hold.sinceUtc} until ${hold.untilUtc}: ${hold.reason}`,
    `Without an act the order is then rolled back and fails${reminder}.`,
    mendingText(order, hold.status),
    ...extending(order),
    `End it now: \`${signalCommand(order, { name: 'cancel' })}\``,
  ];
}

const mendingText = (order: OrderState, status: HeldStatus): string => {
  const act = mending[status];
  return act
    ? `Mend it: \`${signalCommand(order, act)}\``
    : "It goes on by itself when the customer's bank has decided: answer the dispute at the payment provider.";
};

const mending: Record<HeldStatus, { name: string; input?: object } | undefined> = {
  payment_failed: { name: 'payment', input: { paymentMethodId: 'pm_…' } },
  payment_action_required: { name: 'payment', input: { paymentMethodId: 'pm_…' } },
  address_rejected: {
    name: 'shipping-address',
    input: { address: { name: '…', street1: '…', city: '…', postalCode: '…', country: '…' } },
  },
  awaiting_approval: { name: 'approve' },
  payment_disputed: undefined,
};

/** As long again as it has been given, where the policy allows any more. */
function extending(order: OrderState): string[] {
  const { hold } = order;
  if (!hold) return [];
  const [sinceMs, untilMs, latestMs] = [
    Date.parse(hold.sinceUtc),
    Date.parse(hold.untilUtc),
    latestHoldMs(order),
  ];
  if (untilMs >= latestMs) return ['It cannot be extended any further.'];
  const untilUtc = new Date(Math.min(2 * untilMs - sinceMs, latestMs)).toISOString();
  const latest = new Date(latestMs).toISOString();
  return [
    `Extend it, at most until ${latest}: \`${signalCommand(order, { name: 'extend', input: { untilUtc } })}\``,
  ];
}
