import type { ConnectionGate } from './connection-gate.ts';
import type { Driver } from './driver.ts';
import { storeError } from './errors.ts';
import type { LockHints } from './lock-hints.ts';
import { typedParameters } from './parameter-types.ts';
import type { Session } from './statement.ts';

/** Statements that are each a transaction of their own: reads, and the outbox's single updates. */
export function autocommitSession(deps: {
  driver: Pick<Driver, 'query' | 'server'>;
  gate: ConnectionGate;
  hints: LockHints;
  onStatement?: ((name: string) => void) | undefined;
  onStatementTime?: ((name: string, seconds: number) => void) | undefined;
}): Session {
  const results: Session['results'] = async (statement, values, rowCount = 1) => {
    const text = statement.text(deps.hints, rowCount);
    const parameters = typedParameters(text, values);
    const leave = await deps.gate.enter();
    const startedAtMs = performance.now();
    try {
      deps.onStatement?.(statement.name);
      return await deps.driver.query(text, parameters);
    } catch (error) {
      throw storeError(error, { server: deps.driver.server, statement: statement.name, text });
    } finally {
      deps.onStatementTime?.(statement.name, (performance.now() - startedAtMs) / 1_000);
      leave();
    }
  };
  return { results, rows: async (...request) => (await results(...request)).flat() };
}
