import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createConnectionGate } from './connection-gate.ts';
import { withHints } from './lock-hints.ts';
import { runTransaction } from './run-transaction.ts';
import { statements, type Session } from './statement.ts';

const { one } = statements('test', {
  one: { index: 'PK_Orders', text: () => 'SELECT 1 FROM dbo.Orders WHERE OrderId = @OrderId' },
});
const ask = (session: Session) => session.rows(one, { OrderId: 'order' });

const serverError = (number: number) =>
  Object.assign(new Error(`error ${number}`), { code: 'EREQUEST', number, precedingErrors: [] });
const connectionLost = () => Object.assign(new Error('Connection lost'), { code: 'ESOCKET' });

/** What the driver would say, call by call, and what was called. */
function scripted(script: {
  begin?: (Error | undefined)[];
  query?: (Error | undefined)[];
  commit?: (Error | undefined)[];
}) {
  const calls: string[] = [];
  let running = 0;
  const step = async (name: 'begin' | 'query' | 'commit') => {
    calls.push(name);
    const error = script[name]?.shift();
    if (error) throw error;
  };
  const gate = createConnectionGate({ size: 1, waitMs: 200 });
  const deps = {
    gate,
    hints: withHints,
    workTimeoutMs: 100,
    driver: {
      server: 'sql:1433/shop',
      async begin() {
        await step('begin');
        return {
          async query() {
            running += 1;
            if (running > 1) throw new Error('two requests on one connection');
            await sleep(1);
            running -= 1;
            await step('query');
            return [[{ OrderId: 'order' }]];
          },
          commit: () => step('commit'),
          async rollback() {
            calls.push('rollback');
          },
        };
      },
    },
  };
  return { calls, deps, free: () => gate.state().inUse === 0 };
}

describe('a transaction on SQL Server', () => {
  it('commits what the work did', async () => {
    const { calls, deps, free } = scripted({});
    expect(await runTransaction(deps, ask)).toEqual([{ OrderId: 'order' }]);
    expect(calls).toEqual(['begin', 'query', 'commit']);
    expect(free()).toBe(true);
  });

  it('rolls back when the work fails and gives its error on', async () => {
    const { calls, deps, free } = scripted({});
    const failing = runTransaction(deps, async (session) => {
      await ask(session);
      throw new Error('the step failed');
    });
    await expect(failing).rejects.toThrow('the step failed');
    expect(calls).toEqual(['begin', 'query', 'rollback']);
    expect(free()).toBe(true);
  });

  it('runs the work again from its start when it was the victim of a deadlock', async () => {
    const { calls, deps } = scripted({ query: [undefined, serverError(1205)] });
    let runs = 0;
    const result = await runTransaction(deps, async (session) => {
      runs += 1;
      await ask(session);
      await ask(session);
      return runs;
    });
    expect(result).toBe(2);
    expect(calls.join(' ')).toBe('begin query query rollback begin query query commit');
  });

  it('gives up on deadlocks after five tries with StoreUnavailable', async () => {
    const { calls, deps, free } = scripted({ query: Array.from({ length: 9 }, () => serverError(1205)) });
    await expect(runTransaction(deps, ask)).rejects.toMatchObject({ type: 'StoreUnavailable' });
    expect(calls.filter((call) => call === 'begin')).toHaveLength(5);
    expect(free()).toBe(true);
  });

  it('goes on after a constraint refused a statement that the work can live without', async () => {
    const { calls, deps } = scripted({ query: [serverError(2627)] });
    await runTransaction(deps, async (session) => {
      await expect(ask(session)).rejects.toThrow('test.one');
      await ask(session);
    });
    expect(calls).toEqual(['begin', 'query', 'query', 'commit']);
  });

  it.each([
    ['a deadlock', serverError(1222)],
    ['a lost connection', connectionLost()],
    ['an error nobody knows', serverError(50_000)],
  ])('never commits after %s, also when the work swallowed it, and sends nothing more', async (_, error) => {
    const { calls, deps } = scripted({ query: [error] });
    const swallowing = runTransaction(deps, async (session) => {
      await ask(session).catch(() => {});
      await ask(session).catch(() => {});
      return 'fine';
    });
    await expect(swallowing).rejects.toThrow('test.one');
    expect(calls).toEqual(['begin', 'query', 'rollback']);
  });

  it('does not know the outcome when the reply to the commit is lost, and does not run the work again', async () => {
    const { calls, deps, free } = scripted({ commit: [connectionLost()] });
    await expect(runTransaction(deps, ask)).rejects.toMatchObject({ type: 'OutcomeUnknown' });
    expect(calls).toEqual(['begin', 'query', 'commit']);
    expect(free()).toBe(true);
  });

  it('runs again when the server says at the commit that it had rolled back for a deadlock', async () => {
    const aborted = Object.assign(new Error('aborted'), { code: 'EABORT', originalError: serverError(1205) });
    const { calls, deps } = scripted({ commit: [aborted] });
    await runTransaction(deps, ask);
    expect(calls.join(' ')).toBe('begin query commit begin query commit');
  });

  it('is StoreUnavailable when it cannot begin', async () => {
    const { calls, deps, free } = scripted({ begin: [connectionLost()] });
    await expect(runTransaction(deps, ask)).rejects.toMatchObject({ type: 'StoreUnavailable' });
    expect(calls).toEqual(['begin']);
    expect(free()).toBe(true);
  });

  it('runs statements one after another that the work asked for at once', async () => {
    const { calls, deps } = scripted({});
    await runTransaction(deps, (session) => Promise.all([ask(session), ask(session), ask(session)]));
    expect(calls).toEqual(['begin', 'query', 'query', 'query', 'commit']);
  });

  it('rolls back work that awaits something else than the transaction for too long', async () => {
    const { calls, deps, free } = scripted({});
    const slow = runTransaction(deps, async (session) => {
      await ask(session);
      await sleep(400);
    });
    await expect(slow).rejects.toThrow('held its connection for more than 100 ms');
    expect(calls).toEqual(['begin', 'query', 'rollback']);
    expect(free()).toBe(true);
  });

  it('does not send a statement whose value does not fit', async () => {
    const { calls, deps } = scripted({});
    const wrong = runTransaction(deps, (session) => session.rows(one, { OrderId: 'ключ' }));
    await expect(wrong).rejects.toThrow('@OrderId (CHAR(36)): expected ASCII only');
    expect(calls).toEqual(['begin', 'rollback']);
  });
});
