import type { AuditRow } from '../../domain/audit.ts';
import { orderSubject } from '../../domain/audit.ts';
import type { DomainEvent } from '../../domain/events.ts';
import type { OrderId } from '../../domain/ids.ts';
import type { OrderView } from '../../domain/order.ts';
import type { StoreReads } from '../../ports/store.ts';
import type { ActRow } from '../../ports/store/orders.ts';
import type { OrderLedger } from '../../ports/store/money.ts';

/** What the sandbox says was done for one order at the providers; amounts in the provider's own units. */
export interface ProviderBooks {
  charged: { intent: string; amount: number; currency: string }[];
  refunded: { refund: string; intent: string; amount: number; currency: string; status: string }[];
  disputes: { dispute: string; intent: string; amount: number; status: string }[];
  labels: { shipment: string; trackingCode: string | null; refundStatus: string | null }[];
  intents: { intent: string; status: string }[];
}

/** Everything anybody knows about one order, for the checker to hold side by side. */
export interface OrderBooks {
  ledger: OrderLedger;
  view: OrderView;
  audit: AuditRow[];
  auditHead: { seq: number; hash: string } | undefined;
  events: DomainEvent[];
  acts: ActRow[];
  provider: ProviderBooks;
}

/** The part of the store that the checker reads. */
export interface CheckedStore {
  read: Pick<StoreReads, 'ledger' | 'order' | 'audit' | 'auditHead' | 'events' | 'acts' | 'products'>;
}

/** Reads one order's books from SQL and from the sandbox; undefined when SQL does not know the order. */
export async function readBooks(
  { store, sandboxUrl }: { store: CheckedStore; sandboxUrl: string },
  orderId: OrderId,
): Promise<OrderBooks | undefined> {
  const [[ledger], view, audit, auditHead, events, acts, provider] = await Promise.all([
    store.read.ledger(orderId),
    store.read.order(orderId),
    store.read.audit(orderSubject(orderId)),
    store.read.auditHead(orderSubject(orderId)),
    readEvents(store, orderId),
    store.read.acts(orderId),
    readSandbox<ProviderBooks>(sandboxUrl, `?orderId=${encodeURIComponent(orderId)}`),
  ]);
  return ledger && view ? { ledger, view, audit, auditHead, events, acts, provider } : undefined;
}

async function readEvents(store: CheckedStore, orderId: OrderId): Promise<DomainEvent[]> {
  const events: DomainEvent[] = [];
  for (;;) {
    const page = await store.read.events({
      orderId,
      afterSequence: events.at(-1)?.metadata.sequence ?? 0,
    });
    if (page.length === 0) return events;
    events.push(...page);
  }
}

/** Ids of all orders that the providers know. */
export async function ordersAtProviders(sandboxUrl: string): Promise<string[]> {
  const { orders } = await readSandbox<{ orders: { orderId: string }[] }>(sandboxUrl, '');
  return orders.map(({ orderId }) => orderId);
}

async function readSandbox<Answer>(sandboxUrl: string, query: string): Promise<Answer> {
  const response = await fetch(`${sandboxUrl}/sandbox/ledger${query}`);
  if (!response.ok) throw new Error(`Sandbox ledger: ${response.status} ${await response.text()}`);
  return (await response.json()) as Answer;
}
