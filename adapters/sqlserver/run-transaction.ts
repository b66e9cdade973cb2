import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionGate } from './connection-gate.ts';
import type { Driver, ServerTransaction } from './driver.ts';
import { commitError, isRerunnable, leavesTransaction, storeError } from './errors.ts';
import type { LockHints } from './lock-hints.ts';
import { typedParameters, type StatementValues } from './parameter-types.ts';
import type { Session, Statement } from './statement.ts';

/** Tries of one transaction that the server chose as a deadlock's victim. */
const tries = 5;
const pauseMs = (attempt: number): number => 5 * 2 ** attempt * (0.5 + Math.random() / 2);

/** One transaction's time: past its end nothing of it reaches the database. */
export interface Scope {
  ended: boolean;
  /** First error after which the transaction cannot commit, also when the work swallowed it. */
  broken: Error | undefined;
}

export interface TransactionDeps {
  driver: Pick<Driver, 'begin' | 'server'>;
  gate: ConnectionGate;
  hints: LockHints;
  /** Longest time for the work of one transaction, in milliseconds. */
  workTimeoutMs: number;
  /** Told the name of each statement that is sent. */
  onStatement?: ((name: string) => void) | undefined;
  /** Told the seconds from sending a statement to its answer or error. */
  onStatementTime?: ((name: string, seconds: number) => void) | undefined;
}

type Work<T> = (session: Session, scope: Scope) => Promise<T>;

/**
 * Runs `work` in a transaction of its own. Rejects with what `work` threw (rolled back), StoreUnavailable (rolled back
 * or never begun), or OutcomeUnknown (the commit's reply was lost). Runs `work` again, at most five times in all, when
 * the server rolled back because of a deadlock.
 */
export async function runTransaction<T>(deps: TransactionDeps, work: Work<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await runOnce(deps, work);
    } catch (error) {
      if (attempt === tries || !isRerunnable(error)) throw error;
    }
    await sleep(pauseMs(attempt));
  }
}

async function runOnce<T>(deps: TransactionDeps, work: Work<T>): Promise<T> {
  const leave = await deps.gate.enter();
  try {
    const transaction = await begin(deps);
    const result = await runWork(deps, transaction, work).catch(async (error: unknown) => {
      await transaction.rollback();
      throw error;
    });
    await commit(deps, transaction);
    return result;
  } finally {
    leave();
  }
}

async function begin({ driver }: TransactionDeps): Promise<ServerTransaction> {
  try {
    return await driver.begin();
  } catch (error) {
    throw storeError(error, { server: driver.server, statement: 'BEGIN TRANSACTION' });
  }
}

async function commit({ driver }: TransactionDeps, transaction: ServerTransaction): Promise<void> {
  try {
    await transaction.commit();
  } catch (error) {
    throw commitError(error, { server: driver.server });
  }
}

/** The work's result once none of its statements runs any more; rejects when the transaction must not commit. */
async function runWork<T>(deps: TransactionDeps, transaction: ServerTransaction, work: Work<T>): Promise<T> {
  const scope: Scope = { ended: false, broken: undefined };
  const { session, idle } = createSession(deps, transaction, scope);
  const ended: { value: T } | { error: unknown } = await inTime(
    work(session, scope),
    deps.workTimeoutMs,
  ).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  scope.ended = true;
  await idle();
  // What broke the transaction is the reason, whatever the work made of it.
  if (scope.broken) throw scope.broken;
  if ('error' in ended) throw ended.error;
  return ended.value;
}

/** Statements of one transaction, one after another, also when the work asks for several at once. */
function createSession(deps: TransactionDeps, transaction: ServerTransaction, scope: Scope) {
  let last: Promise<unknown> = Promise.resolve();

  async function send(statement: Statement, text: string, values: StatementValues) {
    if (scope.broken) throw scope.broken;
    // Nothing may be on the connection when the transaction ends.
    if (scope.ended) throw new Error(`${statement.name} was asked for after its transaction had ended`);
    const parameters = typedParameters(text, values);
    deps.onStatement?.(statement.name);
    const startedAtMs = performance.now();
    try {
      return await transaction.query(text, parameters);
    } catch (error) {
      const reason = storeError(error, { server: deps.driver.server, statement: statement.name, text });
      if (!leavesTransaction(error)) scope.broken ??= reason;
      throw reason;
    } finally {
      deps.onStatementTime?.(statement.name, (performance.now() - startedAtMs) / 1_000);
    }
  }

  const results: Session['results'] = (statement, values, rowCount = 1) => {
    const sent = last.then(() => send(statement, statement.text(deps.hints, rowCount), values));
    last = sent.catch(() => {});
    return sent;
  };
  const session: Session = {
    results,
    rows: async (...request) => (await results(...request)).flat(),
  };
  return { session, idle: () => last };
}

async function inTime<T>(work: Promise<T>, limitMs: number): Promise<T> {
  const timer = new AbortController();
  const tooLong = sleep(limitMs, undefined, { signal: timer.signal }).then((): never => {
    throw new Error(
      `transaction(work): work held its connection for more than ${limitMs} ms and was rolled back; ` +
        'it may await nothing but tx: do everything else before or after the transaction',
    );
  });
  try {
    return await Promise.race([work, tooLong]);
  } finally {
    timer.abort();
  }
}
