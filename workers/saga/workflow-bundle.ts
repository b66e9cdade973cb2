import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type BundleOptions, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { isTracing } from '../../telemetry/tracing.ts';

/** Bundles workflows/ for the worker's isolates, with their trace where traces are recorded; about two seconds, once per process. */
export const bundleOrderWorkflows = (
  options: Partial<BundleOptions> = {},
): Promise<WorkflowBundleWithSourceMap> =>
  bundleWorkflowCode({
    workflowsPath: pathOf('../../workflows/index.ts'),
    payloadConverterPath: pathOf('../../workflows/payload-converter.ts'),
    workflowInterceptorModules: isTracing() ? [pathOf('../../workflows/trace-interceptors.ts')] : [],
    ...options,
  });

const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
