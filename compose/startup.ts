import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../telemetry/logger.ts';

const firstPauseMs = 250;
const longestPauseMs = 5_000;
/** What has not changed is said again this often. */
const sayAgainMs = 30_000;

export interface Startup {
  /**
   * Connects, again and again while the other side is away: what was configured is waited for, never replaced.
   * Says at first and then every half minute who is waited for and by which setting. Rejects where trying again cannot help.
   */
  until<T>(wait: {
    /** As the readiness check is called. */
    check: string;
    /** The setting that says where it is. */
    setting: string;
    connect: () => Promise<T>;
    /** Whether trying again may help; default always. */
    isAway?: (error: unknown) => boolean;
  }): Promise<T>;
  /** A readiness check for a part that is not there yet: throws what it waits for. */
  notYet(check: string): never;
}

/** What a process waits for before it can work. */
export function createStartup(
  logger: Pick<Logger, 'info' | 'warn'>,
  pause: (ms: number) => Promise<unknown> = sleep,
): Startup {
  const reasons = new Map<string, string>();
  return {
    async until({ check, setting, connect, isAway = () => true }) {
      let saidAtMs = Number.NEGATIVE_INFINITY;
      for (let attempt = 0; ; attempt += 1) {
        try {
          const connected = await connect();
          if (reasons.delete(check)) logger.info({ setting }, `${check} answers now`);
          return connected;
        } catch (error) {
          if (!isAway(error)) throw error;
          const reason = error instanceof Error ? error.message : String(error);
          const isNews = reasons.get(check) !== reason;
          reasons.set(check, reason);
          if (isNews || performance.now() - saidAtMs > sayAgainMs) {
            saidAtMs = performance.now();
            logger.warn({ setting, reason }, `not ready: waiting for ${check}, which ${setting} names`);
          }
        }
        await pause(Math.min(longestPauseMs, firstPauseMs * 2 ** attempt));
      }
    },
    notYet(check) {
      throw new Error(reasons.get(check) ?? 'starting');
    },
  };
}
