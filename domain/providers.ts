/** The services that steps wait for; each has a task queue, a switch and a circuit breaker of its own. */
export const providerNames = ['payments', 'carrier'] as const;
export type ProviderName = (typeof providerNames)[number];

export const isProviderName = (value: string): value is ProviderName =>
  (providerNames as readonly string[]).includes(value);

/** Subject of the audit rows of a provider's switch. */
export const providerSubject = (provider: ProviderName): string => `provider:${provider}`;

/** An operator's switch. While it is `paused` no attempt of the provider's steps begins; checkouts go on. */
export interface ProviderSwitch {
  provider: ProviderName;
  state: 'running' | 'paused';
  actor: string;
  reason: string;
  sinceUtc: string;
}

/** `closed`: requests pass. `open`: none does. `half-open`: one passes and decides. */
export type CircuitState = 'closed' | 'open' | 'half-open';

/** A circuit breaker as it is now. */
export interface CircuitStatus {
  state: CircuitState;
  /** Since when it is closed, or since when requests have not been passing. */
  sinceUtc: string;
  /** The failure that opened it; empty while it is closed. */
  reason: string;
  /** It is open since the provider refuses our key: no waiting mends that. */
  keyRefused?: true;
}

/** What one worker process reports of its circuit. */
export interface ProviderCircuit extends CircuitStatus {
  provider: ProviderName;
  /** Host and process id. */
  process: string;
  reportedAtUtc: string;
}

/** All that SQL knows of the providers. A provider without a switch was never paused. */
export interface ProviderRecords {
  switches: readonly ProviderSwitch[];
  circuits: readonly ProviderCircuit[];
}

/** Whether the provider's steps go on, and if not, since when and why they wait. */
export const providerStates = ['available', 'paused', 'circuit-open', 'key-refused'] as const;
export type ProviderStatus = { state: 'available' } | ProviderWait;

export interface ProviderWait {
  state: 'paused' | 'circuit-open' | 'key-refused';
  sinceUtc: string;
  reason: string;
}

/**
 * What becomes of a step whose budget has ended. `wait`: its provider takes no steps; ask again later. `again`: the
 * provider was held up within the budget, so the step gets another one. `park`: the provider is not to blame.
 */
export type BudgetAdvice = { advice: 'wait'; wait: ProviderWait } | { advice: 'again' | 'park' };

/** What an order waits for when its provider takes no steps. */
export interface WaitingFor extends ProviderWait {
  provider: ProviderName;
}

/** A process that has not reported for so long is taken for gone. Three times as long as processes take to report. */
export const REPORT_LIFE_MS = 30_000;

export const isFresh = ({ reportedAtUtc }: ProviderCircuit, nowUtc: string): boolean =>
  Date.parse(nowUtc) - Date.parse(reportedAtUtc) <= REPORT_LIFE_MS;

/**
 * The switch comes first. A circuit keeps steps waiting when no living process has it closed: as long as one has,
 * that one takes them. A key that one process sees refused is the reason that people have to hear of.
 */
export function statusOf(
  { switches, circuits }: ProviderRecords,
  { provider, nowUtc }: { provider: ProviderName; nowUtc: string },
): ProviderStatus {
  const own = switches.find((one) => one.provider === provider);
  if (own?.state === 'paused') return { state: 'paused', sinceUtc: own.sinceUtc, reason: own.reason };
  const living = circuits.filter((one) => one.provider === provider && isFresh(one, nowUtc));
  const [first, ...others] = living.filter(({ state }) => state !== 'closed');
  if (!first || others.length + 1 < living.length) return { state: 'available' };
  const refused = [first, ...others].find(({ keyRefused }) => keyRefused);
  const earliest = refused ?? others.reduce((a, b) => (a.sinceUtc <= b.sinceUtc ? a : b), first);
  const state = refused ? 'key-refused' : 'circuit-open';
  return { state, sinceUtc: earliest.sinceUtc, reason: earliest.reason };
}

/** Which provider a step, or a compensation by its own name, calls. */
export const providerOf = (activity: string): ProviderName | undefined =>
  isProviderActivity(activity) ? providersByActivity[activity] : undefined;

const providersByActivity = {
  address: 'carrier',
  shipping: 'carrier',
  voidShipment: 'carrier',
  payment: 'payments',
  refundPayment: 'payments',
  seekCharges: 'payments',
  seekLabels: 'carrier',
} as const satisfies Record<string, ProviderName>;

const isProviderActivity = (name: string): name is keyof typeof providersByActivity =>
  Object.hasOwn(providersByActivity, name);

/** The provider that the order's present step calls; undefined where it calls none, waits for a person or has ended. */
export function awaitedProvider(order: {
  sagaState: string;
  step?: string | undefined;
  parked?: { activity?: string | undefined } | undefined;
}): ProviderName | undefined {
  const running = order.sagaState === 'running' ? order.step : undefined;
  const activity = order.parked ? order.parked.activity : running;
  return activity === undefined ? undefined : providerOf(activity);
}

/** How fast a process takes a provider's steps. */
export interface ProviderPolicy {
  /** Most attempts a second of all worker processes together; the server keeps to it. An attempt is 1 to 5 requests. */
  maximumPerSecond: number;
  /** After a pause or an outage: most attempts a second of one process, for `slowStartMs`. */
  slowStartPerSecond: number;
  slowStartMs: number;
  circuit: CircuitPolicy;
  /** How often a process reads the switch. */
  pollMs: number;
}

/** When a circuit opens: more than `failureShare` of at least `minimumCalls` requests within `windowMs` failed technically. */
export interface CircuitPolicy {
  minimumCalls: number;
  /** Between 0 and 1. */
  failureShare: number;
  windowMs: number;
  /** How long no request passes before one may try. */
  probeAfterMs: number;
}

export const defaultProviderPolicy: ProviderPolicy = {
  maximumPerSecond: 50,
  slowStartPerSecond: 5,
  slowStartMs: 30_000,
  circuit: { minimumCalls: 20, failureShare: 0.5, windowMs: 30_000, probeAfterMs: 10_000 },
  pollMs: 1_000,
};
