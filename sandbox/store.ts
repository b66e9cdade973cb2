import { DatabaseSync } from 'node:sqlite';
import type { Records } from './records.ts';

export type Kind = keyof Records;

/** Columns a record can be found by, beside its id. A key left out is cleared. */
interface RecordKeys {
  orderId?: string | undefined;
  parent?: string | undefined;
  /** Sandbox time at which something has to happen to this record, in milliseconds. */
  dueMs?: number | undefined;
}

interface ListOptions {
  orderId?: string | undefined;
  parent?: string | undefined;
  /** Only records older than the one with this id. */
  beforeId?: string | undefined;
  limit?: number | undefined;
}

export interface Store {
  /** Runs `work` in one transaction; what it throws rolls everything back. */
  transaction<T>(work: () => T): T;
  get<K extends Kind>(kind: K, id: string): Records[K] | undefined;
  put<K extends Kind>(kind: K, id: string, record: Records[K], keys?: RecordKeys): void;
  delete(kind: Kind, id: string): void;
  /** Newest first, 100 at most unless `limit` says otherwise. */
  list<K extends Kind>(kind: K, options?: ListOptions): Records[K][];
  /** Every record that belongs to an order, oldest first, read row by row. */
  byOrder<K extends Kind>(kind: K): Iterable<{ orderId: string; record: Records[K] }>;
  /** Oldest due first. */
  due<K extends Kind>(kind: K, nowMs: number, limit: number): { id: string; record: Records[K] }[];
  /** Deletes what came due before `nowMs`; for records whose due time is their end of life. */
  expire(kind: Kind, nowMs: number): void;
  count(kind: Kind): number;
  /** Keeps the newest `keep` records, and all that have something due. */
  prune(kind: Kind, keep: number): void;
  clear(): void;
  close(): void;
}

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = OFF;
  PRAGMA cache_size = -16000;
  CREATE TABLE IF NOT EXISTS records (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL,
    order_id TEXT, parent TEXT, due_ms INTEGER, record TEXT NOT NULL, UNIQUE (kind, id));
  CREATE INDEX IF NOT EXISTS records_by_kind ON records (kind, seq);
  CREATE INDEX IF NOT EXISTS records_by_order ON records (order_id, kind, seq) WHERE order_id IS NOT NULL;
  CREATE INDEX IF NOT EXISTS records_by_parent ON records (parent, kind, seq) WHERE parent IS NOT NULL;
  CREATE INDEX IF NOT EXISTS records_by_due ON records (kind, due_ms) WHERE due_ms IS NOT NULL;`;

const UPSERT = `
  INSERT INTO records (kind, id, order_id, parent, due_ms, record) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (kind, id) DO UPDATE SET
    order_id = excluded.order_id, parent = excluded.parent, due_ms = excluded.due_ms, record = excluded.record`;

type Row = { id: string; record: string };

/** The four listings, by which of the two keys is given; SQLite needs each spelled out to use its index. */
const listSql = (byOrder: boolean, byParent: boolean): string => `
  SELECT id, record FROM records WHERE kind = ? AND seq < ?
  ${byOrder ? 'AND order_id = ?' : ''} ${byParent ? 'AND parent = ?' : ''} ORDER BY seq DESC LIMIT ?`;

/**
 * Opens the sandbox's state: JSON records in one SQLite file, or in memory without `path`. A finished call survives
 * SIGKILL of this process (the page cache keeps it); it does not survive a power cut, which a sandbox need not.
 */
export const openStore = (path: string | undefined): Store => {
  const db = new DatabaseSync(path ?? ':memory:');
  db.exec(SCHEMA);
  const upsert = db.prepare(UPSERT);
  const select = db.prepare('SELECT id, record FROM records WHERE kind = ? AND id = ?');
  const selectSeq = db.prepare('SELECT seq FROM records WHERE kind = ? AND id = ?');
  const selectDue = db.prepare(
    'SELECT id, record FROM records WHERE kind = ? AND due_ms <= ? ORDER BY due_ms LIMIT ?',
  );
  const selectByOrder = db.prepare(
    'SELECT order_id AS orderId, record FROM records WHERE kind = ? AND order_id IS NOT NULL ORDER BY seq',
  );
  const selectFirstDue = db.prepare('SELECT min(due_ms) AS dueMs FROM records WHERE kind = ?');
  const remove = db.prepare('DELETE FROM records WHERE kind = ? AND id = ?');
  const removeDue = db.prepare('DELETE FROM records WHERE kind = ? AND due_ms <= ?');
  const count = db.prepare('SELECT count(*) AS n FROM records WHERE kind = ?');
  const pruneOld = db.prepare(
    'DELETE FROM records WHERE kind = ?1 AND due_ms IS NULL AND seq <= (SELECT seq FROM records WHERE kind = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)',
  );
  const lists = [false, true].map((order) =>
    [false, true].map((parent) => db.prepare(listSql(order, parent))),
  );

  // Nothing of a kind is due before this time, so that asking every tick costs no query.
  const nothingDueBefore = new Map<Kind, number>();

  const firstDue = (kind: Kind): number =>
    (selectFirstDue.get(kind) as { dueMs: number | null }).dueMs ?? Number.POSITIVE_INFINITY;

  const seqBefore = (kind: Kind, id: string | undefined): number => {
    if (id === undefined) return Number.MAX_SAFE_INTEGER;
    return (selectSeq.get(kind, id) as { seq: number } | undefined)?.seq ?? 0;
  };

  return {
    transaction: (work) => {
      db.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        db.exec('COMMIT');
        return result;
      } catch (error) {
        // A full disk has rolled it back already.
        if (db.isTransaction) db.exec('ROLLBACK');
        throw error;
      }
    },
    get: (kind, id) => {
      const row = select.get(kind, id) as Row | undefined;
      return row && JSON.parse(row.record);
    },
    put: (kind, id, record, keys = {}) => {
      const { orderId = null, parent = null, dueMs = null } = keys;
      upsert.run(kind, id, orderId, parent, dueMs, JSON.stringify(record));
      if (dueMs !== null && dueMs < (nothingDueBefore.get(kind) ?? 0)) nothingDueBefore.set(kind, dueMs);
    },
    delete: (kind, id) => void remove.run(kind, id),
    list: (kind, { orderId, parent, beforeId, limit = 100 } = {}) => {
      const statement = lists[orderId === undefined ? 0 : 1]?.[parent === undefined ? 0 : 1];
      const keys = [orderId, parent].filter((key) => key !== undefined);
      const rows = statement?.all(kind, seqBefore(kind, beforeId), ...keys, limit) as Row[];
      return rows.map((row) => JSON.parse(row.record));
    },
    byOrder: function* (kind) {
      for (const row of selectByOrder.iterate(kind)) {
        const { orderId, record } = row as { orderId: string; record: string };
        yield { orderId, record: JSON.parse(record) };
      }
    },
    due: (kind, nowMs, limit) => {
      if ((nothingDueBefore.get(kind) ?? 0) > nowMs) return [];
      const rows = selectDue.all(kind, nowMs, limit) as Row[];
      if (rows.length === 0) nothingDueBefore.set(kind, firstDue(kind));
      return rows.map((row) => ({ id: row.id, record: JSON.parse(row.record) }));
    },
    expire: (kind, nowMs) => void removeDue.run(kind, nowMs),
    count: (kind) => (count.get(kind) as { n: number }).n,
    prune: (kind, keep) => void pruneOld.run(kind, keep),
    clear: () => {
      db.exec('DELETE FROM records');
      nothingDueBefore.clear();
    },
    close: () => db.close(),
  };
};
