import { userInfo } from 'node:os';
import { Command } from 'commander';
import type { CliDeps } from './deps.ts';
import { orderIdOf } from './order-ids.ts';
import { tableText } from './table.ts';

interface Case {
  orderId: string;
  status: string;
  step: string;
  sinceUtc: string;
  failure: string;
  acts: string[];
}

interface ActOptions {
  reason: string;
  actor: string;
  dryRun?: boolean;
  json?: boolean;
}

/** `cases list|restart|compensate|take-note`: orders that have lost their run, or whose run SQL does not know. */
export function casesCommand(deps: Pick<CliDeps, 'client' | 'print'>): Command {
  const command = new Command('cases').description(
    'orders that have lost their run, or that SQL does not know',
  );
  command
    .command('list')
    .description('what was found, oldest order first, and what can be done')
    .option('--json', 'JSON instead of a table')
    .action((options: { json?: boolean }) => list(deps, options));
  acting(command.command('restart <orderId>').description('goes on from the recorded operations')).action(
    (id: string, options: ActOptions) => act(deps, 'restart', id, options),
  );
  acting(command.command('compensate <orderId>').description('takes the order back')).action(
    (id: string, options: ActOptions) => act(deps, 'compensate', id, options),
  );
  acting(
    command
      .command('take-note <orderId>')
      .description('only looks: for a case on which no other act is safe'),
  ).action((id: string, options: ActOptions) => act(deps, 'take-note', id, options));
  return command;
}

const acting = (command: Command): Command =>
  command
    .requiredOption('--reason <text>', 'why; ends up in the audit trail')
    .option('--actor <name>', 'who acts', userInfo().username)
    .option('--dry-run', 'only say whether it would be done')
    .option('--json', 'JSON instead of a sentence');

async function list({ client, print }: Pick<CliDeps, 'client' | 'print'>, options: { json?: boolean }) {
  const answer = await client().send<{ cases: Case[] }>('GET', '/cases');
  print(options.json ? JSON.stringify(answer, null, 2) : casesText(answer.cases));
}

function casesText(cases: Case[]): string {
  if (cases.length === 0) return 'No cases.';
  /* The run may be one that Temporal has forgotten: then no one finds the order by its first characters. */
  const columns = [
    { name: 'order', kind: 'whole' },
    { name: 'status' },
    { name: 'step', kind: 'optional' },
    { name: 'found', kind: 'optional' },
    { name: 'run' },
    { name: 'allowed actions' },
  ] as const;
  const rows = cases.map(({ orderId, status, step, sinceUtc, failure, acts }) => [
    orderId,
    status,
    step,
    sinceUtc,
    failure,
    acts.join(', '),
  ]);
  return tableText(columns, rows);
}

async function act(
  { client, print }: Pick<CliDeps, 'client' | 'print'>,
  verb: keyof typeof done,
  text: string,
  { reason, actor, dryRun, json }: ActOptions,
): Promise<void> {
  const api = client();
  const id = await orderIdOf(api, text);
  const path = `/cases/${encodeURIComponent(id)}/${verb}`;
  const answer = await api.send<{ orderId: string }>('POST', path, {
    ...(dryRun ? { dryRun } : {}),
    reason,
    actor,
  });
  const said = dryRun ? `Order ${id} would take it: ${verb}` : `Order ${id} ${done[verb]}`;
  print(json ? JSON.stringify(answer, null, 2) : said);
}

const done = {
  restart: 'goes on; `ops orders watch` follows it',
  compensate: 'is being taken back; `ops orders watch` follows it',
  'take-note': 'is noted and leaves the list of cases; nothing else is changed',
};
