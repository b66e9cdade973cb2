import type { Store } from '../../ports/store.ts';

/** An empty database that one part of the suite made for itself. */
export interface ContractDatabase {
  /** SQL_URL for processes that the suite starts. */
  url: string;
  /** A further store on it, with connections of its own. The suite closes it. */
  connect(): Promise<Store>;
  /** Runs one plain statement as the database's owner. */
  execute(sql: string): Promise<void>;
  drop(): Promise<void>;
}

/** Makes a database; the server may hold others, nothing else is assumed of it. */
export type CreateDatabase = () => Promise<ContractDatabase>;
