import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openConnection, type Connection } from './connection.ts';
import { storeError } from './errors.ts';
import { createWriteQueue } from './write-queue.ts';

describe('the write queue', () => {
  let connection: Connection;
  let statements: string[];
  let failing: Record<string, number>;
  let reported: unknown[];

  beforeEach(() => {
    connection = openConnection({ path: ':memory:', readOnly: false });
    connection.script('CREATE TABLE Notes (Text TEXT NOT NULL) STRICT');
    statements = [];
    failing = {};
    reported = [];
  });
  afterEach(() => connection.close());

  /** The connection, with a record of its statements and a result code of SQLite for those in `failing`. */
  const watched = (): Connection => ({
    ...connection,
    run(sql, ...values) {
      statements.push(sql);
      const code = failing[sql];
      if (code === undefined) return connection.run(sql, ...values);
      const error = Object.assign(new Error('by the test'), { errcode: code });
      throw storeError(error, { path: 'test.sqlite', statement: sql });
    },
  });
  const createQueue = (groupSize = 32, onTransaction?: (seconds: number) => void) => {
    const writer = { connection: watched() };
    return createWriteQueue({
      writer: () => writer,
      onError: (error) => reported.push(error),
      onTransaction,
      groupSize,
    });
  };
  const insert = (text: string) => (writer: { connection: Connection }) =>
    writer.connection.run('INSERT INTO Notes (Text) VALUES (?)', text);
  const notes = () => connection.all<{ Text: string }>('SELECT Text FROM Notes').map(({ Text }) => Text);
  const count = (sql: string) => statements.filter((statement) => statement === sql).length;

  it('commits what waits together in one commit', async () => {
    const queue = createQueue();
    await Promise.all(['a', 'b', 'c'].map((text) => queue.run(insert(text))));
    expect(notes()).toEqual(['a', 'b', 'c']);
    expect([count('BEGIN IMMEDIATE'), count('COMMIT'), count('SAVEPOINT Job')]).toEqual([1, 1, 3]);
  });

  it('commits no more than its group size at once', async () => {
    const queue = createQueue(2);
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map((text) => queue.run(insert(text))));
    expect([notes().length, count('COMMIT')]).toEqual([5, 3]);
  });

  it('takes back only the failing transaction of a group', async () => {
    const queue = createQueue();
    const results = await Promise.allSettled([
      queue.run(insert('a')),
      queue.run((writer) => {
        insert('lost')(writer);
        throw new Error('refused');
      }),
      queue.run(insert('c')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(notes()).toEqual(['a', 'c']);
  });

  it('rejects all of a group whose commit fails, and goes on', async () => {
    const queue = createQueue();
    failing['COMMIT'] = 13;
    const results = await Promise.allSettled([queue.run(insert('a')), queue.run(insert('b'))]);
    expect(results).toMatchObject([
      {
        status: 'rejected',
        reason: { type: 'StoreUnavailable', message: expect.stringContaining('free some space') },
      },
      { status: 'rejected', reason: { type: 'StoreUnavailable' } },
    ]);
    failing = {};
    await queue.run(insert('c'));
    expect(notes()).toEqual(['c']);
  });

  it('says that the outcome is unknown when the commit could not be synced', async () => {
    const queue = createQueue();
    failing['COMMIT'] = 10;
    await expect(queue.run(insert('a'))).rejects.toMatchObject({ type: 'OutcomeUnknown' });
    expect(reported).toMatchObject([{ type: 'OutcomeUnknown' }]);
  });

  it('rejects with what to do when the disk is full, keeps nothing of it and goes on when there is space', async () => {
    const queue = createQueue();
    connection.script('PRAGMA max_page_count = 10');
    const results = await Promise.allSettled([
      queue.run(insert('small')),
      queue.run(insert('x'.repeat(100_000))),
      queue.run(insert('after')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(results.slice(1, 2)).toMatchObject([
      {
        status: 'rejected',
        reason: { type: 'StoreUnavailable', message: expect.stringContaining('free some space') },
      },
    ]);
    connection.script('PRAGMA max_page_count = 1000');
    await queue.run(insert('later'));
    expect(notes()).toEqual(['later']);
  });

  it.each([1, 32])('rolls back work that awaits something else (group size %i)', async (groupSize) => {
    const queue = createQueue(groupSize);
    const slow = queue.run(async (writer) => {
      insert('slow')(writer);
      await sleep(20);
    });
    const other = queue.run(insert('other'));
    await expect(slow).rejects.toThrow('awaited something else than tx');
    await other;
    expect(notes()).toEqual(['other']);
  });

  it('lets the event loop turn between groups', async () => {
    const queue = createQueue();
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 0);
    for (let done = 0; done < 200; done += 1) await queue.run(insert('a'));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(1);
  });

  it('waits for a lock and refuses after about a second and a half, with the reason', async () => {
    const queue = createQueue();
    failing['BEGIN IMMEDIATE'] = 5;
    const started = performance.now();
    const patient = queue.run(insert('refused'));
    await sleep(900);
    const late = queue.run(insert('kept'));
    await expect(patient).rejects.toMatchObject({
      type: 'StoreUnavailable',
      message: expect.stringContaining('holds the write lock'),
    });
    expect(performance.now() - started).toBeGreaterThan(1_400);
    failing = {};
    await late;
    expect(notes()).toEqual(['kept']);
  });

  it('runs work in the asynchronous context of its caller', async () => {
    const queue = createQueue();
    const order = new AsyncLocalStorage<string>();
    const seen = await Promise.all(
      ['first', 'second'].map((id) => order.run(id, () => queue.run(() => order.getStore()))),
    );
    expect(seen).toEqual(['first', 'second']);
  });

  it('tells the seconds of each transaction that became durable, of no other', async () => {
    const seconds: number[] = [];
    const queue = createQueue(32, (each) => seconds.push(each));
    const failed = queue.run(() => {
      throw new Error('refused');
    });
    await Promise.allSettled([queue.run(insert('a')), failed, queue.run(insert('b'))]);
    expect(seconds).toHaveLength(2);
    expect(Math.max(...seconds)).toBeLessThan(5);
  });
});
