import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { readSqlServerUrl } from '../../adapters/sqlserver/connection-settings.ts';
import { openDatabase } from '../../adapters/sqlserver/create-database.ts';
import { connectDriver, type Driver } from '../../adapters/sqlserver/driver.ts';
import { storeError } from '../../adapters/sqlserver/errors.ts';
import { connectSqlServerStore } from '../../adapters/sqlserver/sqlserver-store.ts';
import type { ContractDatabase } from './contract-database.ts';

/** Patience for slow servers: 50 callers wait for 10 connections in some cases. */
const patience = { acquireTimeoutMs: '60000', requestTimeoutMs: '30000', connectTimeoutMs: '15000' };

/**
 * Makes an empty database of its own on the server that `serverUrl` (SQL_TEST_URL) names; the login needs CREATE ANY
 * DATABASE and nothing more. Whatever database the address names is left alone.
 */
export async function createSqlServerDatabase(serverUrl: string): Promise<ContractDatabase> {
  const name = `OrderSagaTest_${randomUUID().replaceAll('-', '')}`;
  const url = withOptions(serverUrl, { database: name, createDatabase: 'true', ...patience });
  const settings = readSqlServerUrl(url);
  await (await openDatabase(settings)).close();
  const using = async (database: string, work: (driver: Driver) => Promise<unknown>) => {
    const driver = await connectDriver(settings, { database, poolSize: 1 });
    try {
      await work(driver);
    } finally {
      await driver.close();
    }
  };
  return {
    url,
    connect: () => connectSqlServerStore({ url }),
    execute: (sql) =>
      using(name, async (driver) => {
        await driver.query(sql, []).catch((error: unknown) => {
          throw storeError(error, { server: driver.server, statement: 'execute', text: sql });
        });
      }),
    drop: () => using('master', (master) => dropDatabase(master, name)),
  };
}

/** The address with other options; also with another database. */
function withOptions(serverUrl: string, options: Record<string, string>): string {
  if (!/^(mssql|sqlserver):\/\//i.test(serverUrl)) {
    // The last one of a name counts.
    return [serverUrl, ...Object.entries(options).map(([name, value]) => `${name}=${value}`)].join(';');
  }
  const url = new URL(serverUrl);
  const { database = '', ...others } = options;
  url.pathname = `/${database}`;
  for (const [name, value] of Object.entries(others)) url.searchParams.set(name, value);
  return url.href;
}

async function dropDatabase(master: Driver, name: string): Promise<void> {
  // Sends away whoever is still connected, where the server knows how.
  await master.query(`ALTER DATABASE [${name}] SET SINGLE_USER WITH ROLLBACK IMMEDIATE`, []).catch(() => {});
  for (let attempt = 1; ; attempt += 1) {
    try {
      await master.query(`DROP DATABASE [${name}]`, [], 60_000);
      return;
    } catch (error) {
      if (attempt === 10) throw error;
    }
    await sleep(500);
  }
}
