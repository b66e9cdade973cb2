import type { OutboxMessage, OutboxStore, PendingMessage } from '../ports/store/messages.ts';
import { outboxPartitions } from '../ports/store/messages.ts';

interface Row extends PendingMessage {
  publishedAtUtc?: string;
  isSetAside: boolean;
}

/**
 * The relay's side of an outbox, in memory, for tests of the relay's logic. Throws whatever `fault` throws. With
 * `sharedLeases` every owner is told that it holds everything.
 */
export function createMemoryOutbox(
  input: { fault?: ((call: keyof OutboxStore) => void) | undefined; sharedLeases?: boolean } = {},
) {
  const { fault = () => {}, sharedLeases = false } = input;
  const rows: Row[] = [];
  const leases = new Map<number, string>();
  const find = (id: string): Row => {
    const row = rows.find((candidate) => candidate.id === id);
    if (row === undefined) throw new Error(`no outbox row ${id}`);
    return row;
  };

  /** Unpublished, and not behind a message of their order that is set aside. */
  const due = (): Row[] => {
    const blocked = new Set(rows.filter((row) => row.isSetAside).map((row) => row.orderId));
    return rows.filter((row) => row.publishedAtUtc === undefined && !blocked.has(row.orderId));
  };

  const store: OutboxStore = {
    async lease({ owner }) {
      fault('lease');
      for (let n = 0; n < outboxPartitions; n += 1) if (sharedLeases || !leases.has(n)) leases.set(n, owner);
      return [...leases].filter(([, holder]) => holder === owner).map(([n]) => n);
    },
    async releaseLeases(owner) {
      fault('releaseLeases');
      for (const [n, holder] of leases) if (holder === owner) leases.delete(n);
    },
    async pending({ owner, partitions, limit }) {
      fault('pending');
      const held = partitions.filter((n) => sharedLeases || leases.get(n) === owner);
      return due()
        .filter((row) => held.includes(partitionOf(row.orderId)))
        .slice(0, limit)
        .map((row) => ({ ...row }));
    },
    async markPublished({ ids, publishedAtUtc }) {
      fault('markPublished');
      for (const id of ids) find(id).publishedAtUtc = publishedAtUtc;
    },
    async markFailed({ id, setAsideAfter }) {
      fault('markFailed');
      const row = find(id);
      row.attempts += 1;
      row.isSetAside = row.attempts >= setAsideAfter;
      return { setAside: row.isSetAside };
    },
    async setAside({ limit }) {
      fault('setAside');
      const aside = rows.filter((row) => row.isSetAside && row.publishedAtUtc === undefined);
      return aside
        .slice(0, limit)
        .map((row) => ({ ...row, lastError: '', setAsideAtUtc: row.occurredAtUtc }));
    },
    async depth() {
      fault('depth');
      const open = rows.filter((row) => row.publishedAtUtc === undefined && !row.isSetAside);
      return {
        unpublished: open.length,
        setAside: rows.filter((row) => row.isSetAside).length,
        oldestUtc: open[0]?.occurredAtUtc,
      };
    },
    async purge({ publishedBeforeUtc, limit }) {
      fault('purge');
      const old = rows.filter(
        (row) => row.publishedAtUtc !== undefined && row.publishedAtUtc < publishedBeforeUtc,
      );
      for (const row of old.slice(0, limit)) rows.splice(rows.indexOf(row), 1);
      return Math.min(old.length, limit);
    },
  };

  return {
    store,
    due,
    rows: rows as readonly Row[],
    leases: leases as ReadonlyMap<number, string>,
    add(message: OutboxMessage): void {
      rows.push({ ...message, attempts: 0, isSetAside: false });
    },
  };
}

const partitionOf = (id: string): number =>
  Buffer.from(id).reduce((sum, byte) => sum + byte, 0) % outboxPartitions;
