import { userInfo } from 'node:os';
import { Argument, Command } from 'commander';
import { providerNames, type ProviderName } from '../domain/providers.ts';
import type { CliDeps } from './deps.ts';
import { tableText, type Column } from './table.ts';

interface Provider {
  provider: ProviderName;
  status: string;
  switch?: { state: string; actor: string; reason: string; sinceUtc: string };
  circuits: { process: string; state: string; sinceUtc: string; reason: string; keyRefused?: true }[];
}

interface ActOptions {
  reason: string;
  actor: string;
  dryRun?: boolean;
  json?: boolean;
}

type Deps = Pick<CliDeps, 'client' | 'print'>;

/** `providers list|pause|resume`: the switches of the payment provider and the carrier. */
export function providersCommand(deps: Deps): Command {
  const command = new Command('providers').description('the payment provider and the carrier');
  command
    .command('list')
    .description('whether their steps go on, who paused them, and what each worker has found out')
    .option('--json', 'JSON instead of tables')
    .action((options: { json?: boolean }) => list(deps, options));
  for (const [verb, description] of verbs) {
    command
      .command(verb)
      .description(description)
      .addArgument(new Argument('<provider>').choices(providerNames))
      .requiredOption('--reason <text>', 'why; ends up in the audit trail')
      .option('--actor <name>', 'who acts', userInfo().username)
      .option('--dry-run', 'only say whether it would be done')
      .option('--json', 'JSON instead of a sentence')
      .action((provider: ProviderName, options: ActOptions) => turn(deps, verb, { ...options, provider }));
  }
  return command;
}

const verbs = [
  ['pause', 'makes its steps wait without attempts; checkouts go on'],
  ['resume', 'lets its steps go on, slowly at first'],
] as const;

async function list({ client, print }: Deps, { json }: { json?: boolean }): Promise<void> {
  const answer = await client().send<{ providers: Provider[] }>('GET', '/providers');
  print(json ? JSON.stringify(answer, null, 2) : listText(answer.providers));
}

async function turn(
  { client, print }: Deps,
  verb: 'pause' | 'resume',
  { provider, reason, actor, dryRun, json }: ActOptions & { provider: ProviderName },
): Promise<void> {
  const answer = await client().send<Provider>('POST', `/providers/${provider}/${verb}`, {
    ...(dryRun ? { dryRun } : {}),
    reason,
    actor,
  });
  const said =
    verb === 'pause' ? 'is paused: its steps wait until you resume it' : 'goes on, slowly at first';
  const told = dryRun ? `${provider} would take it: ${verb}.` : `${provider} ${said}.`;
  print(json ? JSON.stringify(answer, null, 2) : told);
}

function listText(providers: Provider[]): string {
  const switches = providers.map(({ provider, status, switch: own }) => [
    provider,
    status,
    own?.state ?? 'running',
    own?.actor ?? '',
    own?.sinceUtc ?? '',
    own?.reason ?? '',
  ]);
  const circuits = providers.flatMap(({ provider, circuits: found }) =>
    found.map(({ process, state, sinceUtc, reason, keyRefused }) => [
      provider,
      process,
      keyRefused ? `${state}, key refused` : state,
      sinceUtc,
      reason,
    ]),
  );
  return [
    tableText(named(['provider', 'status', 'switch', 'by', 'since', 'reason']), switches),
    tableText(named(['provider', 'worker', 'circuit', 'since', 'reason']), circuits),
  ].join('\n\n');
}

const named = (names: readonly string[]): Column[] => names.map((name) => ({ name }));
