import { readFileSync } from 'node:fs';
import { Command, Help, type Option } from 'commander';
import { apiAddress, apiKey, createApiClient, productAddresses } from './api-client.ts';
import { casesCommand } from './cases.ts';
import { completionCommands } from './completion.ts';
import { customersCommand } from './customers.ts';
import { deadLettersCommand } from './dead-letters.ts';
import type { CliDeps } from './deps.ts';
import { ordersCommand } from './orders.ts';
import { providersCommand } from './providers.ts';

/** `order-saga …`: everything that operators do, over the HTTP API. */
export function createProgram(deps: Omit<CliDeps, 'client'>, env: NodeJS.ProcessEnv): Command {
  const program = new Command('order-saga')
    .description('operate Order Saga')
    .version(versionOf(), '-V, --version', 'the version of this clone')
    .option('--api <url>', 'address of the API; else ORDER_SAGA_API, else the running product’s');
  const client = () => createApiClient(apiAddress(program.opts<{ api?: string }>().api, env), apiKey(env));
  const withClient = { ...deps, client };
  program.addCommand(ordersCommand(withClient));
  program.addCommand(casesCommand(withClient));
  program.addCommand(customersCommand(withClient));
  program.addCommand(deadLettersCommand(withClient));
  program.addCommand(providersCommand(withClient));
  program
    .command('addresses')
    .description(
      'prints what the running product answers at, for a shell: eval "$(npm run -s ops -- addresses)"',
    )
    .action(() => {
      const { api, sandbox, inbox, temporalUi } = productAddresses(env);
      const all = { API: api, SANDBOX: sandbox, INBOX: inbox, TEMPORAL_UI: temporalUi };
      deps.print(
        Object.entries(all)
          .map(([name, value]) => `export ${name}='${value}'`)
          .join('\n'),
      );
    });
  for (const command of completionCommands(program, deps.print))
    program.addCommand(command.command, command.how);
  program.addHelpText('after', otherPrograms);
  return sayWhatIsRequired(program);
}

const otherPrograms = `
  temporal                  Temporal's own command line, at the product's address

The store's own scripts: npm run catalog, audit:verify, db:purge -- --help`;

const versionOf = (): string =>
  (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string })
    .version;

/** The help of every command says which options it cannot do without, in its usage line as well. */
function sayWhatIsRequired(command: Command): Command {
  const plain = new Help();
  command.configureHelp({
    optionDescription: (option: Option) =>
      `${option.mandatory ? '(required) ' : ''}${plain.optionDescription(option)}`,
    commandUsage: (one: Command) => {
      const required = one.options
        .filter(({ mandatory }) => mandatory)
        .map(({ long, flags }) => `${long} ${flags.split(' ').at(-1)}`);
      return [plain.commandUsage(one), ...required].join(' ');
    },
  });
  for (const one of command.commands) sayWhatIsRequired(one);
  return command;
}
