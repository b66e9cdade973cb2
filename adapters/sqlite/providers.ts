import type { CircuitState, ProviderName, ProviderRecords, ProviderSwitch } from '../../domain/providers.ts';
import type { ProviderStatements } from '../../ports/providers.ts';
import { snapshot, type Connection } from './connection.ts';
import type { Synchronous } from './statements.ts';

const circuitColumns = 'Provider, Process, State, Reason, SinceUtc, ReportedAtUtc, KeyRefused';

export const providerSql = {
  /* A provider that was never paused has no row, and nothing to resume. */
  change: `INSERT INTO Providers (Provider, State, Actor, Reason, SinceUtc)
    SELECT ?1, ?2, ?3, ?4, ?5
    WHERE ?2 <> 'running' OR EXISTS (SELECT 1 FROM Providers WHERE Provider = ?1)
    ON CONFLICT (Provider) DO UPDATE SET State = excluded.State, Actor = excluded.Actor, Reason = excluded.Reason,
      SinceUtc = excluded.SinceUtc
    WHERE State <> excluded.State`,
  report: `INSERT INTO ProviderCircuits (${circuitColumns}) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (Provider, Process) DO UPDATE SET State = excluded.State, Reason = excluded.Reason,
      SinceUtc = excluded.SinceUtc, ReportedAtUtc = excluded.ReportedAtUtc, KeyRefused = excluded.KeyRefused`,
  forget: 'DELETE FROM ProviderCircuits WHERE ReportedAtUtc < ?',
  switches: 'SELECT Provider, State, Actor, Reason, SinceUtc FROM Providers ORDER BY Provider',
  circuits: `SELECT ${circuitColumns} FROM ProviderCircuits ORDER BY Provider, Process`,
};

interface SwitchRecord {
  Provider: ProviderName;
  State: ProviderSwitch['state'];
  Actor: string;
  Reason: string;
  SinceUtc: string;
}

interface CircuitRecord {
  Provider: ProviderName;
  Process: string;
  State: CircuitState;
  Reason: string;
  SinceUtc: string;
  ReportedAtUtc: string;
  KeyRefused: 0 | 1;
}

export function createProviders(connection: Connection): Synchronous<ProviderStatements> {
  return {
    change: ({ provider, state, actor, reason, sinceUtc }) =>
      connection.run(providerSql.change, provider, state, actor, reason, sinceUtc) === 1,
    report({ provider, process, state, reason, sinceUtc, reportedAtUtc, keyRefused }) {
      const values = [provider, process, state, reason, sinceUtc, reportedAtUtc, keyRefused ? 1 : 0];
      connection.run(providerSql.report, ...values);
    },
    forget({ reportedBeforeUtc }) {
      connection.run(providerSql.forget, reportedBeforeUtc);
    },
  };
}

export const readProviders = (connection: Connection): ProviderRecords =>
  snapshot(connection, () => ({
    switches: connection.all<SwitchRecord>(providerSql.switches).map((record) => ({
      provider: record.Provider,
      state: record.State,
      actor: record.Actor,
      reason: record.Reason,
      sinceUtc: record.SinceUtc,
    })),
    circuits: connection.all<CircuitRecord>(providerSql.circuits).map((record) => ({
      provider: record.Provider,
      process: record.Process,
      state: record.State,
      reason: record.Reason,
      sinceUtc: record.SinceUtc,
      reportedAtUtc: record.ReportedAtUtc,
      ...(record.KeyRefused === 1 ? { keyRefused: true as const } : {}),
    })),
  }));
