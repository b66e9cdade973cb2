import {
  latestHoldMs,
  refuseAddress,
  refuseApprove,
  refuseCancelNow,
  refuseExtend,
  refusePayment,
  type OrderState,
} from './state.ts';
import { refuseResolve } from '../parked/resolve.ts';

/**
 * What the order takes now, by its own validators: names of updates and signals, `resolve` with its actions, for
 * example `cancel`, `resolve retry`. For whoever was refused: not what was `refused` to him just now.
 */
export function legalActs(order: OrderState, refused?: string): string[] {
  const who = { actor: '', reason: '' };
  const until = { untilUtc: order.hold ? new Date(latestHoldMs(order)).toISOString() : '' };
  const acts: [string, string | undefined][] = [
    ['cancel', refuseCancelNow(order)],
    ['payment', refusePayment(order)],
    ['shipping-address', refuseAddress(order)],
    ['approve', refuseApprove(order)],
    ['extend', refuseExtend(order, until)],
  ];
  const resolvable = refuseResolve(order, { ...who, action: 'retry' }) === undefined;
  return [
    ...acts.filter(([name, refusal]) => refusal === undefined && name !== refused).map(([name]) => name),
    ...(resolvable ? (order.parked?.actions ?? []) : []).map((action) => `resolve ${action}`),
  ];
}
