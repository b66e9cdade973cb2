/**
 * The one place where lock hints are written. Without them (a server that refuses or ignores them, such as Babelfish)
 * an update that changes nothing locks the rows, and a read behind it says what they hold: such a server may return
 * from an UPDATE's OUTPUT what was there before it waited for the lock.
 */
export interface LockHints {
  /** ` WITH (ROWLOCK, UPDLOCK)` behind a table's name, or nothing. */
  table(...hints: Hint[]): string;
  /**
   * Reads rows and keeps them locked until the transaction ends: one result. `UPDLOCK` does it with hints, without them
   * a batch of two statements.
   */
  lockingRead(input: { table: string; columns: readonly string[]; touch: string; where: string }): string;
}

/** Never SERIALIZABLE or HOLDLOCK: range locks are what deadlocks orders that have nothing to do with one another. */
type Hint = 'ROWLOCK' | 'UPDLOCK' | 'READPAST';

export const withHints: LockHints = {
  table: (...hints) => ` WITH (${hints.join(', ')})`,
  lockingRead: ({ table, columns, where }) =>
    `SELECT ${columns.join(', ')} FROM ${table} WITH (ROWLOCK, UPDLOCK) WHERE ${where}`,
};

export const withoutHints: LockHints = {
  table: () => '',
  lockingRead: ({ table, columns, touch, where }) =>
    `UPDATE ${table} SET ${touch} = ${touch} WHERE ${where};
      SELECT ${columns.join(', ')} FROM ${table} WHERE ${where}`,
};
