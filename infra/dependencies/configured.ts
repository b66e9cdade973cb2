import { setTimeout as sleep } from 'node:timers/promises';
import type { Dependency, LaunchContext } from './dependency.ts';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 10_000;

/**
 * A server that the person named by a setting. It is never replaced: one that does not answer is said by its setting and
 * asked again in the background until it does, while the product's processes wait for it on their own.
 */
export async function configuredServer<Addresses>(
  context: LaunchContext,
  server: {
    name: string;
    setting: string;
    /** Without user and password. */
    shown: string;
    addresses: Addresses;
    /** Proves that it answers, prepares what the product needs there, and tells the version. */
    ask: () => Promise<string>;
    pause?: typeof sleep;
  },
): Promise<Dependency<Addresses>> {
  const { name, setting, shown, addresses, ask, pause = sleep } = server;
  const stopping = new AbortController();
  const found = { name, source: 'configured', addresses, stop: async () => stopping.abort() } as const;
  try {
    return { ...found, version: await ask() };
  } catch (error) {
    context.say(
      `${name}: ${setting} names ${shown}, which cannot be used now: ${reasonOf(error)}. ` +
        `It is waited for, nothing is started in its place; unset ${setting} for a private one.`,
    );
    void askAgain();
    return { ...found, version: '' };
  }

  async function askAgain(): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS);
      await pause(pauseMs, undefined, { signal: stopping.signal, ref: false }).catch(() => {});
      if (stopping.signal.aborted) return;
      const version = await ask().catch(() => undefined);
      if (version === undefined) continue;
      context.say(`${name} ${version} answers now (${setting})`);
      return;
    }
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** `host:port` of an address that may hold a password; the whole address is not shown. */
export function hostOf(address: string): string {
  try {
    return new URL(address).host || 'an address without a host';
  } catch {
    return 'an address that is no URL';
  }
}
