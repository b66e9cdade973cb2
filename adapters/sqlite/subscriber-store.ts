import type { ProcessedEventStatements } from '../../ports/store/messages.ts';
import { openConnection, type Connection } from './connection.ts';
import { makeFolderOf } from './database-file.ts';
import { createProcessedEvents } from './processed-events.ts';
import { createWriteQueue } from './write-queue.ts';

/** One transaction of a subscribing service: its own tables, and the marks of the events it has handled. */
export interface SubscriberTransaction {
  sql: Pick<Connection, 'get' | 'all' | 'run'>;
  processedEvents: ProcessedEventStatements;
}

/** A subscribing service's own SQLite file. */
export interface SubscriberStore {
  /** All of `work` is durable when the promise resolves, nothing when it rejects. `work` awaits nothing but `tx`. */
  transaction<T>(work: (tx: SubscriberTransaction) => T | Promise<T>): Promise<T>;
  read: Pick<Connection, 'get' | 'all'>;
  close(): Promise<void>;
}

const processedEventsTable = `
  CREATE TABLE IF NOT EXISTS ProcessedEvents (
    Consumer TEXT NOT NULL,
    EventId TEXT NOT NULL,
    ProcessedAtUtc TEXT NOT NULL,
    CONSTRAINT PK_ProcessedEvents PRIMARY KEY (Consumer, EventId)
  ) STRICT, WITHOUT ROWID;
`;

/**
 * Opens the file at `path`, making it and its folder when missing, and runs `schema`, which must be safe to run again
 * (`CREATE TABLE IF NOT EXISTS`). Throws StoreUnavailable when the folder cannot be made or the file cannot be
 * opened.
 */
export function connectSubscriberStore(input: { path: string; schema: string }): SubscriberStore {
  makeFolderOf(input.path);
  const connection = openConnection({ path: input.path, readOnly: false });
  connection.script(processedEventsTable + input.schema);
  const marks = createProcessedEvents(connection);
  const tx: SubscriberTransaction = {
    sql: connection,
    processedEvents: { mark: async (event) => marks.mark(event) },
  };
  const queue = createWriteQueue({ writer: () => ({ connection }), onError: () => {} });
  return {
    transaction: (work) => queue.run(() => work(tx)),
    read: connection,
    async close() {
      await queue.idle();
      connection.close();
    },
  };
}
