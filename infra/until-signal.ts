const SAME_KEY_PRESS_MS = 1_000;

/**
 * Resolves at the first SIGINT, SIGTERM or SIGHUP, or when the process that started this one (infra/run.mjs) was killed outright. A further one after more than a second ends this process at once,
 * and its reaper ends the children; sooner ones are the same Ctrl-C that reached this process twice (terminal and npm).
 */
export function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    process.once('disconnect', resolve);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (firstAt !== undefined && Date.now() - firstAt > SAME_KEY_PRESS_MS) process.exit(1);
        firstAt ??= Date.now();
        resolve();
      });
    }
  });
}
