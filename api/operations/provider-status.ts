import {
  awaitedProvider,
  providerNames,
  statusOf,
  type ProviderName,
  type ProviderRecords,
  type ProviderStatus,
} from '../../domain/providers.ts';
import type { AppDeps } from '../app-deps.ts';
import { within } from '../../ports/bounded.ts';
import type { OrderBody } from '../orders/order-body.ts';

/** Longest wait for the store; after it the last known holds. */
const READ_TIMEOUT_MS = 200;
/** One reading serves all requests of this time. */
const LIFE_MS = 1_000;

export interface ProviderReadings {
  /** Never rejects; undefined while the store has never answered. */
  statuses(): Promise<Record<ProviderName, ProviderStatus> | undefined>;
  /** The order, with what it waits for where its present step's provider takes no steps. */
  withWait(order: OrderBody): Promise<OrderBody>;
}

/** How the providers stand, read at most once a second however many ask. */
export function createProviderReadings({ store, clock }: Pick<AppDeps, 'store' | 'clock'>): ProviderReadings {
  let known: ProviderRecords | undefined;
  let reading: Promise<void> | undefined;
  let readAtMs = Number.NEGATIVE_INFINITY;

  async function read(): Promise<void> {
    try {
      known = await within(READ_TIMEOUT_MS, 'store', () => store.read.providers());
    } catch {
      /* The last known holds; the store's absence shows in the readiness. */
    }
    readAtMs = Date.parse(clock.nowUtc());
    reading = undefined;
  }

  async function fresh(): Promise<ProviderRecords | undefined> {
    if (Date.parse(clock.nowUtc()) - readAtMs >= LIFE_MS) await (reading ??= read());
    return known;
  }

  const statusIn = (records: ProviderRecords, provider: ProviderName): ProviderStatus =>
    statusOf(records, { provider, nowUtc: clock.nowUtc() });

  return {
    async statuses() {
      const records = await fresh();
      if (!records) return undefined;
      const entries = providerNames.map((name) => [name, statusIn(records, name)] as const);
      return Object.fromEntries(entries) as Record<ProviderName, ProviderStatus>;
    },
    async withWait(order) {
      const provider = awaitedProvider(order);
      const records = provider && (await fresh());
      if (!records) return order;
      const { waitingFor: _, ...rest } = order;
      const status = statusIn(records, provider);
      return status.state === 'available' ? rest : { ...rest, waitingFor: { provider, ...status } };
    },
  };
}
