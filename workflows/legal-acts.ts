import {
  latestHoldMs,
  refuseAddress,
  refuseApprove,
  refuseCancel,
  refuseExtend,
  refusePayment,
  type OrderState,
} from './order-state.ts';
import { refuseResolve } from './resolve.ts';

/**
 * What the order takes now, by its own validators: names of updates and signals, `resolve` with its actions, for
 * example `cancel`, `resolve retry`. For whoever was refused.
 */
export function legalActs(order: OrderState): string[] {
  const who = { actor: '', reason: '' };
  const until = { untilUtc: order.hold ? new Date(latestHoldMs(order)).toISOString() : '' };
  const doors: [string, string | undefined][] = [
    ['cancel', refuseCancel(order)],
    ['payment', refusePayment(order)],
    ['shipping-address', refuseAddress(order)],
    ['approve', refuseApprove(order)],
    ['extend', refuseExtend(order, until)],
  ];
  const resolvable = refuseResolve(order, { ...who, action: 'retry' }) === undefined;
  return [
    ...doors.filter(([, refusal]) => refusal === undefined).map(([name]) => name),
    ...(resolvable ? (order.parked?.actions ?? []) : []).map((action) => `resolve ${action}`),
  ];
}
