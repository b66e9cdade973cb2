import type { CircuitState, ProviderName, ProviderRecords, ProviderSwitch } from '../../domain/providers.ts';
import type { ProviderStatements } from '../../ports/providers.ts';
import { upsert } from './insert-or-update.ts';
import { statements, type Session } from './statement.ts';
import { isoOf } from './values.ts';

export const providerSql = statements('providers', {
  /* A provider that was never paused has no row, and nothing to resume. */
  change: {
    index: 'PK_Providers',
    text: () => `UPDATE dbo.Providers SET State = @State, Actor = @Actor, Reason = @Reason, SinceUtc = @SinceUtc
      OUTPUT inserted.Provider
      WHERE Provider = @Provider AND State <> @State;
      INSERT INTO dbo.Providers (Provider, State, Actor, Reason, SinceUtc)
      OUTPUT inserted.Provider
      SELECT @Provider, @State, @Actor, @Reason, @SinceUtc
      WHERE @State <> 'running' AND NOT EXISTS (SELECT 1 FROM dbo.Providers WHERE Provider = @Provider)`,
  },
  report: {
    index: 'PK_ProviderCircuits',
    text: () => `UPDATE dbo.ProviderCircuits SET State = @State, Reason = @Reason, SinceUtc = @SinceUtc,
        ReportedAtUtc = @ReportedAtUtc, KeyRefused = @KeyRefused
      WHERE Provider = @Provider AND Process = @Process;
      IF @@ROWCOUNT = 0
        INSERT INTO dbo.ProviderCircuits (Provider, Process, State, Reason, SinceUtc, ReportedAtUtc, KeyRefused)
        SELECT @Provider, @Process, @State, @Reason, @SinceUtc, @ReportedAtUtc, @KeyRefused
        WHERE NOT EXISTS (
          SELECT 1 FROM dbo.ProviderCircuits WHERE Provider = @Provider AND Process = @Process
        )`,
  },
  forget: {
    index: 'scan of PK_ProviderCircuits',
    text: () => 'DELETE FROM dbo.ProviderCircuits WHERE ReportedAtUtc < @ReportedBeforeUtc',
  },
  read: {
    index: 'scan of PK_Providers and PK_ProviderCircuits',
    text: () => `SELECT Provider, State, Actor, Reason, SinceUtc FROM dbo.Providers ORDER BY Provider;
      SELECT Provider, Process, State, Reason, SinceUtc, ReportedAtUtc, KeyRefused FROM dbo.ProviderCircuits
      ORDER BY Provider, Process`,
  },
});

export function createProviders(session: Session): ProviderStatements {
  return {
    async change({ provider, state, actor, reason, sinceUtc }) {
      const values = { Provider: provider, State: state, Actor: actor, Reason: reason, SinceUtc: sinceUtc };
      return (await upsert(() => session.rows(providerSql.change, values))).length > 0;
    },
    async report({ provider, process, state, reason, sinceUtc, reportedAtUtc, keyRefused }) {
      const values = {
        Provider: provider,
        Process: process,
        State: state,
        Reason: reason,
        SinceUtc: sinceUtc,
        ReportedAtUtc: reportedAtUtc,
        KeyRefused: keyRefused ? 1 : 0,
      };
      await upsert(() => session.rows(providerSql.report, values));
    },
    async forget({ reportedBeforeUtc }) {
      await session.rows(providerSql.forget, { ReportedBeforeUtc: reportedBeforeUtc });
    },
  };
}

export async function readProviders(session: Session): Promise<ProviderRecords> {
  const [switches = [], circuits = []] = await session.results(providerSql.read, {});
  return {
    switches: switches.map((row) => ({
      provider: row['Provider'] as ProviderName,
      state: row['State'] as ProviderSwitch['state'],
      actor: row['Actor'] as string,
      reason: row['Reason'] as string,
      sinceUtc: isoOf(row['SinceUtc']),
    })),
    circuits: circuits.map((row) => ({
      provider: row['Provider'] as ProviderName,
      process: row['Process'] as string,
      state: row['State'] as CircuitState,
      reason: row['Reason'] as string,
      sinceUtc: isoOf(row['SinceUtc']),
      reportedAtUtc: isoOf(row['ReportedAtUtc']),
      ...(row['KeyRefused'] ? { keyRefused: true as const } : {}),
    })),
  };
}
