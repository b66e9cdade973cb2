import { describe, expect, it } from 'vitest';
import { createSqlServerDatabase } from '../../test/contract/sqlserver-database.ts';
import { describeStoreContract } from '../../test/contract/store-contract.ts';
import { givenOrder } from '../../test/contract/store-fixtures.ts';
import { connectSqlServerStore } from './sqlserver-store.ts';

const serverUrl = process.env['SQL_TEST_URL'] ?? '';
if (!serverUrl) {
  console.warn(
    'The store contract on SQL Server is skipped: SQL_TEST_URL is not set ' +
      '(for example SQL_TEST_URL="mssql://sa:password@127.0.0.1:1433/master?trustServerCertificate=true")',
  );
}

describe.skipIf(!serverUrl)('with a SQL Server', () => {
  describeStoreContract({
    name: 'SQL Server',
    createDatabase: () => createSqlServerDatabase(serverUrl),
  });

  it('refuses a caller that gets no connection in time, and goes on', async () => {
    const database = await createSqlServerDatabase(serverUrl);
    const states: number[] = [];
    const separator = database.url.includes('://') ? '&' : ';';
    const store = await connectSqlServerStore({
      url: `${database.url}${separator}poolSize=1${separator}acquireTimeoutMs=300`,
      onPool: ({ inUse, waiting }) => states.push(inUse + waiting),
    });
    try {
      const crowd = await Promise.allSettled(Array.from({ length: 200 }, () => givenOrder(store)));
      const refused = crowd.flatMap((each) => (each.status === 'rejected' ? [each.reason as Error] : []));
      expect(crowd.some(({ status }) => status === 'fulfilled')).toBe(true);
      for (const error of refused) expect(error).toMatchObject({ type: 'StoreUnavailable' });
      expect(Math.max(...states)).toBeGreaterThan(1);
      await givenOrder(store);
    } finally {
      await store.close();
      await database.drop();
    }
  });
});
