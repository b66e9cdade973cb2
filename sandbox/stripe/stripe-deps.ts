import type { Clock } from '../clock.ts';
import type { Counts } from '../counts.ts';
import type { Settings } from '../sandbox-options.ts';
import type { Store } from '../store.ts';

/** Where a change came from; webhooks name it. */
export interface Origin {
  requestId: string | null;
  idempotencyKey: string | null;
}

export interface StripeDeps {
  store: Store;
  clock: Clock;
  counts: Counts;
  settings: () => Settings;
  /** The sandbox's own address, for links in objects. */
  baseUrl: () => string;
  /** Queues a webhook when the endpoint is subscribed to its type. */
  emit: (type: string, object: object, origin: Origin) => void;
}

export const BY_ITSELF: Origin = { requestId: null, idempotencyKey: null };
