import { userInfo } from 'node:os';
import { Command } from 'commander';
import type { ApiClient } from './api-client.ts';
import type { CliDeps } from './deps.ts';

interface EraseOptions {
  reason: string;
  actor: string;
  dryRun?: boolean;
  yes?: boolean;
  json?: boolean;
}

interface ErasedAnswer {
  customerId: string;
  dryRun: boolean;
  orders: number;
  erasedOrders: number;
  mails: number;
  deadLetters: number;
}

/** What this noun uses of the client. */
type Deps = Omit<CliDeps, 'client'> & { client: () => Pick<ApiClient, 'send'> };

/** `customers erase`: removes what SQL holds of a customer; docs/personal-data.md names the other places. */
export function customersCommand(deps: Deps): Command {
  const command = new Command('customers').description('customers and their personal data');
  command
    .command('erase <customerId>')
    .description('removes addresses, mail addresses and the content of mails; cannot be taken back')
    .requiredOption('--reason <text>', 'why; ends up in the audit trail, so without personal data')
    .option('--actor <name>', 'who acts', userInfo().username)
    .option('--dry-run', 'only count the orders')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'JSON instead of a sentence')
    .action((id: string, options: EraseOptions) => erase(deps, id, options));
  return command;
}

async function erase(deps: Deps, id: string, options: EraseOptions): Promise<void> {
  const client = deps.client();
  const { reason, actor } = options;
  const send = (dryRun: boolean) =>
    // In the body: no address can name the customers . and ..
    client.send<ErasedAnswer>('POST', '/customers/erase', {
      customerId: id,
      reason,
      actor,
      ...(dryRun ? { dryRun } : {}),
    });
  const say = (answer: ErasedAnswer, text: string) =>
    deps.print(options.json ? JSON.stringify(answer, null, 2) : text);
  const found = await send(true);
  if (options.dryRun) return say(found, `Would erase the personal data of ${orders(found.orders)} of ${id}.`);
  const question = `Erase the personal data of ${orders(found.orders)} of ${id}? This cannot be taken back.`;
  if (!options.yes && !(await deps.confirm(question))) {
    throw new Error(`Nothing of ${id} was erased: confirm, or give --yes`);
  }
  const { erasedOrders, mails, deadLetters, ...answer } = await send(false);
  say(
    { ...answer, erasedOrders, mails, deadLetters },
    `Erased: ${orders(erasedOrders)}, ${mails} mails, ${deadLetters} dead letters of ${id}. ` +
      'docs/personal-data.md names the other places that hold some for a while.',
  );
}

const orders = (count: number): string => `${count} ${count === 1 ? 'order' : 'orders'}`;
