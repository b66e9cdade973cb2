import { CancellationScope } from '@temporalio/workflow';

/** Notes a cancel of this run instead of stopping it at once; `error` is what a canceled run throws in the end. */
export function watchCancel(onCancel: () => void): { error: unknown } {
  const seen: { error: unknown } = { error: undefined };
  CancellationScope.current().cancelRequested.catch((error: unknown) => {
    seen.error = error;
    onCancel();
  });
  return seen;
}
