import { describe, expect, it } from 'vitest';
import { methodsOf } from '../../test/support/every-method.ts';
import { allStatements } from './all-statements.ts';
import { withHints, withoutHints, type LockHints } from './lock-hints.ts';
import { createOutboxLeases } from './outbox-leases.ts';
import { createOutbox } from './outbox.ts';
import { parameterNames, parameterTypes } from './parameter-types.ts';
import { createReads } from './reads.ts';
import type { Row, Session, Statement } from './statement.ts';
import { selectedColumns } from './testing/selected-columns.ts';
import { withTransaction } from './transaction.ts';
import { createUpkeep } from './upkeep.ts';

/*
 * Every method of the store is called once with rows that hold just what its statements select: a mapper that reads
 * anything else is found out, and so is a value that is missing from a statement or bound to none.
 */

const types: Readonly<Record<string, string>> = parameterTypes;

/** A value as the driver returns it. */
function valueOf(column: string): unknown {
  const type = types[column] ?? (/Utc$|^(Oldest|Newest)$/.test(column) ? 'DATETIME2(3)' : 'INT');
  if (['Items', 'Secrets', 'Events'].includes(column)) return '[]';
  if (column === 'State') return 'reserved';
  if (/^(TINY|BIG)?INT$/.test(type)) return 1;
  if (type.startsWith('DATETIME')) return new Date('2026-01-02T03:04:05.678Z');
  if (type.startsWith('VARBINARY')) return Buffer.from('{}');
  return type === 'NVARCHAR(MAX)' ? '{}' : 'x';
}

function rowOf(statement: Statement, columns: readonly string[]): Row {
  return new Proxy(Object.fromEntries(columns.map((column) => [column, valueOf(column)])), {
    get(row, column) {
      // A promise asks whether it is one.
      if (typeof column === 'symbol' || column === 'then' || column in row)
        return Reflect.get(row, column) as unknown;
      throw new Mismatch(`${statement.name} does not select ${column}, which its mapper reads`);
    },
  });
}

class Mismatch extends Error {}

/** A session whose statements all return one row for each result, or none. */
function describing(hints: LockHints, rowsEach: number, sent: Set<string>): Session {
  const results: Session['results'] = async (statement, values, rows = 1) => {
    const text = statement.text(hints, rows);
    sent.add(statement.name);
    const missing = parameterNames(text).filter((name) => !Object.hasOwn(values, name));
    if (missing.length > 0)
      throw new Mismatch(`${statement.name} takes ${missing.join()}, its caller binds none`);
    return selectedColumns(text).map((columns) => Array(rowsEach).fill(rowOf(statement, columns)) as Row[]);
  };
  return { results, rows: async (...request) => (await results(...request)).flat() };
}

async function familiesOf(session: Session): Promise<object> {
  let transaction = {};
  await withTransaction({ session, scope: { ended: false, broken: undefined } }, async (tx) => {
    transaction = tx;
  });
  const read = createReads(session);
  return {
    transaction,
    read,
    whole: { ledger: () => read.ledger() },
    outbox: createOutbox(session),
    leases: createOutboxLeases(session),
    upkeep: createUpkeep(session),
  };
}

/** These run before there is a store, or for a relay that holds more than its share. */
const rare = /^(database|migrations)\.|^outboxLeases\.giveUp$/;

describe.each([
  ['with lock hints', withHints],
  ['without them', withoutHints],
])('the SQL Server store %s', (_, hints) => {
  it('reads what its statements select and binds what they take', async () => {
    const sent = new Set<string>();
    const failures: string[] = [];
    for (const rowsEach of [1, 0]) {
      const methods = methodsOf(await familiesOf(describing(hints, rowsEach, sent)));
      expect(methods.length).toBeGreaterThan(80);
      for (const { name, call } of methods) {
        await Promise.resolve()
          .then(call)
          .catch((error: unknown) => {
            // Without rows a method may miss what it was asked for.
            if (rowsEach > 0 || error instanceof Mismatch) failures.push(`${name}: ${String(error)}`);
          });
      }
    }
    expect(failures).toEqual([]);
    const unsent = allStatements.map(({ name }) => name).filter((name) => !sent.has(name));
    expect(unsent.filter((name) => !rare.test(name))).toEqual([]);
  });

  it('would be found out', async () => {
    const statement = {
      name: 'a.b',
      index: 'none',
      text: () => 'SELECT State, COUNT(*) AS Found FROM dbo.T WHERE N < @N',
    };
    const session = describing(hints, 1, new Set());
    const [row] = await session.rows(statement, { N: 1 });
    expect([row?.['State'], row?.['Found']]).toEqual(['reserved', 1]);
    expect(() => row?.['StillSinceUtc']).toThrow('a.b does not select StillSinceUtc');
    await expect(session.rows(statement, {})).rejects.toThrow('a.b takes N, its caller binds none');
  });
});
