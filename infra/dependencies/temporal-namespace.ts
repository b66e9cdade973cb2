import type { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { RETENTION_DAYS, searchAttributeTypes } from './temporal-settings.ts';

const SECONDS_PER_DAY = 86_400;

/** Temporal's IndexedValueType of a Keyword, as on the wire. */
const KEYWORD = 2;

/** Adds the search attributes that the namespace does not have yet, through the operator service. */
export async function addMissingSearchAttributes(
  connection: Connection,
  namespace: string,
): Promise<string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = Object.keys(searchAttributeTypes).filter((name) => !(name in (customAttributes ?? {})));
  if (missing.length === 0) return [];
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])),
  });
  return missing;
}

/** The namespace's retention in days. */
export async function retentionDays(connection: Connection, namespace: string): Promise<number> {
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  return Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) / SECONDS_PER_DAY;
}

/** Keeps closed runs for 7 days on a server of ours: the dev server creates its namespace with one day and has no flag for it. */
export async function keepClosedRuns(connection: Connection, namespace: string): Promise<void> {
  if ((await retentionDays(connection, namespace)) === RETENTION_DAYS) return;
  const workflowExecutionRetentionTtl = msToTs(`${RETENTION_DAYS} days`);
  await connection.workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl } });
}
