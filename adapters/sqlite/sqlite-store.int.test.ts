import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describeStoreContract } from '../../test/contract/store-contract.ts';
import { connectSqliteStore } from './sqlite-store.ts';
import type { ContractDatabase } from '../../test/contract/contract-database.ts';

async function createDatabase(): Promise<ContractDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'order-saga-contract-'));
  const path = join(folder, 'store.sqlite');
  return {
    url: `sqlite:${path}`,
    /* Timed, as the product's processes have it. */
    connect: () => connectSqliteStore({ path, onStatementTime() {} }),
    async execute(sql) {
      using database = new DatabaseSync(path, { timeout: 1_000 });
      database.exec(sql);
    },
    drop: async () => rmSync(folder, { recursive: true }),
  };
}

describeStoreContract({ name: 'SQLite', createDatabase });
