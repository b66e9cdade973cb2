import type { TakePort } from '../ports.ts';

export type Source =
  'configured' | 'path' | 'cache' | 'download' | 'go install' | 'package manager' | 'docker';

/** A server the product needs, running and reachable at `addresses`. */
export type Dependency<Addresses> = {
  name: string;
  source: Source;
  /** Empty while a configured server does not answer. */
  version: string;
  addresses: Addresses;
  /** Process id of a private server, for tests that kill it. */
  pid?: number;
  /** Ends what was started for us; does nothing to a configured server. */
  stop: () => Promise<void>;
};

/** What every dependency is started with. */
export type LaunchContext = {
  env: NodeJS.ProcessEnv;
  /** Private servers keep data, logs and process ids below it. */
  folder: string;
  /** Whether the data is wanted after the stop; without it servers are simply killed, which saves seconds. */
  keepsData: boolean;
  takePort: TakePort;
  /** One line of progress for people. */
  say: (line: string) => void;
  /** Whether addresses from the environment are taken; tests never touch somebody's real servers. */
  useConfigured: boolean;
  /** Whether a private server that ends is started again. Default false: tests kill servers to see them gone. */
  keepsRunning?: boolean;
  /** Whether the start was given up, and with it the waiting for a disk. Without it nothing waits: a disk that is full is an error. */
  isOver?: () => boolean;
  /** Whether sudo may be used to install system packages (`--install`); root needs no permission. */
  installWithSudo: boolean;
};

/** One way of getting a dependency. `start` throws NotHere when this machine does not offer it. */
export type Candidate<Addresses> = {
  source: Source;
  start: () => Promise<Dependency<Addresses>>;
};

/** The sources in words, for people. */
const described: Readonly<Record<Source, string>> = {
  configured: 'the configured address',
  path: 'the program on PATH',
  cache: 'the program of an earlier start',
  download: 'the download',
  'go install': 'building with Go',
  'package manager': "the system's package manager",
  docker: 'Docker',
};

const notHere = Symbol('notHere');

/** An ordinary "this machine does not have it": the next candidate is tried without a warning. */
export function createNotHere(reason: string): Error {
  return Object.assign(new Error(reason), { [notHere]: true });
}

export type Plan<Addresses> = {
  name: string;
  candidates: readonly Candidate<Addresses>[];
  /** What a person types to get this dependency, for the error. */
  installCommand: string;
  say: (line: string) => void;
};

/**
 * Starts the first candidate that works, in the given order. A candidate that is there but fails is reported and passed over;
 * but a configured address is never passed over: what somebody named is not replaced by something else.
 * Fails with every candidate's reason and the command that would install the dependency.
 */
export async function firstThatWorks<Addresses>(plan: Plan<Addresses>): Promise<Dependency<Addresses>> {
  const reasons: string[] = [];
  for (const candidate of plan.candidates) {
    try {
      return await candidate.start();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (candidate.source === 'configured' && !isNotHere(error)) {
        throw new Error(`${plan.name}: the configured address cannot be used: ${reason}`, { cause: error });
      }
      reasons.push(`  ${candidate.source}: ${reason}`);
      if (!isNotHere(error))
        plan.say(`${plan.name}: ${described[candidate.source]} does not work, looking further: ${reason}`);
    }
  }
  throw new Error(
    [`No ${plan.name} could be found or started.`, ...reasons, `To install it: ${plan.installCommand}`].join(
      '\n',
    ),
  );
}

function isNotHere(error: unknown): boolean {
  return error instanceof Error && notHere in error;
}
