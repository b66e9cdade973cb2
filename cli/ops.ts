import { Command } from 'commander';
import { apiAddress, apiKey, createApiClient } from './api-client.ts';
import { casesCommand } from './cases.ts';
import { customersCommand } from './customers.ts';
import { confirmOnTerminal, isAtTerminal, type CliDeps } from './deps.ts';
import { deadLettersCommand } from './dead-letters.ts';
import { ordersCommand } from './orders.ts';
import { providersCommand } from './providers.ts';

/*
 * `npm run ops -- <command>`: what operators do, over the HTTP API. Address from --api, ORDER_SAGA_API or the running
 * product's `.runtime/addresses.json`; key from ORDER_SAGA_API_KEY or the operator in API_CALLERS.
 */
const program = new Command('ops')
  .description('operate Order Saga')
  .option('--api <url>', 'address of the API');
const client = () =>
  createApiClient(apiAddress(program.opts<{ api?: string }>().api, process.env), apiKey(process.env));
const deps: CliDeps = {
  client,
  print: (text) => console.log(text),
  say: (text) => console.error(text),
  confirm: confirmOnTerminal,
  atTerminal: isAtTerminal(),
};
program.addCommand(ordersCommand(deps));
program.addCommand(casesCommand(deps));
program.addCommand(customersCommand(deps));
program.addCommand(deadLettersCommand(deps));
program.addCommand(providersCommand(deps));

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
