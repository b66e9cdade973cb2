import type { Client } from '@temporalio/client';
import { orderActWorkflowIdOf } from '../../domain/ids.ts';
import {
  actOnOrdersName,
  getOrderActProgress,
  type ActOnOrders,
} from '../../workflows/order-act-messages.ts';
import type { OrderActWorkflows } from '../../ports/temporal.ts';
import { createBulkWorkflows } from './bulk.ts';

/** OrderActWorkflows through a Temporal client; no connection is made before the first call. */
export function createOrderActWorkflows(client: Client, taskQueue: string): OrderActWorkflows {
  const { start, progress, cancel } = createBulkWorkflows(client, taskQueue, {
    name: actOnOrdersName,
    workflowIdOf: orderActWorkflowIdOf,
    progress: getOrderActProgress,
  });
  return {
    async start(bulk, fingerprint) {
      const input: ActOnOrders = { bulk };
      const summary = `${bulk.act.kind} orders: ${bulk.reason.slice(0, 150)}`;
      return start({ id: bulk.actId, args: [input], summary, fingerprint });
    },
    progress,
    cancel,
  };
}
