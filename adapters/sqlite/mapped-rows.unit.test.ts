import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { methodsOf } from '../../test/support/every-method.ts';
import type { Connection } from './connection.ts';
import { createCustomerReads } from './customers.ts';
import { createDeadLetterReads } from './dead-letter-reads.ts';
import { knownMigrations } from './migrate.ts';
import { createOutboxLeases } from './outbox-leases.ts';
import { createOutboxReads, createOutboxWrites } from './outbox.ts';
import { createReads } from './reads.ts';
import { createStatements } from './transaction.ts';
import { createUpkeep } from './upkeep.ts';
import { createWebhookReads } from './webhooks.ts';

/*
 * Every method of the store is called with rows that hold just what SQLite says its statements give: a mapper that
 * reads anything else, which would be undefined without a word, is found out, and so are values too few or too many.
 */

class Mismatch extends Error {}

function valueOf(column: string, type: string | null): unknown {
  if (['Items', 'Secrets', 'Events', 'Content'].includes(column)) return '[]';
  if (type === 'BLOB') return Buffer.from('{}');
  if (type === 'INTEGER') return 1;
  if (column.endsWith('Utc')) return '2026-01-02T03:04:05.678Z';
  return column === 'State' ? 'reserved' : type === null ? 1 : '{}';
}

/** A connection whose statements all return one row, or none. */
function describing(rowsEach: number): Connection {
  const database = new DatabaseSync(':memory:');
  for (const { sql } of knownMigrations()) database.exec(sql);
  const rowsOf = (sql: string, values: readonly unknown[]): never[] => {
    const statement = database.prepare(sql);
    const named = [...sql.matchAll(/\?(\d+)/g)].map(([, number]) => Number(number));
    const wanted = named.length > 0 ? Math.max(...named) : (sql.match(/\?/g)?.length ?? 0);
    if (values.length !== wanted)
      throw new Mismatch(`${wanted} values expected, came ${values.length}: ${sql}`);
    const columns = statement.columns().map(({ name, type }) => [name, valueOf(name, type)] as const);
    const row = new Proxy(Object.fromEntries(columns), {
      get(fields, name) {
        if (typeof name === 'symbol' || name === 'then' || name in fields) {
          return Reflect.get(fields, name) as unknown;
        }
        throw new Mismatch(`${name} is read and not selected by ${sql}`);
      },
    });
    return columns.length === 0 ? [] : (Array(rowsEach).fill(row) as never[]);
  };
  return {
    get: (sql, ...values) => rowsOf(sql, values)[0],
    all: (sql, ...values) => rowsOf(sql, values),
    run(sql, ...values) {
      rowsOf(sql, values);
      return rowsEach;
    },
    script: () => {},
    inTransaction: () => true,
    close: () => database.close(),
  };
}

const familiesOf = (connection: Connection): object => {
  const reads = createReads(connection);
  return {
    transaction: createStatements(connection),
    reads,
    whole: { ledger: () => reads.ledger() },
    customers: createCustomerReads(connection),
    deadLetters: createDeadLetterReads(connection),
    outboxReads: createOutboxReads(connection),
    outboxWrites: createOutboxWrites(connection),
    leases: createOutboxLeases(connection),
    webhooks: createWebhookReads(connection),
    upkeep: createUpkeep(connection),
  };
};

describe('the SQLite store', () => {
  it.each([1, 0])('reads what its statements select and binds what they take, with %i rows', (rowsEach) => {
    const connection = describing(rowsEach);
    const methods = methodsOf(familiesOf(connection));
    expect(methods.length).toBeGreaterThan(80);
    const failures: string[] = [];
    for (const { name, call } of methods) {
      try {
        call();
      } catch (error) {
        // Without rows a method may miss what it was asked for.
        if (rowsEach > 0 || error instanceof Mismatch) failures.push(`${name}: ${String(error)}`);
      }
    }
    connection.close();
    expect(failures).toEqual([]);
  });

  it('would be found out', () => {
    const connection = describing(1);
    const sql = 'SELECT OrderId FROM Orders WHERE CustomerId = ?';
    const row = connection.get<{ OrderId: string; Status: string }>(sql, 'c');
    expect(row?.OrderId).toBe('{}');
    expect(() => row?.Status).toThrow('Status is read and not selected');
    expect(() => connection.all(sql)).toThrow('1 values expected, came 0');
    connection.close();
  });
});
