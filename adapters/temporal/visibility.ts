import { workflowIdOf, type OrderId, type TaskQueues } from '../../domain/ids.ts';
import { searchAttributes as names } from '../../domain/search-attributes.ts';
import { fulfillOrderName } from '../../workflows/messages.ts';
import type { OrderScope } from '../../ports/temporal.ts';

/** Temporal's list filter for orders. Throws for a value that could end its quotes: those come checked. */
export function visibilityQuery(queues: TaskQueues, scope: OrderScope): string {
  const { amongst, orderIds, idPrefix, open, closed, callerId, startedBeforeUtc, startedAfterUtc } = scope;
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
    ...Object.entries(equal).flatMap(([name, value]) => (value === undefined ? [] : [anyOf(name, value)])),
    ...(closed ? ["ExecutionStatus != 'Running'"] : []),
    ...(orderIds ? [`WorkflowId IN (${orderIds.map((id) => quoted(workflowIdOf(id))).join(', ')})`] : []),
    ...(idPrefix ? [`WorkflowId STARTS_WITH ${quoted(`${workflowIdOf('' as OrderId)}${idPrefix}`)}`] : []),
    ...(amongst ? [amongstText(amongst)] : []),
    ...(callerId ? [`(${names.callerId} = ${quoted(callerId)} OR ${names.callerId} IS NULL)`] : []),
    notAnothers,
    ...(startedBeforeUtc ? [`StartTime < ${quoted(startedBeforeUtc)}`] : []),
    ...(startedAfterUtc ? [`StartTime > ${quoted(startedAfterUtc)}`] : []),
  ].join(' AND ');
}

/** The list filter knows no empty list. */
function amongstText({ orderIds, orRunning }: NonNullable<OrderScope['amongst']>): string {
  const ids = orderIds.length > 0 ? orderIds.map((id) => quoted(workflowIdOf(id))) : [quoted('none')];
  const retried = `(WorkflowId IN (${ids.join(', ')}) AND ${goes})`;
  if (!orRunning) return retried;
  const statuses = orRunning.map(quoted).join(', ');
  return `(${retried} OR (${names.sagaState} = 'running' AND ${names.orderStatus} IN (${statuses})))`;
}

/** A note of a step that is retried may be minutes older than the order's parking or end. */
const goes = `${names.sagaState} IN ('running', 'compensating')`;

const anyOf = (name: string, values: string | readonly string[]): string =>
  typeof values === 'string'
    ? `${name} = ${quoted(values)}`
    : `${name} IN (${values.map(quoted).join(', ')})`;

/** Runs that were started for another request than the order's are none of it. */
const notAnothers = `(${names.failureType} IS NULL OR ${names.failureType} != 'KeyReused')`;

export function quoted(value: string): string {
  if (/^[\w.:-]+$/.test(value)) return `'${value}'`;
  throw new Error(`A list filter takes letters, digits and . _ : - alone; got ${JSON.stringify(value)}`);
}
