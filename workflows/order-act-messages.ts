import type { UpdateDefinition } from '@temporalio/common';
import { defineQuery } from '@temporalio/workflow';
import type { BulkOrderAct, BulkOrderProgress, OrderAct } from '../domain/order-acts.ts';
import type { RestartedBulk } from '../domain/lost-bulk.ts';
import type { OrderView } from '../domain/order.ts';
import { approveOrder, cancelOrder, extendHold, resolveParked } from './messages.ts';
import type { Act } from '../domain/order-run.ts';

/**
 * Input of the workflow `actOnOrders`; `resumed` is what a run hands to the one that continues it, `restarted` who had it
 * go on after its run had been closed from outside.
 */
export interface ActOnOrders {
  bulk: BulkOrderAct;
  restarted?: RestartedBulk;
  resumed?: { after: string; progress: BulkOrderProgress };
}

export const getOrderActProgress = defineQuery<BulkOrderProgress>('progress');

/** Name under which the workflow is registered and started. */
export const actOnOrdersName = 'actOnOrders';

/** An act as one order's own update. */
export interface OrderActUpdate {
  definition: UpdateDefinition<OrderView, [Act]>;
  input: Act;
}

export function updateOf(act: OrderAct, who: Act): OrderActUpdate {
  const { kind, ...rest } = act;
  return { definition: definitions[kind], input: { ...who, ...rest } };
}

const definitions: Record<OrderAct['kind'], UpdateDefinition<OrderView, [Act]>> = {
  resolve: resolveParked,
  cancel: cancelOrder,
  approve: approveOrder,
  extend: extendHold,
};
