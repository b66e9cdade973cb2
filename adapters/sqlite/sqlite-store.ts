import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '../../ports/store.ts';
import { openConnection, type Connection } from './connection.ts';
import { createDatabaseFile, makeFolderOf } from './database-file.ts';
import { isBusy, needsReopen } from './errors.ts';
import { checkSchema, knownMigrations, migrate } from './migrate.ts';
import { createOutboxLeases } from './outbox-leases.ts';
import { createOutboxReads, createOutboxWrites } from './outbox.ts';
import { createCustomerReads } from './customers.ts';
import { createDebtReads } from './debts.ts';
import { createDeadLetterReads } from './dead-letter-reads.ts';
import { createReads } from './reads.ts';
import { createStatements, createTransaction } from './transaction.ts';
import { createUpkeep } from './upkeep.ts';
import { timed, type OnStatementTime } from './timed.ts';
import { createWebhookReads } from './webhooks.ts';
import type { Statements } from './statements.ts';
import { createWriteQueue } from './write-queue.ts';

/** Tries of one read, and of opening, against a locked database; together about 1.5 s. */
const tries = 15;
const pauseMs = () => 50 + Math.random() * 50;

/**
 * Opens the SQLite store at `path`: creates the file and its folder when they are missing and brings the schema to the
 * code's version. One connection writes, one reads.
 *
 * Rejects with StoreUnavailable when the folder cannot be made, or the file cannot be opened or stays locked for about
 * 1.5 s, and with an Error when its schema is newer than the code. Later failures are those of the port; the store comes
 * back by itself with its file. `onTransaction` gets the seconds from asking for a transaction to its being durable,
 * `onAcquire` those until the write lock was got or refused, `onPool` whether the one writing connection is at work and
 * how many wait for it.
 */
export async function connectSqliteStore(input: {
  path: string;
  onTransaction?: (seconds: number) => void;
  onStatementTime?: OnStatementTime;
  onPool?: (state: { size: number; inUse: number; waiting: number }) => void;
  onAcquire?: (seconds: number, result: 'acquired' | 'refused') => void;
}): Promise<Store> {
  const { path, onTransaction, onStatementTime, onPool, onAcquire } = input;
  const known = knownMigrations();
  makeFolderOf(path);
  await whenNotBusy(() => prepare(path, known));
  const connections = createConnections(path, onStatementTime);
  const queue = createWriteQueue({
    writer: connections.writer,
    onError: connections.writerFailed,
    onTransaction,
    onPool,
    onAcquire,
  });
  const reading = <T>(read: (reader: Reader) => T): Promise<T> =>
    whenNotBusy(() => {
      try {
        return read(connections.reader());
      } catch (error) {
        connections.readerFailed(error);
        throw error;
      }
    });
  return {
    transaction: (work) =>
      queue.run(({ connection, statements }, scope) =>
        work(createTransaction({ connection, statements, scope })),
      ),
    read: {
      order: (id) => reading(({ reads }) => reads.order(id)),
      placed: (id) => reading(({ reads }) => reads.placed(id)),
      audit: (subject) => reading(({ reads }) => reads.audit(subject)),
      auditHead: (subject) => reading(({ reads }) => reads.auditHead(subject)),
      events: (request) => reading(({ reads }) => reads.events(request)),
      acts: (id) => reading(({ reads }) => reads.acts(id)),
      products: () => reading(({ reads }) => reads.products()),
      cases: (request) => reading(({ reads }) => reads.cases(request)),
      unrecordedOrders: (request) => reading(({ reads }) => reads.unrecordedOrders(request)),
      retries: (request) => reading(({ reads }) => reads.retries(request)),
      retriesOf: (request) => reading(({ reads }) => reads.retriesOf(request)),
      providers: () => reading(({ reads }) => reads.providers()),
      ledger: (id) => reading(({ reads }) => reads.ledger(id)),
      money: (id) => reading(({ reads }) => reads.money(id)),
      debts: {
        list: (request) => reading(({ debts }) => debts.list(request)),
        undecided: (request) => reading(({ debts }) => debts.undecided(request)),
      },
      customers: {
        orders: (request) => reading(({ customers }) => customers.orders(request)),
      },
      deadLetters: {
        groups: (filter) => reading(({ letters }) => letters.groups(filter)),
        page: (request) => reading(({ letters }) => letters.page(request)),
        find: (id) => reading(({ letters }) => letters.find(id)),
        known: (ids) => reading(({ letters }) => letters.known(ids)),
        leaving: () => reading(({ letters }) => letters.leaving()),
        count: (request) => reading(({ letters }) => letters.count(request)),
        countReplay: (replayId) => reading(({ letters }) => letters.countReplay(replayId)),
      },
      webhooks: {
        find: (id) => reading(({ webhooks }) => webhooks.find(id)),
        list: () => reading(({ webhooks }) => webhooks.list()),
        subscribers: (eventType) => reading(({ webhooks }) => webhooks.subscribers(eventType)),
        delivered: (webhookId) => reading(({ webhooks }) => webhooks.delivered(webhookId)),
        attempts: (request) => reading(({ webhooks }) => webhooks.attempts(request)),
        counts: () => reading(({ webhooks }) => webhooks.counts()),
      },
    },
    outbox: {
      lease: (request) => queue.run((writer) => writer.leases.lease(request)),
      releaseLeases: (owner) => queue.run((writer) => writer.leases.releaseLeases(owner)),
      pending: (request) => reading((reader) => reader.outbox.pending(request)),
      markPublished: (request) => queue.run((writer) => writer.outbox.markPublished(request)),
      markFailed: (request) => queue.run((writer) => writer.outbox.markFailed(request)),
      depth: () => reading((reader) => reader.outbox.depth()),
      setAside: (request) => reading((reader) => reader.outbox.setAside(request)),
      purge: (request) => queue.run((writer) => writer.outbox.purge(request)),
    },
    upkeep: {
      auditSubjects: (request) => reading(({ upkeep }) => upkeep.auditSubjects(request)),
      purgeable: (request) => reading(({ upkeep }) => upkeep.purgeable(request)),
      stock: () => reading(({ upkeep }) => upkeep.stock()),
      openOrders: (request) => reading(({ upkeep }) => upkeep.openOrders(request)),
      recorded: (ids) => reading(({ upkeep }) => upkeep.recorded(ids)),
      standing: () => reading(({ upkeep }) => upkeep.standing()),
    },
    ping: () => reading((reader) => checkSchema(reader.connection, known)),
    async close() {
      await queue.idle();
      connections.close();
    },
  };
}

type Writer = ReturnType<typeof openWriter>;
type Reader = ReturnType<typeof openReader>;

function openWriter(path: string, onTime: OnStatementTime | undefined) {
  const connection = openConnection({ path, readOnly: false });
  const families = Object.entries(createStatements(connection)).map(([name, family]) => [
    name,
    timed(name, family, onTime),
  ]);
  return {
    connection,
    statements: Object.fromEntries(families) as Statements,
    outbox: timed('outbox', createOutboxWrites(connection), onTime),
    leases: timed('outbox', createOutboxLeases(connection), onTime),
  };
}

function openReader(path: string, onTime: OnStatementTime | undefined) {
  const connection = openConnection({ path, readOnly: true });
  return {
    connection,
    reads: timed('reads', createReads(connection), onTime),
    debts: timed('debtReads', createDebtReads(connection), onTime),
    customers: timed('customerReads', createCustomerReads(connection), onTime),
    letters: timed('deadLetterReads', createDeadLetterReads(connection), onTime),
    outbox: timed('outbox', createOutboxReads(connection), onTime),
    webhooks: timed('webhookReads', createWebhookReads(connection), onTime),
    upkeep: timed('upkeep', createUpkeep(connection), onTime),
  };
}

/** The two connections, opened when first used and again after an error that may have broken them. */
function createConnections(path: string, onTime: OnStatementTime | undefined) {
  const file = createDatabaseFile(path);
  const open: { writer?: Writer; reader?: Reader } = {};
  let closed = false;
  const check = () => {
    if (closed) throw new Error(`The store at ${path} is closed: connect a new one`);
    file.check();
  };
  const closeOne = (name: 'writer' | 'reader') => {
    open[name]?.connection.close();
    delete open[name];
  };
  return {
    writer(): Writer {
      check();
      return (open.writer ??= openWriter(path, onTime));
    },
    reader(): Reader {
      check();
      return (open.reader ??= openReader(path, onTime));
    },
    writerFailed(error: unknown): void {
      if (needsReopen(error)) closeOne('writer');
    },
    readerFailed(error: unknown): void {
      if (needsReopen(error)) closeOne('reader');
    },
    /** The reader first: the last one to close moves the WAL into the file and must be allowed to write. */
    close(): void {
      closed = true;
      closeOne('reader');
      closeOne('writer');
    },
  };
}

function prepare(path: string, known: ReturnType<typeof knownMigrations>): void {
  let connection: Connection | undefined;
  try {
    connection = openConnection({ path, readOnly: false });
    migrate(connection, known);
  } finally {
    connection?.close();
  }
}

/** Runs `work`, again after a pause while the database is locked. */
async function whenNotBusy<T>(work: () => T): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || attempt === tries) throw error;
      await sleep(pauseMs());
    }
  }
}
