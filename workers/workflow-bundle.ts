import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type BundleOptions, type WorkflowBundleWithSourceMap } from '@temporalio/worker';

/** Bundles workflows/ for the worker's isolates; about two seconds, once per process. */
export const bundleOrderWorkflows = (
  options: Partial<BundleOptions> = {},
): Promise<WorkflowBundleWithSourceMap> =>
  bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../workflows/index.ts', import.meta.url)),
    ...options,
  });
