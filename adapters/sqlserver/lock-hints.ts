/**
 * The one place where lock hints are written. Without them (a server that refuses or ignores them, such as Babelfish)
 * the same rows are locked by statements that write: slower, and just as correct.
 */
export interface LockHints {
  /** ` WITH (ROWLOCK, UPDLOCK)` behind a table's name, or nothing. */
  table(...hints: Hint[]): string;
  /**
   * Reads rows and keeps them locked until the transaction ends. `UPDLOCK` does it with hints; without them an update
   * that changes nothing does.
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
    `UPDATE ${table} SET ${touch} = ${touch} OUTPUT ${columns.map((column) => `inserted.${column}`).join(', ')} WHERE ${where}`,
};
