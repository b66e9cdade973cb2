import { userInfo } from 'node:os';
import { Command } from 'commander';
import { isAway } from './api-client.ts';
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

/** An act on many that lost its run. */
interface LostRun {
  workflowId: string;
  kind: string;
  sinceUtc: string;
  failure: string;
  acts: string[];
}

interface ActOptions {
  reason: string;
  customerMessage?: string;
  actor: string;
  dryRun?: boolean;
  json?: boolean;
}

type CasesDeps = Pick<CliDeps, 'client' | 'print' | 'say'>;

/**
 * `cases list|restart|compensate|take-note`: orders that have lost their run, or whose run SQL does not know; and acts on many
 * that have lost theirs, by their workflow id.
 */
export function casesCommand(deps: CasesDeps): Command {
  const command = new Command('cases').description(
    'orders and acts on many that have lost their run, and orders that SQL does not know',
  );
  command
    .command('list')
    .description('what was found, oldest order first, and what can be done')
    .option('--json', 'JSON instead of a table')
    .action((options: { json?: boolean }) => list(deps, options));
  acting(
    command
      .command('restart <id>')
      .description('goes on from what is on record; of an order or an act on many'),
  ).action((id: string, options: ActOptions) => act(deps, 'restart', id, options));
  acting(command.command('compensate <orderId>').description('takes the order back'))
    .option('--customer-message <text>', 'what the shop and the customer may read of it')
    .action((id: string, options: ActOptions) => act(deps, 'compensate', id, options));
  acting(
    command
      .command('take-note <id>')
      .description('only looks: where no other act is safe, or an act on many is to stay as it ended'),
  ).action((id: string, options: ActOptions) => act(deps, 'take-note', id, options));
  return command;
}

const acting = (command: Command): Command =>
  command
    .requiredOption('--reason <text>', 'why; ends up in the audit trail')
    .option('--actor <name>', 'who acts', userInfo().username)
    .option('--dry-run', 'only say whether it would be done')
    .option('--json', 'JSON instead of a sentence');

async function list({ client, print, say }: CasesDeps, options: { json?: boolean }) {
  const { cases } = await client().send<{ cases: Case[] }>('GET', '/cases');
  /* Temporal alone has these; the orders are told without it. */
  const runs = await client()
    .send<{ runs: LostRun[] }>('GET', '/cases/runs')
    .then(
      (answer) => answer.runs,
      (error: unknown) => {
        if (!isAway(error)) throw error;
        say('Acts on many that have lost their run are not known: Temporal or the store does not answer.');
        return [];
      },
    );
  print(options.json ? JSON.stringify({ cases, runs }, null, 2) : casesText(cases, runs));
}

function casesText(cases: Case[], runs: LostRun[]): string {
  if (cases.length + runs.length === 0) return 'No cases.';
  /* The run may be one that Temporal has forgotten: then no one finds the order by its first characters. */
  const columns = [
    { name: 'order or act', kind: 'whole' },
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
  const lost = runs.map(({ workflowId, kind, sinceUtc, failure, acts }) => [
    workflowId,
    kind,
    '',
    sinceUtc,
    failure,
    acts.join(', '),
  ]);
  return tableText(columns, [...rows, ...lost]);
}

async function act(
  { client, print }: Pick<CliDeps, 'client' | 'print'>,
  verb: keyof typeof done,
  text: string,
  { reason, customerMessage, actor, dryRun, json }: ActOptions,
): Promise<void> {
  const api = client();
  if (isActOnMany(text)) {
    if (verb === 'compensate') throw new Error(`${text} is an act on many: restart it, or take note of it`);
    const answer = await api.send('POST', `/cases/runs/${encodeURIComponent(text)}/${verb}`, {
      ...(dryRun ? { dryRun } : {}),
      reason,
      actor,
    });
    const said = dryRun ? `${text} would take it: ${verb}` : `${text} ${doneToRun[verb]}`;
    return print(json ? JSON.stringify(answer, null, 2) : said);
  }
  const id = await orderIdOf(api, text);
  const path = `/cases/${encodeURIComponent(id)}/${verb}`;
  const answer = await api.send<{ orderId: string }>('POST', path, {
    ...(dryRun ? { dryRun } : {}),
    reason,
    ...(customerMessage ? { customerMessage } : {}),
    actor,
  });
  const said = dryRun ? `Order ${id} would take it: ${verb}` : `Order ${id} ${done[verb]}`;
  print(json ? JSON.stringify(answer, null, 2) : said);
}

const isActOnMany = (text: string): boolean => /^(order-act|dead-letters)-/.test(text);

const doneToRun = {
  restart: 'goes on; nothing is done twice',
  'take-note': 'stays as it ended and leaves the list of cases',
};

const done = {
  restart: 'goes on; `ops orders watch` follows it',
  compensate: 'is being taken back; `ops orders watch` follows it',
  'take-note': 'is noted and leaves the list of cases; nothing else is changed',
};
