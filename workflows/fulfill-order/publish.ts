import { defineSearchAttributeKey } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { formatAmount } from '../../domain/money.ts';
import { searchAttributes as names } from '../../domain/search-attributes.ts';
import { describeHold } from './describe-hold.ts';
import { describeParked } from '../parked/details.ts';
import type { OrderState } from './state.ts';

const keys = {
  orderStatus: defineSearchAttributeKey(names.orderStatus, 'KEYWORD'),
  sagaState: defineSearchAttributeKey(names.sagaState, 'KEYWORD'),
  parkedStep: defineSearchAttributeKey(names.parkedStep, 'KEYWORD'),
  failureType: defineSearchAttributeKey(names.failureType, 'KEYWORD'),
};

/**
 * Shows the order's state to people with Temporal's own tools: search attributes (only the changed ones) and the
 * current details. Called where the workflow is about to wait, so that one workflow task makes one change.
 */
export function createPublisher(order: OrderState): () => void {
  let shown: Record<string, string | undefined> = { orderStatus: 'received', sagaState: 'running' };
  return () => {
    const now: Record<string, string | undefined> = {
      orderStatus: order.status,
      sagaState: order.sagaState,
      parkedStep: order.parked?.step,
      failureType: order.parked?.failureType ?? order.failure?.type ?? order.hold?.failureType,
    };
    const changed = Object.entries(keys).filter(([name]) => now[name] !== shown[name]);
    if (changed.length > 0) {
      upsertSearchAttributes(changed.map(([name, key]) => ({ key, value: now[name] ?? null })));
    }
    shown = now;
    setCurrentDetails(describeOrder(order));
  };
}

const SHOWN_REMARKS = 20;

/** Markdown for the Web UI: what is going on, since when, and what a person can do. No personal data. */
function describeOrder(order: OrderState): string {
  const { orderId, items } = order.input.checkout;
  const total = order.total ? `, ${formatAmount(order.total)} ${order.total.currency}` : '';
  const lines = [
    `**${order.status}** (${order.sagaState}, step ${order.step}); ${items.length} line(s)${total}`,
  ];
  lines.push(...describeHold(order));
  lines.push(...describeParked(order));
  if (order.waitingFor) {
    const { provider, state, sinceUtc, reason } = order.waitingFor;
    lines.push(
      `Waits for ${provider}, ${state} since ${sinceUtc}: ${reason}`,
      'It goes on by itself some minutes after that has ended; nothing is parked and no attempt is made.',
    );
  }
  if (order.failure) lines.push(`Failure ${order.failure.type}: ${order.failure.reason}`);
  if (order.cancelRequested)
    lines.push(`Cancel asked for by ${order.cancelRequested.actor}: ${order.cancelRequested.reason}`);
  if (order.shipment)
    lines.push(`Shipped with ${order.shipment.carrier}, tracking ${order.shipment.trackingCode}`);
  lines.push(...order.remarks.slice(-SHOWN_REMARKS), `Order ${orderId}, policy ${order.input.policy.name}`);
  return lines.join('\n\n');
}
