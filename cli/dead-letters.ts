import { setTimeout as sleep } from 'node:timers/promises';
import { userInfo } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { repeatedName } from '../domain/repeated-name.ts';
import type { ApiClient } from './api-client.ts';
import type { CliDeps } from './deps.ts';
import { namedAct } from './named-act.ts';
import { orderIdOf } from './order-ids.ts';
import { letterText, listText, type LetterAnswer, type ListAnswer } from './dead-letter-tables.ts';

interface Choice {
  json?: boolean;
  queue?: string;
  fingerprint?: string;
  order?: string;
  until?: string;
  all?: boolean;
}

interface ListOptions extends Choice {
  state?: string;
  limit?: string;
  cursor?: string;
}

interface ActOptions extends Choice {
  reason: string;
  actor: string;
  dryRun?: boolean;
  yes?: boolean;
  wait: boolean;
  rate?: number;
  patch?: Record<string, unknown>;
  url?: string;
  key?: string;
}

interface ProgressAnswer {
  replayId: string;
  status: string;
  settled: number;
  left: number;
  toGo: number;
  links: { self: string };
}

interface DryRunAnswer {
  dryRun: true;
  count: number;
  refused: { id: string; reason: string }[];
}

const POLL_MS = 500;
const base = '/dead-letters';

/** `dead-letters list|show|replay|discard`: the verbs of /dead-letters, for a terminal. */
export function deadLettersCommand(deps: CliDeps): Command {
  const command = new Command('dead-letters').description('what failed for good or expired');
  narrowed(command.command('list').description('groups by queue and kind of error, and the oldest ones'))
    .option('--state <state>', 'open, replaying, replayed or discarded', 'open')
    .option('--limit <count>', 'messages to show, at most 100', '20')
    .option('--cursor <cursor>', 'where the page before ended')
    .action((options: ListOptions) => list(deps, options));
  command
    .command('show <id>')
    .description('one dead letter, whole; secrets and personal data are masked')
    .option('--json', 'JSON instead of a table')
    .action((id: string, options: { json?: boolean }) => show(deps, id, options));
  acting(command.command('replay [ids...]').description('delivers again, each once'))
    .option('--patch <json>', 'JSON Merge Patch for the body', jsonObject)
    .option('--url <url>', 'corrected address: the same as --patch {"url": …}')
    .action((ids: string[], options: ActOptions) => act(deps, 'replay', ids, options));
  acting(command.command('discard [ids...]').description('gives up; the reason is kept')).action(
    (ids: string[], options: ActOptions) => act(deps, 'discard', ids, options),
  );
  return command;
}

const narrowed = (command: Command): Command =>
  command
    .option('--queue <name>', 'of one queue (without .dlq), or `outbox`')
    .option('--fingerprint <hex>', 'of one kind of failure')
    .option('--order <id>', 'of one order')
    .option('--until <time>', 'failed last at this time or before, ISO 8601')
    .option('--json', 'JSON instead of tables');

const acting = (command: Command): Command =>
  narrowed(command)
    .option('--all', 'everything that failed until now, or --until')
    .requiredOption('--reason <text>', 'why; ends up in the audit trail')
    .option('--actor <name>', 'who acts', userInfo().username)
    .option('--dry-run', 'only say what would be done')
    .option('--rate <count>', 'most messages a second', Number)
    .option('--key <text>', 'names this act: the same key and words are the same act')
    .option('--no-wait', 'do not wait for the end')
    .option('-y, --yes', 'do not ask before more than one');

async function list(deps: CliDeps, asked: ListOptions): Promise<void> {
  const client = deps.client();
  const options = await withOrderId(client, asked);
  const query = new URLSearchParams();
  const given = {
    ...choiceOf(options),
    state: options.state,
    limit: options.limit,
    cursor: options.cursor,
  };
  for (const [name, value] of Object.entries(given)) if (value !== undefined) query.set(name, value);
  const answer = await client.send<ListAnswer>('GET', `${base}?${query.toString()}`);
  deps.print(options.json ? JSON.stringify(answer, null, 2) : listText(answer));
}

async function show(deps: CliDeps, id: string, { json }: { json?: boolean }): Promise<void> {
  const answer = await deps.client().send<LetterAnswer>('GET', `${base}/${encodeURIComponent(id)}`);
  deps.print(json ? JSON.stringify(answer, null, 2) : letterText(answer));
}

async function act(
  deps: CliDeps,
  verb: 'replay' | 'discard',
  ids: string[],
  asked: ActOptions,
): Promise<void> {
  const client = deps.client();
  const options = await withOrderId(client, asked);
  const say = (text: string, answer: unknown) =>
    deps.print(options.json ? JSON.stringify(answer, null, 2) : text);
  const body = { ...bodyOf(options), ...(ids.length > 0 ? { ids } : {}) };
  if (ids.length !== 1 || options.dryRun) {
    const dry = await client.send<DryRunAnswer>('POST', `${base}/${verb}`, { ...body, dryRun: true });
    if (options.dryRun) return say(dryRunText(verb, dry), dry);
    /* Under a key that was used the act is told, also where it has left nothing open. */
    if (dry.count === 0 && options.key === undefined) return say('No open dead letters match.', dry);
    const question = `${verb === 'replay' ? 'Replay' : 'Discard'} ${dry.count} dead letters?`;
    if (dry.count > 1 && !options.yes && !(await deps.confirm(question))) {
      throw new Error(`${dry.count} dead letters were left as they are: confirm, or give --yes`);
    }
  }
  const [only] = ids;
  const named = namedAct(deps, options.key);
  const started =
    only !== undefined && ids.length === 1
      ? await actOnOne(client, verb, only, options, named)
      : await client.send<ProgressAnswer>('POST', `${base}/${verb}`, body, named);
  const end = options.wait ? await untilEnd(client, started) : started;
  say(progressText(verb, end), end);
  if (end.left > 0)
    throw new Error(`${end.left} could not be taken: dead-letters list shows them, show says why`);
}

function actOnOne(
  client: ApiClient,
  verb: 'replay' | 'discard',
  id: string,
  options: ActOptions,
  named: Record<string, string>,
): Promise<ProgressAnswer> {
  const { reason, actor } = options;
  const path = `${base}/${encodeURIComponent(id)}`;
  return verb === 'replay'
    ? client.send('POST', `${path}/replay`, { ...editOf(options), reason, actor }, named)
    : client.send('DELETE', `${path}?${new URLSearchParams({ reason, actor }).toString()}`, undefined, named);
}

async function untilEnd(client: ApiClient, started: ProgressAnswer): Promise<ProgressAnswer> {
  let now = started;
  while (!['completed', 'cancelled'].includes(now.status)) {
    await sleep(POLL_MS);
    now = await client.send<ProgressAnswer>('GET', now.links.self);
  }
  return now;
}

function bodyOf(options: ActOptions): Record<string, unknown> {
  const { reason, actor, rate, all } = options;
  return {
    ...choiceOf(options),
    ...editOf(options),
    reason,
    actor,
    ...(rate === undefined ? {} : { ratePerSecond: rate }),
    ...(all ? { all: true } : {}),
  };
}

const editOf = ({ patch, url }: ActOptions): { patch?: Record<string, unknown> } =>
  patch || url ? { patch: { ...patch, ...(url ? { url } : {}) } } : {};

const withOrderId = async <Options extends Choice>(client: ApiClient, options: Options): Promise<Options> =>
  options.order === undefined ? options : { ...options, order: await orderIdOf(client, options.order) };

function choiceOf({ queue, fingerprint, order, until }: Choice): Record<string, string> {
  const choice = { queue, fingerprint, orderId: order, failedUntil: until };
  return Object.fromEntries(
    Object.entries(choice).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

const dryRunText = (verb: string, { count, refused }: DryRunAnswer): string =>
  [
    `Would ${verb} ${count}.`,
    ...refused.map(({ id, reason }) => `The edit does not fit ${id}: ${reason}`),
  ].join('\n');

const progressText = (verb: string, { status, settled, left, toGo, replayId }: ProgressAnswer): string =>
  `${status}: ${settled} ${verb === 'replay' ? 'replayed' : 'discarded'}, ${left} left, ${toGo} to go (${replayId})`;

function jsonObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Said below.
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InvalidArgumentError('expected a JSON object');
  const name = repeatedName(text);
  if (name !== undefined) throw new InvalidArgumentError(`expected each name once; got "${name}" twice`);
  return { ...value };
}
