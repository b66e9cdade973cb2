import type { Store, StoreReads } from '../ports/store.ts';

/** The part of the store that the API uses, opened at first use. */
export type LazyStore = Pick<Store, 'read' | 'transaction' | 'ping' | 'close'>;

/**
 * Opens the store when it is first needed and again after an opening that failed, so the API starts and takes
 * checkouts without it. Every method rejects with the opening's error while it cannot be opened. The hooks hear once
 * that it cannot, and once that it then could.
 */
export function lazyStore(
  open: () => Promise<Store>,
  hooks: { onAway?: (error: unknown) => void; onBack?: () => void } = {},
): LazyStore {
  let opened: Promise<Store> | undefined;
  let away = false;
  const store = (): Promise<Store> => {
    opened ??= open().then(
      (ready) => {
        if (away) hooks.onBack?.();
        away = false;
        return ready;
      },
      (error: unknown) => {
        opened = undefined;
        if (!away) hooks.onAway?.(error);
        away = true;
        throw error;
      },
    );
    return opened;
  };
  const read: StoreReads = {
    order: async (id) => (await store()).read.order(id),
    placed: async (id) => (await store()).read.placed(id),
    audit: async (subject) => (await store()).read.audit(subject),
    auditHead: async (subject) => (await store()).read.auditHead(subject),
    events: async (input) => (await store()).read.events(input),
    acts: async (id) => (await store()).read.acts(id),
    products: async () => (await store()).read.products(),
    cases: async (input) => (await store()).read.cases(input),
    unrecordedOrders: async (input) => (await store()).read.unrecordedOrders(input),
    retries: async (input) => (await store()).read.retries(input),
    retriesOf: async (input) => (await store()).read.retriesOf(input),
    providers: async () => (await store()).read.providers(),
    ledger: async (id) => (await store()).read.ledger(id),
    money: async (id) => (await store()).read.money(id),
    debts: {
      list: async (input) => (await store()).read.debts.list(input),
      undecided: async (input) => (await store()).read.debts.undecided(input),
    },
    customers: { orders: async (input) => (await store()).read.customers.orders(input) },
    deadLetters: {
      groups: async (filter) => (await store()).read.deadLetters.groups(filter),
      page: async (input) => (await store()).read.deadLetters.page(input),
      find: async (id) => (await store()).read.deadLetters.find(id),
      known: async (ids) => (await store()).read.deadLetters.known(ids),
      leaving: async () => (await store()).read.deadLetters.leaving(),
      count: async (input) => (await store()).read.deadLetters.count(input),
      countReplay: async (replayId) => (await store()).read.deadLetters.countReplay(replayId),
    },
    webhooks: {
      find: async (id) => (await store()).read.webhooks.find(id),
      list: async () => (await store()).read.webhooks.list(),
      subscribers: async (eventType) => (await store()).read.webhooks.subscribers(eventType),
      delivered: async (webhookId) => (await store()).read.webhooks.delivered(webhookId),
      attempts: async (input) => (await store()).read.webhooks.attempts(input),
      counts: async () => (await store()).read.webhooks.counts(),
    },
  };
  return {
    read,
    transaction: async (work) => (await store()).transaction(work),
    ping: async () => (await store()).ping(),
    async close() {
      const closing = await opened?.catch(() => undefined);
      await closing?.close();
    },
  };
}
