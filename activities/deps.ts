import type { Address } from '../domain/order.ts';
import type { ServiceLimit } from '../domain/parcel.ts';
import type { Carrier } from '../ports/carrier.ts';
import type { Clock } from '../ports/clock.ts';
import type { Locks, OutboxBell } from '../ports/locks.ts';
import type { PaymentGateway } from '../ports/payment-gateway.ts';
import type { ProviderStates } from '../ports/providers.ts';
import type { Quotes } from '../ports/quotes.ts';
import type { Store } from '../ports/store.ts';

/** What the activities need from the world. */
export interface ActivityDeps {
  store: Store;
  payments: PaymentGateway;
  carrier: Carrier;
  providers: ProviderStates;
  locks: Locks;
  quotes: Quotes;
  /** Where parcels leave from, and the largest that the carriers' services take; no limits: none is known. */
  shipping: { from: Address; limits: readonly ServiceLimit[] };
  bell: OutboxBell;
  clock: Clock;
  /** Who is told of what has no order to be recorded with; absent: the log alone tells. */
  helpDeskMailTo?: string;
}
