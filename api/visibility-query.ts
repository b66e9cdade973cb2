import { workflowIdOf, type OrderId, type TaskQueues } from '../domain/ids.ts';
import { searchAttributes as names } from '../domain/search-attributes.ts';
import { fulfillOrderName } from '../workflows/messages.ts';
import type { OrderScope } from './order-workflows.ts';

/** Temporal's list filter for orders. Throws for a value that could end its quotes: those come checked. */
export function visibilityQuery(queues: TaskQueues, scope: OrderScope): string {
  const { orderIds, idPrefix, open, closed, callerId, startedBeforeUtc, startedAfterUtc } = scope;
  const equal = {
    WorkflowType: fulfillOrderName,
    TaskQueue: queues.orders,
    [names.orderStatus]: scope.status,
    [names.sagaState]: scope.sagaState,
    [names.parkedStep]: scope.step,
    [names.failureType]: scope.failureType,
    [names.customerHash]: scope.customerHash,
    ExecutionStatus: open ? 'Running' : undefined,
  };
  return [
    ...Object.entries(equal).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name} = ${quoted(value)}`],
    ),
    ...(closed ? ["ExecutionStatus != 'Running'"] : []),
    ...(orderIds ? [`WorkflowId IN (${orderIds.map((id) => quoted(workflowIdOf(id))).join(', ')})`] : []),
    ...(idPrefix ? [`WorkflowId STARTS_WITH ${quoted(`${workflowIdOf('' as OrderId)}${idPrefix}`)}`] : []),
    ...(callerId ? [`(${names.callerId} = ${quoted(callerId)} OR ${names.callerId} IS NULL)`] : []),
    ...(startedBeforeUtc ? [`StartTime < ${quoted(startedBeforeUtc)}`] : []),
    ...(startedAfterUtc ? [`StartTime > ${quoted(startedAfterUtc)}`] : []),
  ].join(' AND ');
}

function quoted(value: string): string {
  if (/^[\w.:-]+$/.test(value)) return `'${value}'`;
  throw new Error(`A list filter takes letters, digits and . _ : - alone; got ${JSON.stringify(value)}`);
}
