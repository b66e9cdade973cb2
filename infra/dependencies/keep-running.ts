import { isPortFree } from '../ports.ts';
import { type OwnedProcess, type ProcessSpec, startProcess } from '../processes.ts';
import { supervise } from '../supervisor.ts';
import type { LaunchContext } from './dependency.ts';

/**
 * From now on a server that is ready is started again when it ends by itself or is killed, as it was started: on the
 * same ports, with the same data. Only where the context asks for it: tests kill servers to see them gone.
 */
export function keepRunning(
  context: LaunchContext,
  server: {
    ready: OwnedProcess;
    spec: ProcessSpec;
    ports: readonly number[];
    /** Clears what the last run left, before each start again. */
    beforeStart?: () => void;
  },
): { stop: () => Promise<void> } {
  const { ready, spec, ports, beforeStart } = server;
  if (context.keepsRunning !== true) return { stop: () => ready.stop() };
  let first: OwnedProcess | undefined = ready;
  const start = async (again: ProcessSpec): Promise<OwnedProcess> => {
    const already = first;
    first = undefined;
    if (already !== undefined) return already;
    beforeStart?.();
    return startProcess(again);
  };
  const why = async () => {
    for (const port of ports) {
      if (!(await isPortFree(port)))
        return `${spec.name}: port ${port} was taken by another program; end that one`;
    }
    return undefined;
  };
  return supervise({ spec, say: context.say, why, start });
}
